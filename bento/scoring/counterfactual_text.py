"""The words of counterfactuals, for the client, in both languages."""

from collections.abc import Mapping, Sequence
from typing import Any

from bento.features.definitions import GROUP_LABELS, Group
from bento.i18n import NARROW_SPACE, TextPair, Wording, format_amount
from bento.policy import Decision
from bento.scoring.loans import Loan, down_payment, is_card

GRANTED = Wording(
    en="The application is granted as it stands: nothing has to change.",
    fr=f"La demande est acceptée telle quelle{NARROW_SPACE}: rien n'est à changer.",
)
THE_LOAN: Group = "credit_terms"
"""The concept of the loan itself, which a search without a result has already ruled out."""


def describe_loan(application: Mapping[str, Any], loan: Loan) -> TextPair:
    """Return a proposed loan beside the one asked for, to follow "with"."""
    parts = [
        _amount(application, loan),
        _term(application, loan),
        _instalments(application, loan),
        _interest(application, loan),
        _down_payment(application, loan),
    ]
    english, french = zip(*(part for part in parts if part), strict=True)
    return "".join(english), "".join(french)


def text_of_proposals(loans: Sequence[TextPair], decision: Decision) -> Wording:
    """Return the sentences on one or two proposed loans, of an application that got `decision`."""
    (en, fr), *others = loans
    would_en, would_fr = _WOULD_BE[decision]
    return Wording(
        en=" ".join([f"With {en}, {would_en}.", *(f"The same holds with {other[0]}." for other in others)]),
        fr=" ".join([f"Avec {fr}, {would_fr}.", *(f"Elle le serait aussi avec {other[1]}." for other in others)]),
    )


def text_without_proposal(decision: Decision, weights: Mapping[Group, float]) -> Wording:
    """Return the sentences where no loan was found: what weighs most beside the loan, if anything raises the risk."""
    would_en, would_fr = _WOULD_BE[decision]
    en = f"We found no loan amount and no term with which {would_en}."
    fr = f"Nous n'avons trouvé ni montant ni durée de prêt avec lesquels {would_fr}."
    raising = {group: weight for group, weight in weights.items() if weight > 0 and group != THE_LOAN}
    if raising:
        label = GROUP_LABELS[max(raising, key=lambda group: raising[group])]
        en += f" Apart from the loan itself, what raises the estimated risk most: {_lower(label['en'])}."
        fr += f" Hors du prêt lui-même, ce qui augmente le plus le risque estimé{NARROW_SPACE}: {_lower(label['fr'])}."
    return Wording(en=en, fr=fr)


def _amount(application: Mapping[str, Any], loan: Loan) -> TextPair:
    if loan.credit == application["AMT_CREDIT"]:
        return "the same loan", "le même prêt"
    (needed_en, needed_fr), (value_en, value_fr) = format_amount(loan.credit), format_amount(application["AMT_CREDIT"])
    noun_en, noun_fr = ("credit limit", "plafond de crédit") if is_card(application) else ("loan", "prêt")
    return f"a {noun_en} of {needed_en} instead of {value_en}", f"un {noun_fr} de {needed_fr} au lieu de {value_fr}"


def _term(application: Mapping[str, Any], loan: Loan) -> TextPair | None:
    if loan.months is not None:
        return (
            f", repaid over at most {loan.months} months instead of at most {loan.months_asked}",
            f", remboursé en {loan.months} mois au plus au lieu de {loan.months_asked} au plus",
        )
    return None if is_card(application) else (", repaid over the same term", ", remboursé sur la même durée")


def _instalments(application: Mapping[str, Any], loan: Loan) -> TextPair | None:
    if loan.annuity is None or loan.annuity == application["AMT_ANNUITY"]:
        return None
    (needed_en, needed_fr), (value_en, value_fr) = (
        format_amount(loan.annuity),
        format_amount(application["AMT_ANNUITY"]),
    )
    by_en, by_fr = (" and", " et") if is_card(application) else (" by", " par")
    return (
        f"{by_en} instalments of {needed_en} instead of {value_en}",
        f"{by_fr} des mensualités de {needed_fr} au lieu de {value_fr}",
    )


def _interest(application: Mapping[str, Any], loan: Loan) -> TextPair | None:
    """Warn of the additional interest; with a smaller loan there may be less of it in all."""
    if loan.months is None or loan.credit < application["AMT_CREDIT"]:
        return None
    return ", with more interest in total", ", avec plus d'intérêts au total"


def _down_payment(application: Mapping[str, Any], loan: Loan) -> TextPair | None:
    needed = down_payment(application, loan.credit)
    if needed is None or loan.credit == application["AMT_CREDIT"]:
        return None
    needed_en, needed_fr = format_amount(needed)
    en, fr = f", and a down payment of {needed_en}", f", et un apport de {needed_fr}"
    value = down_payment(application, application["AMT_CREDIT"])
    if value is None:
        return en, fr
    value_en, value_fr = format_amount(value)
    return f"{en} instead of {value_en}", f"{fr} au lieu de {value_fr}"


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]


_WOULD_BE: dict[Decision, TextPair] = {
    Decision.REFUSED: ("the application would be granted", "la demande serait acceptée"),
    Decision.REVIEW: (
        "the application would be granted without review by a person",
        "la demande serait acceptée sans examen par une personne",
    ),
}
