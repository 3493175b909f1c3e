import asyncio
from itertools import pairwise

import pytest

from bento.api.process_tuning import ScoringSlots


@pytest.mark.parametrize(("maximum", "most_between"), [(4, 4), (100, 20)])
def test_the_slots_limit_what_is_scored_in_one_loop_iteration(maximum: int, most_between: int):
    async def most_scored_between_two_iterations() -> int:
        slots, scored, counts = ScoringSlots(maximum), [], [0]

        async def request(number: int) -> None:
            async with slots.slot():
                scored.append(number)

        async def health_check() -> None:
            while len(scored) < 20:
                await asyncio.sleep(0)
                counts.append(len(scored))

        await asyncio.gather(*(request(number) for number in range(20)), health_check())
        return max(after - before for before, after in pairwise(counts))

    assert asyncio.run(most_scored_between_two_iterations()) == most_between


def test_a_slot_is_free_again_after_a_failure():
    async def scored() -> int:
        slots = ScoringSlots(1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with slots.slot():
                    raise ZeroDivisionError
        async with slots.slot():
            return 1

    assert asyncio.run(scored()) == 1
