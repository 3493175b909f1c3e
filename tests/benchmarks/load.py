"""Load a service with the same requests, from a separate Locust process: `python -m tests.benchmarks.load --help`."""

import argparse
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PARTS = 10
"""Equal parts of a number of requests; after each the memory of the server is read."""
MIN_ANSWERS = 3
"""Answers to wait for when the seconds are too few."""
PAUSE = 0.01
"""Seconds between two looks at the number of answers."""
FINISH_TIMEOUT_S = 30
"""Seconds for the last answers."""


def ask(
    url: str,
    bodies: Sequence[bytes],
    connections: int,
    warm_up: int,
    seconds: float,
    requests: int,
    watched: Sequence[int],
) -> dict[str, Any]:
    """POST the bodies in turn, each connection as soon as it has its answer.

    Args:
        url: what is asked.
        bodies: JSON, sent in turn.
        connections: kept alive, each with one request at a time.
        warm_up: requests at first whose answers are not counted; their faults are.
        seconds: for how long, from then on.
        requests: the number after which to stop instead; 0 for none.
        watched: processes whose memory is read after each tenth of `requests`.

    Returns:
        Seconds in all, seconds of each answer, faults by kind, and by requests the memory (MiB) of the
        process that takes most.
    """
    import gevent  # imported late, both: Locust replaces the sockets of the process by gevent's
    import psutil
    from locust import FastHttpUser, task
    from locust.env import Environment

    host = urlsplit(url)._replace(path="", query="").geturl()
    in_turn = itertools.cycle(bodies)
    answers: list[float] = []
    faults: Counter[str] = Counter()
    memory: list[tuple[int, float]] = []
    processes = [psutil.Process(pid) for pid in watched]
    looked_at = {round(requests * part / PARTS) for part in range(PARTS + 1)} if watched else set()
    warm, enough = gevent.event.Event(), gevent.event.Event()
    asked = -warm_up

    class Connection(FastHttpUser):
        network_timeout = FINISH_TIMEOUT_S

        @task
        def ask(self) -> None:
            headers = {"Content-Type": "application/json"}
            self.client.post(url.removeprefix(host), data=next(in_turn), headers=headers)

    def note(response_time: float, exception: Exception | None, **_: object) -> None:
        nonlocal asked
        if enough.is_set():
            return
        asked += 1
        if exception is not None:
            faults[str(exception)[:200]] += 1
        elif asked > 0:
            answers.append(response_time / 1000)
        if asked in looked_at:
            memory.append((asked, max(process.memory_info().rss for process in processes) / 2**20))
        if asked == 0:
            warm.set()
        if asked == requests > 0:
            enough.set()

    environment = Environment(user_classes=[Connection], host=host, stop_timeout=FINISH_TIMEOUT_S)
    environment.events.request.add_listener(note)
    if not warm_up:
        warm.set()
    runner = environment.create_local_runner()
    runner.start(connections, spawn_rate=connections)
    warm.wait()
    start = time.perf_counter()
    enough.wait(None if requests else seconds)
    while not requests and len(answers) < MIN_ANSWERS and not faults:
        gevent.sleep(PAUSE)
    enough.set()
    taken = time.perf_counter() - start
    runner.quit()
    return {"seconds": taken, "answers": answers, "faults": faults, "memory": memory}


def main() -> None:
    """Load a service and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("url")
    parser.add_argument("bodies", type=Path, metavar="DIR", help="folder of JSON files, sent in turn")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--warm-up", type=int, default=20, help="requests that are not counted")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long, once warm")
    parser.add_argument("--requests", type=int, default=0, help="stop after this number instead")
    words = "read the memory of this process meanwhile; may be given for several"
    parser.add_argument("--watch", type=int, default=[], action="append", metavar="PID", help=words)
    options = parser.parse_args()
    bodies = [path.read_bytes() for path in sorted(options.bodies.glob("*.json"))]
    figures = ask(
        options.url,
        bodies,
        options.connections,
        options.warm_up,
        options.seconds,
        options.requests,
        options.watch,
    )
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
