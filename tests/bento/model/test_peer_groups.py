import json
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from bento.model.peer_groups import AMOUNTS, REFERENCE_FILE, PeerGroup, Reference, ReferenceFileError
from tests.support.references import any_reference

BOUNDS = (None, 270_000, 513_531, None)


def group(income_type: str | None, low: float | None, high: float | None) -> PeerGroup:
    return PeerGroup(income_type=income_type, low=low, high=high, clients=60, medians={"application_credit": 1.0})


@pytest.fixture
def reference() -> Reference:
    """Groups of workers by loan, of all clients by loan, and of all clients."""
    groups = [
        *(group("Working", low, high) for low, high in pairwise(BOUNDS)),
        *(group(None, low, high) for low, high in pairwise(BOUNDS)),
        group(None, None, None),
    ]
    return any_reference([]).model_copy(update={"groups": groups})


@pytest.mark.parametrize(
    ("credit", "bounds"),
    [
        (0, (None, 270_000)),
        (269_999.9, (None, 270_000)),
        (270_000, (270_000, 513_531)),
        (513_531, (513_531, None)),
        (1e12, (513_531, None)),
    ],
)
@pytest.mark.parametrize(("income_type", "expected"), [("Working", "Working"), ("Student", None), (None, None)])
def test_an_application_belongs_to_the_narrowest_group(
    reference: Reference, credit: float, bounds: tuple[float | None, ...], income_type: str | None, expected: str | None
):
    group = reference.peer_group({"NAME_INCOME_TYPE": income_type, "AMT_CREDIT": credit})
    assert (group.income_type, group.low, group.high) == (expected, *bounds)


def test_without_a_narrow_group_all_clients_are_the_peers(reference: Reference):
    sparse = reference.model_copy(update={"groups": [*reference.groups[:3], reference.groups[-1]]})
    assert sparse.peer_group({"AMT_CREDIT": 300_000}) == group(None, None, None)


def test_a_group_is_described_in_both_languages():
    description = group("Working", 270_000, 513_531).description
    assert description.en == "clients with the same source of income and a loan of 270,000 to 513,531"
    assert description.fr == "clients ayant la même source de revenus et un prêt de 270\u202f000 à 513\u202f531"
    assert group(None, None, 270_000).description.en == (
        "clients with a loan below 270,000, whatever their source of income"
    )
    assert group(None, 1_000_000, None).description.fr.startswith("clients ayant un prêt de 1\u202f000\u202f000 ou")
    assert group(None, None, None).description.en == "all clients of the training data"


def test_a_saved_reference_is_loaded_unchanged(reference: Reference, tmp_path: Path):
    reference.save(tmp_path)
    assert Reference.load(tmp_path) == reference


def test_a_missing_file_is_reported_in_one_line(tmp_path: Path):
    with pytest.raises(
        ReferenceFileError, match=r"^no usable reference\.json: No such file or directory; train again$"
    ):
        Reference.load(tmp_path)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (lambda content: content["ranges"].pop("term"), "no range of term"),
        (lambda content: content["groups"].pop(), "must include every client"),
        (lambda content: content["groups"].clear(), "must include every client"),
        (lambda content: content["groups"][0].update(clients=49), "greater than or equal to 50"),
        (lambda content: content["ranges"]["AMT_CREDIT"].update(low=2e9), "low must not exceed high"),
        (lambda content: content["ranges"]["AMT_CREDIT"].update(low="1e999"), "finite"),
        (lambda content: content.update(rows=[]), "Extra inputs"),
    ],
)
def test_a_broken_file_is_reported_in_one_line(reference: Reference, tmp_path: Path, broken, expected: str):
    content = json.loads(reference.model_dump_json())
    broken(content)
    (tmp_path / REFERENCE_FILE).write_text(json.dumps(content))
    with pytest.raises(ReferenceFileError, match=rf"^no usable reference\.json: .*{expected}.*; train again$"):
        Reference.load(tmp_path)


def test_a_cut_file_is_refused(reference: Reference, tmp_path: Path):
    (tmp_path / REFERENCE_FILE).write_text(reference.model_dump_json()[:300])
    with pytest.raises(ReferenceFileError, match="Invalid JSON"):
        Reference.load(tmp_path)


def test_a_small_group_is_refused():
    with pytest.raises(ValidationError):
        PeerGroup(income_type=None, low=None, high=None, clients=49, medians={})
    assert set(AMOUNTS) <= any_reference([]).ranges.keys()
