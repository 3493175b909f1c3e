"""The concepts under which reasons add up what weighed: their codes and sentences, in both languages."""

from bento.features.definitions import Group
from bento.i18n import TextPair
from bento.scoring.wording.facts import Direction

CODES: dict[Group, str] = {
    "external_scores": "R01",
    "credit_terms": "R02",
    "income_burden": "R03",
    "employment": "R04",
    "identity_contact": "R05",
    "housing": "R06",
    "documents": "R07",
    "bureau_debt": "R08",
    "bureau_history": "R09",
    "past_applications": "R10",
    "instalment_discipline": "R11",
    "card_use": "R12",
}
"""Reason codes. They never change, as letters and journals hold them; a new concept gets a new code."""

_SUBJECTS: dict[Group, tuple[TextPair, bool]] = {
    "external_scores": (("your scores with outside agencies", "vos scores auprès d'organismes externes"), True),
    "credit_terms": (("the terms of the loan you ask for", "les conditions du prêt que vous demandez"), True),
    "income_burden": (("your income and your commitments", "vos revenus et vos charges"), True),
    "employment": (("your employment and your education", "votre emploi et votre formation"), True),
    "identity_contact": (("your personal details", "vos informations personnelles"), True),
    "housing": (("your housing and the region where you live", "votre logement et la région où vous vivez"), True),
    "documents": (("the details of your application file", "les pièces et renseignements de votre dossier"), True),
    "bureau_debt": (("what you owe other lenders", "ce que vous devez à d'autres prêteurs"), False),
    "bureau_history": (
        ("your credit history with other lenders", "votre historique de crédit auprès d'autres prêteurs"),
        False,
    ),
    "past_applications": (
        ("your earlier applications and loans with us", "vos demandes et vos prêts antérieurs chez nous"),
        True,
    ),
    "instalment_discipline": (
        ("the way you have repaid your loans with us", "la façon dont vous avez remboursé vos prêts chez nous"),
        False,
    ),
    "card_use": (("the way you use your cards with us", "l'usage que vous faites de vos cartes chez nous"), False),
}
"""The subject of each sentence in both languages, and whether it is plural."""
_VERBS: dict[tuple[Direction, bool], TextPair] = {
    ("raises", False): ("raises", "augmente"),
    ("raises", True): ("raise", "augmentent"),
    ("lowers", False): ("lowers", "réduit"),
    ("lowers", True): ("lower", "réduisent"),
}


def _sentence(group: Group, direction: Direction, before: TextPair) -> TextPair:
    (en, fr), is_plural = _SUBJECTS[group]
    verb_en, verb_fr = _VERBS[direction, is_plural]
    sentence_en = f"{before[0]}{en} {verb_en} your estimated risk of default."
    sentence_fr = f"{before[1]}{fr} {verb_fr} votre risque d'impayé estimé."
    return sentence_en[0].upper() + sentence_en[1:], sentence_fr[0].upper() + sentence_fr[1:]


_BOTH: tuple[Direction, Direction] = ("raises", "lowers")
SENTENCES: dict[tuple[Group, Direction], TextPair] = {
    (group, direction): _sentence(group, direction, ("", "")) for group in CODES for direction in _BOTH
}
"""The first sentence of a reason; its facts follow."""
SENTENCES_WITHOUT_FACT: dict[tuple[Group, Direction], TextPair] = {
    (group, direction): _sentence(
        group, direction, ("compared with other applicants, ", "par rapport aux autres demandeurs, ")
    )
    for group in CODES
    for direction in _BOTH
}
"""The only sentence of a reason where nothing that weighed can be quoted."""
