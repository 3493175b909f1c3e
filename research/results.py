"""What runs write, as pydantic models: one for each result file, with the key in the file as the field's name or alias.

A reader validates a file with `read` and uses attributes; `written` gives back the JSON that was read.
"""

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bento.model.manifest import Calibration, DataSource
from bento.policy import CostAssumptions, LoanEconomics, ReviewBand
from research.cli import CommandError
from research.training.lawful import Reading

RESULTS_FILE = "results.json"
TEST_FILE = "test.json"
GATE_FILE = "gate.json"
COMPARISON_FILE = "comparison.json"
PRICE_FILE = "fairness_price.json"
MITIGATION_FILE = "mitigation.json"
STUDY_FILE = "feature_study.json"
QUOTABLE_FILE = "quotable.json"
LAWFUL_FILE = "lawful.json"
REASONS_FILE = "reasons.json"
FIDELITY_FILE = "fidelity.json"
MISSING_FILE = "missing_fields.json"
COUNTERFACTUALS_FILE = "counterfactuals.json"
RULES_FILE = "rules.json"
SERVED_FEATURES_FILE = "served_features.json"
OUT_OF_FOLD_FILE = "out_of_fold.parquet"
"""Client, fold, outcome and calibrated probability of each development client; never published."""

SplitName = Literal["out_of_fold", "test"]
SPLITS: tuple[SplitName, ...] = ("out_of_fold", "test")
Policy = Literal["model", "model_at_theory", "accept_all", "refuse_all"]
Dimension = Literal["gender", "age", "gender_age"]


