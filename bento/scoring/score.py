"""From credit files to decisions: the one path of the service and of replay."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES, TABLES
from bento.features.definitions import Value
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision
from bento.rules.check import RuleHit, Rules, strictest
from bento.scoring.reasons import Client, Reason, features_to_quote, main_reasons


@dataclass(frozen=True, kw_only=True)
class ScoredApplication:
    """The score of one credit file, its decision and, where asked for, its reasons."""

    log_odds: float
    probability: float
    """Probability of default."""
    decision: Decision
    """The model's, unless a rule makes it stricter."""
    rules: list[RuleHit]
    """The rules that apply."""
    features_hash: str
    null_share: float
    """Share of the model's features that are null."""
    reasons: list[Reason] | None


def score(
    model: ScoringModel, credit_files: Sequence[CreditFile], *, rules: Rules, reasons: bool
) -> list[ScoredApplication]:
    """Score credit files, one result for each, in their order; the only path from a credit file to a decision.

    No application may be impossible by the rules (`Rules.faults`): such a one is refused before.

    Credit files are computed together where no id of a client or credit occurs in two of them; several may be of the
    same client. Reasons cost one TreeSHAP evaluation for each credit file.
    """
    scored: dict[int, ScoredApplication] = {}
    for positions in _groups_without_shared_ids(credit_files):
        scored |= zip(positions, _score(model, [credit_files[at] for at in positions], rules, reasons), strict=True)
    return [scored[position] for position in range(len(credit_files))]


def features_hash(values: Mapping[str, Value], names: Iterable[str]) -> str:
    """Return the fingerprint of a client's features, the same whether one client or many were computed.

    Sums over one client and over many are added up in another order and may differ in the last bit, about 1e-15
    relative; so numbers are rounded to about 1e-6. They are multiplied by pi / 4 before: otherwise amounts of few
    digits would lie exactly on the limits of rounding.

    >>> features_hash({"a": 0.1 + 0.2}, ["a"]) == features_hash({"a": 0.3}, ["a"])
    True
    """
    digest = hashlib.sha256()
    for name in names:
        value = values[name]
        if isinstance(value, float | int):
            mantissa, exponent = math.frexp(value * (math.pi / 4))
            value = f"{round(mantissa * 2**20)}e{exponent}"
        digest.update(f"{name}={value}\n".encode())
    return digest.hexdigest()


def _score(
    model: ScoringModel, credit_files: Sequence[CreditFile], rules: Rules, with_reasons: bool
) -> Iterator[ScoredApplication]:
    names = model.feature_names
    to_quote = features_to_quote(names) if with_reasons else ()
    others = (*rules.features, *to_quote)
    clients, matrix = model.client_inputs(credit_files, share_counts=with_reasons, others=others)
    hits = rules.hits(rules.inputs([credit_file.application for credit_file in credit_files], clients))
    log_odds = model.log_odds_of(matrix).tolist()
    contributions = model.contributions_of(matrix)[0].tolist() if with_reasons else None
    for position, (values, odds) in enumerate(zip(clients, log_odds, strict=True)):
        default = probability(odds)
        by_model = model.decide(default)
        decision = strictest(by_model, *(hit.outcome for hit in hits[position]))
        reasons = (
            None
            if contributions is None
            else reasons_of(
                model,
                credit_files[position].application,
                values,
                contributions[position],
                decision,
                with_ground=by_model is not Decision.GRANTED,
            )
        )
        yield ScoredApplication(
            log_odds=odds,
            probability=default,
            decision=decision,
            rules=hits[position],
            features_hash=features_hash(values, names),
            null_share=sum(values[name] is None for name in names) / len(names),
            reasons=reasons,
        )


def reasons_of(
    model: ScoringModel,
    application: Mapping[str, Any],
    values: Mapping[str, Value],
    contributions: Sequence[float],
    decision: Decision,
    *,
    with_ground: bool,
) -> list[Reason]:
    """Return the main reasons of a decision on one application, in raw columns.

    `values` are the client's features, with those of `features_to_quote` and the share counts; `contributions` are in
    the order of the model's features; `with_ground` says whether the model itself did not grant the loan.
    """
    client = Client(
        values={**values, **dict.fromkeys(model.unknown(values))},
        application=application,
        usual=model.reference.peer_group(application).medians,
    )
    return main_reasons(
        model.feature_names, client, contributions, decision, typical=model.typical_features, with_ground=with_ground
    )


def _groups_without_shared_ids(credit_files: Sequence[CreditFile]) -> list[list[int]]:
    """Return positions of credit files in groups in which no id occurs twice: rows are matched to clients by id."""
    if len(credit_files) == 1:
        return [[0]]
    groups: list[tuple[list[int], set[tuple[str, float]]]] = []
    for position, credit_file in enumerate(credit_files):
        ids = _ids(credit_file)
        for positions, ids_of_group in groups:
            if ids_of_group.isdisjoint(ids):
                positions.append(position)
                ids_of_group.update(ids)
                break
        else:
            groups.append(([position], ids))
    return [positions for positions, _ in groups]


def _ids(credit_file: CreditFile) -> set[tuple[str, float]]:
    ids = {("SK_ID_CURR", credit_file.application["SK_ID_CURR"])}
    for table, column in _ID_COLUMNS:
        ids |= {(column, row[column]) for row in getattr(credit_file, table) if row.get(column) is not None}
    return ids


_ID_COLUMNS = tuple(
    (name, column.name)
    for name in HISTORIES
    for column in TABLES[name]
    if column.kind == "id" and column.name != "SK_ID_CURR"
)
