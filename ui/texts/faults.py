"""Texts of the faults of the service and of files."""

TEXTS: dict[str, dict[str, str]] = {
    "fault_unreachable": {
        "fr": "Le service de notation est arrêté ou injoignable. Ce que vous avez saisi n'est pas perdu. "
        "Réessayez dans un instant ; si cela dure, prévenez l'équipe technique.",
        "en": "The scoring service is stopped or cannot be reached. What you entered is not lost. Try again in a "
        "moment; if it lasts, tell the technical team.",
    },
    "fault_not_ready": {
        "fr": "Le service de notation ne peut pas répondre pour le moment : il démarre, n'a pas de modèle ou ne "
        "peut pas enregistrer de décision. Réessayez {wait} ; si cela dure, prévenez l'équipe technique.",
        "en": "The scoring service cannot answer at the moment: it is starting, has no model or cannot record a "
        "decision. Try again {wait}; if it lasts, tell the technical team.",
    },
    "fault_timeout": {
        "fr": "Le service de notation n'a pas répondu à temps. Réessayez dans un instant ; si cela dure, "
        "prévenez l'équipe technique.",
        "en": "The scoring service did not answer in time. Try again in a moment; if it lasts, tell the "
        "technical team.",
    },
    "fault_rejected": {
        "fr": "Le service refuse ce dossier. Corrigez ces champs :",
        "en": "The service rejects this file. Correct these fields:",
    },
    "fault_rejected_whole": {
        "fr": "Le service refuse ce dossier sans nommer de champ. Vérifiez le dossier ; si cela dure, prévenez "
        "l'équipe technique.",
        "en": "The service rejects this file without naming a field. Check the file; if it lasts, tell the "
        "technical team.",
    },
    "fault_unauthorised": {
        "fr": "Cette application n'a pas le droit d'interroger le service de notation. Ce que vous avez saisi "
        "n'est pas perdu. Prévenez l'équipe technique.",
        "en": "This application is not allowed to use the scoring service. What you entered is not lost. Tell "
        "the technical team.",
    },
    "fault_too_large": {
        "fr": "Le dossier est trop volumineux pour le service. Retirez les lignes les plus anciennes des historiques.",
        "en": "The file is too large for the service. Remove the oldest rows of the histories.",
    },
    "fault_too_many": {
        "fr": "Le service reçoit trop de demandes. Réessayez {wait}.",
        "en": "The service receives too many requests. Try again {wait}.",
    },
    "fault_conflict": {
        "fr": "Le service a déjà reçu un autre dossier sous le même numéro de demande. Rechargez la page ; si "
        "cela se répète, prévenez l'équipe technique.",
        "en": "The service has already received another file under the same request number. Reload the page; if "
        "it happens again, tell the technical team.",
    },
    "wait": {"fr": "dans un instant", "en": "in a moment"},
    "wait_seconds": {"fr": "dans {seconds} s", "en": "in {seconds} s"},
    "nothing_decided": {"fr": "Rien n'a été décidé.", "en": "Nothing was decided."},
    "perhaps_decided": {
        "fr": "Il se peut que la décision ait été enregistrée. Enregistrez à nouveau : elle ne comptera qu'une fois.",
        "en": "The decision may have been recorded. Record it again: it will count only once.",
    },
    "decision_stands": {
        "fr": "La réponse ci-dessus est valable ; seule l'explication détaillée manque.",
        "en": "The answer above is valid; only its detailed explanation is missing.",
    },
    "fault_failed": {
        "fr": "Le service a rencontré une erreur interne ; le dossier n'est pas en cause. Ce que vous avez saisi "
        "n'est pas perdu. Réessayez ; si cela dure, prévenez l'équipe technique.",
        "en": "The service met an internal error; nothing is wrong with the file. What you entered is not lost. "
        "Try again; if it lasts, tell the technical team.",
    },
    "fault_unexpected": {
        "fr": "La réponse reçue n'est pas celle du service de notation attendu. Ce que vous avez saisi n'est pas "
        "perdu. Prévenez l'équipe technique.",
        "en": "The answer received is not that of the expected scoring service. What you entered is not lost. "
        "Tell the technical team.",
    },
    "detail_missing": {"fr": "valeur obligatoire", "en": "value required"},
    "detail_too_small": {"fr": "valeur trop petite", "en": "value too small"},
    "detail_too_great": {"fr": "valeur trop grande", "en": "value too high"},
    "detail_not_a_number": {"fr": "un nombre est attendu", "en": "a number is expected"},
    "detail_not_whole": {"fr": "un nombre entier est attendu", "en": "a whole number is expected"},
    "detail_not_a_text": {"fr": "un texte est attendu", "en": "a text is expected"},
    "detail_not_a_list": {"fr": "une liste de lignes est attendue", "en": "a list of rows is expected"},
    "detail_not_a_row": {"fr": "un objet JSON est attendu", "en": "a JSON object is expected"},
    "detail_too_long": {"fr": "trop de lignes", "en": "too many rows"},
    "detail_unknown": {"fr": "champ inconnu", "en": "unknown field"},
    "detail_repeated_key": {"fr": "clé répétée", "en": "repeated key"},
    "detail_repeated_row": {
        "fr": "une ligne précédente a le même identifiant, et le même mois s'il y en a un",
        "en": "an earlier row has the same identifier, and the same month if there is one",
    },
    "detail_other_client": {
        "fr": "cette ligne appartient à un autre client",
        "en": "this row belongs to another client",
    },
    "fault_file_too_large": {
        "fr": "Ce fichier dépasse {megabytes} Mo. Choisissez le dossier d'un seul client.",
        "en": "This file is over {megabytes} MB. Choose the file of a single client.",
    },
    "fault_file_not_json": {
        "fr": "Ce fichier n'est pas du JSON valide. Exportez à nouveau le dossier au format JSON (UTF-8).",
        "en": "This file is not valid JSON. Export the credit file again as JSON (UTF-8).",
    },
    "fault_file_repeats_key": {
        "fr": "Ce fichier donne plusieurs fois la même clé dans un même objet JSON. N'en gardez qu'une :",
        "en": "This file holds the same key several times in one JSON object. Keep one of them:",
    },
    "fault_file_not_object": {
        "fr": 'Ce fichier doit contenir un seul objet JSON : `{{"application": {{…}}, "bureau": […]}}`.',
        "en": 'This file must hold a single JSON object: `{{"application": {{…}}, "bureau": […]}}`.',
    },
    "fault_file_without_application": {
        "fr": "Ce fichier ne contient pas de demande de crédit : ajoutez l'objet `application`.",
        "en": "This file holds no loan application: add the object `application`.",
    },
    "fault_file_not_csv": {
        "fr": "Ce fichier CSV ne peut pas être lu. Exportez-le en UTF-8, une ligne de titres puis une ligne par "
        "enregistrement, séparés par des virgules ou des points-virgules.",
        "en": "This CSV file cannot be read. Export it as UTF-8, one line of titles, then one line for each "
        "record, separated by commas or semicolons.",
    },
    "fault_file_of_no_table": {
        "fr": "Le nom de ce fichier n'est pas celui d'une table. Nommez-le comme la table, par exemple "
        "application.csv ou bureau.csv.",
        "en": "The name of this file is not that of a table. Name it after its table, application.csv or "
        "bureau.csv for example.",
    },
    "fault_files_mixed": {
        "fr": "Déposez soit un seul fichier JSON, soit des fichiers CSV.",
        "en": "Drop either a single JSON file, or CSV files.",
    },
    "fault_files_without_application": {
        "fr": "Il manque la demande : ajoutez application.csv.",
        "en": "The application is missing: add application.csv.",
    },
    "detail_wrong_length": {
        "fr": "cette ligne n'a pas autant de valeurs que de titres",
        "en": "this row has not as many values as there are titles",
    },
    "detail_unknown_table": {"fr": "table inconnue", "en": "unknown table"},
    "detail_rejected": {"fr": "valeur refusée", "en": "value rejected"},
    "technical": {"fr": "Pour l'équipe technique", "en": "For the technical team"},
    "technical_status": {"fr": "Réponse {status} de {address}.", "en": "Answer {status} of {address}."},
    "technical_unreachable": {
        "fr": "Aucune réponse à l'adresse {address}. Démarrez le service (`make serve`) ou corrigez la variable "
        "`API_URL`.",
        "en": "No answer at {address}. Start the service (`make serve`) or correct the variable `API_URL`.",
    },
    "technical_unauthorised": {
        "fr": "La clé d'accès est absente, inconnue ou sans le droit nécessaire : vérifiez la variable "
        "`SCORING_API_KEY`.",
        "en": "The access key is missing, unknown or without the necessary scope: check the variable "
        "`SCORING_API_KEY`.",
    },
    "technical_unexpected": {
        "fr": "Vérifiez la variable `API_URL` ({address}) et la version du service.",
        "en": "Check the variable `API_URL` ({address}) and the version of the service.",
    },
}
