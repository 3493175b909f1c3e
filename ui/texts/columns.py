"""Names of the columns of the tables, as the forms show them, in French and English."""

from collections.abc import Iterable

Pair = tuple[str, str]
"""French, then English."""

_BUILDING: dict[str, Pair] = {
    "APARTMENTS": ("appartements", "apartments"),
    "BASEMENTAREA": ("surface du sous-sol", "basement area"),
    "YEARS_BEGINEXPLUATATION": ("années d'usage", "years in use"),
    "YEARS_BUILD": ("année de construction", "year built"),
    "COMMONAREA": ("parties communes", "common area"),
    "ELEVATORS": ("ascenseurs", "lifts"),
    "ENTRANCES": ("entrées", "entrances"),
    "FLOORSMAX": ("étage le plus haut", "highest floor"),
    "FLOORSMIN": ("étage le plus bas", "lowest floor"),
    "LANDAREA": ("surface du terrain", "land area"),
    "LIVINGAPARTMENTS": ("appartements habités", "living apartments"),
    "LIVINGAREA": ("surface habitable", "living area"),
    "NONLIVINGAPARTMENTS": ("appartements non habités", "non-living apartments"),
    "NONLIVINGAREA": ("surface non habitable", "non-living area"),
    "TOTALAREA": ("surface totale", "total area"),
}
_STATISTICS: dict[str, Pair] = {"AVG": ("moyenne", "mean"), "MODE": ("mode", "mode"), "MEDI": ("médiane", "median")}
_WINDOWS: dict[str, Pair] = {
    "HOUR": ("la dernière heure", "in the last hour"),
    "DAY": ("le jour précédent", "on the day before"),
    "WEEK": ("la semaine précédente", "in the week before"),
    "MON": ("le mois précédent", "in the month before"),
    "QRT": ("le trimestre précédent", "in the quarter before"),
    "YEAR": ("l'année précédente", "in the year before"),
}

