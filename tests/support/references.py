"""A reference file for model folders that tests write by hand."""

from collections.abc import Sequence

from bento.model.peer_groups import AMOUNTS, MIN_GROUP_SIZE, RATIOS, Range, Reference, Segment


def any_reference(names: Sequence[str]) -> Reference:
    """Return wide ranges, and one segment of all clients without values."""
    ranges = {name: Range(low=1, high=1e9) for name in AMOUNTS} | {name: Range(low=0.01, high=1e3) for name in RATIOS}
    typical: dict[str, float | str | None] = dict.fromkeys(names)
    everybody = Segment(income_type=None, low=None, high=None, clients=MIN_GROUP_SIZE, typical=typical)
    return Reference(ranges=ranges, segments=[everybody])
