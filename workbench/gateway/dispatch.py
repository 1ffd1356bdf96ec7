"""The dispatcher: makes calls over one transport, each in the task of whoever asks, and ends them when told to.

Owns what all calls of one event loop share. How one goes its way stands in `walk`, and without a task in `quick`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from workbench.boundary.sealed import sealed
from workbench.engine.fallback import DEADLINE_MS, Cascade
from workbench.engine.health import Health
from workbench.engine.pool import Pool
from workbench.gateway.codecs.route import Route
from workbench.gateway.events import COMMITTING, Answer, Emit, unheard
from workbench.gateway.keys import KeySource
from workbench.gateway.limits import LIMITS, Limits
from workbench.gateway.records import Recorder, Unrecorded
from workbench.gateway.walk import Walk


def monotonic_ms() -> float:
    """The clock of calls: milliseconds that only grow."""
    return time.monotonic() * 1000.0


@sealed
class Ask:
    """One request: what to walk down, and how."""

    call_id: str
    """The trace's id; records carry it."""
    cascade: Cascade
    """Its context's request is the neutral request: `messages`, `tools`, `temperature`, ..."""
    stream: bool = False
    no_log: object = True
    """Whether nothing of anybody's words may be kept. Only `False` itself allows it (R17)."""
    deadline_ms: float = DEADLINE_MS
    commits: tuple[type, ...] = COMMITTING
    """The events that the caller passes on as they come: those that it keeps to the end commit nothing."""


class Stop:
    """A caller's way to end its call at any time; the answer's outcome is then `cancelled`."""

    def __init__(self) -> None:
        self.requested = False
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    def stop(self) -> None:
        """End the call; once it has ended this does nothing."""
        self.requested = True
        if self._task is not None and not self._cancelled:
            self._cancelled = self._task.cancel()

    def bind(self, task: asyncio.Task[Any]) -> None:
        """The task that the call runs in, from now on until `release`."""
        self._task = task
        self._cancelled = False
        if self.requested:
            self.stop()

    async def release(self) -> None:
        """The call has ended; what is left of a cancellation of ours does not reach the task's other work."""
        task, self._task = self._task, None
        if task is None or not self._cancelled:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # one that was asked for after the call's last wait comes here
        task.uncancel()


@dataclass(slots=True)
class Dispatcher:
    """Makes calls over one transport. Belongs to one event loop."""

    transport: httpx.AsyncBaseTransport
    keys: KeySource
    """`Redirected` where the candidates are an emulator's; then every attempt is an emulated one."""
    health: Health = field(default_factory=Health)
    recorder: Recorder = field(default_factory=Unrecorded)
    limits: Limits = LIMITS
    clock: Callable[[], float] = monotonic_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    allow_http: bool = False
    """Whether plain http is allowed beyond this machine."""
    routes: tuple[Pool, dict[int, Route]] | None = field(default=None, init=False, repr=False)
    """Where the candidates of the pool at hand are called, as far as they have been."""

    def route(self, pool: Pool, index: int) -> Route:
        """Where a candidate is called, looked at once for each pool. Raises `LocalFault`."""
        if self.routes is None or self.routes[0] is not pool:
            self.routes = (pool, {})
        known = self.routes[1].get(index)
        if known is None:
            known = self.routes[1][index] = Route.of(pool.candidates[index], allow_http=self.allow_http)
        return known

    async def run(self, ask: Ask, emit: Emit = unheard, stop: Stop | None = None) -> Answer:
        """Walk down the cascade until it is answered, refused or over; never raises but `CancelledError`.

        Where the calling task is cancelled, the upstream is closed and the outcome recorded before that passes on.
        """
        if stop is not None and stop.requested:
            return Answer("cancelled", None, None, (), ())
        return await stoppable(Walk(self, ask, emit).run(), stop)


async def stoppable(walk: Coroutine[Any, Any, Answer], stop: Stop | None) -> Answer:
    """What `walk` gives, which ends itself where the task is cancelled; that then passes on, unless it was `stop`'s."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is made in a task")
    before = task.cancelling()
    if stop is not None:
        stop.bind(task)
    try:
        answer = await walk
    finally:
        if stop is not None:
            await stop.release()
    if task.cancelling() > before:
        raise asyncio.CancelledError
    return answer
