"""What the tests share: a small synthetic data set, and the real pipeline and service on it, each made once."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgresql

# Before anything of ours or of BentoML is imported: nothing of a test may reach the user's own stores.
_home = tempfile.TemporaryDirectory(prefix="credit_scoring_tests_")
os.environ |= {
    "BENTOML_HOME": f"{_home.name}/bentoml",
    "MLFLOW_TRACKING_URI": f"sqlite:///{_home.name}/mlflow.db",
    "SCORING_DATA": f"{_home.name}/data",
}

CLIENTS = 1500
LEFT_OUT = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgresql: needs the programs of a PostgreSQL server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL where it is not installed, and say so at the end."""
    left_out = [] if postgresql.programs() else [item for item in items if item.get_closest_marker("postgresql")]
    config.stash[LEFT_OUT] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} tests on PostgreSQL left out; {postgresql.MISSING}", yellow=True)


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
    from research.data.dataset import open_data
    from research.deployment.pipeline import pipeline

    return str(pipeline(open_data(synthetic_folder)).tag)


@pytest.fixture(scope="session")
def service_url(bento_tag: str) -> Iterator[str]:
    """The address of the Bento's service, running in the serving environment."""
    from research.deployment.processes import free_port, serving

    port = free_port()
    with serving(bento_tag, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def model_folder(bento_tag: str) -> Path:
    """The model folder inside the Bento store."""
    from bento.model.manifest import FOLDER_IN_STORE
    from research.deployment.import_model import latest_model

    model = latest_model()
    assert model is not None
    return Path(model.path_of(FOLDER_IN_STORE))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server of the tests' own; a test that uses it is marked `postgresql`."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a journal: a SQLite file that is not there yet, or one on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server.emptied_database()
