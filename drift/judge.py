"""Decide whether two populations differ in what matters to the model's decisions.

Columns are not counted. The verdict is drift where one of these holds, each beyond what chance does at these sizes:

- the distribution of the PD changed (PSI above its threshold);
- the approval rate changed by MIN_APPROVAL_CHANGE or more;
- the drifted features, given to clients of the reference, change their PD by MIN_PD_CHANGE of its mean or more;
- the features of the model, taken together, tell the populations apart (AUC of MIN_AUC or more), as they do where a
  correlation breaks and every single distribution stays.

A changed column cannot be weighed without a model, nor a column judged that is absent or unreadable: the
verdict is then "could not tell", and the report names what the rest says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from bento.features.catalogue import needed_columns
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from drift.adversarial import Separation, separation
from drift.champion import Scores
from drift.compare import Comparison, Field, application_fields, comparable, compare, comparisons_in, feature_fields
from drift.distributions import FALSE_ALARMS, MIN_EFFECT, Distance, number_distance
from drift.populations import Population
from drift.summary import (
    ColumnResult,
    DriftReport,
    EffectResult,
    Figures,
    PdResult,
    SeparationResult,
    Side,
    Verdict,
)
from drift.transport import Effect, approval_rate, effect, transported

GROUNDS = 4
"""Grounds of the verdict, which share FALSE_ALARMS."""
MIN_PD_PSI = 0.01
"""PSI of the PD beyond what chance adds: a mean that moves by 0.1 deviations."""
MIN_APPROVAL_CHANGE = 0.01
MIN_PD_CHANGE = 0.05
MIN_AUC = 0.6
MAX_MOVED = 5_000
"""Clients of the reference on which the effect of drifted features is measured."""
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The report, and the frames to draw: raw columns, and the features with PD where there is a model."""

    report: DriftReport
    columns: tuple[pl.DataFrame, pl.DataFrame]
    features: tuple[pl.DataFrame, pl.DataFrame] | None
    weighed: "Weighed | None"


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What a model says of both populations."""

    tag: str
    model: ScoringModel
    reference: Scores
    current: Scores


def judge(
    reference: Population, current: Population, weighed: Weighed | None, fields: Sequence[Field] | None = None
) -> Judgement:
    """Compare two populations, by default in all columns, and weigh the changes by the model where there is one."""
    fields = application_fields() if fields is None else fields
    raw = comparable(reference.applications), comparable(current.applications)
    columns = compare(*raw, fields)
    features = [] if weighed is None else _compare_features(weighed)
    total = comparisons_in([*columns, *features])
    effects = {} if weighed is None else _effects(weighed, [result for result in features if result.drifted(total)])
    together = effects.pop("", None)
    separated = _separation_of(
        *(side.select(field.name for field in fields if field.name in side.columns) for side in raw)
    )
    grounds = [] if weighed is None else list(_grounds(weighed, together))
    by_features = None
    if weighed is not None:
        names = weighed.model.feature_names
        by_features = separation(weighed.reference.features.select(names), weighed.current.features.select(names))
        if by_features.is_beyond_chance and by_features.auc >= MIN_AUC:
            grounds.append(
                f"the model's features tell the populations apart (AUC {by_features.auc:.2f}), "
                f"most by {', '.join(list(by_features.gains)[:3])}"
            )
    faults = [*reference.faults, *current.faults]
    drifted = [result for result in columns if result.drifted(total)]
    counted = f"{len(drifted)} of {sum(not result.note for result in columns)} columns drifted"
    verdict = _verdict(grounds, faults, weighed, drifted, separated)
    origin = current if reference.data == "journal" else reference
    report = DriftReport(
        data=origin.data,
        clients=origin.clients,
        seed=origin.seed,
        reference=_side(reference, weighed.reference if weighed else None),
        current=_side(current, weighed.current if weighed else None),
        model=weighed.tag if weighed else None,
        false_alarms=FALSE_ALARMS,
        comparisons=total,
        verdict=verdict,
        sentence=_sentence(verdict, grounds, faults, counted, weighed),
        grounds=grounds,
        faults=faults,
        notes=[*reference.notes, *current.notes, *_unit_notes(columns, total)],
        probability=None if weighed is None else _pd_result(weighed, current),
        effect=None if together is None else _effect_result(together),
        features_separation=None if by_features is None else _separation_result(by_features),
        columns_separation=_separation_result(separated),
        columns=_sorted(columns, total, _by_column(effects, fields)),
        features=_sorted(features, total, {name: item.change for name, item in effects.items()}),
    )
    return Judgement(
        report=report,
        columns=raw,
        weighed=weighed,
        features=None if weighed is None else (_with_pd(weighed.reference), _with_pd(weighed.current)),
    )


def _compare_features(weighed: Weighed) -> list[Comparison]:
    fields = feature_fields(weighed.model.feature_names)
    return compare(weighed.reference.features, weighed.current.features, fields)


def _effects(weighed: Weighed, drifted: Sequence[Comparison]) -> dict[str, Effect]:
    """Return the effect of each drifted feature on clients of the reference, and under "" that of all together."""
    if not drifted:
        return {}
    random = np.random.default_rng(SEED)
    before, now = weighed.reference.features, weighed.current.features
    rows = before[np.sort(random.permutation(before.height)[:MAX_MOVED])]
    names = [result.field.name for result in drifted]
    moved = {name: transported(rows[name], before[name], now[name], random) for name in names}
    effects = {name: effect(weighed.model, rows, {name: moved[name]}) for name in names}
    return effects | {"": effect(weighed.model, rows, moved)}


def _by_column(effects: dict[str, Effect], fields: Sequence[Field]) -> dict[str, float]:
    """Return the largest effect of the features that are computed from each column of the application."""
    largest: dict[str, float] = {}
    names = {field.name for field in fields}
    for feature, item in effects.items():
        for column in names.intersection(needed_columns([feature])["application"]):
            largest[column] = max(largest.get(column, 0.0), item.change)
    return largest


def _grounds(weighed: Weighed, together: Effect | None) -> Iterator[str]:
    scores = _pd_distance(weighed)
    before, now = weighed.reference.probability, weighed.current.probability
    if scores.drifted(GROUNDS, MIN_PD_PSI):
        yield (
            f"the PD changed: PSI {scores.psi:.3f} (threshold {scores.limit(GROUNDS, MIN_PD_PSI):.3f}), "
            f"mean {before.mean():.3f} → {now.mean():.3f}"
        )
    rates = [approval_rate(weighed.model, values) for values in (before, now)]
    change = rates[1] - rates[0]
    if abs(change) >= max(MIN_APPROVAL_CHANGE, _approval_by_chance(weighed)):
        yield f"the approval rate changed by {100 * change:+.1f} points, {rates[0]:.1%} → {rates[1]:.1%}"
    if together is not None and together.change >= MIN_PD_CHANGE:
        yield (
            f"the drifted features change the PD of the reference's clients by {together.change:.0%} of its mean "
            f"and {together.flipped:.1%} of their decisions"
        )


def _pd_distance(weighed: Weighed) -> Distance:
    return number_distance(weighed.reference.probability, weighed.current.probability)


def _approval_by_chance(weighed: Weighed) -> float:
    """Return the difference of approval rates that chance exceeds with probability FALSE_ALARMS / GROUNDS."""
    rates = [approval_rate(weighed.model, scores.probability) for scores in (weighed.reference, weighed.current)]
    sizes = [len(scores.probability) for scores in (weighed.reference, weighed.current)]
    share = sum(rate * size for rate, size in zip(rates, sizes, strict=True)) / sum(sizes)
    error = np.sqrt(share * (1 - share) * sum(1 / size for size in sizes))
    return float(NormalDist().inv_cdf(1 - FALSE_ALARMS / GROUNDS / 2) * error)


def _separation_of(reference: pl.DataFrame, current: pl.DataFrame) -> Separation:
    common = [name for name in reference.columns if name in current.columns]
    return separation(reference.select(common), current.select(common))


def _verdict(
    grounds: Sequence[str],
    faults: Sequence[str],
    weighed: Weighed | None,
    drifted: Sequence[Comparison],
    separated: Separation,
) -> Verdict:
    if faults:
        return "could not tell"
    if grounds:
        return "drift"
    unweighed = weighed is None and (drifted or (separated.is_beyond_chance and separated.auc >= MIN_AUC))
    return "could not tell" if unweighed else "no drift"


def _sentence(
    verdict: Verdict, grounds: Sequence[str], faults: Sequence[str], counted: str, weighed: Weighed | None
) -> str:
    if faults:
        rest = "; ".join(grounds) or "no drift"
        return f"Could not tell: a part could not be judged ({len(faults)} faults); the rest: {rest}. ({counted}.)"
    if verdict == "drift":
        return f"Drift: {'; '.join(grounds)}. ({counted}.)"
    if verdict == "could not tell":
        weight = "there is no model to weigh them by; import one (`make import`) or name it with --model"
        return f"Could not tell: {counted}, and {weight}."
    if weighed is None:
        return f"No drift: {counted}."
    return f"No drift: {counted}, and neither PD nor approval rate changed by more than chance or a small change."


def _unit_notes(results: Sequence[Comparison], total: int) -> Iterator[str]:
    for result in results:
        if result.factor is not None and result.drifted(total):
            yield f"{result.field.name}: all values are {result.factor:.4g} times those of the reference; another unit?"


def _pd_result(weighed: Weighed, current: Population) -> PdResult:
    before, now = weighed.reference.probability, weighed.current.probability
    decided = [decision.decision == Decision.GRANTED for decision in current.decisions]
    return PdResult(
        **_figures(_pd_distance(weighed), GROUNDS, MIN_PD_PSI).model_dump(),
        mean_reference=_rounded(before.mean()),
        mean_current=_rounded(now.mean()),
        approval_reference=_rounded(approval_rate(weighed.model, before)),
        approval_current=_rounded(approval_rate(weighed.model, now)),
        approval_by_chance=_rounded(_approval_by_chance(weighed)),
        approval_as_decided=_rounded(float(np.mean(decided))) if decided else None,
    )


def _side(population: Population, scores: Scores | None) -> Side:
    return Side(name=population.name, rows=population.rows, rows_scored=0 if scores is None else scores.features.height)


def _with_pd(scores: Scores) -> pl.DataFrame:
    return scores.features.with_columns(pl.Series("PD", scores.probability))


def _effect_result(together: Effect) -> EffectResult:
    return EffectResult(
        pd_change=_rounded(together.change),
        flipped=_rounded(together.flipped),
        rank_correlation=_rounded(together.rank_correlation),
    )


def _separation_result(result: Separation) -> SeparationResult:
    gains = {name: _rounded(share) for name, share in result.gains.items()}
    return SeparationResult(auc=_rounded(result.auc), by_chance=_rounded(result.by_chance), gains=gains)


def _figures(distance: Distance, total: int, least: float = MIN_EFFECT) -> Figures:
    if not distance.freedom:
        return Figures(psi=None, threshold=None, drifted=False)
    return Figures(
        psi=_rounded(distance.psi),
        threshold=_rounded(distance.limit(total, least)),
        drifted=distance.drifted(total, least),
    )


def _sorted(results: Sequence[Comparison], total: int, changes: dict[str, float]) -> list[ColumnResult]:
    """Return the results, those that drifted first, by what they do to the PD and then by their PSI."""
    ordered = sorted(
        results,
        key=lambda result: (not result.drifted(total), -changes.get(result.field.name, 0.0), -result.psi),
    )
    return [_column(result, total, changes.get(result.field.name)) for result in ordered]


def _column(result: Comparison, total: int, change: float | None) -> ColumnResult:
    drifted = result.drifted(total)
    return ColumnResult(
        column=result.field.name,
        measure=result.field.measure,
        audit_only=result.field.audit_only,
        drifted=drifted,
        values=_figures(result.values, total),
        missing=_figures(result.missing, total),
        missing_reference=_rounded(result.missing_reference),
        missing_current=_rounded(result.missing_current),
        middle_reference=_middle(result.middle_reference),
        middle_current=_middle(result.middle_current),
        new_categories=list(result.new),
        gone_categories=list(result.gone),
        factor=result.factor if drifted else None,
        pd_change=None if change is None else _rounded(change),
        note=result.note,
    )


def _middle(value: float | str | None) -> float | str | None:
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
