"""Listens: uvicorn with our own connections and signals, inside a loop that the caller runs.

A first SIGTERM, SIGINT or SIGHUP stops taking requests and lets those under way end, streams included; a second one
cuts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import socket
from collections.abc import Callable, Generator
from typing import Any, Final

from workbench.boundary.lineage import ending_signals
from workbench.errors import Finding, UsageError
from workbench.server.installed import missing
from workbench.server.net.bounds import Doors
from workbench.server.net.connection import connection_class
from workbench.server.net.fast_path import FastPath

try:
    import uvicorn
except ImportError:
    raise missing("uvicorn") from None

DRAIN_S: Final = 60
"""Longest that a stream under way is waited for when the process ends."""
CUT_S: Final = 5
"""Longest that a process takes to end once it was asked twice."""
KEEP_ALIVE_S: Final = 5
BACKLOG: Final = 2_048
COLLECT: Final = (20_000, 20, 50)
"""New objects, and younger collections, before the next one looks for cycles."""


class Listener(uvicorn.Server):
    """uvicorn's server; signals come through the loop, so that nothing is raised again afterwards."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.signalled: int | None = None
        """The signal that ended it."""
        self.ending: Callable[[], None] | None = None
        """Told once, when it begins to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Listen for the signals that end a server."""
        loop = asyncio.get_running_loop()
        taken: list[int] = []
        for number in ending_signals():
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or in a thread
                loop.add_signal_handler(number, self.stop, number)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def stop(self, number: int = 0) -> None:
        """End: gently at first, at once when asked again."""
        if self.should_exit:
            self.force_exit = True
        elif self.ending is not None:
            self.ending()
        self.signalled = self.signalled or number
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End. Calls that are cut are told so and recorded, and what was opened is closed, all within `CUT_S`."""
        await super().shutdown(sockets)
        if self.force_exit:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CUT_S):
                    await self._cut()

    async def _cut(self) -> None:
        under_way = set(self.server_state.tasks)
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        await self.lifespan.shutdown()


def bind(host: str, port: int) -> socket.socket:
    """The socket to listen on. Raises `UsageError` where it cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(BACKLOG)
        except BaseException:
            made.close()
            raise
    except (OSError, UnicodeError) as error:
        finding = _unbound(host, port, error)
        raise UsageError(finding.reason, [finding]) from None
    made.setblocking(False)
    return made


def _unbound(host: str, port: int, error: OSError | UnicodeError) -> Finding:
    """Why an address cannot be listened at, and what else to ask for: another host where it is the host."""
    here = "--host takes an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them"
    if isinstance(error, socket.gaierror | UnicodeError):
        said = (getattr(error, "strerror", None) or "it is no name").lower()
        return Finding(f"nobody knows the host `{host}`: {said}", "host", hint=here)
    if error.errno == errno.EADDRNOTAVAIL:
        return Finding(f"`{host}` is no address of this machine", "host", hint=here)
    reason = f"{host} port {port} can't be had: {(error.strerror or str(error)).lower()}"
    return Finding(reason, "port", hint="name another --port, or 0 for any")


def url_of(bound: socket.socket) -> str:
    """The address of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listener(
    app: Any, doors: Doors | None = None, *, fast_path: FastPath | None = None, drain_s: int = DRAIN_S
) -> Listener:
    """A server for `app`, with a fast path for what takes one; give its `serve` the bound sockets."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # its lines may hold a request
    config = uvicorn.Config(
        app,
        http=connection_class(doors or Doors(), fast_path),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=drain_s,
    )
    return Listener(config)


def run(
    app: Any, bound: socket.socket, ready: Callable[[], None], fast_path: FastPath | None = None,
    ending: Callable[[], None] | None = None,
) -> int:  # fmt: skip
    """Serve until a signal; gives its number, 0 without one. `ending` is told when the first one comes."""
    server = listener(app, fast_path=fast_path)
    server.ending = ending

    async def serve() -> None:
        serving = asyncio.ensure_future(server.serve([bound]))
        while not server.started and not serving.done():
            await asyncio.wait([serving], timeout=0.01)
        try:
            if not server.should_exit:
                ready()
        except BaseException:  # whatever happened to its words, what was opened is closed
            server.should_exit = True
            await serving
            raise
        await serving

    gc.collect()
    gc.freeze()  # the catalog and what was made of it stays as it is: there is no use in looking at it again and again
    gc.set_threshold(*COLLECT)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve())
    return server.signalled or 0


def new_loop() -> asyncio.AbstractEventLoop:
    """The fastest loop that is installed."""
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
