"""Compute features: from cleaned tables to one row for each client."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from math import isfinite

import polars as pl

from bento.data.tables import HISTORIES, TABLES
from bento.features import combined
from bento.features.catalogue import (
    CATALOGUE,
    CATALOGUE_WITH_COUNTS,
    EMPTY_TABLES,
    TABLE_FEATURES,
    TableFeatures,
    with_sources,
)
from bento.features.definitions import Value
from bento.features.engine import Evaluator
from bento.features.rows import ClientRows


def build_features(tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> pl.DataFrame:
    """Compute features, one row for each row of `application`, in its order.

    Args:
        tables: the seven declared tables, cleaned (`bento.data.cleaning.clean`), with at least `needed_columns(names)`;
            each SK_ID_CURR once in `application`. Each table is read when its features are computed, and not kept.
        names: of the features to compute, by default all of `CATALOGUE`; share counts (`share_counts_of`) only if
            named.

    Returns:
        SK_ID_CURR, the features and the share counts in the order of the catalogue: Float64, finite or null; String
        for a category. A client's features depend on that client's rows alone.

    Raises:
        KeyError: a name is not in the catalogue.

    >>> from bento.data.tables import TABLES
    >>> tables = {name: table.empty() for name, table in TABLES.items()}
    >>> tables["application"] = pl.DataFrame({"SK_ID_CURR": [7], "AMT_CREDIT": [90.0], "AMT_ANNUITY": [9.0]})
    >>> build_features(tables, ["application_credit_to_annuity", "bureau_credits"]).row(0)
    (7, 10.0, 0.0)
    """
    plan = _plan(None if names is None else tuple(names))
    return plan.of_one_client(tables) if len(tables["application"]) == 1 else plan.of_clients(tables)


def client_features(tables: Mapping[str, ClientRows], names: Sequence[str]) -> dict[str, Value]:
    """Compute the features of one client whose rows are arrays: the values of `build_features`, by name.

    All rows must be of this client, but for those of bureau_balance, which belong to the client's rows of bureau.

    Raises:
        KeyError: a name is not in the catalogue.
        FloatingPointError: see `Program.run`; `build_features` computes these features nevertheless.
    """
    return _plan(tuple(names)).values(tables)


class Variants:
    """The features of one client under changed applications: what depends on the histories is computed once."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> None:
        self.application = tables["application"]
        """The unchanged application."""
        self._names = None if names is None else tuple(names)
        self._histories = _plan(self._names).of_histories(tables)

    def features(self, applications: pl.DataFrame, names: Sequence[str] | None = None) -> pl.DataFrame:
        """Compute a row for each application, equal to that of `build_features` on it and the histories.

        One row is computed exactly as in `build_features`, several are computed together.
        """
        plan = _plan(self._names if names is None else tuple(names))
        compute = plan.of_application if len(applications) == 1 else plan.of_applications
        return compute(applications, self._histories)


@lru_cache(maxsize=16)
def _plan(names: tuple[str, ...] | None) -> "_Plan":
    return _Plan(CATALOGUE if names is None else names)


