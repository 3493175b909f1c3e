"""Fields of a credit file that a rule may count as known or unknown, and their words."""

from bento.i18n import TextPair

COUNTS_OF_ROWS = {"bureau": "bureau_credits", "previous_application": "previous_applications"}
"""Histories that may count as a known field, and the feature that counts their rows."""
FIELDS: dict[str, TextPair] = {
    "EXT_SOURCE_1": ("external score 1", "score externe 1"),
    "EXT_SOURCE_2": ("external score 2", "score externe 2"),
    "EXT_SOURCE_3": ("external score 3", "score externe 3"),
    "bureau": ("credit accounts with other lenders", "crédits auprès d'autres prêteurs"),
    "previous_application": ("earlier applications to us", "demandes antérieures chez nous"),
    "AMT_GOODS_PRICE": ("price of the goods", "prix du bien financé"),
    "NAME_CONTRACT_TYPE": ("kind of loan", "type de prêt"),
    "NAME_INCOME_TYPE": ("source of income", "source de revenus"),
    "DAYS_EMPLOYED": ("start of the present employment", "début de l'emploi actuel"),
    "OCCUPATION_TYPE": ("occupation", "profession"),
    "ORGANIZATION_TYPE": ("line of business of the employer", "secteur d'activité de l'employeur"),
    "NAME_EDUCATION_TYPE": ("education", "niveau d'études"),
    "NAME_FAMILY_STATUS": ("family status", "situation familiale"),
    "NAME_HOUSING_TYPE": ("housing", "logement"),
    "CNT_CHILDREN": ("number of children", "nombre d'enfants"),
    "CNT_FAM_MEMBERS": ("number of members of the household", "nombre de membres du foyer"),
    "DAYS_ID_PUBLISH": ("date of the identity document", "date de la pièce d'identité"),
    "DAYS_REGISTRATION": ("date of the registration", "date de l'inscription administrative"),
    "DAYS_LAST_PHONE_CHANGE": ("date of the change of phone", "date du changement de téléphone"),
    "REGION_RATING_CLIENT_W_CITY": ("rating of the region and town", "note de la région et de la ville"),
}
"""Fields that a rule may count as known or unknown, in words."""
