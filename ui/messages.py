"""Every text of the page in French and English, and the formats of numbers in each."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ui.client import Detail

LANGUAGES = {"fr": "Français", "en": "English"}

NO_BREAK_SPACE = "\u00a0"
NARROW_SPACE = "\u202f"
MINUS = "\u2212"
APOSTROPHE = "\u2019"

Wording = dict[str, str]

MESSAGES: dict[str, Wording] = {
    # The page
    "language": {"fr": "Langue", "en": "Language"},
    "page_title": {"fr": "Prêt à dépenser : décision de crédit", "en": "Prêt à dépenser: credit decision"},
    "source": {"fr": "Dossier", "en": "Credit file"},
    "source_example": {"fr": "Exemple", "en": "Example"},
    "source_file": {"fr": "Mon fichier", "en": "My file"},
    "example": {"fr": "Client d'exemple", "en": "Example client"},
    "upload": {
        "fr": "Dossier de crédit au format JSON ({megabytes} Mo au plus)",
        "en": "Credit file as JSON ({megabytes} MB at most)",
    },
    "upload_first": {
        "fr": "Déposez un dossier de crédit dans le volet de gauche pour commencer.",
        "en": "Drop a credit file in the left panel to begin.",
    },
    "client": {"fr": "Client {number}", "en": "Client {number}"},
    "client_unnumbered": {"fr": "Client sans numéro", "en": "Client without a number"},
    "score": {"fr": "Évaluer le dossier", "en": "Score this file"},
    "simulate": {"fr": "Simuler", "en": "Simulate"},
    "scoring": {"fr": "Évaluation en cours…", "en": "Scoring…"},
    "score_first": {
        "fr": "Vérifiez les données à gauche, puis évaluez le dossier : la décision sera enregistrée. Si vous "
        "modifiez une valeur, le dossier n'est que simulé.",
        "en": "Check the figures on the left, then score the file: the decision will be recorded. If you change a "
        "value, the file is only simulated.",
    },
    "retry": {"fr": "Réessayer", "en": "Try again"},
    "missing": {"fr": "non renseigné", "en": "not given"},
    "list_item": {"fr": "{name} : {value}", "en": "{name}: {value}"},
    # The client's history
    "history": {"fr": "Historique joint : {tables}.", "en": "History attached: {tables}."},
    "history_none": {
        "fr": "Aucun historique joint : la demande seule est évaluée.",
        "en": "No history attached: the application alone is scored.",
    },
    "history_bureau_one": {"fr": "{rows} crédit ailleurs", "en": "{rows} loan elsewhere"},
    "history_bureau": {"fr": "{rows} crédits ailleurs", "en": "{rows} loans elsewhere"},
    "history_bureau_balance_one": {"fr": "{rows} mois de ces crédits", "en": "{rows} month of those loans"},
    "history_bureau_balance": {"fr": "{rows} mois de ces crédits", "en": "{rows} months of those loans"},
    "history_previous_application_one": {
        "fr": "{rows} demande antérieure chez nous",
        "en": "{rows} earlier application here",
    },
    "history_previous_application": {
        "fr": "{rows} demandes antérieures chez nous",
        "en": "{rows} earlier applications here",
    },
    "history_POS_CASH_balance_one": {"fr": "{rows} mois de prêts antérieurs", "en": "{rows} month of earlier loans"},
    "history_POS_CASH_balance": {"fr": "{rows} mois de prêts antérieurs", "en": "{rows} months of earlier loans"},
    "history_installments_payments_one": {"fr": "{rows} paiement d'échéance", "en": "{rows} instalment payment"},
    "history_installments_payments": {"fr": "{rows} paiements d'échéances", "en": "{rows} instalment payments"},
    "history_credit_card_balance_one": {"fr": "{rows} mois de carte de crédit", "en": "{rows} month of credit card"},
    "history_credit_card_balance": {"fr": "{rows} mois de carte de crédit", "en": "{rows} months of credit card"},
    # The form
    "section_loan": {"fr": "Crédit demandé", "en": "Loan requested"},
    "section_client": {"fr": "Client et ressources", "en": "Client and income"},
    "section_employment": {"fr": "Emploi", "en": "Employment"},
    "section_scores": {"fr": "Scores externes", "en": "External scores"},
    "NAME_CONTRACT_TYPE": {"fr": "Type de crédit", "en": "Kind of loan"},
    "AMT_CREDIT": {"fr": "Montant du crédit", "en": "Loan amount"},
    "AMT_ANNUITY": {"fr": "Mensualité", "en": "Monthly instalment"},
    "AMT_GOODS_PRICE": {"fr": "Prix du bien financé", "en": "Price of the goods"},
    "AMT_INCOME_TOTAL": {"fr": "Revenu total", "en": "Total income"},
    "DAYS_BIRTH": {"fr": "Âge (années)", "en": "Age (years)"},
    "NAME_FAMILY_STATUS": {"fr": "Situation familiale", "en": "Family status"},
    "CNT_CHILDREN": {"fr": "Nombre d'enfants", "en": "Number of children"},
    "NAME_EDUCATION_TYPE": {"fr": "Niveau d'études", "en": "Education"},
    "NAME_HOUSING_TYPE": {"fr": "Logement", "en": "Housing"},
    "NAME_INCOME_TYPE": {"fr": "Source de revenu", "en": "Source of income"},
    "OCCUPATION_TYPE": {"fr": "Profession", "en": "Occupation"},
    "DAYS_EMPLOYED": {"fr": "Ancienneté dans l'emploi (années)", "en": "Time in present job (years)"},
    "EXT_SOURCE_1": {"fr": "Score externe 1", "en": "External score 1"},
    "EXT_SOURCE_2": {"fr": "Score externe 2", "en": "External score 2"},
    "EXT_SOURCE_3": {"fr": "Score externe 3", "en": "External score 3"},
    "EXT_SOURCE_1_help": {
        "fr": "De 0 à 1 : plus il est élevé, plus le client est sûr.",
        "en": "From 0 to 1: the higher, the safer the client.",
    },
    "EXT_SOURCE_2_help": {
        "fr": "De 0 à 1 : plus il est élevé, plus le client est sûr.",
        "en": "From 0 to 1: the higher, the safer the client.",
    },
    "EXT_SOURCE_3_help": {
        "fr": "De 0 à 1 : plus il est élevé, plus le client est sûr.",
        "en": "From 0 to 1: the higher, the safer the client.",
    },
    "DAYS_EMPLOYED_help": {"fr": "Vide : sans emploi ou retraité.", "en": "Empty: not employed, or retired."},
    # Simulation
    "simulation": {
        "fr": "**Simulation.** Ces valeurs diffèrent du dossier du client :",
        "en": "**Simulation.** These values differ from the client's file:",
    },
    "change": {"fr": "{field} : {before} → {after}", "en": "{field}: {before} → {after}"},
    "reset": {"fr": "Revenir au dossier du client", "en": "Back to the client's file"},
    "stale": {
        "fr": "Les valeurs ont changé : la réponse précédente ne vaut plus. Relancez l'évaluation.",
        "en": "The values have changed: the answer before no longer holds. Score again.",
    },
    "compared": {
        "fr": "Dossier du client sans modification : probabilité de défaut {probability}, crédit {decision}.",
        "en": "The client's file unchanged: probability of default {probability}, credit {decision}.",
    },
    # The decision
    "granted": {"fr": "Crédit accordé", "en": "Credit granted"},
    "refused": {"fr": "Crédit refusé", "en": "Credit refused"},
    "review": {"fr": "À examiner par une personne", "en": "To be reviewed by a person"},
    "granted_simulated": {"fr": "Simulation : crédit accordé", "en": "Simulation: credit granted"},
    "refused_simulated": {"fr": "Simulation : crédit refusé", "en": "Simulation: credit refused"},
    "review_simulated": {
        "fr": "Simulation : à examiner par une personne",
        "en": "Simulation: to be reviewed by a person",
    },
    "granted_short": {"fr": "accordé", "en": "granted"},
    "review_short": {"fr": "à examiner", "en": "to be reviewed"},
    "refused_short": {"fr": "refusé", "en": "refused"},
    "granted_because": {
        "fr": "Le risque estimé, {probability}, est sous le seuil de {limit}.",
        "en": "The estimated risk, {probability}, is below the threshold of {limit}.",
    },
    "refused_because": {
        "fr": "Le risque estimé, {probability}, dépasse le seuil de {limit}.",
        "en": "The estimated risk, {probability}, exceeds the threshold of {limit}.",
    },
    "refused_because_equal": {
        "fr": "Le risque estimé atteint exactement le seuil de {limit}.",
        "en": "The estimated risk is exactly at the threshold of {limit}.",
    },
    "granted_because_of_band": {
        "fr": "Le risque estimé, {probability}, est sous la zone à examiner, qui commence à {limit}.",
        "en": "The estimated risk, {probability}, is below the range to be reviewed, which begins at {limit}.",
    },
    "refused_because_of_band": {
        "fr": "Le risque estimé, {probability}, n'est plus dans la zone à examiner, qui finit à {limit}.",
        "en": "The estimated risk, {probability}, is beyond the range to be reviewed, which ends at {limit}.",
    },
    "review_because": {
        "fr": "Le risque estimé, {probability}, est trop proche du seuil : de {low} à {high}, une personne décide.",
        "en": "The estimated risk, {probability}, is too close to the threshold: from {low} to {high}, a person "
        "decides.",
    },
    "review_by_rule": {
        "fr": "Une règle demande qu'une personne décide ; le risque estimé est de {probability}.",
        "en": "A rule requires that a person decides; the estimated risk is {probability}.",
    },
    "refused_by_rule": {
        "fr": "Une règle impose le refus ; le risque estimé est de {probability}.",
        "en": "A rule requires a refusal; the estimated risk is {probability}.",
    },
    "probability": {"fr": "Probabilité de défaut", "en": "Probability of default"},
    "threshold": {"fr": "Seuil de refus", "en": "Refusal threshold"},
    "score_points": {"fr": "Score", "en": "Score"},
    "score_points_help": {
        "fr": "600 points quand le modèle attend 50 bons clients pour 1 défaut ; 20 points de plus chaque fois que "
        "ce rapport double.",
        "en": "600 points where the model expects 50 good clients for 1 default; 20 points more each time that ratio "
        "doubles.",
    },
    "recorded": {
        "fr": "Décision enregistrée le {moment} sous le numéro {number}.",
        "en": "Decision recorded on {moment} under the number {number}.",
    },
    "not_recorded": {"fr": "Simulation : rien n'est enregistré.", "en": "Simulation: not recorded."},
    "moment": {"fr": "{day}/{month}/{year} à {time} (UTC)", "en": "{year}-{month}-{day} at {time} (UTC)"},
    "this_client": {"fr": "Ce client : {probability}", "en": "This client: {probability}"},
    "this_threshold": {"fr": "Seuil : {threshold}", "en": "Threshold: {threshold}"},
    "scale_alternative": {
        "fr": "Échelle de risque : le client est à {probability} et le seuil de refus à {threshold}.",
        "en": "Risk scale: the client stands at {probability} and the refusal threshold at {threshold}.",
    },
    # The rules and the reasons
    "rules": {"fr": "Les règles qui s'appliquent", "en": "The rules that apply"},
    "reasons": {
        "fr": "Ce que vous pouvez dire au client",
        "en": "What you may tell the client",
    },
    "counterfactual": {"fr": "Ce qui changerait la décision", "en": "What would change the decision"},
    # The explanation
    "contributions": {"fr": "De quoi se compose le risque", "en": "What the risk is made of"},
    "explained_by_another": {
        "fr": "La décision vient du modèle version {decided}, cette explication de la version {explained} : elles "
        "peuvent ne pas concorder.",
        "en": "The decision is by version {decided} of the model, this explanation by version {explained}: they may "
        "not agree.",
    },
    "by_group": {"fr": "Par thème", "en": "By theme"},
    "by_feature": {"fr": "Par donnée", "en": "By data point"},
    "as_table": {"fr": "En tableau", "en": "As a table"},
    "base": {"fr": "Point de départ : {position}", "en": "Starting point: {position}"},
    "final": {"fr": "Ce client : {position}", "en": "This client: {position}"},
    "others": {"fr": "{count} autres données", "en": "{count} other data points"},
    "position": {"fr": "risque de\u00a0{share}", "en": "risk of\u00a0{share}"},
    "multiplier": {"fr": "{sign}\u00a0\u00d7\u00a0{factor}", "en": "{sign}\u00a0\u00d7\u00a0{factor}"},
    "risk_axis": {
        "fr": "Risque de défaut ; il augmente vers la droite",
        "en": "Risk of default; it rises to the right",
    },
    "raises": {"fr": "augmente le risque", "en": "raises the risk"},
    "lowers": {"fr": "réduit le risque", "en": "lowers the risk"},
    "neutral": {"fr": "sans effet", "en": "no effect"},
    "reasons_explained": {
        "fr": "Le point de départ est le même pour tous les clients. Chaque barre orange (▲) augmente le risque, "
        "chaque barre bleue (▼) le réduit. « \u00d7 1,40 » : pour un même nombre de crédits "
        "remboursés, cette donnée multiplie par 1,4 les défauts attendus.",
        "en": "The starting point is the same for all clients. Each orange bar (▲) raises the risk, each blue bar (▼) "
        "lowers it. “\u00d7 1.40”: for the same number of loans repaid, this data multiplies the expected "
        "defaults by 1.4.",
    },
    "waterfall_alternative": {
        "fr": "Graphique en cascade. {base}. {steps}. {final}. Les mêmes valeurs sont dans l'onglet « En tableau ».",
        "en": "Waterfall chart. {base}. {steps}. {final}. The same values are in the tab “As a table”.",
    },
    "table_alternative": {
        "fr": "Effets sur le risque de défaut, du plus fort au plus faible.",
        "en": "Effects on the risk of default, strongest first.",
    },
    "column_theme": {"fr": "Thème", "en": "Theme"},
    "column_item": {"fr": "Donnée", "en": "Data point"},
    "column_client": {"fr": "Ce client", "en": "This client"},
    "column_similar": {"fr": "Clients semblables", "en": "Similar clients"},
    "similar_clients": {
        "fr": "Clients semblables : {description} ({clients} clients). Valeur médiane, ou la plus fréquente.",
        "en": "Similar clients: {description} ({clients} clients). Median value, or the most frequent one.",
    },
    "column_contribution": {
        "fr": "Défauts pour un même nombre de crédits remboursés",
        "en": "Defaults for the same number of loans repaid",
    },
    "column_effect": {"fr": "Effet", "en": "Effect"},
    # The end of the page
    "warnings": {
        "fr": "Le service a évalué le dossier, avec ces réserves :",
        "en": "The service scored the file, with these reservations:",
    },
    "missing_fields": {
        "fr": "Champs absents de ce dossier et présents dans presque tous les autres : {count}",
        "en": "Fields that this file lacks and nearly all others hold: {count}",
    },
    "missing_fields_effect": {
        "fr": "Le service a évalué le dossier sans ces champs :",
        "en": "The service scored the file without these fields:",
    },
    "model": {"fr": "Modèle {name}, version {version}.", "en": "Model {name}, version {version}."},
    "download": {"fr": "Télécharger la réponse (JSON)", "en": "Download the answer (JSON)"},
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

DETAIL_KINDS = {
    "missing": "detail_missing",
    "greater_than": "detail_too_small",
    "greater_than_equal": "detail_too_small",
    "less_than": "detail_too_great",
    "less_than_equal": "detail_too_great",
    "finite_number": "detail_not_a_number",
    "int_type": "detail_not_a_number",
    "float_type": "detail_not_a_number",
    "int_from_float": "detail_not_whole",
    "string_type": "detail_not_a_text",
    "list_type": "detail_not_a_list",
    "dict_type": "detail_not_a_row",
    "model_type": "detail_not_a_row",
    "too_long": "detail_too_long",
    "extra_forbidden": "detail_unknown",
    "repeated_key": "detail_repeated_key",
    "repeated_row": "detail_repeated_row",
    "other_client": "detail_other_client",
}
"""Keys of the messages for the service's kinds of fault, which are those of pydantic."""


