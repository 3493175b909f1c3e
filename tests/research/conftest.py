"""What tests of the research room share."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from bento.rules.rulebook import Rulebook
from research import tracking
from research.data.dataset import Data, open_data
from research.evaluation.rule_prices import rule_inputs
from research.training.cross_fitting import model_features
from research.training.peer_groups import COLUMNS, peer_group_statistics, usual_ranges
from research.training.products import EARLIER_COLUMNS
from research.training.train import write_model_folder
from research.training.unknown_values import given_fields
from tests.support.small_model import FEATURES, manifest, train_trees


@pytest.fixture(scope="session")
def data(synthetic_folder: Path) -> Data:
    """The small synthetic data set."""
    return open_data(synthetic_folder)


@pytest.fixture(scope="session")
def model_folder(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder of few trees, trained on the small data set."""
    rows = data.rows("development")
    columns = model_features(list(FEATURES), rows.features)
    applications, fields = data.applications("development", COLUMNS), given_fields(data, "development")
    earlier = data.earlier_applications("development", EARLIER_COLUMNS)
    usual = usual_ranges(rule_inputs(data, "development", rows.features, Rulebook.read()))
    reference = peer_group_statistics(rows.features, applications, earlier, FEATURES, fields=fields, usual=usual)
    folder = tmp_path_factory.mktemp("model") / "model"
    predictor = train_trees(rows.features, rows.target, columns)
    return write_model_folder(folder, predictor, manifest(columns, source=data.source), reference).folder


@pytest.fixture
def client(registry: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[mlflow.MlflowClient]:
    """Use a separate MLflow store; afterwards that of the session is in use again."""
    yield tracking.connect()
    monkeypatch.undo()
    tracking.connect()
