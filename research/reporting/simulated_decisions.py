"""Decisions of six months for the notebook on monitoring, in a journal as the service writes it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bento import NAME
from bento.data.credit_file import CreditFile
from bento.journal.entries import Entry
from bento.journal.store import Journal
from bento.model.scoring_model import ScoringModel

HOURS_BETWEEN = 2


def emptied(credit_file: CreditFile, columns: Iterable[str]) -> CreditFile:
    """Return a credit file without values in some columns of the application, as after a failure of their source."""
    names = set(columns)
    kept = {name: value for name, value in credit_file.application.items() if name not in names}
    return credit_file.model_copy(update={"application": kept})


def write_decisions(
    journal: Journal, model: ScoringModel, files: Sequence[CreditFile], start: datetime, per_month: int
) -> None:
    """Write the model's decisions on credit files of different clients: `per_month` of them each month from `start`."""
    probabilities = model.probability(model.features(files)).tolist()
    journal.write(
        [
            _entry(model, credit_file, default, _moment(start, number, per_month))
            for number, (credit_file, default) in enumerate(zip(files, probabilities, strict=True))
        ]
    )


def _moment(start: datetime, number: int, per_month: int) -> datetime:
    month, place = divmod(number, per_month)
    return start.replace(month=start.month + month) + timedelta(hours=HOURS_BETWEEN * place)


def _entry(model: ScoringModel, credit_file: CreditFile, default: float, moment: datetime) -> Entry:
    content = {table: rows for table, rows in dict(credit_file).items() if rows}
    return Entry(
        client=int(credit_file.application["SK_ID_CURR"]),
        credit_file=json.dumps(content).encode(),
        answer=b"{}",
        decided_at=moment,
        key_id="simulation",
        credit_file_hash="",
        features_hash="",
        decision=model.decide(default).value,
        threshold=model.threshold,
        probability=default,
        model_name=NAME,
        model_version="simulation",
        model_tag="simulation",
        bento="simulation",
        code="",
    )
