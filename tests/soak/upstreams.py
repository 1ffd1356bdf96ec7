"""Upstreams that misbehave to the byte: one cuts its stream anywhere, one never ends it, one answers nobody before all
have come.

Both speak through the emulator's own wire, so that what is cut is what a provider sends.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from workbench.server.emulator import Emulator
from workbench.server.emulator.running import new_loop
from workbench.server.emulator.wire import Answer, Exchange, Request, Script, listening


@contextmanager
def upstream(answer: Answer) -> Generator[tuple[str, asyncio.AbstractEventLoop]]:
    """A server with these answers in a thread of its own; its address, and its loop."""
    loop, addresses = new_loop(), list[str]()
    started, ended = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with listening(answer, "127.0.0.1", 0) as port:
            addresses.append(f"http://127.0.0.1:{port}")
            started.set()
            await ended.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work, name="upstream")
    thread.start()
    started.wait(30)
    try:
        yield addresses[0], loop
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)


@dataclass(slots=True)
class Cutter:
    """One provider's answers end after `cut` bytes, in pieces of any size; everybody else answers whole."""

    provider: str
    cut: int | None = None
    """None: whole."""
    reset: bool = False
    """Whether the connection is reset, or closed."""
    dice: Random = field(default_factory=lambda: Random(41))
    size: int = 0
    """Of the last answer of that provider, whole."""
    _emulator: Emulator = field(default_factory=Emulator)

    def answer(self, request: Request) -> bytes | Script:
        """As the emulator answers."""
        made = self._emulator.answer(request)
        assert isinstance(made, bytes)
        if request.target.split("/")[2] != self.provider:
            return made
        self.size = len(made)
        return made if self.cut is None else self._torn(made[: self.cut])

    def _torn(self, data: bytes) -> Script:
        async def script(exchange: Exchange) -> None:
            begun = 0
            while begun < len(data):
                end = begun + self.dice.choice((1, 7, 100, 4_000))
                await exchange.send(data[begun:end])
                await asyncio.sleep(0)  # a piece of its own, as often as not
                begun = end
            if self.reset:
                exchange.reset()
            exchange.cut()

        return script


@dataclass(slots=True)
class Halter:
    """Sends half of each stream, and then nothing for as long as somebody listens."""

    _gone: queue.SimpleQueue[float] = field(default_factory=queue.SimpleQueue[float])
    _emulator: Emulator = field(default_factory=Emulator)

    def answer(self, request: Request) -> bytes | Script:
        """As the emulator answers, and no end."""
        made = self._emulator.answer(request)
        assert isinstance(made, bytes)

        async def script(exchange: Exchange) -> None:
            try:
                await exchange.send(made[: len(made) // 2])
                await exchange.until_gone()
            finally:
                self._gone.put(time.monotonic())

        return script

    def left_within(self, seconds: float) -> float:
        """Wait until the next one has left; how long that took from now, in seconds."""
        now = time.monotonic()
        return max(0.0, self._gone.get(timeout=seconds) - now)


@dataclass(slots=True)
class Gatherer:
    """Counts who has come, and answers nobody until it is told to."""

    here: int = 0
    _more: threading.Condition = field(default_factory=threading.Condition)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _emulator: Emulator = field(default_factory=Emulator)

    def answer(self, request: Request) -> bytes | Script:
        """As the emulator answers, later."""
        made = self._emulator.answer(request)
        assert isinstance(made, bytes)
        with self._more:
            self.here += 1
            self._more.notify_all()

        async def script(exchange: Exchange) -> None:
            await self._open.wait()
            await exchange.send(made)

        return script

    def gathered(self, count: int) -> None:
        """Wait until so many have come."""
        with self._more:
            assert self._more.wait_for(lambda: self.here >= count, 60), f"{self.here} of {count} came"

    def release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer them all, and everybody from now on."""
        loop.call_soon_threadsafe(self._open.set)
