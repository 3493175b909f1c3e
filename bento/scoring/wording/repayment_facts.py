"""Facts of the repayment of earlier loans that may be quoted to a client."""

from bento import i18n
from bento.scoring.wording.quotable import Quotable, adverse

QUOTABLES: tuple[Quotable, ...] = (
    Quotable("pos_loans", "either", "Earlier loans with us", "Prêts antérieurs chez nous"),
    *(
        adverse(name, en, fr, thing="pos_late", aggregates="share")
        for name, en, fr in (
            ("pos_late", "Months late on your earlier loans", "Mois de retard sur vos prêts antérieurs"),
            (
                "pos_late_def",
                "Months late on your earlier loans, small amounts aside",
                "Mois de retard sur vos prêts antérieurs, hors petits montants",
            ),
        )
    ),
    *(
        adverse(name, en, fr, thing="pos_days_past_due", aggregates="mean max")
        for name, en, fr in (
            ("pos_days_past_due", "Late payment on your earlier loans", "Retard de paiement sur vos prêts antérieurs"),
            (
                "pos_days_past_due_def",
                "Late payment on your earlier loans, small amounts aside",
                "Retard de paiement sur vos prêts antérieurs, hors petits montants",
            ),
        )
    ),
    Quotable(
        "pos_left_latest_sum",
        "raises",
        "Instalments still to be paid on your earlier loans, in their latest month on record",
        "Mensualités restantes de vos prêts antérieurs, à leur dernier mois connu",
        thing="pos_left",
        best=0.0,
    ),
    Quotable(
        "pos_left_to_term_latest",
        "raises",
        "Share of the instalments of your earlier loans still to be paid",
        "Part restante des mensualités de vos prêts antérieurs",
        thing="pos_left",
        best=0.0,
    ),
    Quotable(
        "pos_term",
        "either",
        "Term of your earlier loans",
        "Durée de vos prêts antérieurs",
        aggregates="mean max min",
    ),
    Quotable(
        "pos_active_loans_latest",
        "raises",
        "Loans open in the latest month on record",
        "Prêts en cours au dernier mois connu",
        best=0.0,
    ),
    Quotable(
        "pos_completed_share",
        "lowers",
        "Earlier loans that were repaid",
        "Prêts antérieurs soldés",
        beyond=0.5,
        best=1.0,
    ),
    Quotable(
        "pos_early_end_share",
        "lowers",
        "Repaid loans that ended before their term",
        "Prêts soldés avant leur terme",
    ),
    adverse(
        "pos_demand_months",
        "Months in which the whole debt of a loan was called in",
        "Mois où la totalité de la dette d'un prêt a été exigée",
    ),
    adverse(
        "pos_returned_loans",
        "Loans whose goods were returned to the shop",
        "Prêts dont le bien a été rendu au magasin",
    ),
    Quotable(
        "pos_first_month",
        "raises",
        "First month on record of your loans with us",
        "Premier mois connu de vos prêts chez nous",
        thing="first_loan",
        formatter=i18n.format_relative_month,
    ),
    Quotable("installments_count", "lowers", "Earlier instalments on record", "Mensualités antérieures connues"),
    adverse(
        "installments_days_late",
        "Late payment of instalments",
        "Retard de paiement de vos mensualités",
        aggregates="mean max",
    ),
    *(
        adverse(name, en, fr, thing="installments_late", aggregates="share")
        for name, en, fr in (
            (
                "installments_late",
                "Instalments paid late or never",
                "Mensualités payées en retard ou jamais",
            ),
            *(
                (
                    f"installments_late_over_{days}d",
                    f"Instalments over {days} days late",
                    f"Mensualités avec plus de {days} jours de retard",
                )
                for days in (7, 15)
            ),
        )
    ),
    adverse(
        "installments_underpaid",
        "Amount left unpaid on instalments",
        "Montant resté impayé sur vos mensualités",
        aggregates="mean max sum",
    ),
    adverse(
        "installments_short",
        "Instalments not paid in full",
        "Mensualités non payées en totalité",
        thing="installments_underpaid",
        aggregates="share",
    ),
    Quotable(
        "installments_paid_ratio",
        "lowers",
        "Amount paid compared with the amount due, per instalment",
        "Montant payé rapporté au montant dû, par mensualité",
        aggregates="mean",
        beyond=1.0,
    ),
    *(
        Quotable(
            f"installments_paid_to_due{window}",
            "lowers",
            f"Amount paid on instalments compared with the amount due{en}",
            f"Montant payé sur vos mensualités rapporté au montant dû{fr}",
            thing="installments_paid_ratio",
            beyond=1.0,
        )
        for window, en, fr in (("", "", ""), ("_365d", ", over the last 365 days", ", sur les 365 derniers jours"))
    ),
    Quotable(
        "installments_days_early",
        "lowers",
        "Early payment of instalments",
        "Avance de paiement de vos mensualités",
        aggregates="mean max",
        beyond=0.0,
    ),
    Quotable(
        "installments_paid",
        "either",
        "Amount paid per instalment",
        "Montant payé par mensualité",
        aggregates="mean max sum",
        labels={"sum": ("Amount of instalments paid", "Montant des mensualités payées")},
        thing="installments_due",
    ),
    Quotable(
        "installments_due",
        "either",
        "Amount due per instalment",
        "Montant dû par mensualité",
        aggregates="mean max",
    ),
    Quotable(
        "installments_due_max_to_annuity",
        "lowers",
        "Largest instalment due so far compared with this one",
        "Plus forte mensualité due jusqu'ici par rapport à celle-ci",
    ),
    Quotable(
        "installments_paid_max_to_annuity",
        "lowers",
        "Largest instalment paid so far compared with this one",
        "Plus forte mensualité payée jusqu'ici par rapport à celle-ci",
        thing="installments_due_max_to_annuity",
    ),
    Quotable(
        "installments_latest_payment_days",
        "either",
        "Your latest payment of an instalment",
        "Votre dernier paiement d'une mensualité",
        formatter=i18n.format_relative_day,
    ),
    Quotable(
        "installments_first_due_days",
        "raises",
        "Your first instalment with us",
        "Votre première mensualité chez nous",
        thing="first_loan",
        formatter=i18n.format_relative_day,
    ),
)
QUOTED_AS: dict[str, tuple[str, ...]] = {"installments_weighted_delay": ("installments_days_late_mean",)}
"""Features that are arithmetic of a thing, and the figures of it that are quoted: the first that makes sense."""
NOT_QUOTED: dict[str, str] = {
    "pos_(months|latest_month)|pos_left_(mean|max)(_12m)?": "counts of records and averages over months",
    "installments_(loans|split_share|card_share|versions|paid_365d_to_income)": "how the lender records",
}
"""Patterns of features that are not quoted, and why."""
