"""The model that the pipeline trained, and credit files to try it on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication, score
from research.data.example_credit_files import example_credit_files

FILES = 60

Json = dict[str, Any]
Score = Callable[[Sequence[Json]], list[ScoredApplication]]


@pytest.fixture(scope="session")
def model(bento_tag: str, model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="session")
def files() -> list[Json]:
    """Return credit files of synthetic clients whom no training has met, from no history to a long one."""
    return example_credit_files(FILES)


@pytest.fixture(scope="session")
def scored(model: ScoringModel) -> Score:
    """Return a function that decides credit files as the service does, each with its reasons."""

    rules = Rules(Rulebook.read(), model.reference.usual)

    def score_files(contents: Sequence[Json]) -> list[ScoredApplication]:
        parsed = [CreditFile.model_validate(content) for content in contents]
        return score(model, parsed, rules=rules, reasons=True)

    return score_files
