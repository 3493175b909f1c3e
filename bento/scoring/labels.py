"""Labels of features in reasons, in English and French, where they differ from the meanings in the catalogue."""

from bento.i18n import Formatter, TextPair, format_price_gap, format_relative_day, format_relative_month

_DAYS = ("bureau_credit_days", "bureau_update_days", "bureau_end_days", "previous_decision_days")
_DAYS_OF_INSTALMENTS = ("installments_latest_payment_days", "installments_first_due_days")
_MONTHS = ("pos_latest_month", "pos_first_month", "bureau_balance_latest_late_month", "bureau_balance_first_month")
FORMATTERS: dict[str, Formatter] = {
    **dict.fromkeys((*_DAYS, *_DAYS_OF_INSTALMENTS), format_relative_day),
    **dict.fromkeys(_MONTHS, format_relative_month),
    "application_goods_less_credit": format_price_gap,
}
"""By the names of `LABELS`: formatters of values whose unit alone does not decide the format."""

LABELS: dict[str, TextPair] = {
    **{
        name: (f"{english} at other lenders", f"{french} auprès d'autres prêteurs")
        for name, english, french in (
            ("bureau_credit_days", "Dates of your credits", "Dates de vos crédits"),
            (
                "bureau_update_days",
                "Dates of the latest news of your credits",
                "Dates des dernières nouvelles de vos crédits",
            ),
            ("bureau_end_days", "Planned end dates of your credits", "Dates de fin prévue de vos crédits"),
            ("bureau_credit_sum", "Amount of your credits", "Montant de vos crédits"),
            ("bureau_debt", "Debt", "Dette"),
            ("bureau_debt_ratio", "Debt over amount lent, each credit", "Dette rapportée au montant prêté, par crédit"),
            ("bureau_max_overdue", "Worst overdue amount of each credit", "Plus gros impayé de chaque crédit"),
            ("bureau_overdue", "Amount now overdue", "Montant actuellement en retard"),
            ("bureau_days_overdue", "Delay now", "Retard actuel"),
            ("bureau_closed_early_days", "Early closing of credits", "Avance à la clôture de vos crédits"),
            ("bureau_duration", "Planned duration of your credits", "Durée prévue de vos crédits"),
            ("bureau_annuity", "Instalments of your credits", "Mensualités de vos crédits"),
            ("bureau_limit", "Card limit", "Plafond de carte"),
            ("bureau_gap_days_mean", "Mean time between credits", "Temps moyen entre crédits"),
            ("bureau_balance_latest_late_month", "Latest month late", "Dernier mois en retard"),
            ("bureau_balance_first_month", "First month on record", "Premier mois connu"),
        )
    },
    **{
        name: (f"{english} in earlier applications", f"{french} lors des demandes antérieures")
        for name, english, french in (
            ("previous_asked", "Amount asked for", "Montant demandé"),
            ("previous_credit", "Amount of the loan", "Montant du prêt"),
            ("previous_annuity", "Instalment", "Mensualité"),
            (
                "previous_asked_to_granted",
                "Amount requested over amount granted",
                "Montant demandé rapporté au montant accordé",
            ),
            ("previous_term", "Term of the loan", "Durée du prêt"),
            ("previous_simple_interest", "Simple monthly interest", "Intérêt mensuel simple"),
            ("previous_true_rate", "Monthly rate", "Taux mensuel"),
            ("previous_down_payment", "Down payment", "Apport"),
        )
    },
    "application_annuity": ("Instalment of this loan", "Mensualité de ce prêt"),
    "application_goods_less_credit": (
        "Amount of the loan against the price of the goods",
        "Montant du prêt par rapport au prix du bien",
    ),
    "application_credit_to_annuity": (
        "Length of repayment (loan divided by instalment)",
        "Durée de remboursement (prêt divisé par la mensualité)",
    ),
    "application_credit_to_ext_source_3": (
        "Amount of the loan set against external score 3",
        "Montant du prêt rapporté au score externe 3",
    ),
    "application_annuity_to_ext_source_3": (
        "Instalment set against external score 3",
        "Mensualité rapportée au score externe 3",
    ),
    "application_income_per_child": (
        "Income divided by the number of children plus one",
        "Revenus rapportés au nombre d'enfants plus un",
    ),
    "application_due_in_previous_term_to_credit": (
        "Instalments of this loan, were it as long as your earlier ones, compared with the loan",
        "Mensualités de ce prêt, s'il durait autant que vos précédents, rapportées au prêt",
    ),
    **{
        f"application_enquiries_{name}": (
            f"Enquiries to the credit bureau in the {name}",
            f"Interrogations du fichier de crédit {french}",
        )
        for name, french in (
            ("week", "dans la semaine"),
            ("month", "dans le mois"),
            ("quarter", "dans le trimestre"),
            ("year", "dans l'année"),
        )
    },
    **{
        f"bureau_{name}_active_credits": (f"Open {english} elsewhere", f"{french} en cours ailleurs")
        for name, english, french in (
            ("consumer", "consumer credits", "Crédits à la consommation"),
            ("card", "credit cards", "Cartes de crédit"),
            ("car", "car loans", "Crédits auto"),
            ("mortgage", "mortgages", "Crédits immobiliers"),
            ("microloan", "microloans", "Microcrédits"),
        )
    },
    "bureau_repaid": (
        "Amount of credits at other lenders less what you owe of it",
        "Montant des crédits auprès d'autres prêteurs moins ce que vous en devez",
    ),
    **{
        f"bureau_credits_{length}m": (
            f"Credits of the last {length} months at other lenders",
            f"Crédits des {length} derniers mois auprès d'autres prêteurs",
        )
        for length in (6, 12, 24, 36)
    },
    "pos_late": ("Months overdue on earlier loans", "Mois en retard sur vos prêts antérieurs"),
    "pos_late_def": (
        "Months overdue on earlier loans, trifles aside",
        "Mois en retard sur vos prêts antérieurs, hors montants négligeables",
    ),
    "pos_days_past_due": ("Late payment of earlier loans", "Retard de paiement de vos prêts antérieurs"),
    "pos_days_past_due_def": (
        "Late payment of earlier loans, trifles aside",
        "Retard de paiement de vos prêts antérieurs, hors montants négligeables",
    ),
    "pos_left": ("Instalments left on earlier loans", "Échéances restantes de vos prêts antérieurs"),
    "pos_term": ("Term of earlier loans", "Durée de vos prêts antérieurs"),
    "pos_latest_month": ("Latest month on record of earlier loans", "Dernier mois connu de vos prêts antérieurs"),
    "pos_first_month": ("First month on record of earlier loans", "Premier mois connu de vos prêts antérieurs"),
    "previous_refused": ("Earlier applications refused", "Demandes antérieures refusées"),
    "previous_high_yield": ("Earlier applications at a high rate", "Demandes antérieures à taux élevé"),
    "previous_low_yield": ("Earlier applications at a low rate", "Demandes antérieures à bas taux"),
    "previous_decision_days": ("Dates of your earlier applications", "Dates de vos demandes antérieures"),
    "previous_down_payment_rate": (
        "Down payment in earlier applications, scaled",
        "Apport lors des demandes antérieures, normalisé",
    ),
    "previous_due_shift_days": (
        "Time by which the last due date of earlier loans moved forward",
        "Avance de la dernière échéance des prêts antérieurs sur le plan",
    ),
    "previous_true_rate_weighted": (
        "Monthly rate in earlier applications, recent ones weigh more",
        "Taux mensuel lors des demandes antérieures, les récentes pèsent plus",
    ),
    "previous_due_in_1m": (
        "Instalments of open loans due in the next month",
        "Échéances des prêts en cours dues dans le mois",
    ),
    "installments_days_late": ("Late payment of instalments", "Retard de paiement des échéances"),
    "installments_days_early": ("Early payment of instalments", "Avance de paiement des échéances"),
    **{
        f"installments_late_over_{length}d": (
            f"Instalments over {length} days late",
            f"Échéances avec plus de {length} jours de retard",
        )
        for length in (7, 15)
    },
    **{
        f"installments_{name}_slope_{length}d": (
            f"{english}, trend of the last {length} days",
            f"{french}, tendance des {length} derniers jours",
        )
        for name, english, french in (
            ("days_late", "Late payment of instalments", "Retard de paiement des échéances"),
            ("underpaid", "Amount left unpaid on instalments", "Montant resté impayé sur les échéances"),
        )
        for length in (365, 1500)
    },
    "installments_underpaid": ("Amount left unpaid on instalments", "Montant resté impayé sur les échéances"),
    "installments_paid_ratio": (
        "Amount paid over amount due, each instalment",
        "Montant payé rapporté au montant dû, par échéance",
    ),
    "installments_paid": ("Amount paid on instalments", "Montant payé sur les échéances"),
    "installments_due": ("Amount of instalments due", "Montant des échéances dues"),
    "installments_latest_payment_days": ("Latest payment of an instalment", "Dernier paiement d'une échéance"),
    "installments_first_due_days": ("First instalment on record", "Première échéance connue"),
    "card_utilisation": ("Card balance over limit", "Solde de carte rapporté au plafond"),
    "card_balance": ("Card balance", "Solde de carte"),
    "card_limit": ("Card limit", "Plafond de carte"),
    "card_cash": ("Cash drawn by card", "Espèces retirées par carte"),
    "card_cash_drawings": ("Number of cash drawings by card", "Nombre de retraits d'espèces par carte"),
    "card_drawn": ("Amount drawn by card", "Montant utilisé par carte"),
    "card_drawings": ("Number of drawings by card", "Nombre d'opérations par carte"),
    "card_paid_to_minimum": ("Card payment over least payment due", "Paiement de carte rapporté au minimum dû"),
    "card_late": ("Months overdue on cards", "Mois en retard sur vos cartes"),
    "card_days_past_due": ("Late payment on cards", "Retard de paiement sur vos cartes"),
    "card_days_past_due_def": (
        "Late payment on cards, trifles aside",
        "Retard de paiement sur vos cartes, hors montants négligeables",
    ),
}
"""By name of a feature, or of the measure that several features aggregate."""
WINDOW_LABELS: dict[str, TextPair] = {"latest 1": ("latest one", "la dernière")}
"""Labels of windows, by their English label in the catalogue."""
