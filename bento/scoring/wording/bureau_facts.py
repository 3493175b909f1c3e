"""Facts of the credits at other lenders that may be quoted to a client."""

from bento import i18n
from bento.scoring.wording.formats import format_capped_share, format_early
from bento.scoring.wording.quotable import Quotable, adverse

QUOTABLES: tuple[Quotable, ...] = (
    Quotable(
        "bureau_credits",
        "either",
        "Credit accounts with other lenders, closed ones included",
        "Crédits auprès d'autres prêteurs, crédits soldés compris",
    ),
    Quotable(
        "bureau_active_credits",
        "raises",
        "Credit accounts open with other lenders",
        "Crédits en cours auprès d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Quotable(
        "bureau_active_share",
        "raises",
        "Credit accounts still open among those with other lenders",
        "Crédits encore en cours parmi ceux d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Quotable(
        "bureau_closed_credits",
        "lowers",
        "Credit accounts closed with other lenders",
        "Crédits soldés auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_bad_credits",
        "Credit accounts sold or written off by other lenders",
        "Crédits cédés ou passés en perte par d'autres prêteurs",
    ),
    *(
        Quotable(
            f"bureau_{name}_share",
            higher,  # type: ignore[arg-type]
            f"{en} among your credit accounts with other lenders",
            f"{fr} parmi vos crédits auprès d'autres prêteurs",
        )
        for name, higher, en, fr in (
            ("consumer", "either", "Consumer loans", "Crédits à la consommation"),
            ("card", "raises", "Credit cards", "Cartes de crédit"),
            ("car", "either", "Car loans", "Crédits auto"),
            ("mortgage", "either", "Mortgages", "Crédits immobiliers"),
            ("microloan", "raises", "Microloans", "Microcrédits"),
        )
    ),
    *(
        Quotable(
            f"bureau_{name}_active_credits",
            "raises",
            f"{en} open with other lenders",
            f"{fr} en cours auprès d'autres prêteurs",
            best=0.0,
        )
        for name, en, fr in (
            ("consumer", "Consumer loans", "Crédits à la consommation"),
            ("card", "Credit cards", "Cartes de crédit"),
            ("car", "Car loans", "Crédits auto"),
            ("mortgage", "Mortgages", "Crédits immobiliers"),
            ("microloan", "Microloans", "Microcrédits"),
        )
    ),
    *(
        Quotable(
            f"bureau_debt_to_credit{window}",
            "raises",
            f"Debt compared with the amount lent by other lenders{en}",
            f"Dette rapportée au montant prêté par d'autres prêteurs{fr}",
            thing="bureau_debt_ratio",
            formatter=format_capped_share,
            best=0.0,
        )
        for window, en, fr in (
            ("", "", ""),
            ("_active", ", open accounts", ", crédits en cours"),
            *(
                (f"_{n}m", f", accounts opened in the last {n} months", f", crédits des {n} derniers mois")
                for n in (6, 12, 24, 36)
            ),
        )
    ),
    Quotable(
        "bureau_debt",
        "raises",
        "Debt to other lenders",
        "Dette auprès d'autres prêteurs",
        aggregates="sum mean max",
        best=0.0,
    ),
    Quotable(
        "bureau_debt_to_income",
        "raises",
        "Debt to other lenders compared with income",
        "Dette auprès d'autres prêteurs rapportée aux revenus",
        thing="bureau_debt",
        best=0.0,
    ),
    Quotable(
        "bureau_debt_to_loan",
        "raises",
        "Debt to other lenders compared with this loan",
        "Dette auprès d'autres prêteurs rapportée à ce prêt",
        thing="bureau_debt",
        best=0.0,
    ),
    Quotable(
        "bureau_credit_to_income",
        "raises",
        "Open credit accounts with other lenders compared with income",
        "Crédits en cours auprès d'autres prêteurs rapportés aux revenus",
        best=0.0,
    ),
    adverse(
        "bureau_overdue",
        "Amount now overdue with other lenders",
        "Montant actuellement impayé auprès d'autres prêteurs",
        aggregates="sum max",
    ),
    adverse(
        "bureau_days_overdue",
        "Late payment now with other lenders",
        "Retard de paiement actuel auprès d'autres prêteurs",
        thing="bureau_overdue",
        aggregates="max mean",
    ),
    Quotable(
        "bureau_limit",
        "lowers",
        "Card limits with other lenders",
        "Plafonds de vos cartes auprès d'autres prêteurs",
        aggregates="sum max",
    ),
    Quotable(
        "bureau_annuity",
        "raises",
        "Monthly instalments with other lenders",
        "Mensualités auprès d'autres prêteurs",
        aggregates="sum mean",
        best=0.0,
    ),
    Quotable(
        "bureau_annuity_to_annuity",
        "raises",
        "Monthly instalments with other lenders compared with this one",
        "Mensualités auprès d'autres prêteurs rapportées à celle-ci",
        thing="bureau_annuity",
        best=0.0,
    ),
    Quotable(
        "bureau_end_days",
        "raises",
        "Last planned end of your credit accounts with other lenders",
        "Dernière échéance prévue de vos crédits auprès d'autres prêteurs",
        aggregates="max",
        formatter=i18n.format_relative_day,
    ),
    Quotable(
        "bureau_credit_days",
        "raises",
        "",
        "",
        aggregates="max min mean",
        labels={
            "max": (
                "Opening of your latest credit account with another lender",
                "Début de votre dernier crédit auprès d'un autre prêteur",
            ),
            "min": (
                "Opening of your first credit account with another lender",
                "Début de votre premier crédit auprès d'un autre prêteur",
            ),
            "mean": (
                "Opening of your credit accounts with other lenders",
                "Début de vos crédits auprès d'autres prêteurs",
            ),
        },
        formatter=i18n.format_relative_day,
    ),
    Quotable(
        "bureau_credit_sum",
        "either",
        "Amount lent by other lenders",
        "Montant prêté par d'autres prêteurs",
        aggregates="sum mean max",
    ),
    adverse(
        "bureau_max_overdue",
        "Largest amount ever overdue on an account with another lender",
        "Plus gros impayé constaté sur un crédit auprès d'un autre prêteur",
        aggregates="max mean",
    ),
    Quotable(
        "bureau_closed_early_days",
        "lowers",
        "Repayment of accounts with other lenders compared with the plan",
        "Remboursement de vos crédits auprès d'autres prêteurs par rapport au plan",
        aggregates="mean",
        formatter=format_early,
        beyond=0.0,
    ),
    Quotable(
        "bureau_duration",
        "either",
        "Planned duration of your credit accounts with other lenders",
        "Durée prévue de vos crédits auprès d'autres prêteurs",
        aggregates="mean max",
    ),
    *(
        Quotable(
            f"bureau_credits_{months}m",
            "raises",
            f"New credit accounts with other lenders, over the last {months} months",
            f"Nouveaux crédits auprès d'autres prêteurs, sur les {months} derniers mois",
            thing="bureau_new",
            best=0.0,
        )
        for months in (6, 12, 24, 36)
    ),
    Quotable(
        "bureau_gap_days_mean",
        "lowers",
        "Mean time between the openings of accounts with other lenders",
        "Temps moyen entre les ouvertures de vos crédits auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_prolongations",
        "Extensions of credit accounts with other lenders",
        "Prolongations de crédits auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_balance_late",
        "Months late with other lenders, each account counted",
        "Mois de retard auprès d'autres prêteurs, crédit par crédit",
        aggregates="share",
    ),
    Quotable(
        "bureau_balance_latest_late_month",
        "raises",
        "Latest month late with another lender",
        "Dernier mois de retard auprès d'un autre prêteur",
        formatter=i18n.format_relative_month,
    ),
    Quotable(
        "bureau_balance_first_month",
        "raises",
        "First month on record with other lenders",
        "Premier mois connu auprès d'autres prêteurs",
        formatter=i18n.format_relative_month,
    ),
)
QUOTED_AS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *(f"bureau_debt_ratio_{aggregate}{window}" for aggregate in ("mean", "max") for window in ("", "_active")),
            *(f"bureau_repaid_{aggregate}_active" for aggregate in ("mean", "max")),
        ),
        ("bureau_debt_to_credit_active", "bureau_debt_to_credit"),
    ),
    "bureau_age_at_end_years": ("bureau_end_days_max_active",),
    **dict.fromkeys(
        (
            *(
                f"bureau_balance_level_{aggregate}{window}"
                for aggregate in ("max", "mean")
                for window in ("", "_12m", "_24m")
            ),
            "bureau_balance_level_decayed",
        ),
        ("bureau_balance_late_share",),
    ),
}
"""Features that are arithmetic of a thing, and the figures of it that are quoted: the first that makes sense."""
NOT_QUOTED: dict[str, str] = {
    "bureau_types|bureau_update_days_.*|bureau_foreign_currency_share": "say nothing about the client",
    "bureau_balance_(months|credits|closed_share|unknown_share)": "counts of records, not of what the client did",
}
"""Patterns of features that are not quoted, and why."""
