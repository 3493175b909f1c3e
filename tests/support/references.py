"""A reference file for model folders that tests write by hand."""

from collections.abc import Sequence

from bento.features.definitions import Value
from bento.model.peer_groups import AMOUNTS, MIN_GROUP_SIZE, RATIOS, PeerGroup, Range, Reference


def any_reference(names: Sequence[str]) -> Reference:
    """Return wide ranges, one segment of all clients without values, and no product."""
    ranges = {name: Range(low=1, high=1e9) for name in AMOUNTS} | {name: Range(low=0.01, high=1e3) for name in RATIOS}
    medians: dict[str, Value] = dict.fromkeys(names)
    everybody = PeerGroup(income_type=None, low=None, high=None, clients=MIN_GROUP_SIZE, medians=medians)
    return Reference(ranges=ranges, usual={}, groups=[everybody], fields={}, products=[])
