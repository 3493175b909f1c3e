"""Texts of the page that decides on a credit file."""

TEXTS: dict[str, dict[str, str]] = {
    # The page
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
    "granted_simulated": {"fr": "Simulation : crédit accordé", "en": "Simulation: credit granted"},
    "refused_simulated": {"fr": "Simulation : crédit refusé", "en": "Simulation: credit refused"},
    "review_simulated": {
        "fr": "Simulation : à examiner par une personne",
        "en": "Simulation: to be reviewed by a person",
    },
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
}
