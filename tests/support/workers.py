"""Find the worker processes of a running service."""

import contextlib

import psutil

WORKER = "_bentoml_impl.worker.service"
"""The module that each worker runs."""


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the workers that a service's first process has started; one that has ended is left out."""
    workers = []
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if WORKER in child.cmdline():
                workers.append(child)
    return workers
