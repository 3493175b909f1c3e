"""Texts of the page on a portfolio."""

TEXTS: dict[str, dict[str, str]] = {
    "page_portfolio": {"fr": "Portefeuille", "en": "Portfolio"},
    "portfolio_title": {"fr": "Évaluer un portefeuille", "en": "Score a portfolio"},
    "portfolio_intro": {
        "fr": "Déposez les fichiers d'un dossier : application.csv ou application.parquet, et les tables d'historique "
        "s'il y en a ; ou un fichier JSON, un dossier par ligne. Rien n'est décidé ni enregistré. {most} demandes au "
        "plus.",
        "en": "Drop the files of a folder: application.csv or application.parquet, and the tables of the history if "
        "there are any; or a JSON file with one credit file a line. Nothing is decided or recorded. {most} "
        "applications at most.",
    },
    "portfolio_upload": {"fr": "Fichiers du portefeuille", "en": "Files of the portfolio"},
    "portfolio_score": {"fr": "Évaluer le portefeuille", "en": "Score the portfolio"},
    "portfolio_go_on": {"fr": "Continuer l'évaluation", "en": "Go on scoring"},
    "portfolio_progress": {"fr": "{done} demandes sur {all} évaluées", "en": "{done} of {all} applications scored"},
    "portfolio_too_many": {
        "fr": "Ces fichiers contiennent plus de {most} demandes. Découpez-les.",
        "en": "These files hold more than {most} applications. Split them.",
    },
    "portfolio_line": {"fr": "Ligne : {place}", "en": "Line: {place}"},
    "portfolio_partial": {
        "fr": "L'évaluation s'est arrêtée : les chiffres ne portent que sur {done} demandes sur {all}.",
        "en": "Scoring has stopped: the figures cover only {done} of {all} applications.",
    },
    "portfolio_rejected": {
        "fr": "Demandes refusées par le service, faute de données valables : {count}. Elles ne comptent pas ici.",
        "en": "Applications rejected by the service for invalid data: {count}. They do not count here.",
    },
    "portfolio_none": {
        "fr": "Aucune demande n'a pu être évaluée. Vérifiez les fichiers.",
        "en": "No application could be scored. Check the files.",
    },
    "portfolio_cutoff": {"fr": "Seuil de refus", "en": "Cut-off"},
    "portfolio_cutoff_help": {
        "fr": "Une demande est accordée si son risque est sous ce seuil. Celui du modèle est {threshold}.",
        "en": "An application is granted where its risk is below this cut-off. That of the model is {threshold}.",
    },
    "portfolio_loss": {
        "fr": "Perte sur un crédit en défaut (% du montant)",
        "en": "Loss on a loan that defaults (% of the amount)",
    },
    "portfolio_loss_help": {
        "fr": "Le gain manqué sur un bon client refusé en découle : un défaut coûte {ratio} fois plus.",
        "en": "The gain missed on a good client refused follows from it: a default costs {ratio} times as much.",
    },
    "portfolio_wrong_loss": {
        "fr": "La perte est un nombre entre 1 et 100, 55 par exemple.",
        "en": "The loss is a number from 1 to 100, 55 for example.",
    },
    "portfolio_results": {"fr": "Résultats au seuil choisi", "en": "Results at the chosen cut-off"},
    "portfolio_clients": {"fr": "Demandes évaluées", "en": "Applications scored"},
    "portfolio_mean": {"fr": "Risque moyen", "en": "Mean risk"},
    "portfolio_approval": {"fr": "Part accordée", "en": "Share granted"},
    "portfolio_cost": {"fr": "Coût attendu", "en": "Expected cost"},
    "portfolio_cost_of_model": {
        "fr": "Coût attendu au seuil du modèle",
        "en": "Expected cost at the model's threshold",
    },
    "portfolio_measure": {"fr": "Mesure", "en": "Measure"},
    "portfolio_value": {"fr": "Valeur", "en": "Value"},
    "portfolio_cost_note": {
        "fr": "Le coût est dans la monnaie des crédits : pertes attendues sur les crédits accordés, plus gains manqués "
        "sur les bons clients refusés.",
        "en": "The cost is in the currency of the loans: expected losses on loans granted, plus gains missed on good "
        "clients refused.",
    },
    "portfolio_distribution": {"fr": "Répartition du risque", "en": "Distribution of the risk"},
    "portfolio_class": {"fr": "Risque", "en": "Risk"},
    "portfolio_class_between": {"fr": "de {low} à {high}", "en": "{low} to {high}"},
    "portfolio_class_above": {"fr": "{low} ou plus", "en": "{low} or more"},
    "portfolio_chart": {
        "fr": "Nombre de demandes par classe de risque ; le tableau ci-dessous donne les mêmes chiffres.",
        "en": "Number of applications by class of risk; the table below gives the same figures.",
    },
    "portfolio_costs": {"fr": "Coût attendu selon le seuil", "en": "Expected cost by cut-off"},
    "portfolio_costs_chart": {
        "fr": "Courbe du coût attendu selon le seuil ; le plus bas est {cost}, au seuil de {cutoff}.",
        "en": "Curve of the expected cost by cut-off; the lowest is {cost}, at the cut-off {cutoff}.",
    },
    "portfolio_segments": {"fr": "Par groupe de clients", "en": "By group of clients"},
    "portfolio_segment": {"fr": "Groupes", "en": "Groups"},
    "portfolio_age": {"fr": "Âge", "en": "Age"},
    "portfolio_age_0": {"fr": "moins de 30 ans", "en": "under 30"},
    "portfolio_age_30": {"fr": "30 à 39 ans", "en": "30 to 39"},
    "portfolio_age_40": {"fr": "40 à 49 ans", "en": "40 to 49"},
    "portfolio_age_50": {"fr": "50 à 59 ans", "en": "50 to 59"},
    "portfolio_age_60": {"fr": "60 ans et plus", "en": "60 and over"},
    "portfolio_download": {"fr": "Télécharger les résultats (CSV)", "en": "Download the results (CSV)"},
}
