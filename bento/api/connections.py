"""Limits of a connection, before there is a request: time for a head, idle time, and the number of connections.

Uvicorn waits without a limit for the head of a request, and closes an idle connection only where nothing of a next
request has arrived: 700 connections that send nothing keep a process with 256 open files from answering anybody.
"""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

from bento.settings import LIMITS, Limits

log = logging.getLogger("bentoml.credit_scoring")

MIN_IDLE_S = 0.5
"""Seconds that a new connection has to send a request before it may be closed for another; the event loop accepts many
connections before it reads from the first of them."""
ACCEPTED_AT_ONCE = 1
"""Connections that the event loop accepts in one iteration, before it looks at the bound.

The workers accept from the same socket: with 16, one of two took all 16 connections of a client that opened them at
once, and the other had no work; with 1 each takes 7 to 9.
"""
REPORT_INTERVAL_S = 60.0
"""Seconds between two lines in the log that all connections are taken."""


class LimitedProtocol(H11Protocol):
    """Uvicorn's protocol with a timer while no request is in work, and a bound on connections.

    From two thirds of the bound, a new connection takes the place of the one that is idle for longest: a client that
    sends its request at once is answered, no matter how many others hold connections without one.
    """

    load_limits: ClassVar["staticmethod[[], Limits]"] = staticmethod(lambda: LIMITS)
    _idle: ClassVar[dict["LimitedProtocol", float]] = {}
    """Connections of this process without a request in work, with the time since when, the oldest first."""
    is_ending: ClassVar[bool] = False
    """Whether the server has begun to end: a connection accepted at that moment, which uvicorn does not close, would go
    on with request after request, and the process with it."""
    _reported_at: ClassVar[float | None] = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, and close the one that is idle for longest where there are too many."""
        super().connection_made(transport)
        self._make_room()
        self._watch(self.load_limits().head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the timer of a connection that is closed."""
        self._stop_timer()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Read what has arrived; the timer goes on until the head of a request is complete."""
        super().handle_events()
        if self.is_ending and self.cycle is not None:
            self.cycle.keep_alive = False
        self._watch(self.load_limits().head_timeout_s)

    def _should_upgrade(self) -> bool:
        """Answer a wish for another protocol (WebSocket) as any request: only those are limited, guarded and logged."""
        return False

    def on_response_complete(self) -> None:
        """Wait for the next request, with a new timer."""
        super().on_response_complete()
        self._stop_timer()
        self._watch(self.load_limits().idle_timeout_s)

    def _watch(self, seconds: float) -> None:
        """Start the timer unless it runs; end it where a request is in work, which has other limits."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(seconds, self._close)
            self._idle[self] = self.loop.time()

    def _stop_timer(self) -> None:
        self._idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._stop_timer()
        self.transport.abort()

    def _make_room(self) -> None:
        maximum = max_connections(self.load_limits())
        while len(self.connections) > 2 * maximum // 3:
            oldest, since = next(iter(self._idle.items()), (self, self.loop.time()))
            if len(self.connections) <= maximum and self.loop.time() - since < MIN_IDLE_S:
                break
            self._report(maximum)
            self.connections.discard(oldest)
            oldest._close()
            if oldest is self:
                break

    def _report(self, maximum: int) -> None:
        now = time.monotonic()
        if self._reported_at is None or now - self._reported_at > REPORT_INTERVAL_S:
            LimitedProtocol._reported_at = now
            text = "%d of the %d connections of this worker are taken; those idle for longest are closed"
            log.warning(text, len(self.connections), maximum)


def max_connections(limits: Limits) -> int:
    """Return the bound on connections: five eighths of the files that this process may open, or less by settings."""
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(limits.max_connections, 5 * open_files // 8)


def install(load_limits: Callable[[], Limits]) -> None:
    """Replace uvicorn's protocol, before a worker makes its server, and have it notice the end; tests watch."""
    LimitedProtocol.load_limits = staticmethod(load_limits)
    auto.AutoHTTPProtocol = LimitedProtocol
    Server.startup = _startup  # type: ignore[assignment, method-assign]
    Server.shutdown = _shutdown  # type: ignore[assignment, method-assign]


_start, _end = Server.startup, Server.shutdown


async def _startup(server: Server, sockets: list[socket.socket] | None = None) -> None:
    """Start, but accept one connection at a time: asyncio would accept as many as wait, and leave no file to open."""
    waiting, server.config.backlog = server.config.backlog, ACCEPTED_AT_ONCE
    await _start(server, sockets)
    for listener in sockets or []:
        listener.listen(waiting)


async def _shutdown(server: Server, sockets: list[socket.socket] | None = None) -> None:
    LimitedProtocol.is_ending = True
    await _end(server, sockets)
