"""A portfolio of applications: read from files, scored in portions, and summed up under any cut-off."""

import csv
import io
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet

from ui.answers import AnswerPart
from ui.client import HISTORIES, CreditFile, Detail, NoAnswerError, Tables, request, validated
from ui.form import DAYS_IN_A_YEAR
from ui.uploads import Upload, read_credit_file, read_csv
from ui.uploads import _table_of as table_of

MAX_CLIENTS = 5000
"""Applications of one portfolio: the service scores about a hundred a second."""
PORTION = 25
"""Credit files of one request; the service takes up to 100, and 8 MB."""
MAX_WAITS = 20
"""Times that a portion waits for the service's limit on the rate of requests."""
SEGMENTS = ("NAME_CONTRACT_TYPE", "NAME_INCOME_TYPE", "NAME_EDUCATION_TYPE", "DAYS_BIRTH")
"""Columns by which the portfolio is cut; DAYS_BIRTH by age."""
AGES = (30, 40, 50, 60)
"""First years of the ages after the youngest."""


class TooManyClientsError(Exception):
    """The files hold more applications than a portfolio may."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One application: its probability of default, or that the service rejected it."""

    client: int | None
    amount: float
    segments: Mapping[str, str | None]
    probability: float | None = None
    decision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What errors cost, in the currency of the loans: shares of the amount of a loan."""

    loss_given_default: float
    margin: float

    def expected(self, scored: Scored, cutoff: float) -> float:
        """Return the expected cost of a scored application: of granting it below the cut-off, else of refusing it."""
        probability = scored.probability or 0.0
        if probability < cutoff:
            return probability * self.loss_given_default * scored.amount
        return (1 - probability) * self.margin * scored.amount


@dataclass(frozen=True, kw_only=True)
class Total:
    """A group of scored applications under a cut-off."""

    clients: int
    mean_probability: float
    granted: int
    cost: float

    @property
    def approval(self) -> float:
        """Share of the applications that are granted."""
        return self.granted / self.clients if self.clients else 0.0


class _Item(AnswerPart):
    prediction: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class _Batch(AnswerPart):
    results: tuple[_Item, ...]


def read_portfolio(uploads: Sequence[Upload], tables: Tables) -> list[CreditFile]:
    """Return the credit files of JSON lines, or of CSV and Parquet files named after their tables.

    Raises:
        NoAnswerError: a file cannot be read, or there are no applications; `details` name file, row and column.
        TooManyClientsError: there are more than `MAX_CLIENTS`.
    """
    lines = [upload for upload in uploads if upload.name.lower().endswith((".jsonl", ".json", ".ndjson"))]
    if lines:
        if len(lines) < len(uploads):
            raise NoAnswerError("files_mixed")
        return _bounded([file for upload in lines for file in _json_lines(upload)])
    rows = {}
    for upload in uploads:
        table = table_of(upload.name)
        is_parquet = upload.name.lower().endswith(".parquet")
        rows[table] = _parquet_rows(upload) if is_parquet else read_csv(upload, table, tables[table])
    if "application" not in rows:
        raise NoAnswerError("files_without_application")
    return _joined(_bounded(rows["application"]), rows)


def score(
    service: httpx.Client, files: Sequence[CreditFile], wait: Callable[[float], None] = time.sleep
) -> Iterator[list[Scored]]:
    """Yield the applications as the service simulates decisions on them, portion by portion; nothing is recorded.

    Raises NoAnswerError where the service does not answer.
    """
    for start in range(0, len(files), PORTION):
        yield _portion(service, files[start : start + PORTION], wait)


def total(scored: Sequence[Scored], cutoff: float, costs: Costs) -> Total:
    """Sum up the applications that have a probability.

    >>> one = Scored(client=1, amount=1000.0, segments={}, probability=0.1)
    >>> total([one], 0.2, Costs(loss_given_default=0.5, margin=0.05))
    Total(clients=1, mean_probability=0.1, granted=1, cost=50.0)
    >>> round(total([one], 0.1, Costs(loss_given_default=0.5, margin=0.05)).cost)
    45
    """
    probabilities = [one.probability for one in scored if one.probability is not None]
    return Total(
        clients=len(probabilities),
        mean_probability=sum(probabilities) / len(probabilities) if probabilities else 0.0,
        granted=sum(probability < cutoff for probability in probabilities),
        cost=sum(costs.expected(one, cutoff) for one in scored if one.probability is not None),
    )


def by_segment(scored: Sequence[Scored], segment: str, cutoff: float, costs: Costs) -> dict[str | None, Total]:
    """Return the totals by the values of a segment, largest group first."""
    groups = defaultdict[str | None, list[Scored]](list)
    for one in scored:
        if one.probability is not None:
            groups[one.segments.get(segment)].append(one)
    totals = {value: total(group, cutoff, costs) for value, group in groups.items()}
    return dict(sorted(totals.items(), key=lambda item: -item[1].clients))


def histogram(scored: Sequence[Scored], edges: Sequence[float]) -> list[int]:
    """Return how many probabilities lie from each edge up to the next; the last class has no end.

    >>> histogram([Scored(client=1, amount=1.0, segments={}, probability=p) for p in (0.0, 0.05, 0.9)], (0.0, 0.05))
    [1, 2]
    """
    counts = [0] * len(edges)
    for one in scored:
        if one.probability is not None:
            counts[max(place for place, edge in enumerate(edges) if one.probability >= edge)] += 1
    return counts


def table(scored: Sequence[Scored], cutoff: float, costs: Costs) -> str:
    """Return the applications as CSV, with the decision and the expected cost under a cut-off."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["SK_ID_CURR", "AMT_CREDIT", "probability_of_default", "decision", "at_cutoff", "expected_cost"])
    for one in scored:
        row: list[object] = [one.client, one.amount]
        if one.probability is None:
            row += ["", "rejected", "", ""]
        else:
            at_cutoff = "granted" if one.probability < cutoff else "refused"
            row += [one.probability, one.decision, at_cutoff, round(costs.expected(one, cutoff), 2)]
        lines.writerow(row)
    return text.getvalue()


