"""Execute the notebooks from their paired scripts and write them with their outputs."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from bento import require_writable
from research.cli import NO_TELEMETRY, ROOT, CommandError, add_data_option, shown
from research.data.dataset import open_folder

EXAMPLE = "python -m research notebooks 03_business_score --data data/raw"
SCRIPTS = ROOT / "research" / "notebooks"
DATA_VARIABLE = "NOTEBOOK_DATA"
"""Environment variable that names the notebooks' folder of data; see `research.settings`."""
CELL_TIMEOUT_S = 7200
"""Seconds that a cell may take; the longest is a comparison of all models that no earlier run has finished."""


def run_notebooks(scripts: Sequence[Path], out: Path, data: Path | None = None) -> list[Path]:
    """Execute the scripts (percent format) from the root of the project, each in a new kernel.

    They read `data` or the default data. Returns the `.ipynb` files in `out`. Raises CommandError where a cell fails,
    with notebook, cell and fault; the executed cells are written.
    """
    written = []
    environment = os.environ | NO_TELEMETRY | ({DATA_VARIABLE: str(data.resolve())} if data else {})
    for script in tqdm(scripts, desc="notebooks", unit="notebook"):
        notebook = jupytext.read(script)
        # jupytext draws random ids; numbered ones make the same script give the same file.
        for number, cell in enumerate(notebook.cells, start=1):
            cell["id"] = f"cell-{number}"
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(ROOT)}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # its warnings about the loopback address fill pages
        )
        fault = None
        try:
            client.execute(env=environment)
        except (CellControlSignal, DeadKernelError) as error:
            fault = error
        _without_noise(notebook)
        written.append(out / f"{script.stem}.ipynb")
        jupytext.write(notebook, written[-1], fmt="ipynb")
        if fault is not None:
            raise CommandError(f"{script.name}: {_failure(notebook, fault)}") from fault
    return written


def _failure(notebook: NotebookNode, fault: Exception) -> str:
    """Name the cell that failed, by its first line, and its fault; or the error that stopped the notebook."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                first = (output.evalue.splitlines() or [""])[0]
                return f"{cell['id']} ({cell.source.splitlines()[0]}): {output.ename}: {first}"
    return (str(fault).splitlines() or [type(fault).__name__])[0]


def _without_noise(notebook: NotebookNode) -> None:
    """Remove the error stream (progress bars, warnings) and the version of the kernel."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)


def scripts_by_name() -> dict[str, Path]:
    """Return the script of each notebook."""
    return {path.stem: path for path in sorted(SCRIPTS.glob("[0-9]*.py"))}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the names of notebooks, their folder and the data."""
    names = ", ".join(scripts_by_name())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {names}")
    parser.add_argument("--out", type=Path, default=SCRIPTS, metavar="DIR", help="where the .ipynb files go")
    add_data_option(parser)


def run(options: argparse.Namespace) -> None:
    """Execute the notebooks and print their files."""
    scripts = scripts_by_name()
    unknown = [name for name in options.names if name not in scripts]
    if unknown:
        raise CommandError(f"there is no notebook {unknown[0]}; choose from {', '.join(scripts)}")
    if options.data is not None:
        open_folder(options.data)
    require_writable(options.out)
    for path in run_notebooks([scripts[name] for name in options.names or scripts], options.out, options.data):
        print(shown(path))
