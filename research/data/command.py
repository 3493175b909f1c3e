"""Check a folder of files, download the real data, or generate synthetic data."""

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

from bento.data.validation import Report, check_folder
from research.cli import CommandError, last_line, shown
from research.data.dataset import RAW, SYNTHETIC, SYNTHETIC_CLIENTS, SYNTHETIC_SEED
from research.synthetic import write as write_synthetic

COMPETITION = "home-credit-default-risk"
EXAMPLE = "python -m research data synth --clients 5000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a subcommand for each of the three."""
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    check = command("check", "report what is wrong with a folder of files; exit code 1 on a fault")
    check.add_argument("folder", type=Path, metavar="DIR", help="folder of the files to check")
    get = command("download", "download the real data, with Kaggle's client and your token")
    get.add_argument("--out", type=Path, default=RAW, help=f"folder to write to; by default {shown(RAW)}")
    synth = command("synth", "generate synthetic data: the same tables, reproducible by seed")
    synth.add_argument("--clients", type=int, default=SYNTHETIC_CLIENTS, help="train and test clients together")
    synth.add_argument("--seed", type=int, default=SYNTHETIC_SEED, help="seed of the generator")
    synth.add_argument("--out", type=Path, default=SYNTHETIC, help=f"folder to write to; by default {shown(SYNTHETIC)}")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; return 1 where `check` reports a fault."""
    if options.command == "check":
        report = check_folder(options.folder)
        print_report(report)
        return 1 if report.faults else 0
    if options.command == "download":
        download(options.out)
    else:
        try:
            write_synthetic(options.out, options.clients, options.seed)
        except ValueError as error:
            raise CommandError(str(error)) from error
    print(f"ready: {options.out}")
    return 0


def print_report(report: Report) -> None:
    """Print the rows of each file, what is missing, ignored, cleaned or passed, and the faults last."""
    for name, rows in report.rows.items():
        print(f"{name}: {rows:,} rows")
    if report.notes:
        print()
    for note in report.notes:
        print(f"note: {note}")
    soft = [finding for finding in report.findings if not finding.hard]
    if soft:
        print(f"\n{'file':28} {'column':26} {'rows':>12} {'share':>7}  what")
    for finding in sorted(soft, key=lambda finding: (finding.file, -finding.rows)):
        where = f"{finding.file:28} {finding.column:26} {finding.rows:12,} {finding.share:7.2%}"
        print(f"{where}  {finding.predicate}")
    print(f"\n{len(report.faults)} faults, {len(soft)} findings cleaned or passed")
    for fault in report.faults:
        print(f"fault: {fault}", file=sys.stderr)


def download(out: Path) -> None:
    """Download and unpack the competition's files into `out`; raise CommandError with the remedy if refused."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "kaggle", "competitions", "download", "-c", COMPETITION, "-p", str(out)]
    finished = subprocess.run(command, check=False, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    archive = out / f"{COMPETITION}.zip"
    if finished.returncode != 0 or not archive.is_file():
        raise CommandError(
            f"Kaggle's client could not download ({last_line(finished.stderr, 'no answer')}). 1. Sign in at "
            "kaggle.com, open Settings, create an API token and put it where the page says (~/.kaggle). 2. Accept the "
            f"rules at kaggle.com/competitions/{COMPETITION}/rules. 3. Run this again; or work on synthetic data, "
            "which needs neither."
        )
    try:
        with zipfile.ZipFile(archive) as files:
            files.extractall(out)
    except zipfile.BadZipFile as error:
        raise CommandError(f"{archive}: the download is incomplete; delete it and run this again") from error
    archive.unlink()
