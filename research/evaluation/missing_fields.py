"""Measure what leaving out each optional field changes in PD and decision, and whether the answer names it."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic_core import to_json
from tqdm import tqdm

from bento.data.credit_file import CreditFile
from bento.data.tables import APPLICATION, TABLES
from bento.model.scoring_model import TOLERANCE, ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.missing_fields import file_warnings
from bento.scoring.score import ScoredApplication, score
from research.cli import CommandError, shown
from research.data.credit_files import Json, credit_file_contents
from research.data.dataset import Data
from research.options import SEED
from research.registry.trained_run import add_run_options, open_run
from research.results import MISSING_FILE, MissingField, MissingFields
from research.training.unknown_values import CLIENT, optional_columns

EXAMPLE = "python -m research missing --clients 300"
CLIENTS = 300
"""Credit files of the test split, drawn by seed."""
WORST = 10
"""Fields that are printed."""


class _Scored(NamedTuple):
    """The score of a credit file, and the fields that the answer names under warnings."""

    application: ScoredApplication
    warned: set[str]


def missing_fields(model: ScoringModel, files: Sequence[Json]) -> list[MissingField]:
    """Leave out each optional field of the seven tables in turn, in the application or in all rows of a history.

    The files, credit files of different clients in JSON, are read and scored as the service does. A progress bar is
    shown.
    """
    rules = Rules(Rulebook.read(), model.reference.usual)
    before = _scored(model, rules, files)
    fields = [(table.name, column) for table in TABLES.values() for column in optional_columns(table)]
    rows = []
    for table, column in tqdm(fields, desc="fields left out", unit="field"):
        holders = [number for number, file in enumerate(files) if _holds(file, table, column)]
        left_out = [without(files[number], table, column) for number in holders]
        after = _scored(model, rules, left_out)
        rows.append(_row(f"{table}.{column}", [before[number] for number in holders], after))
    return rows


def without(file: Json, table: str, column: str) -> Json:
    """Return a credit file without a field: in the application, or in all rows of a history.

    >>> without({"bureau": [{"DAYS_CREDIT": -5, "CREDIT_TYPE": "Microloan"}]}, "bureau", "DAYS_CREDIT")
    {'bureau': [{'CREDIT_TYPE': 'Microloan'}]}
    """
    rows = [{name: value for name, value in row.items() if name != column} for row in _rows(file, table)]
    return file | {table: rows[0] if table == APPLICATION.name else rows}


def credit_files(data: Data, clients: int, seed: int) -> list[Json]:
    """Return the credit files of some clients of the test split, drawn by seed, as a request holds them.

    Raises:
        CommandError: the split holds fewer clients.
    """
    in_split = data.applications("test", [])[CLIENT]
    if len(in_split) < clients:
        raise CommandError(f"{data.folder}: the test split holds {len(in_split)} clients: give fewer --clients")
    drawn = np.sort(np.random.default_rng(seed).permutation(len(in_split))[:clients])
    return list(credit_file_contents(data.folder, in_split[drawn].to_list()))


def _rows(file: Json, table: str) -> list[Json]:
    content = file.get(table, [])
    return [content] if table == APPLICATION.name else content


def _holds(file: Json, table: str, column: str) -> bool:
    return any(row.get(column) is not None for row in _rows(file, table))


def _scored(model: ScoringModel, rules: Rules, files: Sequence[Json]) -> list[_Scored]:
    parsed = [CreditFile.model_validate_json(to_json(file)) for file in files]
    warned = [{warning.field for warning in file_warnings(model, credit_file)} for credit_file in parsed]
    applications = score(model, parsed, rules=rules, reasons=False) if parsed else []
    return [_Scored(application, fields) for application, fields in zip(applications, warned, strict=True)]


def _row(field: str, before: Sequence[_Scored], after: Sequence[_Scored]) -> MissingField:
    pairs = list(zip(before, after, strict=True))
    changes = np.array([other.application.probability / one.application.probability - 1 for one, other in pairs])
    changes[np.abs(changes) < TOLERANCE] = 0.0  # sums in another order
    return MissingField(
        field=field,
        files=len(pairs),
        changed=float(np.mean(changes != 0)) if pairs else None,
        mean_change=float(changes.mean()) if pairs else None,
        mean_absolute_change=float(np.abs(changes).mean()) if pairs else None,
        largest_change=float(changes[np.abs(changes).argmax()]) if pairs else None,
        flipped=sum(one.application.decision != other.application.decision for one, other in pairs),
        warned=sum(field in other.warned - one.warned for one, other in pairs),
    )


def print_table(content: MissingFields) -> None:
    """Print the fields of largest mean absolute change."""
    fields = sorted(content.fields, key=lambda field: -(field.mean_absolute_change or 0))
    print(f"{'field left out':45} files  changed  mean change  mean size  largest  flipped  warned")
    for field in fields[:WORST]:
        shares = (field.changed, field.mean_change, field.mean_absolute_change, field.largest_change)
        changed, mean, size, largest = (0.0 if share is None else share for share in shares)
        print(
            f"{field.field:45} {field.files:5}  {changed:7.0%}  {mean:+11.1%}  {size:9.1%}  {largest:+7.1%}  "
            f"{field.flipped:7}  {field.warned:6}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_run_options(parser)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="credit files of the test split")
    parser.add_argument("--seed", type=int, default=SEED, help="of the draw of clients")


def run(options: argparse.Namespace) -> None:
    """Measure, write missing_fields.json into the results of the run, and print the fields that change most."""
    if options.clients < 1:
        raise CommandError("--clients must be at least 1")
    trained = open_run(options.run, options.data)
    files = credit_files(trained.data, options.clients, options.seed)
    content = MissingFields(
        **trained.data.source.model_dump(),
        run=trained.results.name,
        files=len(files),
        seed_of_draw=options.seed,
        fields=missing_fields(trained.model, files),
    )
    path = trained.results / MISSING_FILE
    path.write_text(content.model_dump_json(indent=1) + "\n")
    print_table(content)
    print(f"written: {shown(path)}")
