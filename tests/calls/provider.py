"""A provider in a thread of the test, for commands that run in processes of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tests.gateway.server import FaultServer, Script


@contextmanager
def providing(*scripts: Script) -> Generator[list[FaultServer]]:
    """One server for each script, on sockets of this machine; `received` holds what came."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers = [FaultServer(script) for script in scripts]

    def within(work: Callable[[FaultServer], object]) -> None:
        for server in servers:
            asyncio.run_coroutine_threadsafe(work(server), loop).result(30)  # type: ignore[arg-type]

    try:
        within(lambda server: server.__aenter__())
        yield servers
        within(lambda server: server.__aexit__())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
