"""The processes of a service: the first one checks the settings and hands them to its workers, which end with it.

BentoML runs the workers in the folder of the Bento, with the variables that the Bento declares: a relative path, or a
journal that is only the default, means another file there than where the service was started.
"""

import atexit
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import bentoml

from bento import FAULT, os_fault
from bento.settings import Settings

if TYPE_CHECKING:
    from circus.sighandler import SysHandler

HANDED_VARIABLE = "_CREDIT_SCORING_HANDED"
"""Holds the settings of the first process, and its id, in the environment of the workers."""
PROXIES_VARIABLE = "FORWARDED_ALLOW_IPS"
"""Uvicorn reads it for the addresses whose X-Forwarded-For it believes; by default those of this machine."""
QUIT_INTERVAL_S = 0.2
"""Seconds between two tries to end all processes."""
METRICS_PREFIX = "credit_scoring_metrics_"
MIN_ABANDONED_S = 60.0
"""Age of a folder of metrics from which it may be removed: a younger one may not be locked yet."""
_PR_SET_PDEATHSIG = 1
"""Of prctl(2) on Linux: the signal that a process gets when its parent ends."""


def hand_over(settings: Settings) -> None:
    """Put the settings into the environment of the workers, which are started later."""
    values = {str(field.validation_alias): getattr(settings, name) for name, field in Settings.model_fields.items()}
    os.environ[HANDED_VARIABLE] = json.dumps({"parent": os.getpid(), "settings": values})
    os.environ[PROXIES_VARIABLE] = settings.trusted_proxies


def read_settings() -> Settings:
    """Return the settings: in a worker those that were handed over, otherwise those of the environment.

    Raises:
        SettingsError: the environment holds an unusable one.
    """
    if handed := os.environ.get(HANDED_VARIABLE):
        return Settings(**json.loads(handed)["settings"])
    return Settings.read().resolved()


def end_with_parent() -> None:
    """Have this worker end as on SIGTERM when the process that started it ends, killed or not.

    Without that, workers whose parent was killed go on to answer: nothing starts them again when they fail, and the
    next start of the service cannot listen on their port.
    """
    handed = os.environ.get(HANDED_VARIABLE)
    if handed is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != json.loads(handed)["parent"]:  # it ended before the call
        os.kill(os.getpid(), signal.SIGTERM)


def own_metrics_folder() -> str:
    """Make a folder for the metrics of this service, removed when its first process ends.

    BentoML keeps those of all services of a BENTOML_HOME in one folder, and each start empties it.
    """
    try:
        folder = tempfile.mkdtemp(prefix=METRICS_PREFIX)
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)  # until this process ends, killed or not
    except OSError as error:
        print(f"error: {os_fault(error)}", file=sys.stderr)  # noqa: T201 - the start ends here
        sys.exit(FAULT)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _remove_abandoned(Path(folder).parent)
    return folder


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of metrics that killed services have left: they are not locked any more."""
    for folder in parent.glob(f"{METRICS_PREFIX}*"):
        with contextlib.suppress(OSError):  # it is another user's, in use, or gone
            if time.time() - folder.lstat().st_mtime < MIN_ABANDONED_S:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


def quit_until_done(handler: "SysHandler") -> None:
    """Have all processes end on SIGTERM, SIGINT or SIGQUIT, also while they start.

    Circus, which starts the workers, refuses to stop while it is starting them, and forgets that it was asked to: the
    service would come up, although it was stopped.
    """
    from circus.client import make_json  # noqa: PLC0415

    controller = handler.controller

    def ask() -> None:
        controller.dispatch((None, make_json("quit")))
        controller.loop.call_later(QUIT_INTERVAL_S, ask)  # until the loop itself ends

    controller.loop.add_callback_from_signal(ask)


def install() -> None:
    """Replace, in the first process, BentoML's folder of metrics and what circus does on SIGTERM.

    Both versions are pinned by the lock file, and tests watch. A worker needs neither: their import takes 60 ms.
    """
    if bentoml.server_context.worker_index is not None:
        return
    import bentoml.serving as bentoml_serving  # noqa: PLC0415
    from circus.sighandler import SysHandler  # noqa: PLC0415

    bentoml_serving.ensure_prometheus_dir = own_metrics_folder  # type: ignore[assignment]
    SysHandler.quit = quit_until_done
