"""What tests of the bento room share; it needs the packages of the serving environment only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bento.journal.store import Journal
from tests.support.clients import write_clients
from tests.support.journals import VAULTS, opened
from tests.support.small_model import write_small_model


@pytest.fixture(scope="session")
def synthetic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of raw tables, drawn from their declarations."""
    return write_clients(tmp_path_factory.mktemp("data") / "clients")


@pytest.fixture(scope="session")
def model_folder(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder of few trees, trained on these tables."""
    return write_small_model(tmp_path_factory.mktemp("model") / "model", synthetic_folder).folder


@pytest.fixture(params=VAULTS)
def journal(journal_url: str, request: pytest.FixtureRequest) -> Iterator[Journal]:
    """An empty journal, plain and encrypted."""
    with opened(journal_url, VAULTS[request.param]) as made:
        yield made


@pytest.fixture
def encrypted(journal_url: str) -> Iterator[Journal]:
    """An empty journal that is encrypted."""
    with opened(journal_url, VAULTS["encrypted"]) as made:
        yield made
