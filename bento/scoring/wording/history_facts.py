"""Facts of the credits at other lenders and of the history with this one that a client may be told."""

from bento import i18n
from bento.scoring.wording.formats import format_capped_share, format_early
from bento.scoring.wording.telling import Telling, adverse

_ELSEWHERE: tuple[Telling, ...] = (
    Telling(
        "bureau_credits",
        "either",
        "Credit accounts with other lenders, closed ones included",
        "Crédits auprès d'autres prêteurs, crédits soldés compris",
    ),
    Telling(
        "bureau_active_credits",
        "raises",
        "Credit accounts open with other lenders",
        "Crédits en cours auprès d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Telling(
        "bureau_active_share",
        "raises",
        "Credit accounts still open among those with other lenders",
        "Crédits encore en cours parmi ceux d'autres prêteurs",
        thing="bureau_open",
        best=0.0,
    ),
    Telling(
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
        Telling(
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
        Telling(
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
            ("_active", ", open accounts", ", crédits en cours"),
            *(
                (f"_{n}m", f", accounts opened in the last {n} months", f", crédits des {n} derniers mois")
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
    Telling(
        "bureau_limit",
        "lowers",
        "Card limits with other lenders",
        "Plafonds de vos cartes auprès d'autres prêteurs",
        aggregates="sum max",
    ),
    Telling(
        "bureau_annuity",
        "raises",
        "Monthly instalments with other lenders",
        "Mensualités auprès d'autres prêteurs",
        aggregates="sum mean",
        best=0.0,
    ),
    Telling(
        "bureau_annuity_to_annuity",
        "raises",
        "Monthly instalments with other lenders compared with this one",
        "Mensualités auprès d'autres prêteurs rapportées à celle-ci",
        thing="bureau_annuity",
        best=0.0,
    ),
    Telling(
        "bureau_end_days",
        "raises",
        "Last planned end of your credit accounts with other lenders",
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
    Telling(
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
    Telling(
        "bureau_closed_early_days",
        "lowers",
        "Repayment of accounts with other lenders compared with the plan",
        "Remboursement de vos crédits auprès d'autres prêteurs par rapport au plan",
        aggregates="mean max",
        formatter=format_early,
        beyond=0.0,
    ),
    Telling(
        "bureau_duration",
        "either",
        "Planned duration of your credit accounts with other lenders",
        "Durée prévue de vos crédits auprès d'autres prêteurs",
        aggregates="mean max",
    ),
    *(
        Telling(
            f"bureau_credits_{months}m",
            "raises",
            f"New credit accounts with other lenders, over the last {months} months",
            f"Nouveaux crédits auprès d'autres prêteurs, sur les {months} derniers mois",
            thing="bureau_new",
            best=0.0,
        )
        for months in (6, 12, 24, 36)
    ),
    Telling(
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
    Telling(
        "bureau_balance_latest_late_month",
        "raises",
        "Latest month late with another lender",
        "Dernier mois de retard auprès d'un autre prêteur",
        formatter=i18n.format_relative_month,
    ),
    Telling(
        "bureau_balance_first_month",
        "raises",
        "First month on record with other lenders",
        "Premier mois connu auprès d'autres prêteurs",
        formatter=i18n.format_relative_month,
    ),
)

_APPLICATIONS: tuple[Telling, ...] = (
    Telling("previous_applications", "raises", "Earlier applications to us", "Demandes antérieures chez nous"),
    Telling(
        "previous_applications_365d",
        "raises",
        "Applications to us, over the last year",
        "Demandes chez nous, sur la dernière année",
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
        "Debt on the loans and cards open with us",
        "Dette sur les prêts et les cartes en cours chez nous",
        best=0.0,
    ),
    Telling(
        "previous_open_debt_to_income",
        "raises",
        "Debt on the loans and cards open with us compared with income",
        "Dette sur les prêts et les cartes en cours chez nous rapportée aux revenus",
        thing="previous_open_debt",
        best=0.0,
    ),
    Telling(
        "previous_open_repaid_ratio",
        "lowers",
        "Share already repaid of the loans open with us",
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
            f"Mensualités de prêts en cours à payer dans les {months} mois"
            if months > 1
            else "Mensualités de prêts en cours à payer dans le mois",
            thing="previous_due",
            best=0.0,
        )
        for months in (1, 6, 12, 19)
    ),
    Telling(
        "previous_due_in_12m_to_income",
        "raises",
        "Instalments of open loans due in the next 12 months compared with income",
        "Mensualités de prêts en cours à payer dans les 12 mois rapportées aux revenus",
        thing="previous_due",
        best=0.0,
    ),
    *(
        Telling(
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
            ("pos_days_past_due", "Late payment on your earlier loans", "Retard de paiement sur vos prêts antérieurs"),
            (
                "pos_days_past_due_def",
                "Late payment on your earlier loans, small amounts aside",
                "Retard de paiement sur vos prêts antérieurs, hors petits montants",
            ),
        )
    ),
    Telling(
        "pos_left_latest_sum",
        "raises",
        "Instalments still to be paid on your earlier loans, in their latest month on record",
        "Mensualités restantes de vos prêts antérieurs, à leur dernier mois connu",
        thing="pos_left",
        best=0.0,
    ),
    Telling(
        "pos_left_to_term_latest",
        "raises",
        "Share of the instalments of your earlier loans still to be paid",
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
        "Loans open in the latest month on record",
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
        "Months in which the whole debt of a loan was called in",
        "Mois où la totalité de la dette d'un prêt a été exigée",
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
        "Amount paid compared with the amount due, per instalment",
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
        for window, en, fr in (("", "", ""), ("_365d", ", over the last 365 days", ", sur les 365 derniers jours"))
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
        "Amount paid per instalment",
        "Montant payé par mensualité",
        aggregates="mean max sum",
        labels={"sum": ("Amount of instalments paid", "Montant des mensualités payées")},
        thing="installments_due",
    ),
    Telling(
        "installments_due",
        "either",
        "Amount due per instalment",
        "Montant dû par mensualité",
        aggregates="mean max",
    ),
    Telling(
        "installments_due_max_to_annuity",
        "lowers",
        "Largest instalment due so far compared with this one",
        "Plus forte mensualité due jusqu'ici par rapport à celle-ci",
    ),
    Telling(
        "installments_paid_max_to_annuity",
        "lowers",
        "Largest instalment paid so far compared with this one",
        "Plus forte mensualité payée jusqu'ici par rapport à celle-ci",
        thing="installments_due_max_to_annuity",
    ),
    Telling(
        "installments_latest_payment_days",
        "either",
        "Your latest payment of an instalment",
        "Votre dernier paiement d'une mensualité",
        formatter=i18n.format_relative_day,
    ),
    Telling(
        "installments_first_due_days",
        "raises",
        "Your first instalment with us",
        "Votre première mensualité chez nous",
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
        "Cash withdrawn by card in a month",
        "Espèces retirées par carte en un mois",
        aggregates="mean sum max",
        labels={"sum": ("Cash withdrawn by card", "Espèces retirées par carte")},
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
            f"Share of your card spending withdrawn in cash{en}",
            f"Part de vos dépenses par carte retirée en espèces{fr}",
            thing="card_cash",
            best=0.0,
        )
        for window, en, fr in (("", "", ""), ("_12m", ", over the last 12 months", ", sur les 12 derniers mois"))
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
        "Card repayment compared with the minimum payment due",
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
            ("card_days_past_due", "Late payment on your cards", "Retard de paiement sur vos cartes"),
            (
                "card_days_past_due_def",
                "Late payment on your cards, small amounts aside",
                "Retard de paiement sur vos cartes, hors petits montants",
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
