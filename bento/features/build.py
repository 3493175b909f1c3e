"""Compute features: cleaned tables in, one row for each client out."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from math import isfinite

import polars as pl

from bento.features import combined
from bento.features.catalogue import _EMPTY, _KNOWN, _PARTS, CATALOGUE, _chosen, _with_sources
from bento.features.engine import Selection, Value


def build_features(tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> pl.DataFrame:
    """One row of features for each row of `application`, in its order.

    Args:
        tables: the seven declared tables, cleaned (`bento.data.cleaning.clean`), with at least `needed_columns(names)`;
            each SK_ID_CURR once in `application`. A table is asked for when its features are built, and not kept.
        names: the features to compute, by default all of `CATALOGUE`; facts (`share_counts_of`) only when named.

    Returns:
        SK_ID_CURR, the features and the facts: Float64, finite or null; String for a category. A client's features
        depend on that client's rows alone.

    Raises:
        KeyError: a name that is not in the catalogue.
    """
    plan = _plan(None if names is None else tuple(names))
    return plan.of_one_client(tables) if len(tables["application"]) == 1 else plan.of_clients(tables)


class Variants:
    """The features of one client under other applications: what the histories say is computed once.

    Args:
        tables: of one client, as for `build_features`.
        names: as for `build_features`.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> None:
        self.application = tables["application"]
        """As it stands."""
        self._names = None if names is None else tuple(names)
        self._histories = _plan(self._names).of_histories(tables)

    def features(self, applications: pl.DataFrame, names: Sequence[str] | None = None) -> pl.DataFrame:
        """A row for each application, as `build_features` gives it for this one and the histories.

        Args:
            applications: rows like that of `application` in the client's tables; a single one takes the very path
                that it takes in `build_features`, several are computed together.
            names: some of the features, by default all.
        """
        plan = _plan(self._names if names is None else tuple(names))
        of = plan.of_application if len(applications) == 1 else plan.of_applications
        return of(applications, self._histories)


@lru_cache(maxsize=16)
def _plan(names: tuple[str, ...] | None) -> "_Plan":
    return _Plan(CATALOGUE if names is None else names)


class _Plan:
    """What can be settled before any table is known, for one set of names."""

    def __init__(self, names: Iterable[str]) -> None:
        asked_for = set(names)
        if unknown := asked_for - _KNOWN.keys():
            raise KeyError(f"no such feature: {', '.join(sorted(unknown))}")
        self._names = [name for name in _KNOWN if name in asked_for]
        self._words = {place: name for place, name in enumerate(self._names, start=1) if _KNOWN[name].is_category}
        asked = _with_sources(self._names)
        chosen = [(part, _chosen(part, asked)) for part in _PARTS]
        self._parts = [(part, Selection(features)) for part, features in chosen if features]
        self._present = [item for item in self._parts if item[0].table == "application"]
        self._histories = [item for item in self._parts if item[0].table != "application"]
        self._of_histories = [
            feature for part, features in chosen if part.table != "application" for feature in features
        ]
        self._finishes = [finish for _, selection in self._histories for finish in selection.finishes]
        self._unfinished = [name for _, selection in self._histories for name in selection.unfinished]
        self._combined = Selection([feature for feature in combined.FEATURES if feature.name in asked])
        self._sources = sorted(self._combined.needed)

    def of_clients(self, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Any number of clients, table by table."""
        applications = tables["application"]
        clients = applications["SK_ID_CURR"]
        columns = [clients]
        for part, selection in self._parts:
            rows = part.rows(tables, selection.needed)
            of_table = selection.of_rows(rows) if part.table == "application" else selection.of_clients(rows, clients)
            columns += of_table.get_columns()
            del rows  # before the next table is read
        return self._completed(applications, columns)

    def _completed(self, applications: pl.DataFrame, columns: list[pl.Series]) -> pl.DataFrame:
        """The features of the tables, those that combine them with the application, and nothing that was not asked."""
        if self._sources:
            sources = [column for column in (*applications, *columns) if column.name in self._combined.needed]
            columns = [*columns, *self._combined.of_rows(_finite(pl.DataFrame(sources))).get_columns()]
        kept = {"SK_ID_CURR", *self._names}
        return _finite(pl.DataFrame([column for column in columns if column.name in kept]))

    def of_one_client(self, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """The only client there is."""
        return self.of_application(tables["application"], self.of_histories(tables))

    def of_histories(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, Value]:
        """What the histories say of the only client there is."""
        values: dict[str, Value] = {}
        for part, selection in self._histories:
            if tables[part.table].is_empty():
                values |= self._of_no_rows[part.table]
            else:
                values |= selection.of_one_client(part.rows(tables, selection.needed))
        if self._finishes:
            unfinished = _one_row(self._unfinished, (_number(values[name]) for name in self._unfinished))
            values |= unfinished.select(self._finishes).row(0, named=True)
        return values

    def of_applications(self, applications: pl.DataFrame, histories: Mapping[str, Value]) -> pl.DataFrame:
        """The only client there is, under several applications."""
        columns = [applications["SK_ID_CURR"]]
        for part, selection in self._present:
            columns += selection.of_rows(part.rows({part.table: applications}, selection.needed)).get_columns()
        for feature in self._of_histories:
            kind = pl.String if feature.is_category else pl.Float64
            known = pl.Series(feature.name, [histories[feature.name]], kind, strict=False)
            columns.append(known.new_from_index(0, len(applications)))
        return self._completed(applications, columns)

    def of_application(self, applications: pl.DataFrame, histories: Mapping[str, Value]) -> pl.DataFrame:
        """The only client there is, under one application."""
        values = dict(histories)
        for part, selection in self._present:
            values |= selection.of_one_client(part.rows({part.table: applications}, selection.needed))
        if self._sources:
            known = applications.row(0, named=True) | values
            sources = _one_row(self._sources, (_finite_number(known[name]) for name in self._sources))
            values |= self._combined.of_one_client(sources)
        row = _one_row(["SK_ID_CURR", *self._names], [None, *(_finite_number(values[name]) for name in self._names)])
        row.replace_column(0, applications.get_column("SK_ID_CURR"))
        for place, name in self._words.items():
            row.replace_column(place, pl.Series(name, [values[name]], pl.String))
        return row

    @cached_property
    def _of_no_rows(self) -> dict[str, dict[str, Value]]:
        """The features of an empty table, for each history: met so often that they are kept."""
        return {
            part.table: selection.of_one_client(part.rows(_EMPTY, selection.needed))
            for part, selection in self._histories
        }


def _one_row(names: Sequence[str], values: Iterable[float | None]) -> pl.DataFrame:
    """A frame of Float64 columns; turning one column is ten times as fast as making hundreds."""
    return pl.Series(list(values), dtype=pl.Float64).to_frame().transpose(column_names=names)


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _finite_number(value: Value) -> float | None:
    return float(value) if value is not None and not isinstance(value, str) and isfinite(value) else None


def _finite(features: pl.DataFrame) -> pl.DataFrame:
    """Null in place of what no number is: a ratio to nothing, or a sum beyond all bounds."""
    numbers = [name for name, dtype in features.schema.items() if dtype == pl.Float64]
    return features.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in numbers)
