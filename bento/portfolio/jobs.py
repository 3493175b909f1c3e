"""What is computed of each client of a portfolio: a decision with its reasons, or the features alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
import polars as pl

from bento.data.cleaning import clean
from bento.data.tables import APPLICATION, TABLES
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, needed_columns, share_counts_of
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision, score_points
from bento.portfolio.checks import impossible, unusable
from bento.rules.check import Rules
from bento.rules.measures import Inputs
from bento.rules.rulebook import Rulebook
from bento.scoring.reasons import features_to_quote
from bento.scoring.score import reasons_of

WithReasons = Literal["refused", "all", "none"]
"""Whose reasons are computed: those of clients who are refused or reviewed, of all, or of none."""
REASONS: tuple[WithReasons, ...] = get_args(WithReasons)
_TEXTS = ("code", "direction", "text_en", "text_fr")
_REASON = pl.Struct([*(pl.Field(name, pl.String) for name in _TEXTS), pl.Field("contribution", pl.Float64)])
DECISIONS = pl.Schema(
    [
        ("SK_ID_CURR", pl.Int64()),
        ("log_odds", pl.Float64()),
        ("probability_of_default", pl.Float64()),
        ("score_points", pl.Float64()),
        ("decision", pl.String()),
        ("rules", pl.List(pl.String)),
        ("reasons", pl.List(_REASON)),
    ]
)
"""Columns of the table of decisions; `rules` are the codes of those that apply, `reasons` null where not computed."""


@dataclass(frozen=True)
class Computed:
    """The result for some clients."""

    rows: pl.DataFrame
    """A row for each client."""
    not_scored: pl.DataFrame
    """The clients who have no row, as `bento.portfolio.checks.NOT_SCORED`."""


class Job(Protocol):
    """A computation on the tables of some clients, the same for every engine."""

    @property
    def name(self) -> str:
        """Name of the folder of its rows."""
        ...

    @property
    def schema(self) -> pl.Schema:
        """Columns of its rows."""
        ...

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """The columns that it reads of each table, keys included."""
        ...

    def compute(self, tables: Mapping[str, pl.DataFrame]) -> Computed:
        """Compute a row for each client in the raw tables of some clients, sorted by client.

        Ids and integers may be floats; the rows of bureau_balance name their client in SK_ID_CURR, as all others do.
        """
        ...


class ScoreJob:
    """Decides on each client by one model and one rulebook, as the service does."""

    name = "decisions"
    schema = DECISIONS

    def __init__(self, model: ScoringModel, rulebook: Rulebook, with_reasons: WithReasons = "refused") -> None:
        self._model, self._with_reasons = model, with_reasons
        self._rules = Rules(rulebook, model.reference.usual)
        own = model.feature_names
        quoted = () if with_reasons == "none" else (*share_counts_of(own), *features_to_quote(own))
        self._features = tuple(dict.fromkeys([*own, *self._rules.features, *quoted]))
        every_field = [column.name for column in APPLICATION]
        self.columns = _with_keys(needed_columns(self._features)) | {APPLICATION.name: every_field}

    def compute(self, tables: Mapping[str, pl.DataFrame]) -> Computed:
        """Decide on each client; see `Job`."""
        usable, not_scored = _usable(tables)
        faults = impossible(usable[APPLICATION.name], self._rules)
        usable = _without(usable, faults)
        not_scored = pl.concat([not_scored, faults])
        applications = usable[APPLICATION.name]
        if applications.is_empty():
            return Computed(DECISIONS.to_frame(), not_scored)
        features = build_features(_cleaned(usable), self._features)
        inputs = Inputs.of_frame(applications, features, self._rules.rulebook.income_months)
        log_odds = self._model.log_odds(features).tolist()
        defaults = [probability(value) for value in log_odds]
        by_model = [self._model.decide(default) for default in defaults]
        decisions = self._rules.decisions(inputs, by_model)
        rows = pl.DataFrame(
            {
                "SK_ID_CURR": applications["SK_ID_CURR"],
                "log_odds": log_odds,
                "probability_of_default": defaults,
                "score_points": [score_points(value) for value in log_odds],
                "decision": [decision.value for decision in decisions],
                "rules": self._codes(inputs),
                "reasons": self._reasons(applications, features, by_model, decisions),
            },
            DECISIONS,
        )
        return Computed(rows, not_scored)

    def _codes(self, inputs: Inputs) -> list[list[str]]:
        """Return for each client the codes of the rules that apply."""
        codes: list[list[str]] = [[] for _ in range(inputs.clients)]
        for rule in self._rules.rulebook.active("review", "refused"):
            for position in np.flatnonzero(self._rules.applies(rule, inputs)):
                codes[position].append(rule.code)
        return codes

    def _reasons(
        self,
        applications: pl.DataFrame,
        features: pl.DataFrame,
        by_model: Sequence[Decision],
        decisions: Sequence[Decision],
    ) -> list[list[dict[str, Any]] | None]:
        reasons: list[list[dict[str, Any]] | None] = [None] * len(decisions)
        explained = [at for at, decision in enumerate(decisions) if self._is_explained(decision)]
        if not explained:
            return reasons
        own, files = features[explained], applications[explained].iter_rows(named=True)
        contributions = self._model.contributions(own)[0].tolist()
        for at, application, values, weights in zip(
            explained, files, own.iter_rows(named=True), contributions, strict=True
        ):
            with_ground = by_model[at] is not Decision.GRANTED
            main = reasons_of(self._model, application, values, weights, decisions[at], with_ground=with_ground)
            reasons[at] = [
                {
                    "code": reason.code,
                    "direction": reason.direction,
                    "text_en": reason.text.en,
                    "text_fr": reason.text.fr,
                    "contribution": reason.contribution,
                }
                for reason in main
            ]
        return reasons

    def _is_explained(self, decision: Decision) -> bool:
        return self._with_reasons == "all" or (self._with_reasons == "refused" and decision is not Decision.GRANTED)


class FeatureJob:
    """Computes features, by default all of the catalogue, as training does."""

    name = "features"

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self._names = [name for name in CATALOGUE if names is None or name in set(names)]
        self.columns = _with_keys(needed_columns(self._names))
        self.schema = pl.Schema(
            {"SK_ID_CURR": pl.Int64}
            | {name: pl.String if CATALOGUE[name].is_category else pl.Float64 for name in self._names}
        )

    def compute(self, tables: Mapping[str, pl.DataFrame]) -> Computed:
        """Compute the features of each client; see `Job`."""
        usable, not_scored = _usable(tables)
        if usable[APPLICATION.name].is_empty():
            return Computed(self.schema.to_frame(), not_scored)
        return Computed(build_features(_cleaned(usable), self._names), not_scored)


@dataclass(frozen=True)
class JobSpec:
    """What a process needs to make a job; small, and pickled where a job is not."""

    model: Path | None = None
    """Model folder; None to compute features alone."""
    rules: str = ""
    """`Rulebook.content`."""
    reasons: WithReasons = "refused"

    def job(self) -> Job:
        """Make the job; raise ModelError where the model folder is unusable."""
        if self.model is None:
            return FeatureJob()
        return ScoreJob(ScoringModel.verified(self.model), Rulebook.of_content(self.rules), self.reasons)


def _with_keys(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Add the key of each table, by which repeated rows are noticed; in the order of the files."""
    return {
        name: [column.name for column in table if column.name in {*columns[name], *table.key}]
        for name, table in TABLES.items()
    }


def _usable(tables: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the tables of the clients who can be scored, with integers as integers, and the other clients."""
    not_scored = unusable(tables)
    usable = _without(tables, not_scored)
    casts = {
        name: [pl.col(column.name).cast(column.dtype) for column in TABLES[name] if column.name in table.columns]
        for name, table in usable.items()
    }
    typed = {name: table.with_columns(casts[name]) for name, table in usable.items()}
    return typed | {APPLICATION.name: typed[APPLICATION.name].sort("SK_ID_CURR")}, not_scored


def _without(tables: Mapping[str, pl.DataFrame], clients: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return tables without the rows of some clients."""
    if clients.is_empty():
        return dict(tables)
    ids = clients["SK_ID_CURR"].unique()
    return {name: table.filter(~pl.col("SK_ID_CURR").cast(pl.Int64).is_in(ids)) for name, table in tables.items()}


def _cleaned(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return cleaned tables with the columns that they declare."""
    return clean(
        {
            name: table.select(column for column in table.columns if column in TABLES[name].schema)
            for name, table in tables.items()
        }
    )
