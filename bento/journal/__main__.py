"""Commands on the journal: `python -m bento.journal --help`."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bento.journal.database import journal_url
from bento.journal.entries import JournalError
from bento.journal.purge import purge
from bento.journal.replay import replay
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault, VaultError
from bento.model.scoring_model import ModelError

DIFFERENT, FAULT = 1, 2
A_CENTURY = 36_525


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 0 done, 1 a replay comes out differently, 2 a fault the user can put right."""
    options = _parser().parse_args(arguments)
    try:
        journal = Journal(options.url or journal_url(), Vault.from_environment())
        if options.command != "upgrade":
            journal.check()
        return int(options.run(journal, options))
    except (JournalError, VaultError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bento.journal",
        description="The journal of decisions; JOURNAL_URL says where it is, SCORING_MASTER_KEY_FILE what decrypts it.",
        epilog="example: python -m bento.journal replay --random 1000",
    )
    parser.add_argument("--url", help="where the journal is, in place of JOURNAL_URL")
    commands = parser.add_subparsers(dest="command", required=True)
    words = "make the journal, or bring its schema up to date; entries stay"
    commands.add_parser("upgrade", help=words, description=words).set_defaults(run=_upgrade)
    words = "decide again what the journal holds: 0 all the same, 1 something differs, 2 decided by other code"
    again = commands.add_parser("replay", help=words, description=words)
    again.add_argument("ids", nargs="*", metavar="ID", help="ids of decisions")
    again.add_argument("--random", type=_count, metavar="N", help="N decisions drawn at random; without, all")
    again.set_defaults(run=_replay)
    words = "destroy what concerns persons in old decisions; id, time, outcome, hashes and versions stay"
    old = commands.add_parser("purge", help=words, description=words)
    old.add_argument("--older-than", type=_days, required=True, metavar="DAYS", help="such as 1825 for five years")
    old.set_defaults(run=_purge)
    return parser


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 <= days <= A_CENTURY:
        raise argparse.ArgumentTypeError(f"must be between 0 and {A_CENTURY}")
    return timedelta(days=days)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _upgrade(journal: Journal, _: argparse.Namespace) -> int:
    before, after = upgrade(journal)
    print(f"{journal.address}: schema {after}" + (", as before" if before == after else f", before {before or 'none'}"))
    return 0


def _replay(journal: Journal, options: argparse.Namespace) -> int:
    ids = options.ids or journal.ids(options.random)
    verdicts: Counter[str] = Counter()
    for number, decision_id in enumerate(ids, start=1):
        found = journal.find(decision_id)
        if found is None:
            raise JournalError(f"{journal.address} holds no decision {decision_id}")
        result = replay(found)
        verdicts[result.verdict] += 1
        repeated = result.verdict == "other code" and verdicts["other code"] > 1  # of a thousand it is said once
        if options.ids or not (result.verdict == "same" or repeated):
            print(f"{result.id}: {result.verdict}" + "".join(f"; {difference}" for difference in result.differences))
        if sys.stderr.isatty() and number % 50 == 0:
            print(f"{number} of {len(ids)}", end="\r", file=sys.stderr)
    if not options.ids:
        print(f"{len(ids)} decisions replayed: " + (", ".join(f"{n} {name}" for name, n in verdicts.items()) or "none"))
    if verdicts["different"]:
        return DIFFERENT
    return FAULT if verdicts["other code"] or verdicts["purged"] else 0


def _purge(journal: Journal, options: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    emptied, destroyed = purge(journal, now - options.older_than, now)
    print(f"{journal.address}: {emptied} decisions purged, {destroyed} keys destroyed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
