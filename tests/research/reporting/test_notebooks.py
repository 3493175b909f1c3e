"""The notebooks as they are kept: pairs of script and notebook, outputs that name no machine; runner and support."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from research import tracking
from research.cli import CommandError
from research.data.dataset import Data
from research.reporting import notebook_support
from research.reporting.run_notebooks import SCRIPTS, run_notebooks
from research.training.train import Settings

NAMES = [
    "01_mlflow_experiments",
    "02_data_preparation",
    "03_business_score",
    "04_model_comparison",
    "05_drift_and_monitoring",
]
LOCAL_PATH = re.compile(r"/(home|root|tmp|work|Users)/|file://")
MAX_NOTEBOOK_BYTES = 1_500_000
"""Bytes of a notebook."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def notebook(name: str) -> NotebookNode:
    return nbformat.read(SCRIPTS / f"{name}.ipynb", as_version=4)


def test_there_are_no_other_notebooks():
    assert sorted(path.stem for path in SCRIPTS.glob("*.py")) == NAMES
    assert sorted(path.stem for path in SCRIPTS.glob("*.ipynb")) == NAMES


def test_notebook_and_script_are_a_pair(name: str, notebook: NotebookNode):
    script = jupytext.read(SCRIPTS / f"{name}.py")
    of_script, of_notebook = ([(cell.cell_type, cell.source) for cell in half.cells] for half in (script, notebook))
    assert of_script == of_notebook, "run: make notebooks"
    assert script.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert script.metadata["kernelspec"]["name"] == "python3"


def test_notebook_holds_outputs_and_figures_but_no_faults(name: str, notebook: NotebookNode):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert (SCRIPTS / f"{name}.ipynb").stat().st_size < MAX_NOTEBOOK_BYTES


def test_outputs_hold_no_local_path_and_no_memory_address(notebook: NotebookNode):
    for text in _texts(notebook):
        assert not LOCAL_PATH.search(text), text
        assert not re.search(r"\bat 0x[0-9a-f]+", text), text


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name: str):
    for cell in jupytext.read(SCRIPTS / f"{name}.py").cells:
        lines = [line for line in cell.source.splitlines() if line.strip() and "import" not in line]
        assert cell.cell_type == "markdown" or len(lines) <= 15, cell.source


def test_failing_cell_is_named_with_its_fault_and_the_rest_is_written(tmp_path: Path):
    script = tmp_path / "broken.py"
    script.write_text('# %%\nprint("before")\n\n# %%\nthreshold = 1 / 0\n\n# %%\nprint("after")\n')
    with pytest.raises(CommandError, match=r"^broken\.py: cell-2 \(threshold = 1 / 0\): ZeroDivisionError: division"):
        run_notebooks([script], tmp_path)
    before, broken, after = nbformat.read(tmp_path / "broken.ipynb", as_version=4).cells
    assert before.outputs[0].text == "before\n"
    assert broken.outputs[0].output_type == "error"
    assert not after.outputs


def test_data_is_named_to_the_notebook_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NOTEBOOK_DATA", raising=False)
    script = tmp_path / "asks.py"
    script.write_text(
        "# %%\nimport os, sys\nfrom pathlib import Path\n\nimport research\n\n"
        'print(Path(os.environ["NOTEBOOK_DATA"]).name)\nprint("noise", file=sys.stderr)\n'
    )
    (written,) = run_notebooks([script], tmp_path, tmp_path / "here")
    (cell,) = nbformat.read(written, as_version=4).cells
    assert [output.text for output in cell.outputs] == ["here\n"]


@dataclass
class Version:
    """As much of a registered version as is asked for."""

    version: str
    run_id: str
    tags: dict[str, str]


@dataclass
class Registry:
    """A registry of these versions, and what was done to it."""

    versions: list[Version]
    champion: Version | None = None
    done: list[Any] = field(default_factory=list)

    def search_model_versions(self, _: str) -> list[Version]:
        return list(self.versions)

    def train(self, _: Data, settings: Settings) -> Version:
        self.done.append(("train", settings.trials))
        return Version("9", "trained", {})

    def promote(self, _: Data, new_data: bool) -> None:
        self.done.append(("promote", new_data))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    made = Registry([])
    monkeypatch.setattr(notebook_support, "DATA", tmp_path)
    monkeypatch.setattr(notebook_support, "train", made.train)
    monkeypatch.setattr(notebook_support, "promote", made.promote)
    monkeypatch.setattr(notebook_support, "folds_for", lambda _: 3)
    monkeypatch.setattr(notebook_support.tracking, "connect", lambda: made)
    monkeypatch.setattr(notebook_support.tracking, "registered", lambda *_: made.champion)
    return made


def _version(data: Data, number: int, results: Path | None, catalogue: str = "") -> Version:
    if results is not None:
        for name in notebook_support.NEEDED:
            path = results / "results" / f"run{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    tags = tracking.made_from(data.source) | ({"catalogue": catalogue} if catalogue else {})
    return Version(str(number), f"run{number}", tags)


def test_champion_comes_before_newer_versions_and_newer_before_older(
    registry: Registry, synthetic_folder: Path, tmp_path: Path
):
    data = Data(synthetic_folder)
    registry.versions = [_version(data, number, tmp_path) for number in (2, 10, 9)]
    assert notebook_support.model_for(data)[0].version == "10"
    registry.champion = registry.versions[0]
    version, results = notebook_support.model_for(data)
    assert (version.version, results) == ("2", tmp_path / "results" / "run2")
    assert not registry.done


def test_version_of_other_feature_code_or_without_results_is_not_taken(
    registry: Registry, synthetic_folder: Path, tmp_path: Path
):
    data = Data(synthetic_folder)
    registry.versions = [_version(data, 1, None), _version(data, 2, tmp_path, catalogue="other")]
    registry.champion = registry.versions[1]
    assert notebook_support.model_for(data)[0].version == "9"
    assert registry.done == [("train", 0), ("promote", True)]


def test_champion_of_other_data_stays_champion(registry: Registry, synthetic_folder: Path):
    registry.champion = Version("1", "run1", {"data": "real:0123"})
    notebook_support.model_for(Data(synthetic_folder))
    assert registry.done == [("train", 0)]


def test_first_model_is_submitted_to_the_gate(registry: Registry, synthetic_folder: Path):
    notebook_support.model_for(Data(synthetic_folder))
    assert registry.done == [("train", 0), ("promote", False)]


def _texts(notebook: NotebookNode) -> list[str]:
    """What the outputs say, but for pictures."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            texts.append(output.get("text", ""))
            texts += [content for kind, content in output.get("data", {}).items() if kind.startswith("text/")]
    return texts
