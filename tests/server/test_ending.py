"""A server that is asked to end while it begins, or as something that it waits for is there."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.server.callers import wiring
from workbench.server.callers.places import LazyTokens
from workbench.server.exchange import Receive, Scope, Send
from workbench.server.net.listening import bind, run

BEGINNING = """
import os, signal, sys
from workbench.server.net.listening import bind, run

async def app(scope, receive, send):
    await receive()
    os.kill(os.getpid(), signal.SIGTERM)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("closed")
    await send({"type": "lifespan.shutdown.complete"})

sys.exit(run(app, bind("127.0.0.1", 0), lambda: print("ready")))
"""


def test_a_signal_while_it_begins_ends_it_in_order() -> None:
    ended = subprocess.run([sys.executable, "-c", BEGINNING], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (signal.SIGTERM, "closed\n", "")


def test_where_its_words_fail_what_was_opened_is_closed() -> None:
    seen: list[str] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        seen.append("closed")
        await send({"type": "lifespan.shutdown.complete"})

    def ready() -> None:
        raise OSError("nobody listens")

    with pytest.raises(OSError, match="nobody listens"):
        run(app, bind("127.0.0.1", 0), ready)
    assert seen == ["closed"]


async def test_an_end_that_comes_with_the_store_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store of the tokens opens in the very moment in which its reader is told to end."""
    opened: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def aside(_work: object) -> object:
        return await opened

    monkeypatch.setattr(wiring, "aside", aside)
    lazy = wiring.Lazy(LazyTokens(str(tmp_path / "tokens.db")), several=True)
    hearing = asyncio.create_task(lazy.heard("me", 0.0))
    await asyncio.sleep(0.01)
    opened.set_result(object())
    for _ in range(3):
        hearing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await hearing
