"""Commands on the journal: `python -m bento journal --help`."""

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bento.journal.backup import backup, check, postgresql_lines, restore
from bento.journal.entries import JournalError
from bento.journal.purge import purge
from bento.journal.replay import Replay, replay
from bento.journal.roles import grant, script
from bento.journal.rotate import rotate
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import AlteredError, Vault, VaultError
from bento.journal.verify import Verified, faults, logged_heads
from bento.settings import LIMITS, Settings

SAME, DIFFERENT, NOT_COMPARABLE = 0, 1, 2
"""Exit codes of a replay."""
MAX_DAYS = 36_525
"""A century: the age of decisions that `purge` accepts at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser.add_argument("--url", help="where the journal is, instead of JOURNAL_URL")
    commands = parser.add_subparsers(dest="journal_command", metavar="COMMAND", required=True)

    def command(
        name: str, text: str, run: Callable[[Journal, argparse.Namespace, Settings], int], **options: bool
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=_with_journal(run, **options))
        return added

    upgrade_parser = command(
        "upgrade", "make the journal, or bring its schema up to date; entries stay", _upgrade, check=False
    )
    upgrade_parser.add_argument(
        "--service-role", metavar="ROLE", help="in PostgreSQL, let this role write and read, and nothing else"
    )
    upgrade_parser.add_argument(
        "--service-password-file",
        type=Path,
        metavar="FILE",
        help="make the role where it is missing, with the password in this file",
    )
    replay_parser = command(
        "replay",
        "decide again what the journal holds: 0 all the same, 1 something differs or was altered, 2 not comparable "
        "(other code, or purged) or an error",
        _replay,
    )
    replay_parser.add_argument("ids", nargs="*", metavar="ID", help="ids of decisions")
    replay_parser.add_argument(
        "--random",
        type=_count,
        metavar="N",
        help="replay N decisions drawn at random; without ID and N, all that are not purged",
    )
    rules_parser = command(
        "rules", "print the rules of a version, which a decision names; without one, list the versions", _rules
    )
    rules_parser.add_argument("version", nargs="?", metavar="VERSION", help="`rules_version` of a decision")
    purge_parser = command(
        "purge",
        "destroy what concerns persons in old decisions; id, time, outcome, hashes and versions stay",
        _purge,
    )
    purge_parser.add_argument(
        "--older-than", type=_days, required=True, metavar="DAYS", help="such as 1825 for five years"
    )
    verify_parser = command(
        "verify", "name every entry that was altered, deleted or inserted since it was written: 0 none, 1 some", _verify
    )
    verify_parser.add_argument(
        "--log", type=Path, metavar="FILE", help="a log of the service: each head that it names must be in the journal"
    )
    command("seal", "take entries into the chain that were written without it, or before the master key", _seal)
    command("rotate-key", "encrypt every key anew under the first line of SCORING_MASTER_KEY_FILE", _rotate)
    roles_parser = command(
        "roles",
        "print the SQL that makes a role for the service in PostgreSQL, which may not alter",
        _roles,
        check=False,
    )
    roles_parser.add_argument("role", metavar="ROLE", help="its name")
    backup_parser = command(
        "backup", "copy the journal to a file while it is used, without the keys of clients", _backup
    )
    backup_parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    backup_parser.add_argument("--keys", type=Path, metavar="FILE", help="a new file for the keys, kept for days only")
    restore_parser = command(
        "restore", "put a backup where the journal is, with the keys of the present one", _restore, check=False
    )
    restore_parser.add_argument("file", type=Path, metavar="FILE", help="as `backup` made it")
    restore_parser.add_argument("--keys", type=Path, metavar="FILE", help="take the keys of clients from this backup")
    restore_parser.add_argument(
        "--without-keys", action="store_true", help="restore although encrypted entries cannot be read then"
    )
    command("check", "check that the journal is whole, and has the schema and the keys that this code needs", _check)


def _with_journal(
    command: Callable[[Journal, argparse.Namespace, Settings], int], *, check: bool = True
) -> Callable[[argparse.Namespace, Settings], int]:
    """Open the journal for a command, with the time that it may take, and check that its schema is up to date."""

    def run(options: argparse.Namespace, settings: Settings) -> int:
        vault = Vault.of(settings)
        journal = Journal(options.url or settings.journal_address, vault, LIMITS.maintenance_timeout_s)
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


def _upgrade(journal: Journal, options: argparse.Namespace, __: Settings) -> int:
    password = None
    if options.service_password_file is not None:
        if options.service_role is None:
            raise JournalError("--service-password-file needs --service-role, which names the role")
        password = options.service_password_file.read_text("utf-8").strip()
    before, after = upgrade(journal)
    if options.service_role is not None:
        grant(journal, options.service_role, password)
    print(f"{journal.address}: schema {after}" + (", as before" if before == after else f", before {before or 'none'}"))
    return 0


def _replay(journal: Journal, options: argparse.Namespace, settings: Settings) -> int:
    drawn = options.ids or (journal.ids(options.random) if options.random else None)
    verdicts: Counter[str] = Counter()
    for decision_id in drawn or itertools.chain.from_iterable(journal.portions()):
        result = _replayed(journal, decision_id, settings)
        verdicts[result.verdict] += 1
        is_repeated = result.verdict == "other code" and verdicts["other code"] > 1  # shown once, not a thousand times
        if options.ids or not (result.verdict == "same" or is_repeated):
            print(f"{result.id}: {result.verdict}" + "".join(f"; {difference}" for difference in result.differences))
        if sys.stderr.isatty() and verdicts.total() % 50 == 0:
            print(verdicts.total(), end="\r", file=sys.stderr)
    if not options.ids:
        counts = ", ".join(f"{n} {name}" for name, n in verdicts.items()) or "none"
        print(f"{verdicts.total()} decisions replayed: {counts}")
    if verdicts["different"] or verdicts["altered"]:
        return DIFFERENT
    return NOT_COMPARABLE if verdicts.keys() - {"same"} else SAME


def _replayed(journal: Journal, decision_id: str, settings: Settings) -> Replay:
    try:
        decision = journal.find(decision_id)
    except AlteredError as error:
        return Replay(decision_id, "altered", (str(error),))
    except VaultError as error:
        return Replay(decision_id, "unreadable", (str(error),))
    if decision is None:
        raise JournalError(f"{journal.address} holds no decision {decision_id}")
    return replay(decision, journal.rulebook(decision.rules), settings.bento_folder)


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


def _verify(journal: Journal, options: argparse.Namespace, _: Settings) -> int:
    verified, count = Verified(), 0
    for fault in faults(journal, verified, [] if options.log is None else logged_heads(options.log)):
        print(fault)
        count += 1
    note = "" if journal.vault.encrypts else ", under no secret key, as there is no master key"
    print(f"{journal.address}: {verified.entries} entries in {verified.chains} chains{note}; {count or 'no'} faults")
    return DIFFERENT if count else SAME


def _seal(journal: Journal, _: argparse.Namespace, __: Settings) -> int:
    print(f"{journal.address}: {seal(journal)} entries taken into the chain, as they are now")
    return 0


def _rotate(journal: Journal, _: argparse.Namespace, __: Settings) -> int:
    print(f"{journal.address}: {rotate(journal)} keys of clients encrypted anew")
    return 0


def _roles(_: Journal, options: argparse.Namespace, __: Settings) -> int:
    print(script(options.role), end="")
    return 0


def _backup(journal: Journal, options: argparse.Namespace, _: Settings) -> int:
    if journal.engine.dialect.name == "postgresql":
        print("\n".join(postgresql_lines("backup", options.file, options.keys)))
        return 0
    backup(journal, options.file, options.keys)
    print(
        f"{options.file}: written, without the keys of clients" + (f"; these: {options.keys}" if options.keys else "")
    )
    return 0


def _restore(journal: Journal, options: argparse.Namespace, _: Settings) -> int:
    if journal.engine.dialect.name == "postgresql":
        print("\n".join(postgresql_lines("restore", options.file, options.keys)))
        return 0
    target = Path(journal.engine.url.database or "")
    moved = restore(target, options.file, options.keys, journal.vault, without_keys=options.without_keys)
    print(f"{target}: restored from {options.file}; run: journal upgrade, journal check, and the purges since then")
    if moved is not None:
        print(f"the journal before it is kept: {moved}; delete it, with the keys it holds, once it is not needed")
    return 0


def _check(journal: Journal, _: argparse.Namespace, __: Settings) -> int:
    print(check(journal))
    return 0
