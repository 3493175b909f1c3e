"""All five notebooks, executed on a small data set in an empty registry, as `make notebooks` executes them."""

from pathlib import Path

import nbformat

from research.reporting.run_notebooks import SCRIPTS, run_notebooks


def test_all_notebooks_run_on_small_data(synthetic_folder: Path, tmp_path: Path):
    scripts = sorted(SCRIPTS.glob("[0-9]*.py"))
    assert len(scripts) == 5
    written = run_notebooks(scripts, tmp_path, synthetic_folder)
    assert [path.stem for path in written] == [script.stem for script in scripts]
    for path in written:
        outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", ())]
        assert any("image/png" in output.get("data", {}) for output in outputs), path
        assert not [output for output in outputs if output.output_type == "error"]
        printed = "".join(output.get("text", "") for output in outputs)
        assert printed.startswith("Data: synthetic, 1,500 clients, seed 1.")
        assert str(tmp_path) not in path.read_text()
        assert str(synthetic_folder) not in path.read_text()
