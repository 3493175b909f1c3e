"""Texts of the page on the model."""

TEXTS: dict[str, dict[str, str]] = {
    "page_model": {"fr": "Modèle", "en": "Model"},
    "model_title": {"fr": "Le modèle qui décide", "en": "The model that decides"},
    "model_what": {
        "fr": "Le modèle {name}, version {version}, estime le risque d'impayé de chaque demande d'après "
        "{features} données. À partir d'un risque de {threshold}, la demande est refusée, sauf avis d'une personne.",
        "en": "The model {name}, version {version}, estimates the risk of default of each application from {features} "
        "data points. From a risk of {threshold} on, the application is refused, unless a person decides otherwise.",
    },
    "model_band": {
        "fr": "Entre {low} et {high}, une personne décide.",
        "en": "Between {low} and {high}, a person decides.",
    },
    "model_costs": {
        "fr": "Ce seuil suit le coût des erreurs : accorder un crédit qui ne sera pas remboursé coûte {ratio} fois "
        "plus que refuser un bon client.",
        "en": "This threshold follows from the cost of errors: to grant a loan that is not repaid costs {ratio} times "
        "as much as to refuse a good client.",
    },
    "model_no_results": {
        "fr": "Les résultats de l'entraînement ne sont pas installés avec cette application. Demandez-les à l'équipe "
        "technique.",
        "en": "The results of the training are not installed with this application. Ask the technical team for them.",
    },
    "model_bad_results": {
        "fr": "Les résultats de l'entraînement ne peuvent pas être lus. Prévenez l'équipe technique.",
        "en": "The results of the training cannot be read. Tell the technical team.",
    },
    "model_technical": {
        "fr": "Dossier des résultats : {folder} (variable `UI_RESULTS`).",
        "en": "Folder of the results: {folder} (variable `UI_RESULTS`).",
    },
    "model_other": {
        "fr": "Les résultats ci-dessous sont ceux d'un autre modèle que celui qui décide : ils en donnent une idée, "
        "mais ne le mesurent pas.",
        "en": "The results below are those of another model than the one that decides: they give an idea of it, but "
        "do not measure it.",
    },
    "model_data_synthetic": {
        "fr": "Mesuré sur {clients} clients fictifs.",
        "en": "Measured on {clients} invented clients.",
    },
    "model_data_real": {"fr": "Mesuré sur {clients} clients réels.", "en": "Measured on {clients} real clients."},
    "model_measures": {"fr": "Sa qualité", "en": "Its quality"},
    "model_split_test": {
        "fr": "Mesurée sur des clients mis de côté, que l'entraînement n'a jamais vus.",
        "en": "Measured on clients set aside, whom training never saw.",
    },
    "model_split_out_of_fold": {
        "fr": "Mesurée sur les clients de l'entraînement, chacun noté par un modèle qui ne l'avait pas vu.",
        "en": "Measured on the clients of the training, each scored by a model that had not seen him or her.",
    },
    "model_measure": {"fr": "Mesure", "en": "Measure"},
    "model_value": {"fr": "Valeur", "en": "Value"},
    "model_interval": {"fr": "Intervalle à 95 %", "en": "95% interval"},
    "model_reading": {"fr": "Comment la lire", "en": "How to read it"},
    "model_auc": {"fr": "AUC", "en": "AUC"},
    "model_auc_reading": {
        "fr": "chance que, de deux clients dont un seul rembourse, le modèle juge celui-ci moins risqué ; 0,5 : hasard",
        "en": "chance that, of two clients of whom one repays, the model rates that one as less risky; 0.5: chance",
    },
    "model_gini": {"fr": "Gini", "en": "Gini"},
    "model_gini_reading": {"fr": "la même chose, de 0 (hasard) à 1", "en": "the same, from 0 (chance) to 1"},
    "model_ks": {"fr": "KS", "en": "KS"},
    "model_ks_reading": {
        "fr": "plus grand écart entre bons et mauvais payeurs, de 0 à 1",
        "en": "largest distance between clients who repay and who do not, from 0 to 1",
    },
    "model_brier": {"fr": "Score de Brier", "en": "Brier score"},
    "model_brier_reading": {
        "fr": "erreur quadratique moyenne du risque ; plus bas est mieux",
        "en": "mean squared error of the risk; lower is better",
    },
    "model_refused_share": {"fr": "Part refusée", "en": "Share refused"},
    "model_refused_share_reading": {"fr": "au seuil en vigueur", "en": "at the threshold in force"},
    "model_calibration": {"fr": "Le risque annoncé est-il le bon ?", "en": "Is the estimated risk right?"},
    "model_calibration_text": {
        "fr": "Pour 100 impayés observés, le modèle en annonçait {predicted}. Pente de calibration : {value} ({low} à "
        "{high}) ; 1 est parfait, moins de 1 veut dire que les risques sont trop écartés.",
        "en": "For 100 defaults observed, the model predicted {predicted}. Calibration slope: {value} ({low} to "
        "{high}); 1 is perfect, less than 1 means that the risks are too far apart.",
    },
    "model_curve_note": {
        "fr": "Clients de l'entraînement, chacun noté par un modèle qui ne l'avait pas vu, en groupes de même taille, "
        "du risque le plus bas au plus haut. Le risque annoncé est le bon où les points suivent la ligne pointillée.",
        "en": "Clients of the training, each scored by a model that had not seen him or her, in groups of the same "
        "size, from the lowest risk to the highest. The estimated risk is right where the points follow the dashed "
        "line.",
    },
    "model_curve_chart": {
        "fr": "Part d'impayés observée selon le risque annoncé, avec les intervalles à 95 % ; le tableau ci-dessous "
        "donne les mêmes chiffres.",
        "en": "Observed share of defaults by estimated risk, with 95% intervals; the table below gives the same "
        "figures.",
    },
    "model_predicted": {"fr": "Risque annoncé", "en": "Estimated risk"},
    "model_observed": {"fr": "Impayés observés", "en": "Observed defaults"},
    "model_importance": {"fr": "Sur quoi il s'appuie", "en": "What it relies on"},
    "model_importance_note": {
        "fr": "Poids moyen dans la décision, tous clients confondus, en parts du total.",
        "en": "Mean weight in the decision over all clients, as shares of the total.",
    },
    "model_theme": {"fr": "Thème", "en": "Theme"},
    "model_feature": {"fr": "Donnée", "en": "Feature"},
    "model_weight": {"fr": "Poids", "en": "Weight"},
    "model_importance_chart": {
        "fr": "Poids des thèmes ; le tableau ci-dessous donne les mêmes chiffres.",
        "en": "Weight of the themes; the table below gives the same figures.",
    },
    "model_no_importance": {
        "fr": "Ces résultats ne disent pas sur quoi le modèle s'appuie.",
        "en": "These results do not show what the model relies on.",
    },
    "model_cost": {"fr": "Ce qu'il fait gagner", "en": "What it saves"},
    "model_cost_way": {"fr": "Façon de décider", "en": "Way to decide"},
    "model_cost_per_client": {"fr": "Coût par client", "en": "Cost per client"},
    "model_money_per_client": {"fr": "En monnaie, par client", "en": "In money, per client"},
    "model_way_model": {"fr": "avec le modèle", "en": "with the model"},
    "model_way_accept_all": {"fr": "tout accorder", "en": "grant all"},
    "model_way_refuse_all": {"fr": "tout refuser", "en": "refuse all"},
    "model_cost_note": {
        "fr": "L'unité du coût est un bon client refusé. Le montant suit le montant des crédits.",
        "en": "The unit of the cost is one good client refused. The money follows the amounts of the loans.",
    },
    "model_thresholds": {
        "fr": "Le meilleur seuil selon le coût d'un impayé",
        "en": "The best threshold by the cost of a default",
    },
    "model_ratio": {
        "fr": "Un impayé coûte autant que … bons clients refusés",
        "en": "A default costs as much as … good clients refused",
    },
    "model_threshold": {"fr": "Meilleur seuil", "en": "Best threshold"},
    "model_thresholds_chart": {
        "fr": "Meilleur seuil selon le coût d'un impayé ; le tableau ci-dessous donne les mêmes chiffres.",
        "en": "Best threshold by the cost of a default; the table below gives the same figures.",
    },
    "model_fairness": {"fr": "Traite-t-il les groupes de la même façon ?", "en": "Does it treat groups alike?"},
    "model_fairness_note": {
        "fr": "Ni le sexe ni l'âge ne pèsent dans une décision ; le tableau montre ce que les décisions donnent pour "
        "chaque groupe.",
        "en": "Neither gender nor age weighs in a decision; the table shows what the decisions come to for each group.",
    },
    "model_group": {"fr": "Groupe", "en": "Group"},
    "model_clients": {"fr": "Clients", "en": "Clients"},
    "model_default_rate": {"fr": "Impayés", "en": "Defaults"},
    "model_approval_rate": {"fr": "Part accordée", "en": "Share granted"},
    "model_good_clients_refused": {"fr": "Bons clients refusés", "en": "Good clients refused"},
    "model_group_F": {"fr": "femmes", "en": "women"},
    "model_group_M": {"fr": "hommes", "en": "men"},
    "model_group_XNA": {"fr": "non précisé", "en": "not stated"},
    "model_too_few": {"fr": "trop peu de clients", "en": "too few clients"},
    "model_group_under": {"fr": "moins de {age} ans", "en": "under {age}"},
    "model_group_over": {"fr": "{age} ans et plus", "en": "{age} and over"},
    "model_group_between": {"fr": "{low} à {high} ans", "en": "{low} to {high}"},
    "model_from_to": {"fr": "{low} à {high}", "en": "{low} to {high}"},
    "model_with_interval": {"fr": "{value} ({low} à {high})", "en": "{value} ({low} to {high})"},
    "model_theme_external_scores": {"fr": "scores externes", "en": "external scores"},
    "model_theme_credit_terms": {"fr": "conditions du prêt", "en": "terms of the loan"},
    "model_theme_income_burden": {"fr": "revenus et charges", "en": "income and burden"},
    "model_theme_employment": {"fr": "emploi", "en": "employment"},
    "model_theme_identity_contact": {"fr": "identité et contact", "en": "identity and contact"},
    "model_theme_housing": {"fr": "logement et région", "en": "housing and region"},
    "model_theme_documents": {"fr": "documents fournis", "en": "documents"},
    "model_theme_bureau_debt": {"fr": "dettes auprès d'autres prêteurs", "en": "debt at other lenders"},
    "model_theme_bureau_history": {
        "fr": "historique auprès d'autres prêteurs",
        "en": "credit history at other lenders",
    },
    "model_theme_past_applications": {"fr": "demandes antérieures", "en": "past applications"},
    "model_theme_instalment_discipline": {"fr": "paiement des échéances", "en": "payment of instalments"},
    "model_theme_card_use": {"fr": "usage des cartes de crédit", "en": "use of credit cards"},
    "model_card": {"fr": "Fiche complète du modèle (en anglais)", "en": "Whole model card"},
}
