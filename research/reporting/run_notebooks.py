"""Executes the notebooks from their paired scripts and writes them with their outputs."""

import os
from collections.abc import Sequence
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from research.cli import NO_TELEMETRY, ROOT, CommandError, add_data_option, parser, run, shown
from research.data.dataset import open_folder

SCRIPTS = ROOT / "research" / "notebooks"
DATA_VARIABLE = "NOTEBOOK_DATA"
"""Tells the notebooks which folder of data to use; without it they open the default data."""
CELL_TIMEOUT_S = 7200
"""Seconds that a cell may take: the comparison of models is the longest, where it was not run before."""


def run_notebooks(scripts: Sequence[Path], out: Path, data: Path | None = None) -> list[Path]:
    """Execute the scripts (percent format) from the root of the project, each in a kernel of its own.

    Args:
        scripts: the `.py` halves of the notebooks.
        out: folder that the `.ipynb` halves are written to.
        data: folder of data, by default what every command takes.

    Raises:
        CommandError: a cell failed; names notebook, cell and fault. What was executed until then is written.
    """
    written = []
    environment = os.environ | NO_TELEMETRY | ({DATA_VARIABLE: str(data.resolve())} if data else {})
    for script in tqdm(scripts, desc="notebooks", unit="notebook"):
        notebook = jupytext.read(script)
        # Numbered, so that the same text gives the same file.
        for number, cell in enumerate(notebook.cells, start=1):
            cell["id"] = f"cell-{number}"
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(ROOT)}},
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # it warns at length that it listens on loopback
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
            raise CommandError(f"{script.name}: {_said(notebook, fault)}") from fault
    return written


def _said(notebook: NotebookNode, fault: Exception) -> str:
    """The cell that failed, by its first line, and its fault; or what else kept the notebook from its end."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                first = (output.evalue.splitlines() or [""])[0]
                return f"{cell['id']} ({cell.source.splitlines()[0]}): {output.ename}: {first}"
    return (str(fault).splitlines() or [type(fault).__name__])[0]


def _without_noise(notebook: NotebookNode) -> None:
    """Leave out progress bars and what else went to the error stream, and the version of the kernel."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)


def main() -> None:
    """The command line."""
    arguments = parser(
        "Execute the notebooks.", "python -m research.reporting.run_notebooks 03_business_score --data data/raw"
    )
    known = {path.stem: path for path in sorted(SCRIPTS.glob("[0-9]*.py"))}
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {', '.join(known)}")
    arguments.add_argument("--out", type=Path, default=SCRIPTS, metavar="DIR", help="where the .ipynb files go")
    add_data_option(arguments)
    options = arguments.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        raise CommandError(f"there is no notebook {unknown[0]}; choose from {', '.join(known)}")
    if options.data is not None:
        open_folder(options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    for path in run_notebooks([known[name] for name in options.names or known], options.out, options.data):
        print(shown(path))


if __name__ == "__main__":
    run(main)
