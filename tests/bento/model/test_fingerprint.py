import shutil
from pathlib import Path

import pytest

from bento.model import fingerprint
from bento.model.fingerprint import code_fingerprint


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, of which the fingerprint is taken."""
    root = Path(fingerprint.__file__).parents[1]
    shutil.copytree(root, tmp_path / "bento", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "bento" / "model" / "fingerprint.py"))
    assert code_fingerprint.__wrapped__() == code_fingerprint()
    return tmp_path / "bento"


@pytest.mark.parametrize(
    "module",
    [
        "data/cleaning.py",
        "features/build.py",
        "model/predictors.py",
        "scoring/reasons.py",
        "policy.py",
        "i18n.py",
    ],
)
def test_a_change_of_code_that_decides_changes_the_fingerprint(copy: Path, module: str):
    (copy / module).write_text((copy / module).read_text() + "# another line")
    assert code_fingerprint.__wrapped__() != code_fingerprint()


@pytest.mark.parametrize("module", ["features/new.py", "scoring/wording/new.py"])
def test_a_new_module_that_decides_changes_the_fingerprint(copy: Path, module: str):
    (copy / module).parent.mkdir(exist_ok=True)
    (copy / module).touch()
    assert code_fingerprint.__wrapped__() != code_fingerprint()


@pytest.mark.parametrize(
    "module", ["api/openapi.py", "journal/vault.py", "service.py", "serve.py", "settings.py", "__main__.py"]
)
def test_a_change_of_other_code_does_not(copy: Path, module: str):
    (copy / module).write_text((copy / module).read_text() + "# another line")
    assert code_fingerprint.__wrapped__() == code_fingerprint()


def test_another_version_of_a_numeric_library_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fingerprint, "version", lambda library: "0.0")
    assert code_fingerprint.__wrapped__() != code_fingerprint()