def age_class(days: object) -> str | None:
    """Return the class of an age in days before the application, as the first year of its class.

    >>> age_class(-29 * 365.25), age_class(-45 * 365.25), age_class(None)
    ('0', '40', None)
    """
    if isinstance(days, bool) or not isinstance(days, int | float):
        return None
    years = -days / DAYS_IN_A_YEAR
    return str(max((first for first in (0, *AGES) if years >= first), default=0))


def _bounded(applications: list[Any]) -> list[Any]:
    if len(applications) > MAX_CLIENTS:
        raise TooManyClientsError
    return applications


def _json_lines(upload: Upload) -> Iterator[CreditFile]:
    for number, line in enumerate(upload.content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield read_credit_file(line, len(line))
        except NoAnswerError as error:
            raise NoAnswerError(error.kind, details=(Detail(f"{upload.name[:50]}, {number}", "line", ""),)) from error


def _parquet_rows(upload: Upload) -> list[dict[str, Any]]:
    try:
        rows = pyarrow.parquet.read_table(io.BytesIO(upload.content)).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise NoAnswerError("file_not_csv", details=(Detail(upload.name[:50], "parquet", ""),)) from error
    return [{name: _plain(value) for name, value in row.items() if not _is_missing(value)} for row in rows]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Return a whole float as an integer, as `read_csv` does: pandas writes whole columns with nulls as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _joined(applications: list[dict[str, Any]], rows: Mapping[str, list[dict[str, Any]]]) -> list[CreditFile]:
    """Return the credit files of applications with the rows of their histories."""
    owners: dict[object, object] = {}
    of_client: dict[str, dict[object, list[dict[str, Any]]]] = {}
    for name in HISTORIES:
        groups = defaultdict[object, list[dict[str, Any]]](list)
        for row in rows.get(name, ()):
            owner = owners.get(row.get("SK_ID_BUREAU")) if name == "bureau_balance" else row.get("SK_ID_CURR")
            groups[owner].append(row)
            if name == "bureau":
                owners[row.get("SK_ID_BUREAU")] = owner
        of_client[name] = groups
    files = []
    for application in applications:
        number = application.get("SK_ID_CURR")
        histories = {
            name: groups[number] for name, groups in of_client.items() if number is not None and number in groups
        }
        files.append({"application": application, **histories})
    return files


def _portion(service: httpx.Client, files: Sequence[CreditFile], wait: Callable[[float], None]) -> list[Scored]:
    for _ in range(MAX_WAITS):
        try:
            response = request(service, "POST", "/predict_batch?purpose=simulation", {"credit_files": list(files)})
            break
        except NoAnswerError as fault:
            if fault.kind == "too_large" and len(files) > 1:
                middle = len(files) // 2
                return _portion(service, files[:middle], wait) + _portion(service, files[middle:], wait)
            if fault.kind == "too_large":
                return [_unscored(files[0])]
            if fault.kind != "too_many":
                raise
            wait(fault.wait or 1)
    else:
        raise NoAnswerError("too_many")
    results = validated(_Batch, response).results
    if len(results) != len(files):
        raise NoAnswerError("unexpected")
    return [_scored(file, item) for file, item in zip(files, results, strict=True)]


def _scored(file: CreditFile, item: _Item) -> Scored:
    if item.prediction is None:
        return _unscored(file)
    probability, decision = item.prediction.get("probability_of_default"), item.prediction.get("decision")
    if not isinstance(probability, float | int) or not isinstance(decision, str):
        raise NoAnswerError("unexpected")
    return replace(_unscored(file), probability=float(probability), decision=decision)


def _unscored(file: CreditFile) -> Scored:
    application = file["application"]
    amount, client = application.get("AMT_CREDIT"), application.get("SK_ID_CURR")
    values = {name: application.get(name) for name in SEGMENTS}
    return Scored(
        client=client if isinstance(client, int) else None,
        amount=float(amount) if isinstance(amount, int | float) else 0.0,
        segments={
            name: age_class(value) if name == "DAYS_BIRTH" else value if isinstance(value, str) else None
            for name, value in values.items()
        },
    )