class _Plan:
    """What depends on the names of the features alone, made once for each set of names."""

    def __init__(self, names: Iterable[str]) -> None:
        requested = set(names)
        if unknown := requested - CATALOGUE_WITH_COUNTS.keys():
            raise KeyError(f"no such feature: {', '.join(sorted(unknown))}")
        self._names = [name for name in CATALOGUE_WITH_COUNTS if name in requested]
        self._categories = {
            position: name
            for position, name in enumerate(self._names, start=1)
            if CATALOGUE_WITH_COUNTS[name].is_category
        }
        self._texts = set(self._categories.values())
        computed = with_sources(self._names)
        by_table = [(table, table.named(computed)) for table in TABLE_FEATURES]
        self._tables = [(table, Evaluator(features)) for table, features in by_table if features]
        self._application = [item for item in self._tables if item[0].name == "application"]
        self._histories = [item for item in self._tables if item[0].name != "application"]
        self._features_of_histories = [
            feature for table, features in by_table if table.name != "application" for feature in features
        ]
        self._combined = Evaluator([feature for feature in combined.FEATURES if feature.name in computed])
        self._sources = sorted(self._combined.needed)

    def of_clients(self, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Compute the features of any number of clients, table by table."""
        applications = tables["application"]
        columns = [applications["SK_ID_CURR"]]
        for table, evaluator in self._application:
            columns += evaluator.of_rows(table.of_clients(tables, evaluator.needed)).get_columns()
        for table, evaluator in self._histories:
            columns += _of_history(table, evaluator, tables, applications).get_columns()
        return self._with_combined(applications, columns)

    def of_one_client(self, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Compute the features of tables that hold one client."""
        return self.of_application(tables["application"], self.of_histories(tables))

    def of_histories(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, Value]:
        """Compute the features of the histories of one client."""
        tables = _rows_of_client(tables)
        try:
            return self._histories_of({name: ClientRows.of_frame(frame) for name, frame in tables.items()})
        except FloatingPointError:  # no request can hold such amounts, but a file can
            clients, values = tables["application"].get_column("SK_ID_CURR"), dict[str, Value]()
            for table, evaluator in self._histories:
                rows = table.of_clients(tables, evaluator.needed)
                values |= evaluator.of_clients(rows, clients).row(0, named=True)
            return values

    def values(self, tables: Mapping[str, ClientRows]) -> dict[str, Value]:
        """Compute the features of one client whose rows are arrays; see `client_features`."""
        values = self._all_values(tables["application"], self._histories_of(tables))
        return {name: values[name] if name in self._texts else _finite_number(values[name]) for name in self._names}

    def _histories_of(self, tables: Mapping[str, ClientRows]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for table, evaluator in self._histories:
            rows = table.of_client(tables, evaluator.needed) if len(tables[table.name]) else None
            values |= evaluator.of_one_client(rows) if rows else self._values_without_rows[table.name]
        return values

    def _all_values(self, application: ClientRows, histories: Mapping[str, Value]) -> dict[str, Value]:
        """Compute the features of an application and those that combine it with the values of the histories."""
        values = dict(histories)
        for table, evaluator in self._application:
            values |= evaluator.of_one_client(table.of_client({table.name: application}, evaluator.needed))
        if self._sources:
            sources = {
                name: _finite_number(values[name] if name in values else application.array(name).item())
                for name in self._sources
            }
            values |= self._combined.of_one_client(ClientRows.of_values(sources))
        return values

    def of_application(self, application: pl.DataFrame, histories: Mapping[str, Value]) -> pl.DataFrame:
        """Compute the features of one application and the values of its client's histories."""
        try:
            values = self._all_values(ClientRows.of_frame(application), histories)
        except FloatingPointError:
            return self.of_applications(application, histories)
        row = _one_row(["SK_ID_CURR", *self._names], [None, *(_finite_number(values[name]) for name in self._names)])
        row.replace_column(0, application.get_column("SK_ID_CURR"))
        for position, name in self._categories.items():
            row.replace_column(position, pl.Series(name, [values[name]], pl.String))
        return row

    def of_applications(self, applications: pl.DataFrame, histories: Mapping[str, Value]) -> pl.DataFrame:
        """Compute the features of several applications of one client and the values of the histories."""
        columns = [applications["SK_ID_CURR"]]
        for table, evaluator in self._application:
            columns += evaluator.of_rows(table.of_clients({table.name: applications}, evaluator.needed)).get_columns()
        for feature in self._features_of_histories:
            dtype = pl.String if feature.is_category else pl.Float64
            value = pl.Series(feature.name, [histories[feature.name]], dtype, strict=False)
            columns.append(value.new_from_index(0, len(applications)))
        return self._with_combined(applications, columns)

    def _with_combined(self, applications: pl.DataFrame, columns: list[pl.Series]) -> pl.DataFrame:
        """Add the features that combine histories with the application, and keep only what was requested."""
        if self._sources:
            sources = [column for column in (*applications, *columns) if column.name in self._combined.needed]
            columns = [*columns, *self._combined.of_rows(_finite(pl.DataFrame(sources))).get_columns()]
        kept = {"SK_ID_CURR", *self._names}
        return _finite(pl.DataFrame([column for column in columns if column.name in kept]))

    @cached_property
    def _values_without_rows(self) -> dict[str, dict[str, Value]]:
        """The features of each history when it is empty; kept, as many clients have an empty history."""
        return {
            table.name: evaluator.without_rows(table.of_clients(EMPTY_TABLES, evaluator.needed))
            for table, evaluator in self._histories
        }


ROWS_AT_ONCE = 700_000
"""Rows of a history, about, that are computed together."""
_WITH_CLIENT = tuple(name for name in HISTORIES if "SK_ID_CURR" in TABLES[name].schema)
"""The histories whose rows name their client; those of bureau_balance are joined to rows of bureau."""


def _of_history(
    table: TableFeatures, evaluator: Evaluator, tables: Mapping[str, pl.DataFrame], applications: pl.DataFrame
) -> pl.DataFrame:
    """Compute the features of one history, a row for each application, with the clients in ranges of SK_ID_CURR.

    What groups and joins keep of `ROWS_AT_ONCE` rows is found in the processor's caches; of all rows at once it is not,
    which takes twice as long, and more memory.
    """
    kept = _Kept(tables)
    clients = applications["SK_ID_CURR"]
    ranges = -(-len(kept[table.name]) // ROWS_AT_ONCE) if table.name in _WITH_CLIENT else 1
    if ranges <= 1 or clients.is_empty():
        return evaluator.of_clients(table.of_clients(_RowsOfClients(kept, applications), evaluator.needed), clients)
    ids = clients.sort()
    bounds = sorted({ids[len(ids) * number // ranges] for number in range(1, ranges)})
    parts = []
    for low, high in itertools.pairwise([None, *bounds, None]):
        own = _RowsOfClients(kept, applications, low, high)
        of_range = own["application"]["SK_ID_CURR"]
        features = evaluator.of_clients(table.of_clients(own, evaluator.needed), of_range)
        parts.append(features.insert_column(0, of_range))
    in_order = clients.to_frame().join(pl.concat(parts), on="SK_ID_CURR", how="left", maintain_order="left")
    return in_order.drop("SK_ID_CURR")


class _Kept(dict[str, pl.DataFrame]):
    """Tables that are read when they are asked for, and kept as long as this is."""

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        super().__init__()
        self._tables = tables

    def __missing__(self, name: str) -> pl.DataFrame:
        return self.setdefault(name, self._tables[name])


class _RowsOfClients(Mapping[str, pl.DataFrame]):
    """The rows of the clients of the applications, those from `low` up to, and without, `high` if there are bounds."""

    def __init__(
        self,
        tables: Mapping[str, pl.DataFrame],
        applications: pl.DataFrame,
        low: int | None = None,
        high: int | None = None,
    ) -> None:
        self._tables = tables
        self._bounds = [] if low is None else [pl.col("SK_ID_CURR") >= low]
        self._bounds += [] if high is None else [pl.col("SK_ID_CURR") < high]
        self._applications = self._between(applications)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name == "application":
            return self._applications
        rows = self._tables[name]
        if name not in _WITH_CLIENT:
            return rows
        return self._between(rows).join(self._applications.select("SK_ID_CURR"), on="SK_ID_CURR", how="semi")

    def _between(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(*self._bounds) if self._bounds else rows


def _rows_of_client(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return tables without the rows of other clients than that of the only application."""
    client = tables["application"].item(0, "SK_ID_CURR")
    own = dict(tables)
    for name in _WITH_CLIENT:
        is_own = own[name].get_column("SK_ID_CURR") == client
        if is_own.sum() < len(is_own):
            own[name] = own[name].filter(is_own)
    return own


def _one_row(names: Sequence[str], values: Iterable[float | None]) -> pl.DataFrame:
    """Make a one-row frame of Float64 columns.

    To cut one series into pieces is five times as fast as to make a series for each value; to transpose it is as fast,
    but Polars does that in another thread, for which a request waits (up to 5 ms on a busy machine).
    """
    series = pl.Series(list(values), dtype=pl.Float64)
    return pl.DataFrame([series.slice(position, 1).alias(name) for position, name in enumerate(names)])


def _finite_number(value: Value) -> float | None:
    return float(value) if value is not None and not isinstance(value, str) and isfinite(value) else None


def _finite(features: pl.DataFrame) -> pl.DataFrame:
    """Replace infinities and NaN by null: a ratio with denominator 0, or a sum that overflows."""
    numbers = [name for name, dtype in features.schema.items() if dtype == pl.Float64]
    return features.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in numbers)
