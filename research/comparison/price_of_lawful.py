"""Price leaving out the features that a strict reading of the law doubts, all together and by circumstance."""

import argparse
from collections.abc import Mapping
from typing import Any

from research.cli import add_data_option, shown
from research.comparison.price_of_quotable import Bench, Rank, Settings, Variant, table
from research.data.dataset import DATA, Data, open_data
from research.options import add_options, settings_from
from research.results import LAWFUL_FILE, LawfulStudy
from research.training import boosting
from research.training.feature_selection import rank
from research.training.lawful import doubtful_by_circumstance, doubtful_features
from research.training.quoted import DIRECTIONS, LEFT_OUT, features_of_families

EXAMPLE = "python -m research lawful --data data/raw"
DEFAULTS = Settings()
USUAL = Variant(name="usual reading, the default", left_out=LEFT_OUT, directions=DIRECTIONS)
"""The arm that the others are compared with."""
STRICT = Variant(
    name="strict reading",
    left_out=LEFT_OUT,
    directions=DIRECTIONS,
    features_left_out=tuple(sorted(doubtful_features())),
)


def by_circumstance() -> list[Variant]:
    """Return an arm for each circumstance that the law may doubt, and of which the default model is given features."""
    excluded = features_of_families(LEFT_OUT)
    return [
        Variant(
            name=f"without {name}", left_out=LEFT_OUT, directions=DIRECTIONS, features_left_out=tuple(sorted(features))
        )
        for name, features in doubtful_by_circumstance().items()
        if features - excluded and (boosting.WITH_AGE or name != "age")
    ]


def price_of_lawful(
    data: Data,
    settings: Settings = DEFAULTS,
    ranker: Rank = rank,
    parameters: Mapping[str, Any] = boosting.PARAMETERS,
) -> LawfulStudy:
    """Compare, out of fold, the default with models that are not given what a strict reading doubts.

    Of each fold the features are ranked once; an arm gets as many of the best as it may. Gains are paired by client,
    with standard errors, which do not include the randomness of the fit.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    variants = [USUAL, STRICT, *by_circumstance()]
    bench = Bench(data, settings, ranker, parameters, base=USUAL)
    base, *others = bench.fit(variants)
    rows = [base.row(), *(result.row(base) for result in others)]
    return LawfulStudy.model_validate(
        data.source.model_dump()
        | {
            "development_clients": len(bench.data),
            "folds": settings.folds,
            "folds_seed": settings.seed,
            "arms": [
                row | {"doubtful": list(variant.features_left_out)} for variant, row in zip(variants, rows, strict=True)
            ],
        }
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)


def run(options: argparse.Namespace) -> None:
    """Measure, write the file, and print the table."""
    settings = settings_from(Settings, options)
    content = price_of_lawful(open_data(options.data), settings)
    out = DATA / "results" / "lawful"
    out.mkdir(parents=True, exist_ok=True)
    (out / LAWFUL_FILE).write_text(content.model_dump_json(indent=1, exclude_unset=True) + "\n")
    print("\n".join(table(content.arms)))
    print(f"written: {shown(out)}; publish it with: python -m research publish lawful")
