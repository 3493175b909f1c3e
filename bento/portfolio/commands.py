"""Commands on a whole portfolio: `python -m bento portfolio --help`."""

import argparse
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import bentoml

from bento import NAME
from bento.data.files import DataError
from bento.features.catalogue import catalogue_hash
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import digests
from bento.portfolio.inputs import find_inputs
from bento.portfolio.jobs import REASONS, JobSpec
from bento.portfolio.local import run_local
from bento.portfolio.output import Engine, Manifest, PortfolioError, Run, opened
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
        "--data", required=True, metavar="DIR", help="the tables, CSV or Parquet, each a file or a folder"
    )
    command.add_argument("--out", type=_folder, required=True, metavar="DIR", help="a new folder, or one to resume")
    command.add_argument("--part-clients", type=_positive, default=PART_CLIENTS, metavar="N", help="clients in a part")
    command.add_argument(
        "--workers", type=_positive, default=os.cpu_count() or 1, metavar="N", help="processes, by default the cores"
    )
    command.add_argument(
        "--engine",
        choices=get_args(Engine),
        default="local",
        help="local (default): this machine; spark: many, where --data may also be an address of Spark",
    )
    command.add_argument(
        "--master", help="of Spark, such as local[2,4]; by default that of spark-submit, else this machine"
    )
    command.set_defaults(run=_with_one_line_errors(run))
    return command


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _folder(text: str) -> Path:
    if "://" in text:
        raise argparse.ArgumentTypeError(
            f"{text}: is an address; name a folder, of which the storage behind that address may be mounted"
        )
    return Path(text)


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
    spec = JobSpec(folder, rulebook.content, options.reasons)
    of_model = {"model": model_digest(folder), "model_version": version}
    manifest = _computed(options, spec, job="score", **of_model, rules=rulebook.version, reasons=options.reasons)
    decisions = ", ".join(f"{count:,} {decision}" for decision, count in manifest.decisions.items())
    _print_end(options, manifest, f"{manifest.rows:,} clients scored ({decisions or 'none'})")
    return 0


def _features(options: argparse.Namespace, _: Settings) -> int:
    manifest = _computed(options, JobSpec(), job="features")
    _print_end(options, manifest, f"features of {manifest.rows:,} clients")
    return 0


def _computed(options: argparse.Namespace, spec: JobSpec, **of_job: str | None) -> Manifest:
    def run(data: str) -> Run:
        return Run.model_validate(
            {
                "engine": options.engine,
                "data": data,
                "code": code_fingerprint(),
                "catalogue": catalogue_hash(),
                "part_clients": options.part_clients,
                **of_job,
            }
        )

    job = spec.job()
    if options.engine == "local":
        if "://" in options.data:
            raise PortfolioError(f"{options.data}: is no folder; only --engine spark reads addresses")
        inputs = find_inputs(Path(options.data))
        with opened(options.out, run(inputs.fingerprint), job.name) as output:
            return run_local(inputs, spec, job, output, options.workers)
    try:
        from bento.portfolio import spark  # noqa: PLC0415 - it imports PySpark, which the container does not hold
    except ModuleNotFoundError as error:
        raise PortfolioError(
            f"the engine spark needs the package {error.name}; install PySpark and Java (docs/portfolio.md)"
        ) from error
    with spark.session(options.master) as session:
        files = spark.inputs_of(session, options.data)
        with opened(options.out, run(files.fingerprint), job.name) as output:
            return spark.run_spark(session, files, spec, job, output)


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
