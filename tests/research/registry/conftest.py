"""What tests of the registry share: models registered as challengers."""

import json
import shutil
from functools import partial
from pathlib import Path

import mlflow
import pytest
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE
from bento.model.scoring_model import ScoringModel, digests
from research import tracking
from research.data.dataset import Data
from research.registry import checks
from tests.support.registry import Register


@pytest.fixture
def register(
    client: mlflow.MlflowClient, data: Data, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Register:
    """Registers the pipeline's model as challenger, its settings changed; the few defaults of its data may judge."""
    monkeypatch.setattr(checks, "MIN_DEFAULTS", 5)
    monkeypatch.setattr(checks, "calibration", partial(checks.calibration, resamples=100))  # seconds otherwise

    def one(example: dict[str, float] | None = None, source: str = "", **changed: object) -> ModelVersion:
        folder = Path(shutil.copytree(model_folder, tmp_path / str(len(list(tmp_path.iterdir()))) / "model"))
        scoring = json.loads((folder / SCORING_FILE).read_text()) | changed
        (folder / SCORING_FILE).write_text(json.dumps(scoring))
        examples = json.loads((folder / EXAMPLES_FILE).read_text())
        examples["files"] = digests(folder)
        examples["examples"][3] |= example or {}
        (folder / EXAMPLES_FILE).write_text(json.dumps(examples))
        tags = tracking.made_from(data.source)
        if source:
            tags[tracking.DATA_TAG] = source
        with tracking.started_run("test", tags):
            registered = tracking.log_model(ScoringModel(folder))
        present = mlflow.MlflowClient()  # a test may have connected to another store
        for name, value in tags.items():
            present.set_model_version_tag(NAME, registered.version, name, value)
        present.set_registered_model_alias(NAME, tracking.CHALLENGER, registered.version)
        return registered

    return one
