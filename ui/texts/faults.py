"""Texts of the faults of the service and of files."""

TEXTS: dict[str, dict[str, str]] = {
    # Faults of the service
    "fault_unreachable": {
        "fr": "Le service de notation ne répond pas à l'adresse {address}. Démarrez-le (`make serve`) ou corrigez la "
        "variable `API_URL`, puis réessayez.",
        "en": "The scoring service does not answer at {address}. Start it (`make serve`) or correct the variable "
        "`API_URL`, then try again.",
    },
    "fault_not_ready": {
        "fr": "Le service de notation ne peut pas répondre pour le moment : il démarre, n'a pas de modèle ou ne peut "
        "pas enregistrer de décision. Réessayez {wait} ; si cela dure, prévenez l'équipe technique.",
        "en": "The scoring service cannot answer at the moment: it is starting, has no model or cannot record a "
        "decision. Try again {wait}; if it lasts, tell the technical team.",
    },
    "fault_timeout": {
        "fr": "Le service de notation n'a pas répondu à temps. Réessayez dans un instant ; si cela dure, prévenez "
        "l'équipe technique.",
        "en": "The scoring service did not answer in time. Try again in a moment; if it lasts, tell the technical "
        "team.",
    },
    "fault_rejected": {
        "fr": "Le service refuse ce dossier (erreur {status}). Corrigez ces champs, puis évaluez à nouveau :",
        "en": "The service rejects this file (error {status}). Correct these fields, then score again:",
    },
    "fault_rejected_whole": {
        "fr": "Le service refuse ce dossier (erreur {status}) sans nommer de champ. Vérifiez le fichier, puis "
        "évaluez à nouveau.",
        "en": "The service rejects this file (error {status}) without naming a field. Check the file, then score "
        "again.",
    },
    "fault_unauthorised": {
        "fr": "Le service refuse l'accès : la clé d'accès de cette application est absente, inconnue ou sans le droit "
        "`score`. Demandez à l'équipe technique de vérifier la variable `SCORING_API_KEY`.",
        "en": "The service denies access: the access key of this application is missing, unknown or without the "
        "scope `score`. Ask the technical team to check the variable `SCORING_API_KEY`.",
    },
    "fault_too_large": {
        "fr": "Le dossier est trop volumineux pour le service (erreur {status}). Retirez les historiques les plus "
        "anciens, puis évaluez à nouveau.",
        "en": "The file is too large for the service (error {status}). Remove the oldest history, then score again.",
    },
    "fault_too_many": {
        "fr": "Le service reçoit trop de demandes. Réessayez {wait}.",
        "en": "The service receives too many requests. Try again {wait}.",
    },
    "fault_conflict": {
        "fr": "Le service a déjà reçu un autre dossier sous le même numéro de demande. Rechargez la page, puis évaluez "
        "à nouveau ; si cela se répète, prévenez l'équipe technique.",
        "en": "The service has already received another file under the same request number. Reload the page, then "
        "score again; if it happens again, tell the technical team.",
    },
    "wait": {"fr": "dans un instant", "en": "in a moment"},
    "wait_seconds": {"fr": "dans {seconds} s", "en": "in {seconds} s"},
    "nothing_decided": {"fr": "Rien n'a été décidé.", "en": "Nothing was decided."},
    "perhaps_decided": {
        "fr": "Si une décision a pu être enregistrée, évaluer à nouveau rendra la même.",
        "en": "If a decision was recorded all the same, scoring again returns that one.",
    },
    "decision_stands": {
        "fr": "La réponse ci-dessus est valable ; seule l'explication détaillée manque.",
        "en": "The answer above is valid; only its detailed explanation is missing.",
    },
    "fault_failed": {
        "fr": "Le service a rencontré une erreur interne ({status}) ; le dossier n'est pas en cause. Réessayez ; si "
        "cela dure, prévenez l'équipe technique.",
        "en": "The service met an internal error ({status}); nothing is wrong with the file. Try again; if it lasts, "
        "tell the technical team.",
    },
    "fault_unexpected": {
        "fr": "Ce qui répond à l'adresse {address} n'est pas le service de notation attendu. Vérifiez la variable "
        "`API_URL` et la version du service.",
        "en": "What answers at {address} is not the expected scoring service. Check the variable `API_URL` and the "
        "version of the service.",
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
    # Faults of the uploaded file
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
}
