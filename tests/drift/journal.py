"""A journal of decisions that a model made on synthetic clients."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.credit_file import CreditFile
from bento.data.tables import HISTORIES, TABLES
from bento.journal.store import Journal
from bento.model.scoring_model import ScoringModel
from tests.support.clients import credit_file
from tests.support.journals import entry


def files(folder: Path, start: int, count: int, **changes: pl.Expr) -> list[dict[str, Any]]:
    """Return credit files of clients of application_train, from `start` on, with changed columns."""
    rows = pl.read_parquet(folder / "application_train.parquet")[start : start + count]
    rows = rows.select(list(TABLES["application"].schema)).with_columns(**changes)
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in HISTORIES}
    owned = {
        name: table.filter(pl.col("SK_ID_CURR").is_in(rows["SK_ID_CURR"].implode())).partition_by(
            "SK_ID_CURR", as_dict=True
        )
        for name, table in tables.items()
        if name != "bureau_balance"
    }
    empty = {name: table.clear() for name, table in tables.items()}
    made = []
    for row in rows.iter_slices(1):
        histories = {name: parts.get((row["SK_ID_CURR"][0],), empty[name]) for name, parts in owned.items()}
        made.append(credit_file({"application": row, **histories, "bureau_balance": empty["bureau_balance"]}))
    return made


def record(
    journal: Journal,
    model: ScoringModel,
    contents: list[dict[str, Any]],
    start: datetime,
    step: timedelta = timedelta(minutes=1),
    **changes: Any,
) -> list[str]:
    """Write the model's decisions on credit files, one every `step`; return their ids."""
    credit_files = [CreditFile.model_validate_json(json.dumps(content)) for content in contents]
    probabilities = model.probability(model.features(credit_files)).tolist()
    entries = [
        entry(
            client=content["application"]["SK_ID_CURR"],
            credit_file=json.dumps(content).encode(),
            answer=json.dumps({"decision": model.decide(default).value, "reasons": None}).encode(),
            decided_at=start + number * step,
            decision=model.decide(default).value,
            threshold=model.threshold,
            probability=default,
            **changes,
        )
        for number, (content, default) in enumerate(zip(contents, probabilities, strict=True))
    ]
    journal.write(entries)
    return [item.id for item in entries]
