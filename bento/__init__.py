"""Everything that runs when a credit decision is made: data, features, model, scoring, journal, service."""

import errno
import os
from pathlib import Path

from bento.addresses import without_secrets

NAME = "credit_scoring"
"""Name of the registered model, of the model in the Bento store, of the Bento and of the service."""
FAULT = 2
"""Exit code of an error that the user can correct: input, registry, port."""
INTERRUPTED = 130
"""Exit code of a process that Ctrl-C ended, as shells use it."""


class CorrectableError(RuntimeError):
    """An error that the user can correct: its message is one line that says how, and the process ends with 2.

    No address in the message holds a secret.
    """

    exit_code = FAULT

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))


_ON_FULL_DISK = "free some space and run this again"
_ON_MISSING_RIGHT = (
    "give this user the right to write there, or choose another folder (an option, or SCORING_DATA, JOURNAL_URL, "
    "BENTOML_HOME, MLFLOW_TRACKING_URI, TMPDIR)"
)
_REMEDIES = {
    errno.EACCES: _ON_MISSING_RIGHT,
    errno.EPERM: _ON_MISSING_RIGHT,
    errno.EROFS: _ON_MISSING_RIGHT,
    errno.ENOSPC: _ON_FULL_DISK,
    errno.EDQUOT: _ON_FULL_DISK,
}


def os_fault(error: OSError) -> str:
    """Return one line for a file, folder or address that cannot be used: which one, why, and what to do.

    >>> os_fault(PermissionError(13, "Permission denied", "/data/logs"))[:53]
    '/data/logs: Permission denied; give this user the rig'
    >>> os_fault(NotADirectoryError(20, "Not a directory", "report.csv/out"))
    'report.csv/out: Not a directory; correct the path or name another'
    """
    reason = (error.strerror or str(error) or type(error).__name__).strip().splitlines()[0]
    where = "" if error.filename is None else f"{error.filename}: "
    default = "correct the path or name another" if where else "correct that and run this again"
    return f"{where}{reason}; {_REMEDIES.get(error.errno or 0, default)}"


def require_writable(folder: Path) -> None:
    """Make a folder where it is missing; raise PermissionError, with its name, where no file can be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
