"""Features that relate a client's history to the present application."""

import polars as pl

from bento.data.tables import Unit
from bento.features.definitions import Feature, Group
from bento.features.formulas import over
from bento.i18n import DAYS_PER_YEAR

_INCOME, _ANNUITY, _CREDIT = pl.col("AMT_INCOME_TOTAL"), pl.col("AMT_ANNUITY"), pl.col("AMT_CREDIT")
_TERM = pl.col("previous_term_mean_approved")


def _to(
    name: str, numerator: pl.Expr | str, denominator: pl.Expr, group: Group, *, risk: int = 0, unit: Unit = "share"
) -> Feature:
    return Feature(name, over(numerator, denominator), group=group, unit=unit, risk=risk)


FEATURES: tuple[Feature, ...] = (
    _to("bureau_debt_to_income", "bureau_debt_sum_active", _INCOME, "bureau_debt", risk=1).worded(
        "Debt at other lenders over income", "Dette auprès d'autres prêteurs rapportée aux revenus"
    ),
    _to("bureau_credit_to_income", "bureau_credit_sum_sum_active", _INCOME, "bureau_debt", risk=1).worded(
        "Open credits at other lenders over income", "Crédits en cours ailleurs rapportés aux revenus"
    ),
    _to("bureau_annuity_to_annuity", "bureau_annuity_sum_active", _ANNUITY, "bureau_debt", risk=1).worded(
        "Instalments at other lenders over this one", "Mensualités ailleurs rapportées à celle-ci"
    ),
    _to("bureau_debt_to_loan", "bureau_debt_sum_active", _CREDIT, "bureau_debt", risk=1).worded(
        "Debt at other lenders over this loan", "Dette auprès d'autres prêteurs rapportée à ce prêt"
    ),
    Feature(
        "bureau_age_at_end_years",
        (pl.col("bureau_end_days_max_active") - pl.col("DAYS_BIRTH")) / DAYS_PER_YEAR,
        group="bureau_debt",
        unit="years",
    ).worded("Age at the end of the credits at other lenders", "Âge à la fin des crédits ailleurs"),
    _to("previous_credit_mean_to_loan", "previous_credit_mean_approved", _CREDIT, "past_applications").worded(
        "Mean earlier loan over this one", "Prêt antérieur moyen rapporté à celui-ci"
    ),
    _to("previous_credit_max_to_loan", "previous_credit_max_approved", _CREDIT, "past_applications").worded(
        "Largest earlier loan over this one", "Plus gros prêt antérieur rapporté à celui-ci"
    ),
    _to("previous_annuity_mean_to_annuity", "previous_annuity_mean_approved", _ANNUITY, "past_applications").worded(
        "Mean earlier instalment over this one", "Mensualité antérieure moyenne rapportée à celle-ci"
    ),
    _to("previous_annuity_max_to_annuity", "previous_annuity_max_approved", _ANNUITY, "past_applications").worded(
        "Largest earlier instalment over this one", "Plus grosse mensualité antérieure rapportée à celle-ci"
    ),
    _to("previous_open_debt_to_income", "previous_open_debt", _INCOME, "past_applications", risk=1).worded(
        "Debt of open loans and cards here over income", "Dette des prêts et cartes en cours ici rapportée aux revenus"
    ),
    _to("previous_due_in_12m_to_income", "previous_due_in_12m", _INCOME, "past_applications", risk=1).worded(
        "Instalments of open loans here due in 12 months over income",
        "Échéances des prêts en cours ici dues dans 12 mois rapportées aux revenus",
    ),
    # The application has no term: how much of the loan its instalments make up in the mean term of earlier ones.
    _to("application_due_in_previous_term_to_credit", _ANNUITY * _TERM, _CREDIT, "credit_terms").worded(
        "Instalments of this loan during the mean term of earlier ones, over the loan",
        "Mensualités de ce prêt pendant la durée moyenne des précédents, rapportées au prêt",
    ),
    _to("installments_due_max_to_annuity", "installments_due_max", _ANNUITY, "instalment_discipline").worded(
        "Largest earlier instalment due over this one", "Plus grosse échéance antérieure rapportée à celle-ci"
    ),
    _to("installments_paid_max_to_annuity", "installments_paid_max", _ANNUITY, "instalment_discipline").worded(
        "Largest earlier payment over this instalment", "Plus gros paiement antérieur rapporté à cette mensualité"
    ),
    _to("installments_paid_365d_to_income", "installments_paid_sum_365d", _INCOME, "instalment_discipline").worded(
        "Instalments paid in the last year over income", "Échéances payées la dernière année rapportées aux revenus"
    ),
    _to("card_balance_to_income", "card_balance_mean_3m", _INCOME, "card_use", risk=1).worded(
        "Card balance of the last 3 months over income", "Solde de carte des 3 derniers mois rapporté aux revenus"
    ),
)
"""Computed from the columns of the application and from features of the histories."""
