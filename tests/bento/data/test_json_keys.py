import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from bento.data.json_keys import Place, kept_keys, repeated_keys

_texts = st.sampled_from(["a", "b", "é", "a:b", ":", '"', "\\", '":', "{}", "\u2028"])
_documents = st.recursive(
    st.none() | st.integers() | st.just(1e300) | _texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.tuples(_texts, inner), max_size=4).map(tuple)
        | st.lists(st.tuples(st.just("a"), inner), min_size=1, max_size=2).map(tuple)
    ),
    max_leaves=12,
)


def _written(content: Any, ascii_only: bool) -> str:
    if isinstance(content, tuple):
        keys = ((json.dumps(key, ensure_ascii=ascii_only), value) for key, value in content)
        return "{ " + ", ".join(f"{key} : {_written(value, ascii_only)}" for key, value in keys) + "}"
    if isinstance(content, list):
        return "[" + ",".join(_written(item, ascii_only) for item in content) + "]"
    return json.dumps(content, ensure_ascii=ascii_only)


def _expected(content: Any, place: Place = ()) -> set[Place]:
    if isinstance(content, tuple):
        keys = [key for key, _ in content]
        here = {(*place, key) for key in keys if keys.count(key) > 1}
        return here.union(*(_expected(value, (*place, key)) for key, value in dict(content).items()))
    if isinstance(content, list):
        return set[Place]().union(*(_expected(item, (*place, at)) for at, item in enumerate(content)))
    return set()


@given(_documents, st.booleans(), st.integers(1, 4))
def test_the_keys_found_are_those_that_the_document_repeats(content: Any, ascii_only: bool, levels: int):
    document = _written(content, ascii_only).encode()
    kept = kept_keys(from_json(document), levels)
    paths = list(repeated_keys(document, kept))
    assert set(paths) == _expected(content)
    assert len(paths) == len(set(paths))


def test_a_key_is_the_same_however_it_is_spelt():
    document = rb'{"a": 1, "\u0061": 2}'
    assert list(repeated_keys(document, kept_keys(from_json(document), 1))) == [("a",)]


@pytest.mark.parametrize("hidden", [r'"x": "\u003a"', r'"x\u003a": 1', r'"x": "\":"'])
def test_colons_in_texts_hide_no_repeated_key(hidden: str):
    document = f'{{"a": 1, "a": 2, {hidden}}}'.encode()
    assert list(repeated_keys(document, kept_keys(from_json(document), 1))) == [("a",)]


def test_a_long_number_is_no_obstacle():
    document = b'{"a": 1, "a": ' + b"9" * 4_000 + b"}"
    assert list(repeated_keys(document, 1)) == [("a",)]
