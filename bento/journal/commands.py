"""Commands on the journal: `python -m bento journal --help`."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bento.journal.entries import JournalError
from bento.journal.purge import purge
from bento.journal.replay import replay
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from bento.settings import Settings

SAME, DIFFERENT, NOT_COMPARABLE = 0, 1, 2
"""Exit codes of a replay."""
MAX_DAYS = 36_525
"""A century: the age of decisions that `purge` accepts at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `upgrade`, `replay`, `rules` and `purge`."""
    parser.add_argument("--url", help="where the journal is, instead of JOURNAL_URL")
    commands = parser.add_subparsers(dest="journal_command", metavar="COMMAND", required=True)
    text = "make the journal, or bring its schema up to date; entries stay"
    commands.add_parser("upgrade", help=text, description=text).set_defaults(run=_with_journal(_upgrade, check=False))
    text = (
        "decide again what the journal holds: 0 all the same, 1 something differs, 2 not comparable (other code, or "
        "purged) or an error"
    )
    replay_parser = commands.add_parser("replay", help=text, description=text)
    replay_parser.add_argument("ids", nargs="*", metavar="ID", help="ids of decisions")
    replay_parser.add_argument(
        "--random",
        type=_count,
        metavar="N",
        help="replay N decisions drawn at random; without ID and N, all that are not purged",
    )
    replay_parser.set_defaults(run=_with_journal(_replay))
    text = "print the rules of a version, which a decision names; without one, list the versions"
    rules_parser = commands.add_parser("rules", help=text, description=text)
    rules_parser.add_argument("version", nargs="?", metavar="VERSION", help="`rules_version` of a decision")
    rules_parser.set_defaults(run=_with_journal(_rules))
    text = "destroy what concerns persons in old decisions; id, time, outcome, hashes and versions stay"
    purge_parser = commands.add_parser("purge", help=text, description=text)
    purge_parser.add_argument(
        "--older-than", type=_days, required=True, metavar="DAYS", help="such as 1825 for five years"
    )
    purge_parser.set_defaults(run=_with_journal(_purge))


def _with_journal(
    command: Callable[[Journal, argparse.Namespace, Settings], int], *, check: bool = True
) -> Callable[[argparse.Namespace, Settings], int]:
    """Open the journal for a command, and check that its schema is up to date."""

    def run(options: argparse.Namespace, settings: Settings) -> int:
        journal = Journal(options.url or settings.journal_address, Vault.from_file(settings.master_key_file))
        if check:
            journal.check()
        return command(journal, options, settings)

    return run


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 <= days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"must be between 0 and {MAX_DAYS}")
    return timedelta(days=days)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _upgrade(journal: Journal, _: argparse.Namespace, __: Settings) -> int:
    before, after = upgrade(journal)
    print(f"{journal.address}: schema {after}" + (", as before" if before == after else f", before {before or 'none'}"))
    return 0


def _replay(journal: Journal, options: argparse.Namespace, settings: Settings) -> int:
    ids = options.ids or journal.ids(options.random)
    verdicts: Counter[str] = Counter()
    for number, decision_id in enumerate(ids, start=1):
        decision = journal.find(decision_id)
        if decision is None:
            raise JournalError(f"{journal.address} holds no decision {decision_id}")
        result = replay(decision, journal.rulebook(decision.rules), settings.bento_folder)
        verdicts[result.verdict] += 1
        is_repeated = result.verdict == "other code" and verdicts["other code"] > 1  # shown once, not a thousand times
        if options.ids or not (result.verdict == "same" or is_repeated):
            print(f"{result.id}: {result.verdict}" + "".join(f"; {difference}" for difference in result.differences))
        if sys.stderr.isatty() and number % 50 == 0:
            print(f"{number} of {len(ids)}", end="\r", file=sys.stderr)
    if not options.ids:
        print(f"{len(ids)} decisions replayed: " + (", ".join(f"{n} {name}" for name, n in verdicts.items()) or "none"))
    if verdicts["different"]:
        return DIFFERENT
    return NOT_COMPARABLE if verdicts["other code"] or verdicts["purged"] else SAME


def _rules(journal: Journal, options: argparse.Namespace, _: Settings) -> int:
    if options.version is not None:
        print(journal.rulebook(options.version).model_dump_json(indent=1))
    else:
        for version, kept_at in journal.rulebooks():
            print(f"{version}: first used {kept_at:%Y-%m-%d %H:%M} UTC")
    return 0


def _purge(journal: Journal, options: argparse.Namespace, _: Settings) -> int:
    now = datetime.now(UTC)
    emptied, destroyed = purge(journal, now - options.older_than, now)
    print(f"{journal.address}: {emptied} decisions purged, {destroyed} keys destroyed")
    return 0
