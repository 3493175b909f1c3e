"""What tests of the bento room share; it needs the packages of the serving environment only."""

from pathlib import Path

import pytest

from tests.support.clients import write_clients
from tests.support.small_model import write_small_model


@pytest.fixture(scope="session")
def synthetic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of raw tables, drawn from their declarations."""
    return write_clients(tmp_path_factory.mktemp("data") / "clients")


@pytest.fixture(scope="session")
def model_folder(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder of few trees, trained on these tables."""
    return write_small_model(tmp_path_factory.mktemp("model") / "model", synthetic_folder).folder
