"""Commands on a whole portfolio: `python -m bento portfolio --help`."""

import argparse
import hashlib
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bentoml

from bento import NAME
from bento.data.files import DataError
from bento.features.catalogue import catalogue_hash
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import digests
from bento.portfolio.inputs import Inputs, find_inputs
from bento.portfolio.jobs import REASONS, FeatureJob, Job, ScoreJob
from bento.portfolio.local import run_local
from bento.portfolio.output import Manifest, PortfolioError, Run, opened
from bento.rules.rulebook import DEFAULT_RULES, Rulebook
from bento.settings import Settings

PART_CLIENTS = 10_000
"""Clients in one part: with their histories about 0.5 GiB in memory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    commands = parser.add_subparsers(dest="portfolio_command", metavar="COMMAND", required=True)
    score = _command(commands, "score", "decide on every client: PD, score points, decision, rules, reasons", _score)
    score.add_argument("--model", type=Path, metavar="DIR", help="a model folder, by default that of the service")
    score.add_argument(
        "--reasons",
        choices=REASONS,
        default="refused",
        help="whose reasons are computed: of clients who are refused or reviewed (default), of all, or of none",
    )
    _command(commands, "features", "write every feature of every client, from which a model may be trained", _features)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    run: Callable[[argparse.Namespace, Settings], int],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="the tables, CSV or Parquet, each a file or a folder"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or one to resume")
    command.add_argument("--part-clients", type=_positive, default=PART_CLIENTS, metavar="N", help="clients in a part")
    command.add_argument(
        "--workers", type=_positive, default=os.cpu_count() or 1, metavar="N", help="processes, by default the cores"
    )
    command.set_defaults(run=_with_one_line_errors(run))
    return command


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _with_one_line_errors(
    run: Callable[[argparse.Namespace, Settings], int],
) -> Callable[[argparse.Namespace, Settings], int]:
    """Turn an error of the data into one that `python -m bento` prints as a line."""

    def wrapped(options: argparse.Namespace, settings: Settings) -> int:
        try:
            return run(options, settings)
        except DataError as error:
            raise PortfolioError(str(error)) from error

    return wrapped


def _score(options: argparse.Namespace, settings: Settings) -> int:
    folder, version = (options.model, None) if options.model else champion(settings)
    rulebook = Rulebook.read(Path(settings.rules_file) if settings.rules_file else DEFAULT_RULES)
    make_job = partial(ScoreJob.load, folder, rulebook.content, options.reasons)
    job = make_job()
    inputs = find_inputs(options.data)
    run = _run(
        options,
        inputs,
        job="score",
        model=model_digest(folder),
        model_version=version,
        rules=rulebook.version,
        reasons=options.reasons,
    )
    manifest = _computed(options, inputs, make_job, job, run)
    decisions = ", ".join(f"{count:,} {decision}" for decision, count in manifest.decisions.items())
    _print_end(options, manifest, f"{manifest.rows:,} clients scored ({decisions or 'none'})")
    return 0


def _features(options: argparse.Namespace, _: Settings) -> int:
    inputs = find_inputs(options.data)
    manifest = _computed(options, inputs, FeatureJob, FeatureJob(), _run(options, inputs, job="features"))
    _print_end(options, manifest, f"features of {manifest.rows:,} clients")
    return 0


def _run(options: argparse.Namespace, inputs: Inputs, job: str, **of_job: str | None) -> Run:
    return Run(
        job=job,
        engine="local",
        data=inputs.fingerprint,
        code=code_fingerprint(),
        catalogue=catalogue_hash(),
        part_clients=options.part_clients,
        **of_job,  # type: ignore[arg-type]
    )


def _computed(options: argparse.Namespace, inputs: Inputs, make_job: Callable[[], Job], job: Job, run: Run) -> Manifest:
    with opened(options.out, run, job.name) as output:
        return run_local(inputs, make_job, job, output, options.workers)


def champion(settings: Settings) -> tuple[Path, str]:
    """Return folder and tag of the model that the service decides with: this container's, or the store's latest."""
    if settings.bento_folder:
        folders = sorted((Path(settings.bento_folder) / "models" / NAME).glob(f"*/{FOLDER_IN_STORE}"))
        if folders:
            return folders[
                0
            ], f"{NAME}:{folders[0].relative_to(Path(settings.bento_folder) / 'models' / NAME).parts[0]}"
    try:
        stored = bentoml.models.get(f"{NAME}:latest")
    except bentoml.exceptions.NotFound as error:
        raise PortfolioError(
            "BentoML's store holds no model; name a folder with --model, or import the champion with: make import"
        ) from error
    return Path(stored.path_of(FOLDER_IN_STORE)), str(stored.tag)


def model_digest(folder: Path) -> str:
    """Return the SHA-256 of the files of a model folder."""
    return hashlib.sha256(json.dumps(digests(folder)).encode()).hexdigest()


def _print_end(options: argparse.Namespace, manifest: Manifest, what: str) -> None:
    print(f"{what} in {manifest.seconds:,.0f} s: {options.out}")
    if manifest.clients_not_scored:
        print(f"  {manifest.clients_not_scored:,} left out, and why: {options.out / 'not_scored'}")
        for reason, count in sorted(manifest.not_scored.items(), key=lambda item: -item[1]):
            print(f"    {count:,} clients: {reason}")
    for name, count in manifest.orphan_rows.items():
        print(f"  {name}: {count:,} rows belong to no client, ignored")
    for note in manifest.notes:
        print(f"  {note}")
