"""Download the files of the competition with Kaggle's own client."""

import subprocess
import sys
import zipfile
from pathlib import Path

from research.cli import CommandError, last_line

COMPETITION = "home-credit-default-risk"


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
