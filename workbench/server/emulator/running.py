"""Runs an emulator: in this process' loop, or beside it in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from workbench.boundary.machine import is_loopback
from workbench.errors import Finding, UsageError
from workbench.server.emulator.emulator import Emulator
from workbench.server.emulator.wire import listening


def url_of(host: str, port: int) -> str:
    """The address to call."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop that is installed."""
    try:
        return importlib.import_module("uvloop").new_event_loop()
    except ImportError:
        return asyncio.new_event_loop()


@contextlib.asynccontextmanager
async def serving(emulator: Emulator, *, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """Serve while the block runs; gives the URL. Raises `UsageError` for a place that cannot be had."""
    if not is_loopback(host):
        reason = f"`{host[:80]}` is not this machine alone"
        hint = "the emulator serves loopback only: leave --host out, or say 127.0.0.1"
        raise UsageError(reason, [Finding(reason, "host", hint=hint)])
    async with contextlib.AsyncExitStack() as stack:
        try:
            bound = await stack.enter_async_context(listening(emulator.answer, host, port))
        except (OSError, OverflowError) as error:
            number = getattr(error, "errno", None)
            reason = f"port {port} can't be had: {(os.strerror(number) if number else str(error)).lower()}"
            raise UsageError(reason, [Finding(reason, "port", hint="name another --port, or 0 for any")]) from None
        yield url_of(host, bound)


@dataclass(slots=True)
class Running:
    """An emulator that runs beside its caller."""

    url: str
    emulator: Emulator
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def tell(self, change: Callable[[Emulator], Any]) -> Any:
        """Look at the emulator or change it, in its own thread; gives what `change` gives."""

        async def there() -> Any:
            return change(self.emulator)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result()


@contextlib.contextmanager
def running(emulator: Emulator | None = None, *, host: str = "127.0.0.1", port: int = 0) -> Generator[Running]:
    """An emulator in a thread while the block runs."""
    made = emulator or Emulator()
    ready: list[Running] = []
    failed: list[BaseException] = []
    started, stop = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with serving(made, host=host, port=port) as url:
            ready.append(Running(url, made, asyncio.get_running_loop()))
            started.set()
            await stop.wait()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(run())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            failed.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=work, name="emulator", daemon=True)
    thread.start()
    started.wait()
    if not ready:
        thread.join()
        raise failed[0]
    try:
        yield ready[0]
    finally:
        ready[0].loop.call_soon_threadsafe(stop.set)
        thread.join()
