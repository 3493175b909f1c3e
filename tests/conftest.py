"""What the tests share: a small synthetic data set, and the real pipeline and service on it, each made once."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything of ours or of BentoML is imported: nothing of a test may reach the user's own stores.
_home = tempfile.TemporaryDirectory(prefix="credit_scoring_tests_")
os.environ |= {
    "BENTOML_HOME": f"{_home.name}/bentoml",
    "MLFLOW_TRACKING_URI": f"sqlite:///{_home.name}/mlflow.db",
    "SCORING_DATA": f"{_home.name}/data",
}

CLIENTS = 1500


@pytest.fixture(scope="session")
def synthetic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of synthetic tables."""
    from research.synthetic import write

    folder = tmp_path_factory.mktemp("data") / "synthetic"
    write(folder, CLIENTS, seed=1)
    return folder


@pytest.fixture(scope="session")
def bento_tag(synthetic_folder: Path) -> str:
    """The Bento that the whole pipeline built: trained, registered, imported."""
    from research.data import open_data
    from research.pipeline import pipeline

    return str(pipeline(open_data(synthetic_folder)).tag)


@pytest.fixture(scope="session")
def service_url(bento_tag: str) -> Iterator[str]:
    """The address of the Bento's service, running in the serving environment."""
    from research.pipeline import free_port, serving

    port = free_port()
    with serving(bento_tag, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def model_folder(bento_tag: str) -> Path:
    """The model folder inside the Bento store."""
    from bento.model import FOLDER_IN_STORE
    from research.import_model import latest_model

    model = latest_model()
    assert model is not None
    return Path(model.path_of(FOLDER_IN_STORE))
