"""What the tests of drift share: synthetic clients, and a small model of them."""

from pathlib import Path

import pytest

from research.synthetic import write
from tests.support.small_model import write_small_model

CLIENTS = 7000
SEED = 5


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of synthetic tables: about 6,000 in application_train, 1,000 in application_test."""
    folder = tmp_path_factory.mktemp("drift") / "clients"
    write(folder, CLIENTS, SEED)
    return folder


@pytest.fixture(scope="session")
def model_folder(clients: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small model, trained on these clients."""
    return write_small_model(tmp_path_factory.mktemp("model") / "model", clients).folder
