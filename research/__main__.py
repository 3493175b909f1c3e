"""Run one command of research: `python -m research COMMAND`; `--help` lists them.

A command is a module with `run(options)` and, where it has options, `add_arguments(parser)`. The first line of its
docstring is its help, and its constant `EXAMPLE` the example in it. Only the module of the command that runs is
imported.
"""

import ast
import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from research.cli import ROOT, CommandError, parser, run

PROGRAM = "python -m research"

GROUPS: dict[str, dict[str, str]] = {
    "get data": {
        "data": "research.data.command",
        "examples": "research.data.example_credit_files",
        "fidelity": "research.synthetic.fidelity",
        "facts": "research.synthetic.facts",
        "liability": "research.synthetic.liability_fit",
    },
    "find a model": {
        "study": "research.comparison.feature_study",
        "compare": "research.comparison.compare",
        "carry-over": "research.comparison.carry_over",
        "train": "research.training.train",
        "explain": "research.explanation.explain",
        "counterfactuals": "research.explanation.counterfactuals",
        "reasons": "research.explanation.reason_quality",
        "fairness": "research.comparison.price_of_fairness",
        "mitigation": "research.comparison.mitigation",
        "quotable": "research.comparison.price_of_quotable",
        "lawful": "research.comparison.price_of_lawful",
        "missing": "research.evaluation.missing_fields",
        "rules": "research.evaluation.rule_prices",
    },
    "decide which model is served": {
        "promote": "research.registry.promote",
        "rollback": "research.registry.rollback",
        "simulate-gate": "research.registry.gate_simulation",
        "export": "research.registry.export",
        "restore": "research.registry.restore",
    },
    "bring it to users": {
        "import": "research.deployment.import_model",
        "build": "research.deployment.build_bento",
        "containerize": "research.deployment.containerize",
        "page-image": "research.deployment.page_image",
        "github": "research.deployment.github",
        "pipeline": "research.deployment.pipeline",
        "demo": "research.deployment.demo",
        "cloud": "research.deployment.cloud.command",
        "show": "research.deployment.show",
    },
    "publish results": {
        "publish": "research.reporting.publish",
        "slides": "research.reporting.slides.command",
        "docs": "research.reporting.site",
        "notebooks": "research.reporting.run_notebooks",
    },
}
"""Commands and their modules, grouped by what the user wants to do."""

COMMANDS = {name: module for group in GROUPS.values() for name, module in group.items()}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, and exit with its code."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    run(lambda: run_command(name, rest))


def run_command(name: str, arguments: Sequence[str]) -> int | None:
    """Import the module of a command, parse its arguments and run it; an unknown name is a `CommandError`."""
    if name in ("", "-h", "--help"):
        print(help_text())
        return 0
    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"{PROGRAM} --help lists the commands"
        raise CommandError(f"no command {name!r}; {hint}")
    module = importlib.import_module(COMMANDS[name])
    example = getattr(module, "EXAMPLE", f"{PROGRAM} {name}")
    options = parser(summary(COMMANDS[name]), example, f"{PROGRAM} {name}")
    if hasattr(module, "add_arguments"):
        module.add_arguments(options)
    code: int | None = module.run(options.parse_args(arguments))
    return code


def help_text() -> str:
    """Return the list of commands by group, each with its summary."""
    lines = [f"usage: {PROGRAM} COMMAND [options]", "", "Every command has its own --help."]
    for group, commands in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {name:15} {summary(module)}" for name, module in commands.items())]
    return "\n".join(lines)


def summary(module: str) -> str:
    """Return the first line of a module's docstring, without importing the module.

    >>> summary("research.registry.rollback")
    'Make the previous champion champion again, once it has reproduced its examples.'
    """
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or module).splitlines()[0]


if __name__ == "__main__":
    main()
