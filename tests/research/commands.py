"""Run a command of research as the command line does."""

import argparse
from types import ModuleType

import pytest

from research import cli


def run_command(module: ModuleType, *arguments: str) -> int:
    """Run a command module with these arguments, and return its exit code."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        cli.run(lambda: module.run(parser.parse_args(arguments)))
    return int(ended.value.code or 0)
