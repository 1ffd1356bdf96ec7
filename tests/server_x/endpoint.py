"""A real endpoint on a real socket, in a thread of its own, over the emulator; and plain ways to ask it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from workbench.server.callers.gate import Settings
from workbench.server.callers.tables import open_tables
from workbench.server.callers.tokens import Tokens, Wanted
from workbench.server.callers.wiring import GatePlan
from workbench.server.host import Options
from workbench.server.net.assembly import Plan, Process
from workbench.server.net.bounds import Doors
from workbench.server.net.listening import bind, listener, new_loop, url_of
from workbench.session.workspace import sample_root

TAIL: list[Any] = [["argmax"], ["id"], ["always", {"action": "next_candidate"}]]
CHEAP: list[Any] = ["neg", ["normalize", ["field", "price_in"]]]
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


def policy(filters: Any, rank: Any = None, tail: list[Any] | None = None) -> list[Any]:
    """A whole policy around one slot or two."""
    return ["policy", filters, CHEAP if rank is None else rank, *(TAIL if tail is None else tail)]


@dataclass(slots=True)
class Served:
    """An endpoint that runs beside the test."""

    url: str
    process: Process
    loop: asyncio.AbstractEventLoop
    client: httpx.Client
    folder: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET."""
        return self.client.get(path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST of a JSON value, or of bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, content=data, headers={"content-type": "application/json", **headers})

    def chat(self, token: str | None = None, **body: Any) -> httpx.Response:
        """One call."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.post("/v1/chat/completions", {**HELLO, **body}, **headers)

    def tell(self, change: Callable[[Process], Any]) -> Any:
        """Look at the process, or change it, in its own loop."""

        async def there() -> Any:
            return change(self.process)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result()

    def stored(self) -> None:
        """Once the traces of all answers are in the store."""
        engine = self.process.host.engine
        assert engine is not None
        asyncio.run_coroutine_threadsafe(engine.traces.writer.stored(), self.loop).result()

    def raw(self, data: bytes, most: int = 1 << 20) -> bytes:
        """What comes back for these bytes on a connection of their own, to its end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            found = bytearray()
            while len(found) < most:
                piece = connection.recv(65536)
                if not piece:
                    break
                found += piece
            return bytes(found)

    def token(self, name: str = "one", **wanted: Any) -> str:
        """A new token's secret."""
        database = open_tables(self.folder / "tokens.db")
        try:
            return Tokens(database).new(Wanted(name, **wanted), round(self.gate.now_ms()))[1]
        finally:
            database.close()

    @property
    def gate(self) -> Any:
        """The gate of the process."""
        return self.process.host.callers


def spent(folder: Path, month: str) -> Mapping[str, Any]:
    """What every token has spent, by id."""
    database = open_tables(folder / "tokens.db")
    try:
        return Tokens(database).spending(month)
    finally:
        database.close()


@contextmanager
def served(
    folder: Path,
    emulator: str | None = None,
    *,
    root: Path | None = None,
    settings: Settings | None = None,
    shared: str | None = None,
    options: Options | None = None,
    doors: Doors | None = None,
    prepare: Callable[[Process], None] | None = None,
    fast_path: bool = True,
) -> Generator[Served]:
    """An endpoint over `root`, the sample unless another is given; traces and tokens lie in `folder`."""
    place = folder / "tokens.db"
    plan = Plan(
        root or sample_root(), str(folder / "traces.db"), options or Options(emulated=emulator is not None), emulator,
        GatePlan(place, shared, settings=settings or Settings()), environment={}, folder=folder,
    )  # fmt: skip
    process = Process(plan)
    if prepare is not None:
        prepare(process)
    bound = bind("127.0.0.1", 0)
    url = url_of(bound)
    server = listener(process.app(), doors, fast_path=process.fast_path() if fast_path else None, drain_s=5)
    loop = new_loop()
    started = threading.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        serving = asyncio.ensure_future(server.serve([bound]))
        while not server.started and not serving.done():
            await asyncio.wait([serving], timeout=0.005)
        started.set()
        await serving

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 - told where it is waited for
            failed.append(error)
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work, name="endpoint", daemon=True)
    thread.start()
    started.wait(30)
    assert not failed, failed
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            yield Served(url, process, loop, client, folder)
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(30)
