"""Write the reference pages of the documentation from the code: commands, settings, addresses, metrics, tables."""

import ast
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from unittest import mock

from bento import FAULT, INTERRUPTED
from bento.__main__ import COMMANDS as BENTO_COMMANDS
from bento.__main__ import main as bento_main
from bento.api.endpoints import ENDPOINTS, formatted_size
from bento.api.openapi import document
from bento.data.tables import TABLES, Column
from bento.settings import Settings
from research.__main__ import COMMANDS as RESEARCH_COMMANDS
from research.__main__ import run_command
from research.cli import ROOT, CommandError, last_line
from research.reporting import licences

METRIC_KINDS = {"Counter": "counter", "Histogram": "histogram", "Gauge": "gauge", "GaugeMetricFamily": "gauge"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return a Markdown table; a bar inside a cell is escaped.

    >>> print(table(["a", "b"], [[1, "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = ("" if cell is None else str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def commands() -> str:
    """Return the page of all commands, each with its help."""
    parts = ["# Commands", "Printed by each command for `--help`. [Exit codes](exit_codes.md) are the same for all."]
    for program, (names, print_help) in PROGRAMS.items():
        parts.append(f"## python -m {program}")
        parts += [f"### {program} {name}\n\n```text\n{_printed(print_help, name)}\n```" for name in names]
    return "\n\n".join(parts) + "\n"


def _printed(print_help: Callable[[str], object], name: str) -> str:
    """Return what a command prints for its help, in the width of the page."""
    output = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": HELP_COLUMNS}),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        print_help(name)
    return output.getvalue().strip()


def _print_drift_help(name: str) -> None:
    """Print the help of a command of drift, which research does not import."""
    command = [sys.executable, "-m", "drift", name, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"python -m drift {name} --help failed ({last_line(done.stderr, 'no message')})")
    print(done.stdout)


HELP_COLUMNS = "100"
"""Width of the help texts, so that the page does not depend on the terminal."""
PROGRAMS: dict[str, tuple[Sequence[str], Callable[[str], object]]] = {
    "research": (tuple(RESEARCH_COMMANDS), lambda name: run_command(name, ["--help"])),
    "bento": (tuple(BENTO_COMMANDS), lambda name: bento_main([name, "--help"])),
    "drift": (("report", "performance", "watch", "list"), _print_drift_help),
}
"""Each program with its commands, and what prints the help of one."""


def settings() -> str:
    """Return the page of the settings of the service."""
    rows = [
        [f"`{field.validation_alias}`", field.description, "" if field.default is None else f"`{field.default}`"]
        for field in Settings.model_fields.values()
    ]
    return (
        "# Settings of the service\n\nRead once, at start. "
        "What to choose: [Running the service](../operate.md#settings).\n\n"
        + table(["variable", "holds", "by default"], rows)
        + "\n"
    )


def exit_codes() -> str:
    """Return the page of exit codes."""
    rows = [
        [0, "done"],
        [
            1,
            "done, with a result to act on: a challenger refused, drift, an action of the watch, a replay that differs",
        ],
        [FAULT, "an error that the user can correct: one line says which, and how"],
        [INTERRUPTED, "interrupted by Ctrl-C"],
    ]
    return "# Exit codes\n\n" + table(["code", "means"], rows) + "\n"


def addresses() -> str:
    """Return the page of the service's addresses, with what the OpenAPI document states of each."""
    described: dict[str, Any] = document("")["paths"]
    parts = [
        "# Addresses of the service",
        "The service shows its whole OpenAPI document at `/docs.json`, and pages to try it at `/`.",
        table(
            ["address", "key", "largest body"],
            (
                [
                    f"`{endpoint.method} {endpoint.path}`",
                    endpoint.access,
                    formatted_size(endpoint.max_body_bytes) if endpoint.max_body_bytes else "none",
                ]
                for endpoint in ENDPOINTS
            ),
        ),
    ]
    for path, methods in described.items():
        for method, operation in methods.items():
            parts.append(f"## {method.upper()} {path}\n\n{operation.get('summary', '')}".rstrip())
            if text := operation.get("description"):
                parts.append(text)
            if parameters := operation.get("parameters"):
                rows = ([f"`{entry['name']}`", entry["in"], entry.get("description")] for entry in parameters)
                parts.append(table(["parameter", "in", "holds"], rows))
            answers = ([code, answer.get("description")] for code, answer in operation["responses"].items())
            parts.append(table(["status", "means"], answers))
    return "\n\n".join(parts) + "\n"


def metrics() -> str:
    """Return the page of the metrics that the service declares; a counter is shown with the suffix `_total`."""
    return (
        "# Metrics\n\nDeclared by the service. Alerts on them: [Running the service](../operate.md#alerts).\n\n"
        + table(["metric", "kind", "holds", "labels"], sorted(_declared_metrics()))
        + "\n"
    )


def _declared_metrics() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, kind, meaning and labels of each metric, as the modules of `bento` declare them."""
    for path in sorted((ROOT / "bento").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            kind = (
                METRIC_KINDS.get(node.func.id)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                else None
            )
            if kind is None or not isinstance(node, ast.Call):
                continue
            texts = [str(argument.value) for argument in node.args[:2] if isinstance(argument, ast.Constant)]
            if len(texts) < 2:
                continue
            labels = [
                str(entry.value)
                for argument in node.args[2:3]
                if isinstance(argument, ast.List)
                for entry in argument.elts
                if isinstance(entry, ast.Constant)
            ]
            name = f"{texts[0]}_total" if kind == "counter" else texts[0]
            yield f"`{name}`", kind, texts[1], ", ".join(f"`{label}`" for label in labels)


def tables() -> str:
    """Return the page of the input tables and their columns."""
    parts = [
        "# Tables",
        "The seven tables of a credit file; days and months count from the application, negative before it.",
    ]
    for entry in TABLES.values():
        key = f" One row for each {', '.join(f'`{name}`' for name in entry.key)}." if entry.key else ""
        parts.append(f"## {entry.name}\n\n{entry.description[0].upper()}{entry.description[1:]}.{key}")
        rows = ([f"`{column.name}`", column.kind, column.unit, column.description, _limits(column)] for column in entry)
        parts.append(table(["column", "kind", "unit", "holds", "from, to"], rows))
    return "\n\n".join(parts) + "\n"


def licence_page() -> str:
    """Return the page of the licences of all dependencies."""
    return (
        "# Licences of dependencies\n\nFrom the metadata of the installed packages. "
        "The container holds those marked.\n\n"
        + table(["package", "version", "licence", "in the container"], licences.rows())
        + "\n"
    )


def _limits(column: Column) -> str:
    """Return the values that a column accepts, empty where all are."""
    if column.minimum is None and column.maximum is None:
        return ""
    return ", ".join("" if limit is None else f"{limit:g}" for limit in (column.minimum, column.maximum))


PAGES = {
    "commands.md": commands,
    "settings.md": settings,
    "exit_codes.md": exit_codes,
    "addresses.md": addresses,
    "metrics.md": metrics,
    "tables.md": tables,
    "licences.md": licence_page,
}
"""The pages of `reference/`, and what writes each."""
