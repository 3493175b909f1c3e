"""Count how often two samples of one population count as drift, and from which size injected shifts are found."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from drift.compare import application_fields, comparable, compare
from drift.judge import judge
from tests.drift_proof.results import NullSize, PowerPoint
from tests.drift_proof.shifts import SHIFTS, Injected
from tests.drift_proof.world import World

COMPARISONS = 280
"""Distances of a report on all columns and about 80 features, at whose limit a column is judged."""
MAX_VERDICT_SEEDS = 20
"""Samples for a shift that only the whole report can find; it takes seconds each."""
MAX_VERDICT_SIZE = 5_000


def null(world: World, sizes: Sequence[int], seeds: int) -> Iterator[NullSize]:
    """Yield the false alarms between random samples of one population, for each size."""
    for size in sizes:
        false, by_columns, columns, compared = 0, 0, 0, 0
        for seed in range(seeds):
            (reference, before), (current, now) = (world.part(rows) for rows in world.halves(size, seed))
            report = judge(reference, current, world.weighed(before, now)).report
            false += report.verdict == "drift"
            drifted = len(report.drifted_columns) + len(report.drifted_features)
            by_columns += drifted > 0
            columns += drifted
            compared += report.comparisons
        yield NullSize(
            rows=size, seeds=seeds, false_verdicts=false, any_column=by_columns, column_rate=columns / compared
        )


def power(world: World, sizes: Sequence[int], seeds: int, evidently_seeds: int) -> Iterator[PowerPoint]:
    """Yield the share of samples in which each shift is found, for each size, beside plain Evidently.

    Of a shift with columns, only these are compared, at the limit of COMPARISONS; one without columns is found where
    the verdict of the whole report is drift.
    """
    for injected in SHIFTS:
        tries = seeds if injected.columns else min(seeds, MAX_VERDICT_SEEDS)
        applications = world.population.applications.select(injected.columns or pl.all())
        for size in sizes if injected.columns else [size for size in sizes if size <= MAX_VERDICT_SIZE]:
            detected, by_evidently = 0, 0
            for seed in range(tries):
                rows, other = world.halves(size, seed)
                samples = injected.apply(applications[rows], applications[other], np.random.default_rng(seed))
                detected += (
                    _columns_drift(injected, *samples)
                    if injected.columns
                    else _verdict_is_drift(world, rows, other, samples[1])
                )
                by_evidently += seed < evidently_seeds and _evidently_finds(*samples, injected.columns)
            yield PowerPoint(
                shift=injected.name,
                by="columns" if injected.columns else "verdict",
                rows=size,
                seeds=tries,
                detected=detected / tries,
                evidently=by_evidently / min(evidently_seeds, tries) if evidently_seeds else None,
            )


def _columns_drift(injected: Injected, before: pl.DataFrame, now: pl.DataFrame) -> bool:
    results = compare(comparable(before), comparable(now), application_fields(injected.columns))
    return all(result.drifted(COMPARISONS) for result in results)


def _verdict_is_drift(world: World, rows: np.ndarray, other: np.ndarray, now: pl.DataFrame) -> bool:
    (reference, before), (current, after) = world.part(rows), world.rescored(other, now)
    return judge(reference, current, world.weighed(before, after)).report.verdict == "drift"


def _evidently_finds(before: pl.DataFrame, now: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether Evidently's preset flags the columns; without any, whether it finds drift in the data set.

    It fails on a column without values, so that such a column is left out.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    fields = application_fields(columns or None)
    frames = [comparable(frame).select(field.name for field in fields) for frame in (before, now)]
    fields = [field for field in fields if all(frame[field.name].count() > 1 for frame in frames)]
    numbers = [field.name for field in fields if field.measure == "number"]
    categories = [field.name for field in fields if field.measure == "category"]
    casts = [pl.col(numbers).cast(pl.Float64), pl.col(categories).cast(pl.String)]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    datasets = [Dataset.from_pandas(frame.select(casts).to_pandas(), definition) for frame in reversed(frames)]
    content = Report([DataDriftPreset(columns=[*numbers, *categories])], include_tests=True).run(*datasets).dict()
    tests = {test["metric_config"]["params"].get("column"): test["status"] for test in content["tests"]}
    return all(tests[name] == "FAIL" for name in columns or (None,))
