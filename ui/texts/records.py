"""Texts of the pages that review and find recorded decisions."""

TEXTS: dict[str, dict[str, str]] = {
    "page_review": {"fr": "Examiner", "en": "Review"},
    "page_decisions": {"fr": "Décisions", "en": "Decisions"},
    "review_title": {"fr": "Examiner les décisions", "en": "Review decisions"},
    "review_intro": {
        "fr": "Une personne décide ici des dossiers que le modèle ou une règle lui laisse, et de ceux qu'un client "
        "conteste.",
        "en": "Here a person decides on the files that the model or a rule leaves to one, and on those that a client "
        "contests.",
    },
    "decisions_title": {"fr": "Retrouver une décision", "en": "Find a decision"},
    "queue": {"fr": "Dossiers à examiner", "en": "Files to review"},
    "queue_waiting": {"fr": "En attente d'une personne", "en": "Waiting for a person"},
    "queue_contested": {"fr": "Contestés par le client", "en": "Contested by the client"},
    "queue_empty": {"fr": "✔ Aucun dossier dans cette file.", "en": "✔ There is no file in this queue."},
    "list_empty": {
        "fr": "Aucune décision ne correspond. Élargissez les dates ou retirez un critère.",
        "en": "No decision matches. Widen the dates or remove a criterion.",
    },
    "list_label": {"fr": "Décisions, les plus récentes d'abord", "en": "Decisions, newest first"},
    "list_line": {
        "fr": "{client} · {moment} · risque {risk} · {outcome} · {state}",
        "en": "{client} · {moment} · risk {risk} · {outcome} · {state}",
    },
    "list_unreadable": {
        "fr": "Décision du {moment} : entrée illisible, prévenez l'équipe technique",
        "en": "Decision of {moment}: unreadable entry, tell the technical team",
    },
    "client_purged": {"fr": "Client effacé", "en": "Client erased"},
    "next_page": {"fr": "Plus anciennes", "en": "Older"},
    "first_page": {"fr": "Revenir aux plus récentes", "en": "Back to the newest"},
    "refresh": {"fr": "Actualiser la liste", "en": "Refresh the list"},
    "state_waiting": {"fr": "en attente d'une personne", "en": "waiting for a person"},
    "state_contested": {"fr": "contestée", "en": "contested"},
    "state_reviewed": {"fr": "examinée par une personne", "en": "reviewed by a person"},
    "state_settled": {"fr": "sans examen", "en": "not reviewed"},
    "state_purged": {"fr": "données effacées", "en": "data erased"},
    "filter_state": {"fr": "État", "en": "State"},
    "filter_all": {"fr": "Tous", "en": "All"},
    "filter_outcome": {"fr": "Issue", "en": "Outcome"},
    "filter_any": {"fr": "Toutes", "en": "Any"},
    "filter_client": {"fr": "Numéro de client", "en": "Client number"},
    "filter_id": {"fr": "Numéro de décision", "en": "Decision number"},
    "filter_since": {"fr": "Depuis le (JJ/MM/AAAA)", "en": "From (YYYY-MM-DD)"},
    "filter_until": {"fr": "Jusqu'au (JJ/MM/AAAA)", "en": "Until (YYYY-MM-DD)"},
    "filter_search": {"fr": "Chercher", "en": "Search"},
    "wrong_client": {
        "fr": "Le numéro de client est un nombre entier, 100123 par exemple.",
        "en": "A client number is a whole number, 100123 for example.",
    },
    "wrong_day": {
        "fr": "« {text} » n'est pas une date. Écrivez-la comme 26/11/2026.",
        "en": "“{text}” is not a date. Write it like 2026-11-26.",
    },
    "no_decision": {
        "fr": "Le journal ne contient aucune décision de ce numéro. Vérifiez le numéro.",
        "en": "The journal holds no decision of this number. Check the number.",
    },
    "record_title": {"fr": "{client} : {outcome}", "en": "{client}: {outcome}"},
    "record_purged": {
        "fr": "Les données de ce client ont été effacées ; la décision reste.",
        "en": "The data of this client has been erased; the decision stays.",
    },
    "record_number": {"fr": "Décision {number}", "en": "Decision {number}"},
    "record_figures": {
        "fr": "Risque estimé : {probability} ; seuil : {threshold} ; modèle {model}.",
        "en": "Estimated risk: {probability}; threshold: {threshold}; model {model}.",
    },
    "record_data": {"fr": "Données du dossier", "en": "Data of the file"},
    "record_field": {"fr": "Donnée", "en": "Field"},
    "record_value": {"fr": "Valeur", "en": "Value"},
    "record_rows": {"fr": "{table} ({rows})", "en": "{table} ({rows})"},
    "record_first_rows": {"fr": "Les {count} premières lignes.", "en": "The first {count} rows."},
    "record_table": {"fr": "Valeurs du dossier : {table}", "en": "Values of the file: {table}"},
    "record_history": {"fr": "Historique de la décision", "en": "History of the decision"},
    "event_decided": {
        "fr": "{moment} : décision automatique, crédit {outcome}.",
        "en": "{moment}: automated decision, credit {outcome}.",
    },
    "event_decided_for": {
        "fr": "{moment} : décision automatique demandée par {officer}, crédit {outcome}.",
        "en": "{moment}: automated decision asked for by {officer}, credit {outcome}.",
    },
    "event_corrected": {"fr": "Dossier corrigé : {reason}", "en": "File corrected: {reason}"},
    "event_confirmed": {
        "fr": "{moment} : confirmée par {reviewer}, crédit {outcome}. Motif : {reason}",
        "en": "{moment}: confirmed by {reviewer}, credit {outcome}. Reason: {reason}",
    },
    "event_overturned": {
        "fr": "{moment} : décidée autrement par {reviewer}, crédit {outcome}. Motif : {reason}",
        "en": "{moment}: overturned by {reviewer}, credit {outcome}. Reason: {reason}",
    },
    "event_contested": {
        "fr": "{moment} : le client conteste (recueilli par {recorder}) : {statement}",
        "en": "{moment}: the client contests (taken down by {recorder}): {statement}",
    },
    "erased": {"fr": "effacé", "en": "erased"},
    "record_reasons": {"fr": "Raisons de la décision automatique", "en": "Reasons of the automated decision"},
    "record_rules": {"fr": "Règles appliquées", "en": "Rules that apply"},
    "record_warnings": {"fr": "Réserves sur les données", "en": "Reservations about the data"},
    "record_no_reasons": {
        "fr": "Les raisons ne sont plus disponibles : le modèle ou le code a changé depuis.",
        "en": "The reasons are no longer available: model or code have changed since.",
    },
    "your_decision": {"fr": "Votre décision", "en": "Your decision"},
    "keep_granted": {"fr": "Confirmer : crédit accordé", "en": "Confirm: credit granted"},
    "keep_refused": {"fr": "Confirmer : crédit refusé", "en": "Confirm: credit refused"},
    "change_granted": {"fr": "Décider autrement : accorder le crédit", "en": "Overturn: grant the credit"},
    "change_refused": {"fr": "Décider autrement : refuser le crédit", "en": "Overturn: refuse the credit"},
    "take_granted": {"fr": "Accorder le crédit", "en": "Grant the credit"},
    "take_refused": {"fr": "Refuser le crédit", "en": "Refuse the credit"},
    "review_reason": {
        "fr": "Motif de votre décision (10 à 2 000 caractères)",
        "en": "Reason for your decision (10 to 2,000 characters)",
    },
    "review_save": {"fr": "Enregistrer votre décision", "en": "Record your decision"},
    "review_saved": {
        "fr": "✔ Votre décision est enregistrée : crédit {outcome}.",
        "en": "✔ Your decision is recorded: credit {outcome}.",
    },
    "contest_title": {"fr": "Le client n'est pas d'accord", "en": "The client does not agree"},
    "contest_statement": {
        "fr": "Ce que dit le client, dans ses mots",
        "en": "The client's statement, in his or her own words",
    },
    "contest_save": {"fr": "Enregistrer la déclaration du client", "en": "Record the client's statement"},
    "contest_saved": {
        "fr": "✔ La déclaration est enregistrée. La décision attend l'examen d'une personne.",
        "en": "✔ The statement is recorded. The decision waits for the review of a person.",
    },
    "need_outcome": {"fr": "Choisissez votre décision.", "en": "Choose your decision."},
    "need_reason": {
        "fr": "Écrivez votre motif, en 10 caractères au moins.",
        "en": "Write your reason, in 10 characters at least.",
    },
    "need_statement": {"fr": "Écrivez ce que dit le client.", "en": "Write down the client's statement."},
    "need_officer": {
        "fr": "Donnez d'abord votre nom, dans le menu : il accompagne votre décision.",
        "en": "First give your name, in the menu: it goes with your decision.",
    },
    "changed_meanwhile": {
        "fr": "Cette décision a changé depuis que vous l'avez ouverte, et rien n'a été enregistré. Relisez-la, puis "
        "décidez.",
        "en": "This decision has changed since you opened it, and nothing was recorded. Read it again, then decide.",
    },
    "not_your_key": {
        "fr": "Rien n'est enregistré : l'accès de cette application est au nom d'une autre personne. Prévenez l'équipe "
        "technique.",
        "en": "Nothing is recorded: the access of this application is in another person's name. Tell the technical "
        "team.",
    },
    "replay": {"fr": "Refaire le calcul", "en": "Compute it again"},
    "replay_help": {
        "fr": "Décide à nouveau sur le même dossier, sans rien enregistrer.",
        "en": "Decides again on the same file, without recording anything.",
    },
    "replay_same": {
        "fr": "✔ Le même dossier donne la même décision.",
        "en": "✔ The same file gives the same decision.",
    },
    "replay_different": {
        "fr": "✖ Le même dossier donne un autre résultat. Prévenez l'équipe technique.",
        "en": "✖ The same file gives another result. Tell the technical team.",
    },
    "replay_other code": {
        "fr": "Le programme a changé depuis cette décision : elle ne peut pas être refaite ici.",
        "en": "The program has changed since this decision: it cannot be made again here.",
    },
    "replay_other model": {
        "fr": "Le modèle a changé depuis cette décision : elle ne peut pas être refaite ici.",
        "en": "The model has changed since this decision: it cannot be made again here.",
    },
    "replay_purged": {
        "fr": "Les données ont été effacées : la décision ne peut pas être refaite.",
        "en": "The data has been erased: the decision cannot be made again.",
    },
    "record_download": {"fr": "Télécharger la décision (JSON)", "en": "Download the decision (JSON)"},
    "decisions_open": {"fr": "Ouvrir cette décision", "en": "Open this decision"},
    "decisions_back": {"fr": "Revenir à la recherche", "en": "Back to the search"},
}