def say(language: str, key: str, **values: object) -> str:
    """Return the message of a key, with its values filled in."""
    wording = MESSAGES[key][language]
    if language == "fr":
        wording = re.sub(" (?=[:;»])|(?<=«) ", NO_BREAK_SPACE, wording)
    return wording.format(**values)


def number(language: str, value: float, digits: int = 0) -> str:
    """Format a number: `1 234,5` in French, `1,234.5` in English; without a sign where it rounds to 0."""
    written = f"{value:z,.{digits}f}"
    if language == "fr":
        written = written.translate({ord(","): NARROW_SPACE, ord("."): ","})
    return written.replace("-", MINUS)


def percent(language: str, share: float, digits: int = 1) -> str:
    """Format a share in percent."""
    return number(language, 100 * share, digits) + (f"{NARROW_SPACE}%" if language == "fr" else "%")


def percentages(language: str, first: float, *others: float) -> tuple[str, ...]:
    """Format shares in percent, with the digits (up to three) that distinguish the first from the others."""
    for digits in (1, 2, 3):
        written = tuple(percent(language, share, digits) for share in (first, *others))
        if written[0] not in written[1:]:
            break
    return written


def moment(language: str, when: datetime) -> str:
    """Format a time, in UTC."""
    year, month, day, time = f"{when.astimezone(UTC):%Y %m %d %H:%M}".split()
    return say(language, "moment", year=year, month=month, day=day, time=time)


