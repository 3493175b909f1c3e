"""Keys that one object of a JSON document holds twice: a parser keeps the last value without a word."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

Place = tuple[str | int, ...]
"""Keys of objects and positions in lists, from the root of a document."""


def kept_keys(content: Any, levels: int) -> int:
    """Count the keys of a parsed document, in objects within at most `levels` objects; lists are no level.

    >>> kept_keys({"application": {"AMT_CREDIT": 1, "X": {"Y": 1}}, "bureau": [{"A": 1}, {}]}, levels=2)
    5
    """
    if isinstance(content, list):
        # Rows are counted here: to call a function for each of them takes longer than all the rest.
        return sum(len(row) if levels == 1 and type(row) is dict else kept_keys(row, levels) for row in content)
    if not isinstance(content, dict):
        return 0
    return len(content) + (sum(kept_keys(value, levels - 1) for value in content.values()) if levels > 1 else 0)


def repeated_keys(document: bytes, kept: int) -> Iterator[Place]:
    """Yield the path of each key that its object holds more than once.

    Of two equal keys only the last one's value is searched for others.

    Args:
        document: JSON that a parser has accepted.
        kept: keys that were counted in what the parser made of it (`kept_keys`). A document of no more keys repeats
            none, which is found in a tenth of the time that parsing takes; any other is parsed again.
    """
    if b"\\" not in document and _written_keys(document) == kept:
        return
    repeating: list[_Repeating] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            content = _Repeating(pairs)
            repeating.append(content)
        return content

    # Numbers do not matter, and Python refuses to parse long ones.
    parsed = json.loads(document.decode(), object_pairs_hook=object_of, parse_int=len, parse_float=len)
    if repeating:
        yield from _paths(parsed)


class _Repeating(dict[str, Any]):
    """An object of a document with repeated keys."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _written_keys(document: bytes) -> int:
    """Count the colons of a document outside its texts; right where no text holds a backslash."""
    is_quote = np.frombuffer(document.translate(None, _NEITHER_QUOTE_NOR_COLON), np.uint8) == ord('"')
    is_in_text = np.logical_xor.accumulate(is_quote)
    return int(np.count_nonzero(~is_quote & ~is_in_text))


_NEITHER_QUOTE_NOR_COLON = bytes(character for character in range(256) if character not in b'":')


def _paths(content: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(content, _Repeating):
        yield from ((*place, key) for key in content.repeated)
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _paths(value, (*place, key))
