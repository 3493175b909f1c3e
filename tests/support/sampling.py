"""How much of a long test runs: a part by default, all of it in CI or with HYPOTHESIS_PROFILE=ci."""

import random
from collections.abc import Iterable

from hypothesis import settings

NAMES = 40
"""Names of a long list that a test goes through by default."""
SEED = 1


def is_whole() -> bool:
    """Return whether the tests run whole, as in CI."""
    return settings.get_current_profile_name() == "ci"


def sampled(names: Iterable[str], count: int = NAMES) -> list[str]:
    """Return `count` of the names, the same ones in every run; in CI all of them."""
    every = list(names)
    return every if is_whole() or len(every) <= count else random.Random(SEED).sample(every, count)  # noqa: S311


def examples(count: int) -> int:
    """Return the number of Hypothesis examples of an expensive test: `count` in CI, a third of it otherwise."""
    return count if is_whole() else max(count // 3, 5)
