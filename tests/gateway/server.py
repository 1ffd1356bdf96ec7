"""A server on a real socket that answers with exactly the bytes a test wants, and remembers what reached it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request, as it came."""

    line: str
    headers: dict[str, str]
    body: bytes
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client has closed the connection."""
    gone_at: float = 0.0


class Io:
    """What a script may do with one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Received) -> None:
        self._reader, self._writer = reader, writer
        self.request = request

    async def send(self, data: bytes) -> None:
        """Write, unless the client is gone."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def until_gone(self) -> None:
        """Wait until the client has closed."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass
        self.request.gone_at = time.monotonic()
        self.request.gone.set()

    async def drip(self, data: bytes, every: float = 0.01) -> None:
        """Write the same for as long as the client is there."""
        watch = asyncio.create_task(self.until_gone())
        while not watch.done():
            await self.send(data)
            await asyncio.wait([watch], timeout=every)

    def reset(self) -> None:
        """Close with a reset, whatever was sent before."""
        held = self._writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = bytes | Callable[[Io], Awaitable[None]]


class FaultServer:
    """Answers each request with the script; `received` holds what came."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.received: list[Received] = []
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FaultServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while (request := await _request(reader)) is not None:
                self.received.append(request)
                io = Io(reader, writer, request)
                if not isinstance(self.script, bytes):
                    await self.script(io)
                    break
                await io.send(self.script)
                if b"content-length" not in self.script.partition(b"\r\n\r\n")[0].lower():
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *rows = raw.decode("latin-1").split("\r\n")[:-2]
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    return Received(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))


@contextlib.asynccontextmanager
async def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncGenerator[list[FaultServer]]:
    """One server for each script."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FaultServer(script, tls=tls)) for script in scripts]