class Part(BaseModel):
    """Part of a result file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ResultFile(DataSource, Part):
    """A result file, which begins with the source of its data."""

    @property
    def description(self) -> str:
        """The source of the data in words, as `synthetic data, 20,000 clients, seed 1`."""
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.data} data, {self.clients:,} clients{seed}"


class Interval(Part):
    """A figure with its 95 % bootstrap interval; null where there are too few clients."""

    value: float | None
    low: float | None
    high: float | None


class PolicyCost(Part):
    """What the decisions of a policy cost."""

    cost_per_client: Interval
    money_per_client: float
    refused_share: float
    defaults_caught: float | None
    good_clients_refused: float | None


class RatioCost(Part):
    """Threshold and cost at one ratio of a missed default to a good client refused."""

    ratio: float
    threshold: float
    theoretical_threshold: float
    cost_per_client: float
    cost_per_client_accept_all: float
    cost_per_client_refuse_all: float
    refused_share: float


class Reviewer(Part):
    """What review costs and saves with reviewers who are wrong in a share of their cases."""

    error: float
    cost_per_client: Interval
    saved: Interval
    saved_per_review: float | None


class SplitReview(Part):
    """Review on the clients of one split; `cost_per_client` is that without review."""

    reviewed_share: float
    cost_per_client: Interval
    reviewers: list[Reviewer]
    break_even: Interval | None = Field(
        default=None, description="share of wrong decisions from which a reviewer costs more than the model alone"
    )


class CapacityReview(Part):
    """Review with one capacity."""

    capacity: float
    band: ReviewBand
    out_of_fold: SplitReview
    test: SplitReview | None = None


class Review(Part):
    """The capacity and band that are served, and what other capacities would cost."""

    capacity: float
    served: ReviewBand | None
    table: list[CapacityReview]


class CalibrationGroup(Part):
    """Clients of similar probability: their mean probability, and the share that defaulted."""

    clients: int
    predicted: float
    observed: Interval


class CalibrationMethod(Part):
    """Probabilities after one calibration map, fitted on the other folds."""

    method: str
    log_loss: float
    log_loss_gain: float
    log_loss_gain_error: float
    brier: float
    slope: float
    intercept: float
    curve: list[CalibrationGroup] = []


class CalibrationResult(Part):
    """The calibration maps that were compared, and the one that is served."""

    compared: list[CalibrationMethod]
    served: Calibration


class ReviewedChange(Part):
    """Change of the cost per client where those in review are decided by a person who is wrong in a share of cases."""

    error: float
    cost_change: Interval


class RulePrice(Part):
    """A rule on the clients of one split: to how many it applies, whom of them the model grants, and the cost."""

    clients: int
    applies: int
    stops: int
    default_rate: float | None
    default_rate_of_stopped: float | None
    changes: list[ReviewedChange]


class RuleRow(Part):
    """The prices of one rule, or of all that are on."""

    code: str
    outcome: str
    on: bool
    out_of_fold: RulePrice


class RulePrices(ResultFile):
    """The content of rules.json, by `train` and `rules`."""

    run: str
    rules_version: str
    costs: CostAssumptions
    table: list[RuleRow]

    def row(self, code: str) -> RuleRow:
        """Return the row of a rule."""
        return next(row for row in self.table if row.code == code)


class ClientFigures(Part):
    """Figures of a set of clients; null where the set is too small."""

    clients: int
    defaults: int
    default_rate: Interval | None
    approval_rate: Interval | None
    good_clients_refused: Interval | None
    defaults_granted: Interval | None
    auc: Interval | None
    predicted_over_observed: Interval | None
    brier: Interval | None
    calibration_slope: Interval | None


class GroupFigures(ClientFigures):
    """Figures of one group, and how they differ from those of others."""

    group: str
    approval_ratio: Interval | None = Field(description="approval rate over that of the most approved group")
    below_rule: bool | None
    difference: dict[str, Interval | None] | None = Field(
        default=None, description="signed: figure of the group less that of the reference, over resamples of both"
    )


class GapByChance(Part):
    """The gap between the extreme groups, beside the gaps of groups of the same sizes that are drawn at random."""

    gap: float
    usual: float
    up_to: float
    p_value: float


class GroupComparison(Part):
    """The groups of one dimension, and the largest differences between them; `reference` has the most clients."""

    most_approved: str | None
    reference: str | None = None
    differences: dict[str, float | None]
    by_chance: dict[str, GapByChance | None] = {}
    groups: list[GroupFigures]


class FairnessRule(Part):
    """The rule that flags a group."""

    name: str
    least_approval_ratio: float


class Fairness(Part):
    """Decisions and scores by gender, by age, and by both."""

    level: float
    rule: FairnessRule
    fewest: dict[str, int]
    all: ClientFigures
    gender: GroupComparison
    age: GroupComparison
    gender_age: GroupComparison

    def dimension(self, name: Dimension) -> GroupComparison:
        """Return the comparison of the groups of one dimension."""
        comparison: GroupComparison = getattr(self, name)
        return comparison


class ShapWeight(Part):
    """Mean absolute SHAP value of a feature, or of a group of features."""

    feature: str | None = None
    label: str
    group: str
    mean_abs_shap: float


class LimeClient(Part):
    """LIME of one client."""

    probability_of_default: float
    stability: dict[str, float]
    agreement: dict[str, float]
    fit: float


class Lime(Part):
    """LIME of some clients, and its means over them."""

    settings: dict[str, Any]
    clients: list[LimeClient]
    stability: dict[str, float]
    agreement: dict[str, float]
    fit: float


class Explanations(ResultFile):
    """What the model weighs, on clients of the test split."""

    rows: int
    sample_seed: int
    base_value: float
    largest_additivity_error: float
    features: list[ShapWeight]
    groups: list[ShapWeight]
    typical: dict[str, dict[str, float]]
    lime: Lime


class Opening(Part):
    """When the test split was opened for a model, and for how many models of the same data, this one among them."""

    opened_at: str
    models: int


class OpenedTestSplit(ResultFile):
    """The content of test.json, by `publish`: figures of a model on the test split, merged into what is published."""

    run: str
    opened_at: str
    metrics: dict[str, float]
    intervals: dict[str, Interval]
    business: dict[Policy, PolicyCost]
    review: list[SplitReview] = Field(description="for each row of the table of results.json")
    oracle: dict[str, float] | None


class TrainingResults(ResultFile):
    """The content of results.json, by `train`: null `tuning` is a family without tuning, null `oracle` real data.

    `publish` adds the figures of the test split; in the folder of a run there are none.
    """

    run: str
    family: str
    code_version: str
    catalogue: str
    seed_of_training: int
    folds: int
    constraints: bool
    with_age: bool
    lawful: Reading = "usual"
    costs: CostAssumptions
    economics: LoanEconomics
    metrics: dict[str, float]
    intervals: dict[SplitName, dict[str, Interval]]
    business: dict[SplitName, dict[Policy, PolicyCost]]
    sensitivity: list[RatioCost]
    review: Review | None = None
    calibration: CalibrationResult
    tuning: dict[str, Any] | None
    oracle: dict[str, float] | None
    fairness: Fairness
    explanations: Explanations
    test_split: Opening | None = None

    def metric(self, split: SplitName, name: str) -> float | None:
        """Return a metric of one split, or None where the run did not write it."""
        return self.metrics.get(f"{split}_{name}")


class ServedFeatures(ResultFile):
    """The content of served_features.json, by `publish`: the features of the published model, in its order."""

    run: str
    features: list[str]


class GateCheck(Part):
    """One condition that the challenger must meet, and the measured value in words."""

    name: str
    passed: bool
    found: str


class GateResult(ResultFile):
    """The content of gate.json, by `promote`; `clients` counts those of the gate split."""

    promoted: bool
    challenger: str
    champion: str | None
    checks: list[GateCheck]


class ComparisonVerdict(Part):
    """The best family that can be served beside the best that cannot."""

    best_served: str
    challenger: str
    saved_per_client: Interval
    served_is_beaten: bool
    statement: str = Field(alias="said")  # wire name


class FoldFigures(Part):
    """Figures of a candidate in one fold."""

    auc: float
    pr_auc: float
    log_loss: float
    brier: float
    gini: float | None = None
    ks: float | None = None
    cost_at_theory: float
    cost: float
    fit_seconds: float | None = None
    score_ms_per_1000: float | None = None


class ComparisonRow(Part):
    """One candidate; a policy without scores has only costs."""

    candidate: str
    family: str
    arm: str
    served: bool
    run: str
    reused: bool
    setting: dict[str, Any]
    cost_per_client: Interval
    money_per_client: float
    refused_share: float
    thresholds: list[float]
    peak_memory_mib: float | None
    memory_gained_mib: float | None
    fit_seconds: float | None
    score_ms_per_1000: float | None
    cost_per_client_at_theory: Interval | None = None
    auc: float | None = None
    gini: float | None = None
    ks: float | None = None
    pr_auc: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    predicted_over_observed: float | None = None
    by_fold: list[FoldFigures] | None = None
    calibration_slope: float | None = None
    calibration_intercept: float | None = None
    cost_above_best: Interval | None = None
    cost_above_champion: Interval | None = None


class Comparison(ResultFile):
    """The content of comparison.json, by `compare`: candidates on the same folds, the cheapest first."""

    run: str
    development_clients: int
    folds: int
    folds_seed: int
    costs: CostAssumptions
    economics: LoanEconomics
    metric: str
    best: str
    verdict: ComparisonVerdict | None
    rows: list[ComparisonRow]


class Arm(Part):
    """One way to fit, and its gain over another; errors are standard errors."""

    arm: str
    features: float
    trees: float
    auc: float
    auc_error: float
    gini: float | None = None
    ks: float | None = None
    cost: float
    cost_error: float
    against: str | None = None
    auc_gain: float | None = None
    auc_gain_error: float | None = None
    cost_gain: float | None = None
    cost_gain_error: float | None = None


class FeatureStudy(ResultFile):
    """The content of feature_study.json, by `study`."""

    development_clients: int
    tables: list[Arm]
    numbers: list[Arm]
    variants: list[Arm]
    decisions: dict[str, Any]
    features: list[str]


class QuotableArm(Arm):
    """An arm, the families of features that it leaves out, and the set of features that it holds monotone."""

    left_out: list[str]
    directions: str


class QuotableStudy(ResultFile):
    """The content of quotable.json, by `quotable`: the arms, and what is left out and held by default."""

    development_clients: int
    folds: int
    folds_seed: int
    arms: list[QuotableArm]
    left_out: list[str]
    directions: str


class LawfulArm(Arm):
    """An arm, and the doubtful features that it leaves out beside what is left out by default."""

    doubtful: list[str]


class LawfulStudy(ResultFile):
    """The content of lawful.json, by `lawful`: the default, a strict reading of the law, and each doubt alone."""

    development_clients: int
    folds: int
    folds_seed: int
    arms: list[LawfulArm]


class GroupApproval(Part):
    """Approval rates of groups, the largest difference between them, and signed ones to the group of most clients."""

    rates: dict[str, float]
    gap: Interval | None = Field(description="between the extreme groups: its interval never holds 0")
    reference: str | None = None
    differences: dict[str, Interval] = Field(default={}, description="approval rate of a group less the reference's")


class PriceArm(Arm):
    """An arm with its approval rates by gender and by age."""

    given_gender: bool
    features_of_age: float
    approval: dict[str, GroupApproval]


class Price(Part):
    """What a protected attribute would add to AUC and save in cost."""

    leaving_out: str
    auc: Interval
    cost: Interval


class FairnessPrice(ResultFile):
    """The content of fairness_price.json, by `fairness`."""

    development_clients: int
    folds: int
    folds_seed: int
    constraints: bool
    arms: list[PriceArm]
    prices: list[Price]


class MitigationArm(Arm):
    """Training rows weighted by group and outcome, to a power, and what that does to the group."""

    strength: float
    approval_ratio: Interval = Field(description="approval rate of the group over that of all others")
    ratio_gain: Interval | None
    cost_change: Interval | None = Field(description="per client, in good clients refused")
    predicted_over_observed: Interval = Field(description="defaults of the group")


class Mitigation(ResultFile):
    """The content of mitigation.json, by `mitigation`: the first arm is the model as it is."""

    development_clients: int
    young_clients: int
    folds: int
    folds_seed: int
    group: str
    arms: list[MitigationArm]


class MissingField(Part):
    """What leaving one field out changes, over the credit files that hold it; changes of the PD are relative."""

    field: str
    files: int
    changed: float | None = Field(description="share of the files whose PD changed")
    mean_change: float | None
    mean_absolute_change: float | None
    largest_change: float | None = Field(description="with its sign")
    flipped: int = Field(description="decisions that changed")
    warned: int = Field(description="answers that name the field under warnings")


class MissingFields(ResultFile):
    """The content of missing_fields.json, by `missing`: each optional field left out in turn."""

    run: str
    files: int
    seed_of_draw: int
    fields: list[MissingField]


class ProposalMedians(Part):
    """Medians of what the nearest proposals change, as shares of what was asked for; null where there is none."""

    loan_cut: float | None
    instalment_cut: float | None
    additional_months: float | None = Field(description="of those with a longer term")
    cost: float | None


class Counterfactuals(ResultFile):
    """The content of counterfactuals.json, by `counterfactuals`: shares of applications that are not granted."""

    run: str
    sample_seed: int
    files: int
    reviewed: int
    with_proposal: Interval
    by_kind: dict[str, float]
    with_two: float
    with_down_payment: float = Field(description="of which the nearest loan leaves a part of the price to the client")
    not_confirmed: int
    medians: ProposalMedians


class ReasonFidelity(Part):
    """What happens to PDs of refused files when what the first reason names becomes as usual among similar clients."""

    files: int
    falls: Interval = Field(description="share in which the PD falls")
    falls_more: Interval = Field(description="share in which it falls by more than for another concept, at random")
    both: Interval = Field(description="share in which it falls, and by more")
    median_fall: float | None = Field(description="relative to the PD")
    median_fall_of_other: float | None


class ReasonStability(Part):
    """Reasons of the same refused files by a model that was trained again."""

    model: str = Field(description="how it was trained")
    same_first: Interval = Field(description="share of the files with the same first reason")
    first_among_reasons: Interval = Field(description="share in which the first reason is one of the others' reasons")


class ReasonQuality(ResultFile):
    """The content of reasons.json, by `reasons`: fidelity and stability of the first reasons of refusals."""

    run: str
    seed_of_draw: int
    decisions: int = Field(description="files of the test split that were scored to find the refused ones")
    without_fact: Interval = Field(description="share of the decisions whose first reason quotes no fact")
    refused_without_fact: Interval = Field(description="the same, of the refused files")
    fidelity: ReasonFidelity
    fidelity_by_kind: dict[str, ReasonFidelity] = Field(
        description="by what the first reason names: quoted facts, a concept without a fact, or something unknown"
    )
    stability: list[ReasonStability]


class FidelityFinding(Part):
    """One figure of the synthetic tables beside the real one."""

    table: str
    column: str
    measure: str
    fact: int | float
    """The real figure; for KS the probability at which the distance is largest."""
    found: float | None
    """The figure of the tables; None for KS."""
    distance: float
    bound: float
    passed: bool


class DiscriminatorResult(Part):
    """How well a model tells real rows from synthetic ones: AUC, and the share of gain of its main columns."""

    table: str
    auc: float
    columns: dict[str, float]


class FidelityReport(Part):
    """The content of fidelity.json, by `fidelity`."""

    data: str
    clients: int
    seed: int
    passed: bool
    correlation_error: dict[str, float]
    told_apart: list[DiscriminatorResult]
    findings: list[FidelityFinding]


FileModel = TypeVar("FileModel", bound=BaseModel)


def read(model: type[FileModel], path: Path) -> FileModel:
    """Read a result file; raise CommandError where there is none, or another version of the code wrote it."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise CommandError(
            f"{path}: not a {model.__name__} of this code ({where}: {fault['msg']}); run its command again"
        ) from error


def read_if_present(model: type[FileModel], path: Path) -> FileModel | None:
    """Read a result file, or return None where there is none."""
    return read(model, path) if path.is_file() else None


def written(result: BaseModel) -> dict[str, Any]:
    """Return the JSON of a result as it was read: keys that the file did not hold stay out."""
    return result.model_dump(mode="json", exclude_unset=True, by_alias=True)
