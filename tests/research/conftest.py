"""What tests of the research room share."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from research import tracking
from research.data.dataset import Data, open_data


@pytest.fixture(scope="session")
def data(synthetic_folder: Path) -> Data:
    """The small synthetic data set."""
    return open_data(synthetic_folder)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[mlflow.MlflowClient]:
    """An MLflow store of the test's own; afterwards that of the session is in use again."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    yield tracking.connect()
    monkeypatch.undo()
    tracking.connect()
