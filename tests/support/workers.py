"""Find the worker processes of a running service."""

import psutil

WORKER = "_bentoml_impl.worker.service"
"""The module that each worker runs."""


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the workers that a service's first process has started."""
    return [child for child in process.children(recursive=True) if WORKER in child.cmdline()]