def value(language: str, content: float | str | None, words: Mapping[str, str] | None = None) -> str:
    """Format the value of a field; a category in its words, or its code where it has none."""
    if content is None or isinstance(content, str):
        return in_words(language, words) if words else content or say(language, "missing")
    max_digits = 0 if abs(content) >= 1000 else 3
    return number(
        language,
        content,
        next(digits for digits in range(4) if round(content, digits) == round(content, max_digits)),
    )


def in_words(language: str, words: Mapping[str, str] | None) -> str:
    """Return a text of the service with a capital, or that nothing is known."""
    text = words[language] if words else say(language, "missing")
    return text[:1].upper() + text[1:] if words else text


def detail(language: str, rejected: Detail) -> str:
    """Return the message about a rejected field: ours for kinds that have one, then the service's, if any."""
    if rejected.text is not None:
        return plain(rejected.text[language])
    key, message = DETAIL_KINDS.get(rejected.kind), plain(rejected.message)
    if key is None:
        return message
    return f"{say(language, key)} ({message})" if message else say(language, key)


def code(text: str) -> str:
    """Return external text as Markdown code."""
    return f"`{text.replace('`', APOSTROPHE)}`"


def plain(text: str) -> str:
    """Escape external text for Markdown: no links, images, formulas or markup."""
    return re.sub(r"([\\`*_{}\[\]()#+!|$<>~:])", r"\\\1", text)
