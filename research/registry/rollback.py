"""Make the previous champion champion again, once it has reproduced its examples."""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from research import tracking
from research.cli import CommandError
from research.registry.aliases import check_aliases, moved_aliases
from research.registry.promote import contract


def rollback() -> tuple[ModelVersion, ModelVersion]:
    """Move both aliases back by one promotion; tag the former champion with the time; return it and the present one.

    Raises CommandError where there is no champion, no previous one, or this code cannot serve the previous one.
    """
    client = tracking.connect()
    champion = tracking.champion(client)
    previous = _previous(client, champion)
    if previous is None:
        raise CommandError(f"version {champion.version} is the first champion: there is nothing to go back to")
    with tempfile.TemporaryDirectory() as folder:
        check = contract(tracking.model_folder(previous, Path(folder)))
    if not check.passed:
        raise CommandError(f"version {previous.version} cannot be served by this code ({check.found})")
    targets = {tracking.PREVIOUS: previous.tags.get(tracking.PROMOTED_OVER), tracking.CHAMPION: previous.version}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with tracking.registry_lock("changes the registry"):
        check_aliases(client, {tracking.CHAMPION: champion})
        with moved_aliases(client, targets):
            client.set_model_version_tag(NAME, champion.version, "rolled_back", now)
    return champion, previous


def _previous(client: mlflow.MlflowClient, champion: ModelVersion) -> ModelVersion | None:
    """Return the version before the champion, by its alias or, where a promotion was killed halfway, by its tag."""
    previous = tracking.registered(client, tracking.PREVIOUS)
    if previous is None or previous.version != champion.version:
        return previous
    before = champion.tags.get(tracking.PROMOTED_OVER)
    return None if before is None else client.get_model_version(NAME, before)


def run(_: argparse.Namespace) -> None:
    """Roll back and print which version is champion."""
    former, champion = rollback()
    print(f"version {champion.version} is champion again, version {former.version} is not; next: make import bento")