APPLICATION: dict[str, Pair] = {
    "SK_ID_CURR": ("Numéro de client", "Client number"),
    "NAME_CONTRACT_TYPE": ("Type de crédit", "Kind of loan"),
    "AMT_CREDIT": ("Montant du crédit", "Loan amount"),
    "AMT_ANNUITY": ("Mensualité", "Monthly instalment"),
    "AMT_GOODS_PRICE": ("Prix du bien financé", "Price of the goods"),
    "AMT_INCOME_TOTAL": ("Revenu total", "Total income"),
    "DAYS_BIRTH": ("Âge (années)", "Age (years)"),
    "NAME_FAMILY_STATUS": ("Situation familiale", "Family status"),
    "CNT_CHILDREN": ("Nombre d'enfants", "Number of children"),
    "NAME_EDUCATION_TYPE": ("Niveau d'études", "Education"),
    "NAME_HOUSING_TYPE": ("Logement", "Housing"),
    "NAME_INCOME_TYPE": ("Source de revenu", "Source of income"),
    "OCCUPATION_TYPE": ("Profession", "Occupation"),
    "DAYS_EMPLOYED": ("Ancienneté dans l'emploi (années)", "Time in present job (years)"),
    "ORGANIZATION_TYPE": ("Secteur de l'employeur", "Employer's sector"),
    "EXT_SOURCE_1": ("Score externe 1", "External score 1"),
    "EXT_SOURCE_2": ("Score externe 2", "External score 2"),
    "EXT_SOURCE_3": ("Score externe 3", "External score 3"),
    "CODE_GENDER": ("Sexe", "Gender"),
    "FLAG_OWN_CAR": ("Possède une voiture", "Owns a car"),
    "OWN_CAR_AGE": ("Âge de la voiture (années)", "Age of the car (years)"),
    "FLAG_OWN_REALTY": ("Possède un logement", "Owns a home"),
    "CNT_FAM_MEMBERS": ("Personnes dans le foyer", "Household members"),
    "NAME_TYPE_SUITE": ("Accompagnant à la demande", "Came to apply with"),
    "REGION_POPULATION_RELATIVE": ("Population de la région (échelle de 0 à 1)", "Population of the region (0 to 1)"),
    "REGION_RATING_CLIENT": ("Note de la région (1 à 3)", "Rating of the region (1 to 3)"),
    "REGION_RATING_CLIENT_W_CITY": ("Note de la région et de la ville (1 à 3)", "Rating of region and city (1 to 3)"),
    "REG_REGION_NOT_LIVE_REGION": (
        "Domicile déclaré et résidence en régions différentes",
        "Registered and living in two regions",
    ),
    "REG_REGION_NOT_WORK_REGION": (
        "Domicile déclaré et travail en régions différentes",
        "Registered and working in two regions",
    ),
    "LIVE_REGION_NOT_WORK_REGION": ("Résidence et travail en régions différentes", "Lives and works in two regions"),
    "REG_CITY_NOT_LIVE_CITY": (
        "Domicile déclaré et résidence en villes différentes",
        "Registered and living in two cities",
    ),
    "REG_CITY_NOT_WORK_CITY": (
        "Domicile déclaré et travail en villes différentes",
        "Registered and working in two cities",
    ),
    "LIVE_CITY_NOT_WORK_CITY": ("Résidence et travail en villes différentes", "Lives and works in two cities"),
    "DAYS_REGISTRATION": ("Dernier changement de domicile déclaré (années)", "Last change of registration (years ago)"),
    "DAYS_ID_PUBLISH": ("Pièce d'identité changée (il y a, en années)", "Identity document changed (years ago)"),
    "DAYS_LAST_PHONE_CHANGE": ("Téléphone changé (il y a, en années)", "Phone changed (years ago)"),
    "FLAG_MOBIL": ("Téléphone mobile donné", "Gave a mobile phone"),
    "FLAG_EMP_PHONE": ("Téléphone professionnel donné", "Gave a work phone"),
    "FLAG_WORK_PHONE": ("Téléphone du domicile donné", "Gave a home phone"),
    "FLAG_CONT_MOBILE": ("Joignable sur le mobile", "Reachable on the mobile phone"),
    "FLAG_PHONE": ("Autre téléphone donné", "Gave another phone"),
    "FLAG_EMAIL": ("Adresse électronique donnée", "Gave an email address"),
    "WEEKDAY_APPR_PROCESS_START": ("Jour de la demande", "Weekday of the application"),
    "HOUR_APPR_PROCESS_START": ("Heure de la demande (0 à 23)", "Hour of the application (0 to 23)"),
    **{
        f"{part}_{statistic}": (f"Immeuble : {fr}, {fr_of} (0 à 1)", f"Building: {en}, {en_of} (0 to 1)")
        for part, (fr, en) in _BUILDING.items()
        for statistic, (fr_of, en_of) in _STATISTICS.items()
        if part != "TOTALAREA" or statistic == "MODE"
    },
    "FONDKAPREMONT_MODE": ("Immeuble : fonds de travaux", "Building: repair fund"),
    "HOUSETYPE_MODE": ("Immeuble : type", "Building: kind"),
    "WALLSMATERIAL_MODE": ("Immeuble : murs", "Building: walls"),
    "EMERGENCYSTATE_MODE": ("Immeuble : dangereux", "Building: unsafe"),
    **{
        f"{start}_{days}_CNT_SOCIAL_CIRCLE": (
            f"Proches {fr}, {days} jours de retard",
            f"Acquaintances {en}, {days} days late",
        )
        for start, fr, en in (("OBS", "observés", "observed"), ("DEF", "en défaut", "in default"))
        for days in (30, 60)
    },
    **{
        f"FLAG_DOCUMENT_{number}": (f"Document {number} fourni", f"Document {number} provided")
        for number in range(2, 22)
    },
    **{
        f"AMT_REQ_CREDIT_BUREAU_{window}": (
            f"Consultations du fichier des crédits, {fr}",
            f"Credit bureau enquiries, {en}",
        )
        for window, (fr, en) in _WINDOWS.items()
    },
}

_PREVIOUS = ("Demande antérieure", "Earlier application")
_LATE: dict[str, Pair] = {
    "SK_DPD": ("Jours de retard", "Days past due"),
    "SK_DPD_DEF": ("Jours de retard, hors petites dettes", "Days past due, small debts aside"),
}
_MONTH = ("Mois (0 : le dernier)", "Month (0: the latest)")

