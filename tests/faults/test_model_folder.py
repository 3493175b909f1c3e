"""A damaged model folder: the service decides nothing with it, reports it and stays alive."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento import NAME
from bento.api.health import NO_MODEL
from bento.model.manifest import EXAMPLES_FILE, FOLDER_IN_STORE, SCORING_FILE
from bento.model.peer_groups import REFERENCE_FILE
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import ModelError, ScoringModel
from research.cli import CommandError
from tests.support.sampling import examples
from tests.support.services import FILES, Service, problem, served

MODEL_FILE = BoosterPredictor.FILE
FOLDER_FILES = (MODEL_FILE, SCORING_FILE, REFERENCE_FILE, EXAMPLES_FILE)


def _cut(folder: Path) -> None:
    content = (folder / MODEL_FILE).read_bytes()
    (folder / MODEL_FILE).write_bytes(content[: len(content) // 2])


def _other_threshold(folder: Path) -> None:
    scoring = json.loads((folder / SCORING_FILE).read_text())
    (folder / SCORING_FILE).write_text(json.dumps(scoring | {"threshold": 1.0}))


def _other_examples(folder: Path) -> None:
    golden = json.loads((folder / EXAMPLES_FILE).read_text())
    del golden["examples"][0]["credit_file"]["application"]["AMT_CREDIT"]
    (folder / EXAMPLES_FILE).write_text(json.dumps(golden))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "the model cut": _cut,
    "the threshold changed": _other_threshold,
    "the examples changed": _other_examples,
    "no reference": lambda folder: (folder / REFERENCE_FILE).unlink(),
    "no folder": shutil.rmtree,
}


def _store(folder: Path) -> tuple[Path, Path]:
    """Copy the BentoML store of the tests, and return the copy and the model folder in it."""
    store = shutil.copytree(os.environ["BENTOML_HOME"], folder / "bentoml", symlinks=True)
    (model,) = (store / "models" / NAME).glob(f"*/{FOLDER_IN_STORE}")
    return store, model


@pytest.fixture(scope="module")
def damaged(bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """Run one service for each damage, on a separate store; two start at once."""

    def start(damage: str) -> Service:
        folder = tmp_path_factory.mktemp("damaged")
        store, model = _store(folder)
        DAMAGES[damage](model)
        journal = f"sqlite:///{folder}/journal.db"
        return stack.enter_context(served(bento_tag, journal, folder, "/livez", BENTOML_HOME=str(store)))

    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        yield dict(zip(DAMAGES, pool.map(start, DAMAGES), strict=True))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.promise("with a damaged model the service lives, decides nothing and reports it")
def test_a_service_with_a_damaged_model_lives_and_decides_nothing(damaged: dict[str, Service], damage: str):
    service = damaged[damage]
    assert service.get("/livez").status_code == 200
    not_ready = problem(service.get("/readyz"), 503)
    assert (not_ready.detail, not_ready.type) == (NO_MODEL, "urn:credit-scoring:problem:no-model")
    for path in ("/predict", "/predict?purpose=simulation", "/explain"):
        problem(service.post(path, FILES[0]), 503)
    problem(service.post("/predict_batch", {"credit_files": FILES}), 503)
    problem(service.get("/model"), 503)
    assert service.journal.ids() == []
    log = service.log.read_text(encoding="utf-8")
    assert "the model is refused, nothing will be decided" in log
    assert "Traceback" not in log


def test_without_its_model_in_the_store_the_service_does_not_start(bento_tag: str, tmp_path: Path):
    store, model = _store(tmp_path)
    shutil.rmtree(model.parents[2])
    service = served(bento_tag, f"sqlite:///{tmp_path}/journal.db", tmp_path, BENTOML_HOME=str(store))
    with pytest.raises(CommandError, match=r"Model .* could not be found"), service:
        pass


@pytest.mark.parametrize("name", FOLDER_FILES)
@settings(max_examples=examples(15))
@given(place=st.floats(0, 1, exclude_max=True), garbage=st.binary(max_size=3), length=st.integers(0, 2000))
def test_a_damaged_file_is_refused_or_changes_nothing(
    model_folder: Path, name: str, place: float, garbage: bytes, length: int
):
    content = (model_folder / name).read_bytes()
    at = int(place * len(content))
    changed = content[:at] + garbage + content[at + length :]
    with TemporaryDirectory() as temporary:
        folder = shutil.copytree(model_folder, Path(temporary) / "model")
        (folder / name).write_bytes(changed)
        try:
            model = ScoringModel.verified(folder)
        except ModelError:
            return
    assert changed == content or name == EXAMPLES_FILE
    assert model.threshold == ScoringModel(model_folder).threshold
