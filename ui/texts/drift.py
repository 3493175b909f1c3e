"""Texts of the page on drift."""

TEXTS: dict[str, dict[str, str]] = {
    "page_drift": {"fr": "Dérive", "en": "Drift"},
    "drift_title": {"fr": "Les demandes ont-elles changé ?", "en": "Have the applications changed?"},
    "drift_intro": {
        "fr": "Le modèle a été entraîné sur des clients passés. Cette page montre si les nouveaux leur ressemblent "
        "encore, et si les risques annoncés se réalisent.",
        "en": "The model was trained on past clients. This page shows whether the new ones still resemble them, and "
        "whether the estimated risks come true.",
    },
    "drift_none": {
        "fr": "Aucun rapport n'est disponible ici. Demandez à l'équipe technique quand le prochain est prévu.",
        "en": "No report is available here. Ask the technical team when the next one is due.",
    },
    "drift_bad_list": {
        "fr": "La liste des rapports ne peut pas être lue. Prévenez l'équipe technique.",
        "en": "The list of reports cannot be read. Tell the technical team.",
    },
    "drift_bad_report": {
        "fr": "Ce rapport ne peut pas être ouvert. Prévenez l'équipe technique.",
        "en": "This report cannot be opened. Tell the technical team.",
    },
    "drift_technical": {
        "fr": "Dossier des rapports : {folder} (variable `UI_DRIFT`).",
        "en": "Folder of the reports: {folder} (variable `UI_DRIFT`).",
    },
    "drift_alarm_off": {"fr": "✔ Pas d'alerte au {moment}.", "en": "✔ No alarm on {moment}."},
    "drift_alarm_on": {"fr": "✖ Alerte du {moment}.", "en": "✖ Alarm of {moment}."},
    "drift_stale": {
        "fr": "Ce dernier contrôle date de {days} jours.",
        "en": "This last check is {days} days old.",
    },
    "drift_runs": {"fr": "Derniers contrôles", "en": "Last checks"},
    "drift_run": {"fr": "{moment} · {kind} · {state}", "en": "{moment} · {kind} · {state}"},
    "drift_kind_report": {"fr": "données", "en": "data"},
    "drift_kind_performance": {"fr": "qualité des décisions", "en": "quality of the decisions"},
    "drift_kind_watch": {"fr": "surveillance", "en": "watch"},
    "drift_state_on": {"fr": "✖ alerte", "en": "✖ alarm"},
    "drift_state_off": {"fr": "✔ rien à signaler", "en": "✔ nothing to report"},
    "drift_open": {"fr": "Rapport ouvert dans la page", "en": "Report opened in the page"},
    "drift_no_page": {
        "fr": "Ce contrôle n'a pas de rapport à afficher ; son résultat est la phrase ci-dessus.",
        "en": "This check has no report to show; its result is the sentence above.",
    },
    "drift_download": {"fr": "Télécharger ce rapport (HTML)", "en": "Download this report (HTML)"},
    "drift_frame": {"fr": "Rapport du {moment}", "en": "Report of {moment}"},
}
