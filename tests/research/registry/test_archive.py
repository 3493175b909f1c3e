"""A champion travels as one file: exported, imported into a store, restored in an empty registry."""

import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bentoml
import mlflow
import pytest

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ModelError, ScoringModel
from research import tracking
from research.cli import CommandError
from research.data.dataset import Data
from research.deployment import import_model
from research.registry import export as export_command
from research.registry import promote as gate
from research.registry import restore as restore_command
from research.registry.archive import RECORD_FILE, export, opened
from research.registry.promote import promote
from research.registry.restore import RESTORED_FROM, restore
from research.results import GateCheck
from tests.research.commands import run_command
from tests.support.archives import halved_example, remade
from tests.support.registry import Register, version_of

pytestmark = pytest.mark.end_to_end


@pytest.fixture(autouse=True)
def without_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check in a new process, which takes seconds and is tested with the gate."""
    monkeypatch.setattr(gate, "contract", lambda _: GateCheck(name="contract", passed=True, found="not tried"))


@pytest.fixture
def archive(client: mlflow.MlflowClient, register: Register, data: Data, tmp_path: Path) -> Path:
    """Return the archive of a champion whose number is 2."""
    register()
    register()
    promote(data)
    path = tmp_path / "champion.tar"
    export(tracking.champion(client), path)
    return path


@pytest.fixture
def empty(archive: Path, empty_registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
    """Use another registry, without models."""
    (tmp_path / "other").mkdir()
    shutil.copy(empty_registry, tmp_path / "other" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other/mlflow.db")
    return tracking.connect()


@pytest.fixture
def store() -> Iterator[None]:
    """Remove the models that a test imports."""
    before = {model.tag for model in bentoml.models.list()}
    yield
    for model in bentoml.models.list():
        if model.tag not in before:
            bentoml.models.delete(model.tag)


def test_the_same_champion_gives_the_same_file(client: mlflow.MlflowClient, archive: Path, tmp_path: Path):
    export(tracking.champion(client), tmp_path / "again.tar")

    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_import_of_an_archive_is_that_of_the_registry(client: mlflow.MlflowClient, archive: Path, store: None):
    from_registry = import_model.import_model(tracking.champion(client))
    content = Path(from_registry.path_of(FOLDER_IN_STORE), "scoring.json").read_bytes()
    bentoml.models.delete(from_registry.tag)

    imported, record = import_model.import_archive(archive)

    assert imported.info.labels == from_registry.info.labels
    assert Path(imported.path_of(FOLDER_IN_STORE), "scoring.json").read_bytes() == content
    assert record.version == 2
    assert import_model.import_archive(archive)[0].tag == imported.tag


def test_an_archive_whose_examples_differ_is_not_imported(archive: Path, store: None):
    before = {model.tag for model in bentoml.models.list()}

    with pytest.raises(ModelError, match="example"):
        import_model.import_archive(remade(archive, halved_example))

    assert {model.tag for model in bentoml.models.list()} == before


def test_a_restored_champion_keeps_number_tags_and_model(
    archive: Path, empty: mlflow.MlflowClient, model_folder: Path, tmp_path: Path
):
    assert restore(archive) == 2

    champion = tracking.champion(empty)
    with opened(archive) as (record, _):
        assert champion.tags == record.tags | {RESTORED_FROM: record.run_id}
    restored = ScoringModel.verified(tracking.model_folder(champion, tmp_path / "restored"))
    assert restored.manifest == ScoringModel(model_folder).manifest
    assert [version.version for version in empty.search_model_versions(f"name='{NAME}'")] == [2]


def test_the_next_challenger_is_judged_against_a_restored_champion(
    archive: Path, empty: mlflow.MlflowClient, register: Register, data: Data
):
    restore(archive)
    register()

    verdict = promote(data)

    assert (verdict.champion, verdict.challenger) == ("2", "3")
    assert verdict.promoted
    assert version_of(empty, tracking.PREVIOUS) == "2"


def test_a_champion_is_not_overwritten(client: mlflow.MlflowClient, archive: Path):
    with pytest.raises(CommandError, match="version 2 of credit_scoring is champion here: nothing was restored"):
        restore(archive)


def test_a_number_that_is_taken_is_not_given_again(archive: Path, empty: mlflow.MlflowClient, register: Register):
    for _ in range(2):
        register()
    empty.delete_model_version(NAME, "2")

    with pytest.raises(CommandError, match="version 2 of credit_scoring was registered here before: restore"):
        restore(archive)

    assert version_of(empty, tracking.CHAMPION) is None


def with_link(archive: Path) -> Path:
    target = archive.with_name("changed.tar")
    with tarfile.open(target, "w") as tar:
        member = tarfile.TarInfo("../outside")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    return target


def cut(archive: Path) -> Path:
    target = archive.with_name("changed.tar")
    target.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    return target


def other_name(name: str, content: bytes) -> bytes:
    return content.replace(b'"name": "credit_scoring"', b'"name": "other"') if name == RECORD_FILE else content


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "is damaged, or holds no champion; give the file that python -m research export wrote"),
        (with_link, "is damaged, or holds no champion"),
        (lambda path: remade(path, lambda name, content: None if name == RECORD_FILE else content), "is damaged"),
        (lambda path: remade(path, lambda name, content: None if "MLmodel" in name else content), "holds no model/ML"),
        (lambda path: remade(path, other_name), "holds a model of other, not of credit_scoring"),
        (lambda path: path.with_name("none.tar"), "there is no such file"),
    ],
    ids=["cut", "leads outside", "no record", "no model", "another name", "missing"],
)
def test_an_archive_that_cannot_be_used_is_named(
    damage: Callable[[Path], Path], words: str, archive: Path, store: None
):
    damaged = damage(archive)

    with pytest.raises(CommandError, match=words):
        import_model.import_archive(damaged)

    assert not (archive.parent.parent / "outside").exists()


def test_a_failed_export_leaves_the_earlier_file(client, archive: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    before = archive.read_bytes()
    monkeypatch.setattr("research.registry.archive._add", full)

    with pytest.raises(OSError, match="No space"):
        export(tracking.champion(client), archive)

    assert archive.read_bytes() == before
    assert not list(archive.parent.glob("*.unfinished"))


def test_the_commands_say_version_and_data(
    client, archive: Path, data: Data, store: None, empty_registry: Path, capsys, monkeypatch, tmp_path: Path
):
    assert run_command(export_command, "--output", str(tmp_path / "new.tar")) == 0
    assert run_command(import_model, "--from", str(tmp_path / "new.tar")) == 0
    (tmp_path / "third").mkdir()
    shutil.copy(empty_registry, tmp_path / "third" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/third/mlflow.db")
    assert run_command(restore_command, str(tmp_path / "new.tar")) == 0

    exported, imported, restored = capsys.readouterr().out.splitlines()[-3:]
    assert f"holds credit_scoring version 2, data: {data.source.tag}" in exported
    assert imported.endswith("holds credit_scoring version 2")
    assert restored == "credit_scoring version 2 is champion here"
