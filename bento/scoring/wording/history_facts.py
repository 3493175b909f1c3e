"""Facts of the credits at other lenders and of the history with this one that a client may be told."""

from bento import i18n
from bento.scoring.wording.formats import format_capped_share, format_early
from bento.scoring.wording.telling import Telling, adverse

_ELSEWHERE: tuple[Telling, ...] = (
    Telling(
        "bureau_credits",
        "either",
        "Credits at other lenders, repaid ones included",
        "Crédits auprès d'autres prêteurs, crédits soldés compris",
    ),
    Telling(
        "bureau_active_credits",
        "raises",
        "Credits open at other lenders",
        "Crédits en cours auprès d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Telling(
        "bureau_active_share",
        "raises",
        "Credits still open among those at other lenders",
        "Crédits encore en cours parmi ceux d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Telling(
        "bureau_closed_credits",
        "lowers",
        "Credits repaid at other lenders",
        "Crédits soldés auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_bad_credits",
        "Credits sold or written off by other lenders",
        "Crédits cédés ou passés en perte par d'autres prêteurs",
    ),
    *(
        Telling(
            f"bureau_{name}_share",
            higher,  # type: ignore[arg-type]
            f"{en} among your credits at other lenders",
            f"{fr} parmi vos crédits auprès d'autres prêteurs",
        )
        for name, higher, en, fr in (
            ("consumer", "either", "Consumer credits", "Crédits à la consommation"),
            ("card", "raises", "Credit cards", "Cartes de crédit"),
            ("car", "either", "Car loans", "Crédits auto"),
            ("mortgage", "either", "Mortgages", "Crédits immobiliers"),
            ("microloan", "raises", "Microloans", "Microcrédits"),
        )
    ),
    *(
        Telling(
            f"bureau_{name}_active_credits",
            "raises",
            f"{en} open at other lenders",
            f"{fr} en cours auprès d'autres prêteurs",
            best=0.0,
        )
        for name, en, fr in (
            ("consumer", "Consumer credits", "Crédits à la consommation"),
            ("card", "Credit cards", "Cartes de crédit"),
            ("car", "Car loans", "Crédits auto"),
            ("mortgage", "Mortgages", "Crédits immobiliers"),
            ("microloan", "Microloans", "Microcrédits"),
        )
    ),
    *(
        Telling(
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
            ("_active", ", open credits", ", crédits en cours"),
            *(
                (f"_{n}m", f", credits of the last {n} months", f", crédits des {n} derniers mois")
                for n in (6, 12, 24, 36)
            ),
        )
    ),
    Telling(
        "bureau_debt",
        "raises",
        "Debt to other lenders",
        "Dette auprès d'autres prêteurs",
        aggregates="sum mean max",
        best=0.0,
    ),
    Telling(
        "bureau_debt_to_income",
        "raises",
        "Debt to other lenders compared with income",
        "Dette auprès d'autres prêteurs rapportée aux revenus",
        thing="bureau_debt",
        best=0.0,
    ),
    Telling(
        "bureau_debt_to_loan",
        "raises",
        "Debt to other lenders compared with this loan",
        "Dette auprès d'autres prêteurs rapportée à ce prêt",
        thing="bureau_debt",
        best=0.0,
    ),
    Telling(
        "bureau_credit_to_income",
        "raises",
        "Open credits at other lenders compared with income",
        "Crédits en cours auprès d'autres prêteurs rapportés aux revenus",
        best=0.0,
    ),
    adverse(
        "bureau_overdue",
        "Amount now overdue at other lenders",
        "Montant actuellement impayé auprès d'autres prêteurs",
        aggregates="sum max",
    ),
    adverse(
        "bureau_days_overdue",
        "Delay of payment now at other lenders",
        "Retard de paiement actuel auprès d'autres prêteurs",
        thing="bureau_overdue",
        aggregates="max mean",
    ),
    Telling(
        "bureau_limit",
        "lowers",
        "Card limits at other lenders",
        "Plafonds de carte auprès d'autres prêteurs",
        aggregates="sum max",
    ),
    Telling(
        "bureau_annuity",
        "raises",
        "Monthly instalments at other lenders",
        "Mensualités auprès d'autres prêteurs",
        aggregates="sum mean",
        best=0.0,
    ),
    Telling(
        "bureau_annuity_to_annuity",
        "raises",
        "Monthly instalments at other lenders compared with this one",
        "Mensualités auprès d'autres prêteurs rapportées à celle-ci",
        thing="bureau_annuity",
        best=0.0,
    ),
    Telling(
        "bureau_end_days",
        "raises",
        "Last planned end of your credits at other lenders",
        "Dernière échéance prévue de vos crédits auprès d'autres prêteurs",
        aggregates="max",
        formatter=i18n.format_relative_day,
    ),
    Telling(
        "bureau_credit_days",
        "raises",
        "",
        "",
        aggregates="max min mean",
        labels={
            "max": (
                "Start of your latest credit at another lender",
                "Début de votre dernier crédit auprès d'un autre prêteur",
            ),
            "min": (
                "Start of your first credit at another lender",
                "Début de votre premier crédit auprès d'un autre prêteur",
            ),
            "mean": ("Start of your credits at other lenders", "Début de vos crédits auprès d'autres prêteurs"),
        },
        formatter=i18n.format_relative_day,
    ),
    Telling(
        "bureau_credit_sum",
        "either",
        "Amount lent by other lenders",
        "Montant prêté par d'autres prêteurs",
        aggregates="sum mean max",
    ),
    adverse(
        "bureau_max_overdue",
        "Largest amount ever overdue on a credit at another lender",
        "Plus gros impayé constaté sur un crédit auprès d'un autre prêteur",
        aggregates="max mean",
    ),
    Telling(
        "bureau_closed_early_days",
        "lowers",
        "Repayment of credits at other lenders compared with the plan",
        "Remboursement de vos crédits auprès d'autres prêteurs par rapport au plan",
        aggregates="mean max",
        formatter=format_early,
        beyond=0.0,
    ),
    Telling(
        "bureau_duration",
        "either",
        "Planned duration of your credits at other lenders",
        "Durée prévue de vos crédits auprès d'autres prêteurs",
        aggregates="mean max",
    ),
    *(
        Telling(
            f"bureau_credits_{months}m",
            "raises",
            f"New credits at other lenders, last {months} months",
            f"Nouveaux crédits auprès d'autres prêteurs, {months} derniers mois",
            thing="bureau_new",
            best=0.0,
        )
        for months in (6, 12, 24, 36)
    ),
    Telling(
        "bureau_gap_days_mean",
        "lowers",
        "Mean time between your credits at other lenders",
        "Temps moyen entre vos crédits auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_prolongations",
        "Extensions of credits at other lenders",
        "Prolongations de crédits auprès d'autres prêteurs",
    ),
    adverse(
        "bureau_balance_late",
        "Months late at other lenders, each credit counted",
        "Mois de retard auprès d'autres prêteurs, crédit par crédit",
        aggregates="share",
    ),
    Telling(
        "bureau_balance_latest_late_month",
        "raises",
        "Latest month late at another lender",
        "Dernier mois de retard auprès d'un autre prêteur",
        formatter=i18n.format_relative_month,
    ),
    Telling(
        "bureau_balance_first_month",
        "raises",
        "First month on record at other lenders",
        "Premier mois connu auprès d'autres prêteurs",
        formatter=i18n.format_relative_month,
    ),
)

