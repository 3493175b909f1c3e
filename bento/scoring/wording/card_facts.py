"""Facts of the use of cards of this lender that may be quoted to a client."""

from bento.scoring.wording.quotable import Quotable, adverse

QUOTABLES: tuple[Quotable, ...] = (
    Quotable(
        "card_utilisation",
        "raises",
        "Card balance compared with the limit",
        "Solde de carte rapporté au plafond",
        aggregates="mean max",
        best=0.0,
    ),
    Quotable("card_balance", "raises", "Card balance", "Solde de carte", aggregates="mean max", best=0.0),
    Quotable(
        "card_balance_to_income",
        "raises",
        "Card balance of the last 3 months compared with income",
        "Solde de carte des 3 derniers mois rapporté aux revenus",
        thing="card_balance",
        best=0.0,
    ),
    Quotable("card_limit", "lowers", "Card limit", "Plafond de carte", aggregates="mean max"),
    Quotable(
        "card_cash",
        "raises",
        "Cash withdrawn by card in a month",
        "Espèces retirées par carte en un mois",
        aggregates="mean sum max",
        labels={"sum": ("Cash withdrawn by card", "Espèces retirées par carte")},
        best=0.0,
    ),
    Quotable(
        "card_cash_drawings",
        "raises",
        "Number of cash withdrawals by card in a month",
        "Nombre de retraits d'espèces par carte en un mois",
        aggregates="mean max",
        thing="card_cash",
        best=0.0,
    ),
    *(
        Quotable(
            f"card_cash_share{window}",
            "raises",
            f"Share of your card spending withdrawn in cash{en}",
            f"Part de vos dépenses par carte retirée en espèces{fr}",
            thing="card_cash",
            best=0.0,
        )
        for window, en, fr in (("", "", ""), ("_12m", ", over the last 12 months", ", sur les 12 derniers mois"))
    ),
    Quotable(
        "card_drawn",
        "raises",
        "Amount spent by card in a month",
        "Montant dépensé par carte en un mois",
        aggregates="mean max",
        best=0.0,
    ),
    Quotable(
        "card_drawings",
        "raises",
        "Number of card payments and withdrawals in a month",
        "Nombre de paiements et de retraits par carte en un mois",
        aggregates="mean max",
        thing="card_drawn",
        best=0.0,
    ),
    Quotable(
        "card_paid_to_minimum",
        "lowers",
        "Card repayment compared with the minimum payment due",
        "Remboursement de carte rapporté au minimum dû",
        aggregates="mean",
    ),
    Quotable(
        "card_paid_to_drawn",
        "lowers",
        "Amount repaid compared with the amount spent by card",
        "Montant remboursé rapporté au montant dépensé par carte",
    ),
    adverse("card_late", "Months late on your cards", "Mois de retard sur vos cartes", aggregates="share"),
    *(
        adverse(name, en, fr, thing="card_days_past_due", aggregates="mean max")
        for name, en, fr in (
            ("card_days_past_due", "Late payment on your cards", "Retard de paiement sur vos cartes"),
            (
                "card_days_past_due_def",
                "Late payment on your cards, small amounts aside",
                "Retard de paiement sur vos cartes, hors petits montants",
            ),
        )
    ),
    Quotable("card_idle_share", "lowers", "Card months without a balance", "Mois de carte sans solde"),
    adverse("card_over_limit_share", "Card months over the limit", "Mois de carte au-delà du plafond"),
    Quotable(
        "card_instalments_paid_max", "lowers", "Card instalments paid so far", "Mensualités de carte payées à ce jour"
    ),
)
NOT_QUOTED: dict[str, str] = {
    "card_(months|count|no_limit_months)": "counts of records",
}
"""Patterns of features that are not quoted, and why."""
