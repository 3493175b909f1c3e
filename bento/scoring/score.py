"""From credit files to decisions: the one path of the service, of replay, and of whatever else decides."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision, decide
from bento.scoring.reasons import Reason, main_reasons


@dataclass(frozen=True)
class ScoredApplication:
    """What the model makes of one credit file."""

    log_odds: float
    probability: float
    decision: Decision
    features_hash: str
    null_share: float
    reasons: list[Reason] | None


def score(model: ScoringModel, credit_files: Sequence[CreditFile], *, reasons: bool) -> list[ScoredApplication]:
    """Score credit files, together where that is safe; one answer for each, in their order.

    Args:
        model: what decides.
        credit_files: of any clients; the same client may be among them more than once.
        reasons: also say what weighed most, at the price of one TreeSHAP a client.
    """
    found: dict[int, ScoredApplication] = {}
    for together in _without_shared_ids(credit_files):
        found |= zip(together, _score(model, [credit_files[at] for at in together], reasons), strict=True)
    return [found[position] for position in range(len(credit_files))]


def _score(model: ScoringModel, credit_files: Sequence[CreditFile], with_reasons: bool) -> list[ScoredApplication]:
    features = model.features(credit_files, facts=with_reasons)
    log_odds = model.log_odds(features).tolist()
    contributions = model.contributions(features)[0].tolist() if with_reasons else None
    answers = []
    for position, (values, odds) in enumerate(zip(features.iter_rows(named=True), log_odds, strict=True)):
        default = probability(odds)
        decision = decide(default, model.threshold, model.review_band)
        answers.append(
            ScoredApplication(
                log_odds=odds,
                probability=default,
                decision=decision,
                features_hash=features_hash(values, model.feature_names),
                null_share=sum(values[name] is None for name in model.feature_names) / len(model.feature_names),
                reasons=None
                if contributions is None
                else main_reasons(model.feature_names, values, contributions[position], decision),
            )
        )
    return answers


def features_hash(values: Mapping[str, float | str | None], names: Iterable[str]) -> str:
    """Fingerprint of a client's features, the same whether one client or many were computed.

    The two ways add in another order and may differ in a last bit, about 1e-15; numbers are hashed to about 1e-6. They
    are multiplied by a quarter of pi first: amounts of few digits would else lie just where rounding tips over.
    """
    digest = hashlib.sha256()
    for name in names:
        value = values[name]
        if isinstance(value, float | int):
            mantissa, exponent = math.frexp(value * (math.pi / 4))
            value = f"{round(mantissa * 2**20)}e{exponent}"
        digest.update(f"{name}={value}\n".encode())
    return digest.hexdigest()


def _without_shared_ids(credit_files: Sequence[CreditFile]) -> list[list[int]]:
    """Positions of credit files in groups within which no id occurs in two: rows are told apart by their ids alone."""
    if len(credit_files) == 1:
        return [[0]]
    groups: list[tuple[list[int], set[tuple[str, float]]]] = []
    for position, credit_file in enumerate(credit_files):
        ids = _ids(credit_file)
        for members, taken in groups:
            if taken.isdisjoint(ids):
                members.append(position)
                taken.update(ids)
                break
        else:
            groups.append(([position], ids))
    return [members for members, _ in groups]


def _ids(credit_file: CreditFile) -> set[tuple[str, float]]:
    ids = {("SK_ID_CURR", credit_file.application["SK_ID_CURR"])}
    for table, column in _LINKS:
        ids |= {(column, row[column]) for row in getattr(credit_file, table) if row.get(column) is not None}
    return ids


_LINKS = (
    ("bureau", "SK_ID_BUREAU"),
    ("bureau_balance", "SK_ID_BUREAU"),
    ("previous_application", "SK_ID_PREV"),
    ("POS_CASH_balance", "SK_ID_PREV"),
    ("installments_payments", "SK_ID_PREV"),
    ("credit_card_balance", "SK_ID_PREV"),
)