_APPLICATIONS: tuple[Telling, ...] = (
    Telling("previous_applications", "raises", "Earlier applications to us", "Demandes antérieures chez nous"),
    Telling(
        "previous_applications_365d",
        "raises",
        "Applications to us, last year",
        "Demandes chez nous, dernière année",
        thing="previous_applications",
    ),
    Telling(
        "previous_approved", "lowers", "Earlier applications accepted", "Demandes antérieures acceptées", beyond=1.0
    ),
    Telling(
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
        "Applications refused, last year",
        "Demandes refusées, dernière année",
        thing="previous_refused",
    ),
    adverse(
        "previous_canceled_share",
        "Earlier applications cancelled",
        "Demandes antérieures annulées",
    ),
    *(
        Telling(
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
    Telling(
        "previous_low_yield",
        "lowers",
        "Earlier applications at a low rate",
        "Demandes antérieures à taux bas",
        aggregates="share",
    ),
    Telling(
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
        Telling(
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
    Telling(
        "previous_asked",
        "either",
        "Amount asked for in earlier applications",
        "Montant demandé lors de vos demandes antérieures",
        aggregates="mean max",
    ),
    Telling(
        "previous_credit",
        "either",
        "Amount of the loan in earlier applications",
        "Montant du prêt lors de vos demandes antérieures",
        aggregates="mean max sum",
    ),
    Telling(
        "previous_annuity",
        "either",
        "Monthly instalment in earlier applications",
        "Mensualité lors de vos demandes antérieures",
        aggregates="mean max sum",
    ),
    Telling(
        "previous_term",
        "either",
        "Term of the loan in earlier applications",
        "Durée du prêt lors de vos demandes antérieures",
        aggregates="mean max min",
    ),
    Telling(
        "previous_simple_interest",
        "raises",
        "Simple monthly interest in earlier applications",
        "Intérêt mensuel simple lors de vos demandes antérieures",
        aggregates="mean max min",
        thing="previous_true_rate",
    ),
    Telling(
        "previous_true_rate",
        "raises",
        "Monthly interest rate in earlier applications",
        "Taux d'intérêt mensuel lors de vos demandes antérieures",
        aggregates="mean max min",
    ),
    Telling(
        "previous_down_payment",
        "lowers",
        "Down payment in earlier applications",
        "Apport lors de vos demandes antérieures",
        aggregates="mean max",
    ),
    Telling(
        "previous_due_shift_days",
        "lowers",
        "End of your earlier loans compared with the plan",
        "Fin de vos prêts antérieurs par rapport au plan",
        aggregates="mean max min",
        formatter=format_early,
        beyond=0.0,
    ),
    Telling("previous_open_loans", "raises", "Loans open with us", "Prêts en cours chez nous", best=0.0),
    Telling("previous_open_cards", "raises", "Cards open with us", "Cartes en cours chez nous", best=0.0),
    Telling(
        "previous_open_credit_sum",
        "raises",
        "Amount of the loans open with us",
        "Montant des prêts en cours chez nous",
        thing="previous_open_loans",
        best=0.0,
    ),
    Telling(
        "previous_open_limit_sum",
        "either",
        "Limits of the cards open with us",
        "Plafonds des cartes en cours chez nous",
        thing="previous_open_cards",
    ),
    Telling(
        "previous_open_annuity_sum",
        "raises",
        "Monthly instalments of the loans open with us",
        "Mensualités des prêts en cours chez nous",
        thing="previous_due",
        best=0.0,
    ),
    Telling(
        "previous_open_debt",
        "raises",
        "Debt of the loans and cards open with us",
        "Dette des prêts et des cartes en cours chez nous",
        best=0.0,
    ),
    Telling(
        "previous_open_debt_to_income",
        "raises",
        "Debt of the loans and cards open with us compared with income",
        "Dette des prêts et des cartes en cours chez nous rapportée aux revenus",
        thing="previous_open_debt",
        best=0.0,
    ),
    Telling(
        "previous_open_repaid_ratio",
        "lowers",
        "Part already repaid of the loans open with us",
        "Part déjà remboursée des prêts en cours chez nous",
        thing="previous_open_debt",
    ),
    *(
        Telling(
            f"previous_due_in_{months}m",
            "raises",
            f"Instalments of open loans due in the next {months} months"
            if months > 1
            else "Instalments of open loans due in the next month",
            f"Mensualités de prêts en cours dues dans les {months} mois"
            if months > 1
            else "Mensualités de prêts en cours dues dans le mois",
            thing="previous_due",
            best=0.0,
        )
        for months in (1, 6, 12, 19)
    ),
    Telling(
        "previous_due_in_12m_to_income",
        "raises",
        "Instalments of open loans due in the next 12 months compared with income",
        "Mensualités de prêts en cours dues dans les 12 mois rapportées aux revenus",
        thing="previous_due",
        best=0.0,
    ),
    *(
        Telling(
            f"previous_{name}_{aggregate}_to_{end}",
            "lowers",
            f"{en} of earlier loans compared with this one, {en_of}",
            f"{fr} de vos prêts antérieurs, {fr_of}, par rapport à celui-ci"
            if name == "credit"
            else f"{fr} de vos prêts antérieurs, {fr_of}, par rapport à celle-ci",
            thing=f"previous_{name}_to_{end}",
        )
        for name, end, en, fr in (
            ("credit", "loan", "Amount", "Montant"),
            ("annuity", "annuity", "Monthly instalment", "Mensualité"),
        )
        for aggregate, en_of, fr_of in (("mean", "on average", "en moyenne"), ("max", "the largest", "au plus"))
    ),
)

_REPAYMENTS: tuple[Telling, ...] = (
    Telling("pos_loans", "either", "Earlier loans with us", "Prêts antérieurs chez nous"),
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
            ("pos_days_past_due", "Delay on your earlier loans", "Retard sur vos prêts antérieurs"),
            (
                "pos_days_past_due_def",
                "Delay on your earlier loans, small amounts aside",
                "Retard sur vos prêts antérieurs, hors petits montants",
            ),
        )
    ),
    Telling(
        "pos_left_latest_sum",
        "raises",
        "Instalments left on your earlier loans, in their latest month on record",
        "Mensualités restantes de vos prêts antérieurs, à leur dernier mois connu",
        thing="pos_left",
        best=0.0,
    ),
    Telling(
        "pos_left_to_term_latest",
        "raises",
        "Part of the instalments of your earlier loans that is left",
        "Part restante des mensualités de vos prêts antérieurs",
        thing="pos_left",
        best=0.0,
    ),
    Telling(
        "pos_term",
        "either",
        "Term of your earlier loans",
        "Durée de vos prêts antérieurs",
        aggregates="mean max min",
    ),
    Telling(
        "pos_active_loans_latest",
        "raises",
        "Loans running in the latest month on record",
        "Prêts en cours au dernier mois connu",
        best=0.0,
    ),
    Telling(
        "pos_completed_share",
        "lowers",
        "Earlier loans that were repaid",
        "Prêts antérieurs soldés",
        beyond=0.5,
        best=1.0,
    ),
    Telling(
        "pos_early_end_share",
        "lowers",
        "Repaid loans that ended before their term",
        "Prêts soldés avant leur terme",
    ),
    adverse(
        "pos_demand_months",
        "Months in which a whole debt was called in",
        "Mois où une dette entière a été exigée",
    ),
    adverse(
        "pos_returned_loans",
        "Loans whose goods were returned to the shop",
        "Prêts dont le bien a été rendu au magasin",
    ),
    Telling(
        "pos_first_month",
        "raises",
        "First month on record of your loans with us",
        "Premier mois connu de vos prêts chez nous",
        formatter=i18n.format_relative_month,
    ),
    Telling("installments_count", "lowers", "Earlier instalments on record", "Mensualités antérieures connues"),
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
    Telling(
        "installments_paid_ratio",
        "lowers",
        "Amount paid compared with the amount due, by instalment",
        "Montant payé rapporté au montant dû, par mensualité",
        aggregates="mean",
        beyond=1.0,
    ),
    *(
        Telling(
            f"installments_paid_to_due{window}",
            "lowers",
            f"Amount paid on instalments compared with the amount due{en}",
            f"Montant payé sur vos mensualités rapporté au montant dû{fr}",
            thing="installments_paid_ratio",
            beyond=1.0,
        )
        for window, en, fr in (("", "", ""), ("_365d", ", last 365 days", ", 365 derniers jours"))
    ),
    Telling(
        "installments_days_early",
        "lowers",
        "Early payment of instalments",
        "Avance de paiement de vos mensualités",
        aggregates="mean max",
        beyond=0.0,
    ),
    Telling(
        "installments_paid",
        "either",
        "Amount paid by instalment",
        "Montant payé par mensualité",
        aggregates="mean max sum",
        labels={"sum": ("Amount of instalments paid", "Montant des mensualités payées")},
        thing="installments_due",
    ),
    Telling(
        "installments_due",
        "either",
        "Amount due by instalment",
        "Montant dû par mensualité",
        aggregates="mean max",
    ),
    Telling(
        "installments_due_max_to_annuity",
        "lowers",
        "Largest earlier instalment compared with this one",
        "Plus grosse mensualité antérieure par rapport à celle-ci",
    ),
    Telling(
        "installments_paid_max_to_annuity",
        "lowers",
        "Largest earlier payment compared with this instalment",
        "Plus gros paiement antérieur par rapport à cette mensualité",
        thing="installments_due_max_to_annuity",
    ),
    Telling(
        "installments_latest_payment_days",
        "either",
        "Your latest payment of an instalment",
        "Dernier paiement d'une mensualité",
        formatter=i18n.format_relative_day,
    ),
    Telling(
        "installments_first_due_days",
        "raises",
        "Your first instalment with us",
        "Première mensualité chez nous",
        formatter=i18n.format_relative_day,
    ),
)

_CARDS: tuple[Telling, ...] = (
    Telling(
        "card_utilisation",
        "raises",
        "Card balance compared with the limit",
        "Solde de carte rapporté au plafond",
        aggregates="mean max",
        best=0.0,
    ),
    Telling("card_balance", "raises", "Card balance", "Solde de carte", aggregates="mean max", best=0.0),
    Telling(
        "card_balance_to_income",
        "raises",
        "Card balance of the last 3 months compared with income",
        "Solde de carte des 3 derniers mois rapporté aux revenus",
        thing="card_balance",
        best=0.0,
    ),
    Telling("card_limit", "lowers", "Card limit", "Plafond de carte", aggregates="mean max"),
    Telling(
        "card_cash",
        "raises",
        "Cash drawn by card in a month",
        "Espèces retirées par carte en un mois",
        aggregates="mean sum max",
        labels={"sum": ("Cash drawn by card", "Espèces retirées par carte")},
        best=0.0,
    ),
    Telling(
        "card_cash_drawings",
        "raises",
        "Number of cash withdrawals by card in a month",
        "Nombre de retraits d'espèces par carte en un mois",
        aggregates="mean max",
        thing="card_cash",
        best=0.0,
    ),
    *(
        Telling(
            f"card_cash_share{window}",
            "raises",
            f"Part of your card spending drawn in cash{en}",
            f"Part de vos dépenses par carte retirée en espèces{fr}",
            thing="card_cash",
            best=0.0,
        )
        for window, en, fr in (("", "", ""), ("_12m", ", last 12 months", ", 12 derniers mois"))
    ),
    Telling(
        "card_drawn",
        "raises",
        "Amount spent by card in a month",
        "Montant dépensé par carte en un mois",
        aggregates="mean max",
        best=0.0,
    ),
    Telling(
        "card_drawings",
        "raises",
        "Number of card payments and withdrawals in a month",
        "Nombre de paiements et de retraits par carte en un mois",
        aggregates="mean max",
        thing="card_drawn",
        best=0.0,
    ),
    Telling(
        "card_paid_to_minimum",
        "lowers",
        "Card repayment compared with the least payment due",
        "Remboursement de carte rapporté au minimum dû",
        aggregates="mean",
    ),
    Telling(
        "card_paid_to_drawn",
        "lowers",
        "Amount repaid compared with the amount spent by card",
        "Montant remboursé rapporté au montant dépensé par carte",
    ),
    adverse("card_late", "Months late on your cards", "Mois de retard sur vos cartes", aggregates="share"),
    *(
        adverse(name, en, fr, thing="card_days_past_due", aggregates="mean max")
        for name, en, fr in (
            ("card_days_past_due", "Delay on your cards", "Retard sur vos cartes"),
            (
                "card_days_past_due_def",
                "Delay on your cards, small amounts aside",
                "Retard sur vos cartes, hors petits montants",
            ),
        )
    ),
    Telling("card_idle_share", "lowers", "Card months without a balance", "Mois de carte sans solde"),
    adverse("card_over_limit_share", "Card months over the limit", "Mois de carte au-delà du plafond"),
    Telling(
        "card_instalments_paid_max", "lowers", "Card instalments paid so far", "Mensualités de carte payées à ce jour"
    ),
)
TELLINGS = (*_ELSEWHERE, *_APPLICATIONS, *_REPAYMENTS, *_CARDS)
TOLD_AS: dict[str, tuple[str, ...]] = {
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
    "previous_refused_weighted": ("previous_refused_share",),
    **{f"previous_reject_{name}_share": ("previous_refused_share",) for name in ("hc", "sco", "limit", "scofr")},
    "previous_annuity_weighted": ("previous_annuity_mean",),
    "previous_true_rate_weighted": ("previous_true_rate_mean",),
    **{f"previous_down_payment_rate_{name}": (f"previous_down_payment_{name}",) for name in ("mean", "max")},
    "installments_weighted_delay": ("installments_days_late_mean",),
}
"""Features that are arithmetic of a thing, and the figures of it that are told: the first that makes sense."""
UNTOLD: dict[str, str] = {
    ".*_std(_.*)?|.*_slope(_.*)?|.*_ratio_[0-9]+d_[0-9]+d": "spreads, trends and ratios of means",
    "bureau_types|bureau_update_days_.*|bureau_foreign_currency_share": "say nothing about the client",
    "bureau_balance_(months|credits|closed_share|unknown_share)": "counts of records, not of what the client did",
    "previous_(new_client|cross_sell|walk_in|insured)_share|previous_seller_area_max": "how the lender sold",
    "previous_asked_to_granted_.*": "a ratio of what the lender decided",
    "application_due_in_previous_term_to_credit": "a supposed term",
    "pos_(months|latest_month)|pos_left_(mean|max)(_12m)?": "counts of records and averages over months",
    "installments_(loans|split_share|card_share|versions|paid_365d_to_income)": "how the lender records",
    "card_(months|count|no_limit_months)": "counts of records",
}
"""Patterns of features that are not told, and why."""
