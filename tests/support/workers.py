"""The processes of a running service that answer."""

import psutil

WORKER = "_bentoml_impl.worker.service"
"""The module that each of them runs."""


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The workers that a service's first process has started."""
    return [child for child in process.children(recursive=True) if WORKER in child.cmdline()]
