"""Move the aliases of the registry: all of them, or none."""

import contextlib
from collections.abc import Iterator, Mapping

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from bento import NAME
from research import tracking
from research.cli import CommandError, first_line


def check_aliases(client: mlflow.MlflowClient, expected: Mapping[str, ModelVersion | None]) -> None:
    """Raise CommandError where another process moved an alias away from the version it was read with."""
    for alias, before in expected.items():
        now = tracking.registered(client, alias)
        if (now.version if now else None) != (before.version if before else None):
            raise CommandError(
                f"the {alias} is now version {now.version if now else 'none'}, no longer "
                f"{before.version if before else 'none'}: nothing was moved, run this again"
            )


@contextlib.contextmanager
def moved_aliases(client: mlflow.MlflowClient, targets: Mapping[str, str | None]) -> Iterator[None]:
    """Move aliases to versions, in this order, or remove them (None); an error, here or in the block, puts all back.

    `previous` comes before `champion`, so that a process that is killed in between leaves a champion. Raises
    CommandError, with what to set by hand, where they cannot be put back.
    """
    versions = {alias: tracking.registered(client, alias) for alias in targets}
    before = {alias: version.version if version else None for alias, version in versions.items()}
    finished = False
    try:
        for alias, target in targets.items():
            _set_alias(client, alias, target)
        yield
        finished = True
    finally:
        if not finished:
            _put_back(client, before)


def _set_alias(client: mlflow.MlflowClient, alias: str, version: str | None) -> None:
    if version is not None:
        client.set_registered_model_alias(NAME, alias, version)
    elif tracking.registered(client, alias):
        client.delete_registered_model_alias(NAME, alias)


def _put_back(client: mlflow.MlflowClient, before: Mapping[str, str | None]) -> None:
    try:
        for alias, version in reversed(list(before.items())):
            _set_alias(client, alias, version)
    except (CommandError, MlflowException, SQLAlchemyError, OSError) as error:
        aliases = ", ".join(f"{alias} {version or 'none'}" for alias, version in before.items())
        raise CommandError(
            f"MLflow failed halfway, and aliases could not be put back ({first_line(error)}); once it answers, see "
            f"(make mlflow) that those of {NAME} are: {aliases}"
        ) from error
