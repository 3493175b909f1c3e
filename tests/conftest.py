"""What the tests share: temporary stores, synthetic data, the whole pipeline and its service, each made once.

With pytest-xdist each worker has separate stores. The tests that need the pipeline run in one worker, the others by
file.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import promises
from tests.support import postgresql

# Before any module of the project or of BentoML is imported: a test must not reach the user's own stores.
_home = tempfile.TemporaryDirectory(prefix="credit_scoring_tests_")
os.environ |= {
    "BENTOML_HOME": f"{_home.name}/bentoml",
    "MLFLOW_TRACKING_URI": f"sqlite:///{_home.name}/mlflow.db",
    "SCORING_DATA": f"{_home.name}/data",
}
# Packages are compiled by the first process that imports them, not by each: services start in half the time.
os.environ["PYTHONDONTWRITEBYTECODE"] = ""
sys.dont_write_bytecode = False
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers already use every core; threads of theirs would only wait for each other.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")

hypothesis.settings.register_profile("dev", deadline=None, max_examples=20)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

CLIENTS = 1500
FOLDS, TRIALS, LIME_SAMPLES = 2, 1, 300
"""Of the pipeline's training: enough for a model that is better than chance."""
LEFT_OUT = pytest.StashKey[int]()
AFTER_PIPELINE = ("tests/end_to_end/", "tests/model_behaviour/")
"""Folders whose tests need what the pipeline made; all of them are marked `end_to_end`."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgresql: needs the programs of a PostgreSQL server")
    config.addinivalue_line("markers", "end_to_end: runs commands, training or services as a whole, or takes seconds")
    config.addinivalue_line(
        "markers", "promise(text): what the manual promises, and this test shows (docs/promises.md)"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs PostgreSQL where it is not installed, and report it at the end."""
    for item in items:
        if item.nodeid.startswith(AFTER_PIPELINE):
            item.add_marker(pytest.mark.end_to_end)
    left_out = [] if postgresql.programs() else [item for item in items if item.get_closest_marker("postgresql")]
    config.stash[LEFT_OUT] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not item.nodeid.startswith(AFTER_PIPELINE))  # the longest part first


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return Scheduler(config, log)


class Scheduler(LoadScopeScheduling):
    """Gives all that needs the pipeline to one worker, and the other tests file by file to the one that is free."""

    def _split_scope(self, nodeid: str) -> str:
        return "pipeline" if nodeid.startswith(AFTER_PIPELINE) else nodeid.split("::", maxsplit=1)[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} tests on PostgreSQL left out; {postgresql.MISSING}", yellow=True)
    _keep_results_of_promises(terminalreporter, config)


def _keep_results_of_promises(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Keep the outcomes of the tests that show a promise, for docs/promises.md."""
    reports = [report for kind in reporter.stats.values() for report in kind if isinstance(report, pytest.TestReport)]
    outcomes = [(one.nodeid, one.outcome) for one in reports if "promise" in one.keywords]
    if outcomes and config.cache is not None:
        config.cache.set(promises.CACHE, promises.merged(config.cache.get(promises.CACHE, {}), outcomes))


@pytest.fixture(scope="session")
def synthetic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of synthetic tables; `tests/bento` has a simpler one."""
    from research.synthetic import write

    folder = tmp_path_factory.mktemp("data") / "synthetic"
    write(folder, CLIENTS, seed=1)
    return folder


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the SQLite file of an MLflow store without runs, to be copied: MLflow takes seconds to make its tables."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = tmp_path_factory.mktemp("mlflow")
    SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts")).engine.dispose()
    return folder / "mlflow.db"


@pytest.fixture
def registry(empty_registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use an MLflow store without runs or models, and return its address."""
    shutil.copy(empty_registry, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


@pytest.fixture(scope="session")
def bento_tag(synthetic_folder: Path, empty_registry: Path) -> str:
    """Return the Bento that the whole pipeline built: trained, registered, imported."""
    from research.data.dataset import open_data
    from research.deployment.pipeline import pipeline
    from research.training.train import Settings

    shutil.copy(empty_registry, f"{_home.name}/mlflow.db")
    return str(
        pipeline(
            open_data(synthetic_folder), settings=Settings(folds=FOLDS, trials=TRIALS, lime_samples=LIME_SAMPLES)
        ).tag
    )


@pytest.fixture(scope="session")
def service_url(bento_tag: str) -> Iterator[str]:
    """Return the address of the Bento's service, running in the serving environment."""
    from research.deployment.processes import free_port, serving

    port = free_port()
    with serving(bento_tag, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def model_folder(bento_tag: str) -> Path:
    """Return the pipeline's model folder in the Bento store; tests of rooms have a smaller one."""
    from bento.model.manifest import FOLDER_IN_STORE
    from research.deployment.import_model import latest_model

    model = latest_model()
    assert model is not None
    return Path(model.path_of(FOLDER_IN_STORE))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """Return a PostgreSQL server for the tests; a test that uses it is marked `postgresql`."""
    with postgresql.running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database without a journal: a SQLite file yet to be made, or one on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server.emptied_database()
