"""The trees of a booster in LightGBM's text format, as arrays over all nodes and leaves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IS_CATEGORY, _MISSING_GOES_LEFT = 1, 2
"""Bits of LightGBM's `decision_type`; the kind of missing value is in the two bits above them."""
_ZERO_IS_MISSING, _NAN_IS_MISSING = 1, 2
_WORD_BITS = 32
"""Bits of a word of `cat_threshold`, which has a bit for each category that goes left."""
_LINES = frozenset(
    "num_leaves split_feature threshold decision_type left_child right_child leaf_value leaf_count internal_count "
    "cat_boundaries cat_threshold".split()
)
"""What is read of a tree."""

Matrix = NDArray[np.float64]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]


class Trees:
    """The nodes and leaves of all trees, each numbered through; a child below zero is the leaf `~child`."""

    def __init__(self, text: str) -> None:
        lines: dict[str, list[str]] = {name: [] for name in _LINES}
        for line in text.splitlines():
            name, _, content = line.partition("=")
            if name in lines:
                lines[name].append(content)

        def numbers(name: str, kind: Any = np.intp) -> Any:
            return np.array(" ".join(lines[name]).split(), np.float64).astype(kind)

        self._n_leaves = numbers("num_leaves")
        self.have_splits = len(self._n_leaves) > 0 and bool((self._n_leaves > 1).all())
        n_nodes = self._n_leaves - 1
        self._roots = np.cumsum(n_nodes) - n_nodes
        first_node = np.repeat(self._roots, n_nodes)
        first_leaf = np.repeat(np.cumsum(self._n_leaves) - self._n_leaves, n_nodes)
        self._children = []
        for name in ("left_child", "right_child"):
            child = numbers(name)
            self._children.append(np.where(child < 0, child - first_leaf, child + first_node))
        self.column, kind = numbers("split_feature"), numbers("decision_type")
        self.threshold = numbers("threshold", np.float64)
        self.leaf_value = numbers("leaf_value", np.float64)
        self._leaf_count, self._node_count = numbers("leaf_count"), numbers("internal_count")
        self.is_category = (kind & _IS_CATEGORY).astype(bool)
        missing = (kind >> 2) & 3
        self.zero_is_missing = bool((missing == _ZERO_IS_MISSING).any())
        # Where no value was missing in training, LightGBM reads one as 0.
        self.missing_goes_left = np.where(
            missing == _NAN_IS_MISSING, kind & _MISSING_GOES_LEFT != 0, self.threshold >= 0
        )
        self.missing_goes_left &= ~self.is_category
        self.category = np.cumsum(self.is_category) - 1
        """By node, its row of `categories`."""
        self.categories = _category_sets(lines["cat_boundaries"], lines["cat_threshold"])
        """Nodes on categories x codes: which go left; the last column is for all other values, which do not."""

    def steps(self) -> tuple[Integers, Integers, Booleans]:
        """Return all steps of all paths, from the leaves upwards: leaf, node, and whether the path goes left there."""
        n_nodes, n_leaves = len(self.column), len(self.leaf_value)
        parent_of_node, parent_of_leaf = np.full(n_nodes, -1), np.empty(n_leaves, np.intp)
        node_is_left, leaf_is_left = np.zeros(n_nodes, bool), np.zeros(n_leaves, bool)
        for children, is_left in zip(self._children, (True, False), strict=True):
            is_leaf = children < 0
            parent_of_leaf[~children[is_leaf]], leaf_is_left[~children[is_leaf]] = np.flatnonzero(is_leaf), is_left
            parent_of_node[children[~is_leaf]], node_is_left[children[~is_leaf]] = np.flatnonzero(~is_leaf), is_left
        leaf, node, goes_left = np.arange(n_leaves), parent_of_leaf, leaf_is_left
        steps = []
        while len(leaf):
            steps.append((leaf, node, goes_left))
            goes_left, node = node_is_left[node], parent_of_node[node]
            is_below_root = node >= 0
            leaf, node, goes_left = leaf[is_below_root], node[is_below_root], goes_left[is_below_root]
        leaf, node, goes_left = (np.concatenate(parts) for parts in zip(*steps, strict=True))
        return leaf, node, goes_left

    def cover(self, node: Integers, goes_left: Booleans) -> Matrix:
        """Return the share of a node's training rows that go left or right."""
        child = np.where(goes_left, self._children[0][node], self._children[1][node])
        count = np.where(child < 0, self._leaf_count[~np.minimum(child, -1)], self._node_count[np.maximum(child, 0)])
        return np.asarray(count / self._node_count[node])

    def base(self) -> float:
        """Return the sum over trees of the mean value of their leaves, weighted by training rows."""
        weighted = self.leaf_value * self._leaf_count / np.repeat(self._node_count[self._roots], self._n_leaves)
        return float(weighted.sum())


def _category_sets(bounds: Sequence[str], words: Sequence[str]) -> Booleans:
    """Read the sets of categories of all trees: each tree lists them in the order of its nodes."""
    sets: list[int] = []
    for of_tree, of_words in zip(bounds, words, strict=True):
        masks = [int(word) for word in of_words.split()]
        for start, end in pairwise(int(place) for place in of_tree.split()):
            sets.append(sum(mask << _WORD_BITS * at for at, mask in enumerate(masks[start:end])))
    width = max((codes.bit_length() for codes in sets), default=0) + 1
    return np.array([codes >> code & 1 for codes in sets for code in range(width)], bool).reshape(len(sets), width)
