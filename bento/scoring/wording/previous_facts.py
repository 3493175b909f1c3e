"""Facts of the earlier applications to this lender that may be quoted to a client."""

from bento import i18n
from bento.scoring.wording.formats import format_early
from bento.scoring.wording.quotable import Quotable, adverse

QUOTABLES: tuple[Quotable, ...] = (
    Quotable("previous_applications", "raises", "Earlier applications to us", "Demandes antérieures chez nous"),
    Quotable(
        "previous_applications_365d",
        "raises",
        "Applications to us, over the last year",
        "Demandes chez nous, sur la dernière année",
        thing="previous_applications",
    ),
    Quotable(
        "previous_approved", "lowers", "Earlier applications accepted", "Demandes antérieures acceptées", beyond=1.0
    ),
    Quotable(
        "previous_approved_share",
        "lowers",
        "Earlier applications accepted",
        "Demandes antérieures acceptées",
        thing="previous_approved",
        beyond=0.5,
        best=1.0,
    ),
    adverse("previous_refused", "Earlier applications refused", "Demandes antérieures refusées", aggregates="share"),
    adverse(
        "previous_refused_365d",
        "Applications refused, over the last year",
        "Demandes refusées, sur la dernière année",
        thing="previous_refused",
    ),
    adverse(
        "previous_canceled_share",
        "Earlier applications cancelled",
        "Demandes antérieures annulées",
    ),
    *(
        Quotable(
            f"previous_{name}_share",
            "either",
            f"{en} among your earlier applications",
            f"{fr} parmi vos demandes antérieures",
        )
        for name, en, fr in (
            ("cash", "Cash loans", "Prêts personnels"),
            ("consumer", "Consumer loans", "Crédits à la consommation"),
            ("revolving", "Revolving credits", "Crédits renouvelables"),
        )
    ),
    adverse(
        "previous_high_yield",
        "Earlier applications at a high rate",
        "Demandes antérieures à taux élevé",
        aggregates="share",
    ),
    Quotable(
        "previous_low_yield",
        "lowers",
        "Earlier applications at a low rate",
        "Demandes antérieures à taux bas",
        aggregates="share",
    ),
    Quotable(
        "previous_decision_days",
        "either",
        "",
        "",
        aggregates="max min",
        labels={
            "max": ("Your latest application to us", "Votre dernière demande chez nous"),
            "min": ("Your first application to us", "Votre première demande chez nous"),
        },
        formatter=i18n.format_relative_day,
    ),
    *(
        Quotable(
            f"previous_decision_days_{aggregate}_{window}",
            higher,  # type: ignore[arg-type]
            f"Your {en} application that we {en_window}",
            f"Votre {fr} demande {fr_window}",
            thing=f"previous_decision_days_{window}",
            formatter=i18n.format_relative_day,
        )
        for window, higher, en_window, fr_window in (
            ("approved", "either", "accepted", "acceptée"),
            ("refused", "raises", "refused", "refusée"),
        )
        for aggregate, en, fr in (("max", "latest", "dernière"), ("min", "first", "première"))
    ),
    Quotable(
        "previous_asked",
        "either",
        "Amount asked for in earlier applications",
        "Montant demandé lors de vos demandes antérieures",
        aggregates="mean max",
    ),
    Quotable(
        "previous_credit",
        "either",
        "Amount of the loan in earlier applications",
        "Montant du prêt lors de vos demandes antérieures",
        aggregates="mean max sum",
    ),
    Quotable(
        "previous_annuity",
        "either",
        "Monthly instalment in earlier applications",
        "Mensualité lors de vos demandes antérieures",
        aggregates="mean max sum",
    ),
    Quotable(
        "previous_term",
        "either",
        "Term of the loan in earlier applications",
        "Durée du prêt lors de vos demandes antérieures",
        aggregates="mean max min",
    ),
    Quotable(
        "previous_simple_interest",
        "raises",
        "Simple monthly interest in earlier applications",
        "Intérêt mensuel simple lors de vos demandes antérieures",
        aggregates="mean max min",
        thing="previous_true_rate",
    ),
    Quotable(
        "previous_true_rate",
        "raises",
        "Monthly interest rate in earlier applications",
        "Taux d'intérêt mensuel lors de vos demandes antérieures",
        aggregates="mean max min",
    ),
    Quotable(
        "previous_down_payment",
        "lowers",
        "Down payment in earlier applications",
        "Apport lors de vos demandes antérieures",
        aggregates="mean max",
    ),
    Quotable(
        "previous_due_shift_days",
        "lowers",
        "End of your earlier loans compared with the plan",
        "Fin de vos prêts antérieurs par rapport au plan",
        aggregates="mean",
        formatter=format_early,
        beyond=0.0,
    ),
    Quotable("previous_open_loans", "raises", "Loans open with us", "Prêts en cours chez nous", best=0.0),
    Quotable("previous_open_cards", "raises", "Cards open with us", "Cartes en cours chez nous", best=0.0),
    Quotable(
        "previous_open_credit_sum",
        "raises",
        "Amount of the loans open with us",
        "Montant des prêts en cours chez nous",
        thing="previous_open_loans",
        best=0.0,
    ),
    Quotable(
        "previous_open_limit_sum",
        "either",
        "Limits of the cards open with us",
        "Plafonds des cartes en cours chez nous",
        thing="previous_open_cards",
    ),
    Quotable(
        "previous_open_annuity_sum",
        "raises",
        "Monthly instalments of the loans open with us",
        "Mensualités des prêts en cours chez nous",
        thing="previous_due",
        best=0.0,
    ),
    Quotable(
        "previous_open_debt",
        "raises",
        "Debt on the loans and cards open with us",
        "Dette sur les prêts et les cartes en cours chez nous",
        best=0.0,
    ),
    Quotable(
        "previous_open_debt_to_income",
        "raises",
        "Debt on the loans and cards open with us compared with income",
        "Dette sur les prêts et les cartes en cours chez nous rapportée aux revenus",
        thing="previous_open_debt",
        best=0.0,
    ),
    Quotable(
        "previous_open_repaid_ratio",
        "lowers",
        "Share already repaid of the loans open with us",
        "Part déjà remboursée des prêts en cours chez nous",
        thing="previous_open_debt",
    ),
    *(
        Quotable(
            f"previous_due_in_{months}m",
            "raises",
            f"Instalments of open loans due in the next {months} months"
            if months > 1
            else "Instalments of open loans due in the next month",
            f"Mensualités de prêts en cours à payer dans les {months} mois"
            if months > 1
            else "Mensualités de prêts en cours à payer dans le mois",
            thing="previous_due",
            best=0.0,
        )
        for months in (1, 6, 12, 19)
    ),
    Quotable(
        "previous_due_in_12m_to_income",
        "raises",
        "Instalments of open loans due in the next 12 months compared with income",
        "Mensualités de prêts en cours à payer dans les 12 mois rapportées aux revenus",
        thing="previous_due",
        best=0.0,
    ),
    *(
        Quotable(
            f"previous_{name}_{aggregate}_to_{end}",
            "lowers",
            f"{en} compared with this one",
            f"{fr} par rapport à {this}",
            thing=f"previous_{name}_to_{end}",
        )
        for name, aggregate, end, en, fr, this in (
            ("credit", "mean", "loan", "Mean earlier loan", "Prêt antérieur moyen", "celui-ci"),
            ("credit", "max", "loan", "Largest earlier loan", "Plus gros prêt antérieur", "celui-ci"),
            ("annuity", "mean", "annuity", "Mean earlier instalment", "Mensualité antérieure moyenne", "celle-ci"),
            (
                "annuity",
                "max",
                "annuity",
                "Largest earlier instalment",
                "Plus forte mensualité antérieure",
                "celle-ci",
            ),
        )
    ),
)
QUOTED_AS: dict[str, tuple[str, ...]] = {
    "previous_refused_weighted": ("previous_refused_share",),
    **{f"previous_reject_{name}_share": ("previous_refused_share",) for name in ("hc", "sco", "limit", "scofr")},
    "previous_annuity_weighted": ("previous_annuity_mean",),
    "previous_true_rate_weighted": ("previous_true_rate_mean",),
    **{f"previous_down_payment_rate_{name}": (f"previous_down_payment_{name}",) for name in ("mean", "max")},
}
"""Features that are arithmetic of a thing, and the figures of it that are quoted: the first that makes sense."""
NOT_QUOTED: dict[str, str] = {
    "previous_(new_client|cross_sell|walk_in|insured)_share|previous_seller_area_max": "how the lender sold",
    "previous_asked_to_granted_.*": "a ratio of what the lender decided",
}
"""Patterns of features that are not quoted, and why."""
