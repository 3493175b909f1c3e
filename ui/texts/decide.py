"""Texts of the page that decides on a credit file."""

TEXTS: dict[str, dict[str, str]] = {
    "source": {"fr": "Dossier à décider", "en": "File to decide on"},
    "source_file": {"fr": "Mon fichier", "en": "My file"},
    "example": {"fr": "Client d'exemple", "en": "Example client"},
    "upload": {
        "fr": "Dossier de crédit : un fichier JSON, ou un fichier CSV par table ({megabytes} Mo au plus)",
        "en": "Credit file: one JSON file, or one CSV file for each table ({megabytes} MB at most)",
    },
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
    "section_loan": {"fr": "Crédit demandé", "en": "Loan requested"},
    "section_client": {"fr": "Client et ressources", "en": "Client and income"},
    "section_employment": {"fr": "Emploi", "en": "Employment"},
    "section_scores": {"fr": "Scores externes", "en": "External scores"},
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
    "change": {"fr": "{field} : {before} → {after}", "en": "{field}: {before} → {after}"},
    "reset": {"fr": "Revenir au dossier du client", "en": "Back to the client's file"},
    "compared": {
        "fr": "Dossier du client sans changement : probabilité de défaut {probability}, crédit {decision}.",
        "en": "The client's file unchanged: probability of default {probability}, credit {decision}.",
    },
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
        "fr": "600 points quand le modèle attend 50 bons clients pour 1 défaut ; 20 points de plus chaque fois "
        "que ce rapport double.",
        "en": "600 points where the model expects 50 good clients for 1 default; 20 points more each time that "
        "ratio doubles.",
    },
    "recorded": {
        "fr": "Décision enregistrée le {moment} sous le numéro {number}.",
        "en": "Decision recorded on {moment} under the number {number}.",
    },
    "this_client": {"fr": "Ce client : {probability}", "en": "This client: {probability}"},
    "this_threshold": {"fr": "Seuil : {threshold}", "en": "Threshold: {threshold}"},
    "scale_alternative": {
        "fr": "Échelle de risque : le client est à {probability} et le seuil de refus à {threshold}.",
        "en": "Risk scale: the client stands at {probability} and the refusal threshold at {threshold}.",
    },
    "rules": {"fr": "Les règles qui s'appliquent", "en": "The rules that apply"},
    "reasons": {"fr": "Ce que vous pouvez dire au client", "en": "What you may tell the client"},
    "counterfactual": {"fr": "Ce qui changerait la décision", "en": "What would change the decision"},
    "contributions": {"fr": "De quoi se compose le risque", "en": "What the risk is made of"},
    "explained_by_another": {
        "fr": "La décision vient du modèle version {decided}, cette explication de la version {explained} : "
        "elles peuvent ne pas concorder.",
        "en": "The decision is by version {decided} of the model, this explanation by version {explained}: they "
        "may not agree.",
    },
    "as_table": {"fr": "Les mêmes valeurs en tableau", "en": "The same values as a table"},
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
        "chaque barre bleue (▼) le réduit. « \u00d7 1,40 » : pour un même nombre de crédits remboursés, cette "
        "donnée multiplie par 1,4 les défauts attendus.",
        "en": "The starting point is the same for all clients. Each orange bar (▲) raises the risk, each blue "
        "bar (▼) lowers it. “\u00d7 1.40”: for the same number of loans repaid, this data point multiplies the "
        "expected defaults by 1.4.",
    },
    "waterfall_alternative": {
        "fr": "Graphique en cascade. {base}. {steps}. {final}. Les mêmes valeurs sont dans le tableau qui suit.",
        "en": "Waterfall chart. {base}. {steps}. {final}. The same values are in the table that follows.",
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
    "source_client": {"fr": "Chercher un client", "en": "Find a client"},
    "source_new": {"fr": "Nouvelle demande", "en": "New application"},
    "source_client_hint": {
        "fr": "Choisissez un client, ou saisissez une nouvelle demande.",
        "en": "Choose a client, or enter a new application.",
    },
    "source_new_hint": {"fr": "Remplissez la demande.", "en": "Fill in the application."},
    "source_file_hint": {"fr": "Déposez un dossier de crédit pour commencer.", "en": "Drop a credit file to begin."},
    "search_number": {"fr": "Numéro de client", "en": "Client number"},
    "search_help": {"fr": "Le début du numéro suffit.", "en": "The beginning of the number is enough."},
    "search_filters": {"fr": "Autres critères de recherche", "en": "Other search criteria"},
    "search_min_credit": {"fr": "Montant du crédit, au moins", "en": "Loan amount, at least"},
    "search_max_credit": {"fr": "Montant du crédit, au plus", "en": "Loan amount, at most"},
    "search_empty": {"fr": "Aucun client ne correspond à cette recherche.", "en": "No client matches this search."},
    "search_many": {
        "fr": "Les {count} premiers clients ; précisez la recherche pour voir les autres.",
        "en": "The first {count} clients; narrow the search to see the others.",
    },
    "client_found": {"fr": "Client", "en": "Client"},
    "any": {"fr": "peu importe", "en": "any"},
    "age": {"fr": "{years} ans", "en": "aged {years}"},
    "sample_unreadable": {
        "fr": "Les clients ne peuvent pas être lus. Prévenez l'équipe technique ; vous pouvez saisir la demande "
        "ou déposer un fichier.",
        "en": "The clients cannot be read. Tell the technical team; you can enter the application or drop a file.",
    },
    "sample_without_client": {
        "fr": "Ce client n'est plus dans la liste. Cherchez à nouveau.",
        "en": "This client is no longer in the list. Search again.",
    },
    "forget_upload": {"fr": "Fermer ce dossier", "en": "Close this file"},
    "client_of_upload": {"fr": "Client du fichier", "en": "Client in the file"},
    # The form
    "histories": {"fr": "Les historiques du client", "en": "The client's histories"},
    "form": {"fr": "La demande", "en": "The application"},
    "yes": {"fr": "Oui", "en": "Yes"},
    "no": {"fr": "Non", "en": "No"},
    "field_not_a_number": {
        "fr": "Ce n'est pas un nombre. Écrivez par exemple 450 000 ou 450 000,50.",
        "en": "This is not a number. Write 450,000 or 450,000.50, for example.",
    },
    "field_ambiguous": {
        "fr": "Ce nombre peut se lire de deux façons. Écrivez 450 000 pour un montant entier, 450,5 pour des "
        "décimales.",
        "en": "This number can be read in two ways. Write 450,000 for a whole amount, 450.5 for decimals.",
    },
    "field_not_whole": {"fr": "Un nombre entier est attendu.", "en": "A whole number is expected."},
    "field_too_small": {"fr": "Trop petit : au moins {limit}.", "en": "Too small: at least {limit}."},
    "field_too_great": {"fr": "Trop grand : au plus {limit}.", "en": "Too high: at most {limit}."},
    "field_range": {"fr": "De {low} à {high}.", "en": "From {low} to {high}."},
    "history_section": {"fr": "{name} : {rows}", "en": "{name}: {rows}"},
    "history_units": {
        "fr": "Les jours et les mois sont comptés depuis la demande : \u221230 est 30 jours avant. Une ligne vide en "
        "bas du tableau en ajoute une.",
        "en": "Days and months are counted from the application: \u221230 is 30 days before. The empty row at the "
        "bottom adds one.",
    },
    "history_cell": {"fr": "Ligne {row}, {column}, {text}", "en": "Row {row}, {column}, {text}"},
    "history_place": {"fr": "{table}, ligne {row}, {column}", "en": "{table}, row {row}, {column}"},
    "table_bureau": {"fr": "Crédits ailleurs", "en": "Credits elsewhere"},
    "table_bureau_balance": {"fr": "Mois des crédits ailleurs", "en": "Months of credits elsewhere"},
    "table_previous_application": {"fr": "Demandes antérieures chez nous", "en": "Earlier applications here"},
    "table_POS_CASH_balance": {"fr": "Mois des prêts antérieurs", "en": "Months of earlier loans"},
    "table_installments_payments": {"fr": "Paiements d'échéances", "en": "Instalment payments"},
    "table_credit_card_balance": {"fr": "Mois des cartes de crédit", "en": "Months of credit cards"},
    "section_household": {"fr": "Foyer et biens", "en": "Household and property"},
    "section_region": {"fr": "Région et domicile", "en": "Region and address"},
    "section_contact": {"fr": "Contact et identité", "en": "Contact and identity"},
    "section_building": {"fr": "Immeuble", "en": "Building"},
    "section_circle": {"fr": "Entourage", "en": "Acquaintances"},
    "section_documents": {"fr": "Documents fournis", "en": "Documents provided"},
    "section_enquiries": {"fr": "Consultations du fichier des crédits", "en": "Credit bureau enquiries"},
    "section_request": {"fr": "Dépôt de la demande", "en": "Filing of the application"},
    "SK_ID_CURR_help": {
        "fr": "Le numéro du client dans votre système ; il identifie la décision.",
        "en": "The client's number in your system; it identifies the decision.",
    },
    "AMT_CREDIT_help": {
        "fr": "Ce que le client emprunte, dans la devise du dossier.",
        "en": "What the client borrows, in the currency of the file.",
    },
    "AMT_ANNUITY_help": {
        "fr": "Ce que le client paiera à chaque échéance.",
        "en": "What the client will pay at each instalment.",
    },
    "AMT_GOODS_PRICE_help": {
        "fr": "Le prix du bien sur la facture ou le devis.",
        "en": "The price of the goods on the invoice or the quotation.",
    },
    "AMT_INCOME_TOTAL_help": {
        "fr": "Le revenu que le client déclare, tel que le dossier le compte.",
        "en": "The income that the client declares, as the file counts it.",
    },
    "DAYS_BIRTH_help": {"fr": "L'âge en années révolues.", "en": "The age in whole years."},
    # Decision or simulation
    "changes": {
        "fr": "**Ces valeurs diffèrent du dossier du client :**",
        "en": "**These values differ from the client's file:**",
    },
    "changed_history": {
        "fr": "{name}, lignes : {before} → {after}",
        "en": "{name}, rows: {before} → {after}",
    },
    "intention": {"fr": "Que sont ces changements ?", "en": "What are these changes?"},
    "intention_simulation": {"fr": "Une simulation : rien n'est enregistré", "en": "A simulation: nothing is recorded"},
    "intention_correction": {
        "fr": "Une correction du dossier : elle est enregistrée avec la décision, votre nom et le motif",
        "en": "A correction of the file: recorded with the decision, your name and the reason",
    },
    "correction_reason": {"fr": "Motif de la correction", "en": "Reason for the correction"},
    "decide": {"fr": "Enregistrer la décision", "en": "Record the decision"},
    "decide_hint": {
        "fr": "Avant ce clic, rien n'est enregistré : la réponse suit ce que vous saisissez.",
        "en": "Before this click nothing is recorded: the answer follows what you enter.",
    },
    "deciding": {"fr": "Enregistrement de la décision…", "en": "Recording the decision…"},
    "obstacle_wrong": {
        "fr": "Rien n'est enregistré : corrigez d'abord les champs signalés.",
        "en": "Nothing is recorded: first correct the marked fields.",
    },
    "obstacle_missing": {
        "fr": "Rien n'est enregistré : il manque des champs obligatoires.",
        "en": "Nothing is recorded: required fields are missing.",
    },
    "obstacle_officer": {
        "fr": "Rien n'est enregistré : donnez d'abord votre nom, dans le menu.",
        "en": "Nothing is recorded: first give your name, in the menu.",
    },
    "obstacle_simulation": {
        "fr": "Rien n'est enregistré : ces valeurs ne sont pas celles du dossier. Dites que c'est une "
        "correction, ou revenez au dossier.",
        "en": "Nothing is recorded: these values are not those of the file. State that it is a correction, or go "
        "back to the file.",
    },
    "obstacle_reason": {
        "fr": "Rien n'est enregistré : donnez le motif de la correction (10 caractères au moins).",
        "en": "Nothing is recorded: give the reason for the correction (at least 10 characters).",
    },
    "incomplete_wrong": {
        "fr": "Corrigez ces champs pour obtenir une réponse :",
        "en": "Correct these fields to get an answer:",
    },
    "incomplete_missing": {"fr": "Il manque, pour obtenir une réponse :", "en": "Missing, to get an answer:"},
    "wrong_cells": {"fr": "cellules à corriger : {count}", "en": "cells to correct: {count}"},
    "not_recorded": {"fr": "Simulation : rien n'est enregistré.", "en": "Simulation: not recorded."},
    "recorded_before": {
        "fr": "Cette décision avait déjà été enregistrée, le {moment}, sous le numéro {number}.",
        "en": "This decision had already been recorded, on {moment}, under the number {number}.",
    },
    "distance_far_above": {
        "fr": "Sur 100 clients comme celui-ci, environ {defaults} ne remboursent pas ; le refus commence à "
        "{limit}. Le risque est {factor} fois le seuil : il en est loin.",
        "en": "Of 100 clients like this one, about {defaults} do not repay; refusal begins at {limit}. The risk "
        "is {factor} times the threshold: far above it.",
    },
    "distance_above": {
        "fr": "Sur 100 clients comme celui-ci, environ {defaults} ne remboursent pas ; le refus commence à "
        "{limit}. Le risque est {factor} fois le seuil : un peu au-dessus.",
        "en": "Of 100 clients like this one, about {defaults} do not repay; refusal begins at {limit}. The risk "
        "is {factor} times the threshold: a little above it.",
    },
    "distance_close": {
        "fr": "Sur 100 clients comme celui-ci, environ {defaults} ne remboursent pas ; le refus commence à "
        "{limit}. C'est tout près du seuil : peu de chose changerait la réponse.",
        "en": "Of 100 clients like this one, about {defaults} do not repay; refusal begins at {limit}. That is "
        "very close to the threshold: little would change the answer.",
    },
    "distance_below": {
        "fr": "Sur 100 clients comme celui-ci, environ {defaults} ne remboursent pas ; le refus commence à "
        "{limit}. Le seuil est {factor} fois plus haut : le risque est un peu en dessous.",
        "en": "Of 100 clients like this one, about {defaults} do not repay; refusal begins at {limit}. The "
        "threshold is {factor} times as high: the risk is a little below it.",
    },
    "distance_far_below": {
        "fr": "Sur 100 clients comme celui-ci, environ {defaults} ne remboursent pas ; le refus commence à "
        "{limit}. Le seuil est {factor} fois plus haut : le risque en est loin.",
        "en": "Of 100 clients like this one, about {defaults} do not repay; refusal begins at {limit}. The "
        "threshold is {factor} times as high: the risk is far below it.",
    },
    "open_theme": {"fr": "Ouvrir un thème", "en": "Open a theme"},
    "no_theme": {"fr": "aucun : les thèmes seulement", "en": "none: themes only"},
    "standings": {"fr": "Ce client parmi les autres", "en": "This client among the others"},
    "standings_explained": {
        "fr": "Pour les nombres qui ont le plus pesé. Clients semblables : {description} ({clients} clients).",
        "en": "For the numbers that weighed most. Similar clients: {description} ({clients} clients).",
    },
    "standings_alternative": {
        "fr": "Place du client parmi tous les clients et parmi les clients semblables ; les mêmes valeurs sont "
        "dans le tableau qui suit.",
        "en": "The client's place among all clients and among similar clients; the same values are in the table "
        "that follows.",
    },
    "standings_axis": {
        "fr": "Part des clients qui ont une valeur plus basse",
        "en": "Share of the clients with a lower value",
    },
    "column_among_all": {"fr": "Parmi tous les clients", "en": "Among all clients"},
    "column_among_similar": {"fr": "Parmi les clients semblables", "en": "Among similar clients"},
    "place": {
        "fr": "{place} ; pour la plupart, de {low} à {high} (médiane {middle})",
        "en": "{place}; for most, from {low} to {high} (median {middle})",
    },
    "place_lowest": {"fr": "parmi les 10 % les plus bas", "en": "among the lowest 10%"},
    "place_highest": {"fr": "parmi les 10 % les plus hauts", "en": "among the highest 10%"},
    "place_above": {
        "fr": "plus haut que {percent} % des clients environ",
        "en": "higher than about {percent}% of the clients",
    },
}