HISTORIES: dict[str, dict[str, Pair]] = {
    "bureau": {
        "SK_ID_BUREAU": ("Numéro du crédit", "Credit number"),
        "CREDIT_TYPE": ("Type de crédit", "Kind of credit"),
        "CREDIT_ACTIVE": ("État", "State"),
        "AMT_CREDIT_SUM": ("Montant", "Amount"),
        "AMT_CREDIT_SUM_DEBT": ("Reste dû", "Debt now"),
        "AMT_ANNUITY": ("Mensualité", "Instalment"),
        "DAYS_CREDIT": ("Demandé (jours)", "Applied for (days)"),
        "DAYS_CREDIT_ENDDATE": ("Fin prévue (jours)", "Planned end (days)"),
        "DAYS_ENDDATE_FACT": ("Fin réelle (jours)", "Actual end (days)"),
        "CREDIT_DAY_OVERDUE": ("Jours de retard", "Days overdue"),
        "AMT_CREDIT_SUM_OVERDUE": ("Montant en retard", "Amount overdue"),
        "AMT_CREDIT_MAX_OVERDUE": ("Plus grand retard", "Largest overdue amount"),
        "AMT_CREDIT_SUM_LIMIT": ("Plafond de carte", "Card limit"),
        "CNT_CREDIT_PROLONG": ("Prolongations", "Prolongations"),
        "CREDIT_CURRENCY": ("Devise", "Currency"),
        "DAYS_CREDIT_UPDATE": ("Mise à jour (jours)", "Last news (days)"),
    },
    "bureau_balance": {
        "SK_ID_BUREAU": ("Numéro du crédit", "Credit number"),
        "MONTHS_BALANCE": _MONTH,
        "STATUS": ("État du mois", "State in the month"),
    },
    "previous_application": {
        "SK_ID_PREV": ("Numéro de la demande", "Application number"),
        "NAME_CONTRACT_TYPE": ("Type de crédit", "Kind of loan"),
        "NAME_CONTRACT_STATUS": ("Issue", "Outcome"),
        "AMT_APPLICATION": ("Montant demandé", "Amount asked for"),
        "AMT_CREDIT": ("Montant accordé", "Amount granted"),
        "AMT_ANNUITY": ("Mensualité", "Instalment"),
        "CNT_PAYMENT": ("Nombre d'échéances", "Number of payments"),
        "AMT_DOWN_PAYMENT": ("Apport", "Down payment"),
        "AMT_GOODS_PRICE": ("Prix du bien", "Price of the goods"),
        "DAYS_DECISION": ("Décision (jours)", "Decision (days)"),
        "CODE_REJECT_REASON": ("Motif du refus (code)", "Reason of the refusal (code)"),
        "NAME_CASH_LOAN_PURPOSE": ("Objet du prêt", "Purpose of the loan"),
        "NAME_PAYMENT_TYPE": ("Mode de paiement", "Way of payment"),
        "NAME_TYPE_SUITE": ("Accompagnant", "Came with"),
        "NAME_CLIENT_TYPE": ("Client nouveau ou connu", "New or known client"),
        "NAME_GOODS_CATEGORY": ("Bien financé", "Goods"),
        "NAME_PORTFOLIO": ("Portefeuille", "Portfolio"),
        "NAME_PRODUCT_TYPE": ("Origine de la vente", "Origin of the sale"),
        "CHANNEL_TYPE": ("Canal de vente", "Sales channel"),
        "SELLERPLACE_AREA": ("Surface du magasin", "Selling area"),
        "NAME_SELLER_INDUSTRY": ("Secteur du magasin", "Industry of the shop"),
        "NAME_YIELD_GROUP": ("Classe de taux", "Band of the interest rate"),
        "PRODUCT_COMBINATION": ("Produit", "Product"),
        "RATE_DOWN_PAYMENT": ("Part de l'apport (0 à 1)", "Share of the down payment (0 to 1)"),
        "RATE_INTEREST_PRIMARY": ("Taux d'intérêt (0 à 1)", "Interest rate (0 to 1)"),
        "RATE_INTEREST_PRIVILEGED": ("Taux préférentiel (0 à 1)", "Privileged rate (0 to 1)"),
        "NFLAG_INSURED_ON_APPROVAL": ("Assurance demandée (0 ou 1)", "Asked for insurance (0 or 1)"),
        "DAYS_FIRST_DRAWING": ("Premier retrait (jours)", "First drawing (days)"),
        "DAYS_FIRST_DUE": ("Première échéance (jours)", "First payment due (days)"),
        "DAYS_LAST_DUE_1ST_VERSION": ("Dernière échéance, premier plan (jours)", "Last payment due, first plan (days)"),
        "DAYS_LAST_DUE": ("Dernière échéance (jours)", "Last payment due (days)"),
        "DAYS_TERMINATION": ("Fin attendue (jours)", "Expected end (days)"),
        "WEEKDAY_APPR_PROCESS_START": ("Jour de la demande", "Weekday"),
        "HOUR_APPR_PROCESS_START": ("Heure de la demande", "Hour"),
        "FLAG_LAST_APPL_PER_CONTRACT": ("Dernière demande du contrat", "Last application of the contract"),
        "NFLAG_LAST_APPL_IN_DAY": ("Dernière demande du jour (0 ou 1)", "Last application of the day (0 or 1)"),
    },
    "POS_CASH_balance": {
        "SK_ID_PREV": _PREVIOUS,
        "MONTHS_BALANCE": _MONTH,
        "NAME_CONTRACT_STATUS": ("État du prêt", "State of the loan"),
        "CNT_INSTALMENT": ("Nombre d'échéances", "Number of instalments"),
        "CNT_INSTALMENT_FUTURE": ("Échéances à venir", "Instalments left"),
        **_LATE,
    },
    "installments_payments": {
        "SK_ID_PREV": _PREVIOUS,
        "NUM_INSTALMENT_VERSION": ("Version du plan", "Version of the plan"),
        "NUM_INSTALMENT_NUMBER": ("Numéro de l'échéance", "Instalment number"),
        "DAYS_INSTALMENT": ("Due (jours)", "Due (days)"),
        "DAYS_ENTRY_PAYMENT": ("Payée (jours)", "Paid (days)"),
        "AMT_INSTALMENT": ("Montant dû", "Amount due"),
        "AMT_PAYMENT": ("Montant payé", "Amount paid"),
    },
    "credit_card_balance": {
        "SK_ID_PREV": _PREVIOUS,
        "MONTHS_BALANCE": _MONTH,
        "NAME_CONTRACT_STATUS": ("État de la carte", "State of the card"),
        "AMT_BALANCE": ("Solde", "Balance"),
        "AMT_CREDIT_LIMIT_ACTUAL": ("Plafond", "Limit"),
        "AMT_DRAWINGS_CURRENT": ("Utilisé dans le mois", "Drawn in the month"),
        "AMT_DRAWINGS_ATM_CURRENT": ("Retiré en espèces", "Drawn in cash"),
        "AMT_DRAWINGS_POS_CURRENT": ("Dépensé en magasin", "Spent in shops"),
        "AMT_DRAWINGS_OTHER_CURRENT": ("Autres utilisations", "Drawn otherwise"),
        "AMT_INST_MIN_REGULARITY": ("Paiement minimal", "Least payment due"),
        "AMT_PAYMENT_CURRENT": ("Payé dans le mois", "Paid in the month"),
        "AMT_PAYMENT_TOTAL_CURRENT": ("Payé dans le mois, en tout", "Paid in the month in all"),
        "AMT_RECEIVABLE_PRINCIPAL": ("Capital dû", "Principal owed"),
        "AMT_RECIVABLE": ("Montant dû", "Amount owed"),
        "AMT_TOTAL_RECEIVABLE": ("Montant dû, en tout", "Amount owed in all"),
        "CNT_DRAWINGS_CURRENT": ("Nombre d'utilisations", "Number of drawings"),
        "CNT_DRAWINGS_ATM_CURRENT": ("Nombre de retraits", "Number of cash drawings"),
        "CNT_DRAWINGS_POS_CURRENT": ("Nombre d'achats", "Number of purchases"),
        "CNT_DRAWINGS_OTHER_CURRENT": ("Nombre d'autres utilisations", "Number of other drawings"),
        "CNT_INSTALMENT_MATURE_CUM": ("Échéances payées", "Instalments paid"),
        **_LATE,
    },
}
"""By table, in the order of the forms. SK_ID_CURR is that of the application, and left out."""


def name(language: str, table: str, column: str) -> str:
    """Return the name of a column in a language; the column's own name for one that no table declares."""
    pair = (APPLICATION if table == "application" else HISTORIES.get(table, {})).get(column)
    return column if pair is None else pair[0 if language == "fr" else 1]


def ordered(table: str, columns: Iterable[str]) -> list[str]:
    """Return those of the columns of a history that the form shows, in its order."""
    present = set(columns)
    return [column for column in HISTORIES[table] if column in present]
