"""The content of drift.json; `python -m drift report --schema` prints its JSON schema."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from drift.compare import Measure

Verdict = Literal["drift", "no drift", "could not tell"]


class Part(BaseModel):
    """Part of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(Part):
    """One of the two populations."""

    name: str
    rows: int = Field(description="applications whose columns are compared")
    rows_scored: int = Field(description="of these, applications whose features and PD are compared")


class Figures(Part):
    """The distance of one distribution from that of the reference."""

    psi: float | None = Field(description="population stability index; null where there is nothing to compare")
    threshold: float | None = Field(description="PSI that chance or a small change reaches at these sample sizes")
    drifted: bool


class ColumnResult(Part):
    """The result of one column of the application, or of one feature of the model."""

    column: str
    measure: Measure
    audit_only: bool = Field(description="compared for an audit of fairness; never a feature")
    drifted: bool
    values: Figures
    missing: Figures
    missing_reference: float
    missing_current: float
    middle_reference: float | str | None = Field(description="median, or most frequent category")
    middle_current: float | str | None
    new_categories: list[str]
    gone_categories: list[str]
    factor: float | None = Field(description="by which all values differ, as after a change of unit")
    pd_change: float | None = Field(
        description="mean absolute change of the PD, as a share of the mean PD, of clients of the reference that get "
        "the current distribution of the feature, or of the features computed from the column; null where none drifted"
    )
    note: str


class PdResult(Figures):
    """The predicted probability of default."""

    mean_reference: float
    mean_current: float
    approval_reference: float = Field(description="share that the model grants")
    approval_current: float
    approval_by_chance: float = Field(description="difference of the approval rates that chance reaches")
    approval_as_decided: float | None = Field(description="share granted in the journal, rules included")


class EffectResult(Part):
    """What the drifted features together do to clients of the reference."""

    pd_change: float
    flipped: float = Field(description="share of the decisions that change")
    rank_correlation: float = Field(description="Spearman's, of the PDs before and after")


class SeparationResult(Part):
    """How well a LightGBM tells current from reference rows, out of fold."""

    auc: float
    by_chance: float
    gains: dict[str, float] = Field(description="share of the gain of the columns that give it away")


class DriftReport(Part):
    """Sources, limits, verdict with its grounds, and every column, the worst first."""

    data: Literal["real", "synthetic", "journal"]
    clients: int
    seed: int | None
    reference: Side
    current: Side
    model: str | None
    false_alarms: float = Field(description="probability that any column drifts by chance")
    comparisons: int
    verdict: Verdict
    sentence: str
    grounds: list[str] = Field(description="of the verdict, each a sentence")
    faults: list[str] = Field(description="what could not be judged, and why")
    notes: list[str]
    probability: PdResult | None
    effect: EffectResult | None
    features_separation: SeparationResult | None
    columns_separation: SeparationResult
    columns: list[ColumnResult]
    features: list[ColumnResult]

    @property
    def drifted_columns(self) -> list[ColumnResult]:
        """The columns of the application that drifted."""
        return [column for column in self.columns if column.drifted]

    @property
    def drifted_features(self) -> list[ColumnResult]:
        """The features of the model that drifted."""
        return [feature for feature in self.features if feature.drifted]
