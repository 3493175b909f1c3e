"""Makes the previous version champion again, once it has answered its examples."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from research import tracking
from research.cli import CommandError, parser, run
from research.registry.promote import contract


def rollback() -> tuple[ModelVersion, ModelVersion]:
    """Champion and previous go back one promotion; the version that is left is tagged with the time.

    Returns:
        the champion that was, and the one that is.

    Raises:
        CommandError: there is no champion, nothing to go back to, or nothing that this code can serve.
    """
    client = tracking.connect()
    champion, previous = tracking.champion(client), tracking.registered(client, tracking.PREVIOUS)
    if previous is None:
        raise CommandError(f"version {champion.version} is the first champion: there is nothing to go back to")
    with tempfile.TemporaryDirectory() as folder:
        check = contract(tracking.model_folder(previous, Path(folder)))
    if not check.passed:
        raise CommandError(f"version {previous.version} cannot be served by this code ({check.found})")
    tracking.move_aliases(client, previous.version, previous.tags.get(tracking.PROMOTED_OVER))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    client.set_model_version_tag(NAME, champion.version, "rolled_back", now)
    return champion, previous


def main() -> None:
    """The command line."""
    parser("Make the previous champion champion again.", "python -m research.registry.rollback").parse_args()
    left, champion = rollback()
    print(f"version {champion.version} is champion again, version {left.version} is not; next: make import bento")


if __name__ == "__main__":
    run(main)
