"""Register an exported champion in a registry without a champion, under its number.

So the next challenger is judged against it, and is given the next number, on a machine that has no registry yet.
"""

import argparse
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException

from bento import NAME
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import CommandError, user_path
from research.registry.archive import opened

EXAMPLE = "python -m research restore build/champion.tar"
RESTORED_FROM = "restored_from"
"""Tag of a version: the training run of the version that was exported."""


def restore(archive: Path) -> int:
    """Register the champion of an archive, once its examples have been recomputed, and return its number.

    Raises CommandError where the archive cannot be used, or the registry holds that number, a later one or a champion,
    and ModelError where the model does not reproduce its examples.
    """
    client = tracking.connect()
    with opened(archive) as (record, logged), tracking.registry_lock("changes the registry"):
        model = ScoringModel.verified(logged / tracking.FOLDER_IN_LOGGED_MODEL)
        present = tracking.registered(client, tracking.CHAMPION)
        if present is not None:
            raise CommandError(f"version {present.version} of {NAME} is champion here: nothing was restored")
        _use_up_numbers_before(record.version, client)
        tags = record.tags | {RESTORED_FROM: record.run_id}
        with tracking.started_run("restore", tags):
            version = tracking.log_model(model)
            if int(version.version) != record.version:
                client.delete_model_version(NAME, version.version)
                raise CommandError(
                    f"version {record.version} of {NAME} was registered here before: restore into an empty registry"
                )
        for name, value in tags.items():
            client.set_model_version_tag(NAME, version.version, name, value)
        client.set_registered_model_alias(NAME, tracking.CHAMPION, version.version)
    return int(version.version)


def _use_up_numbers_before(number: int, client: mlflow.MlflowClient) -> None:
    """Let MLflow, which counts deleted versions too, give this number next."""
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    following = 1 + max((int(version.version) for version in client.search_model_versions(f"name='{NAME}'")), default=0)
    while following < number:
        unused = client.create_model_version(NAME, source=f"unused:/{NAME}")
        client.delete_model_version(NAME, unused.version)
        following = int(unused.version) + 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the archive."""
    parser.add_argument("archive", type=user_path, metavar="FILE", help="what python -m research export wrote")


def run(options: argparse.Namespace) -> None:
    """Restore and print the number of the version."""
    print(f"{NAME} version {restore(options.archive)} is champion here")
