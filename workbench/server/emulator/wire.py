"""HTTP/1.1 of the emulator, byte by byte: requests within caps, answers written as they stand, cuts and resets.

A library between would mend what a fault has to break, so none is. Owns connections; knows no protocol of providers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, cast

MOST_HEAD: Final = 64 * 1024
MOST_BODY: Final = 8 * 1024 * 1024
MOST_CONNECTIONS: Final = 1024
HALF_REQUEST_S: Final = 15.0
"""How long a request may take to come in."""
LABEL: Final = b"x-workbench-emulated: 1\r\n"
"""On every answer: nobody takes it for a provider's."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. Header names in lower case."""

    method: str
    target: str
    headers: dict[bytes, bytes]
    body: bytes
    keeps: bool
    """Whether the connection stays."""


Script = Callable[["Exchange"], Awaitable[None]]
Answer = Callable[[Request], "bytes | Script"]
"""A whole response, or a script that writes one."""


class Refused(Exception):
    """A request that is not read on."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def head(status: int, *headers: str) -> bytes:
    """A status line and headers, the label among them."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    rows = "".join(f"{row}\r\n" for row in headers)
    return f"HTTP/1.1 {status} {phrase}\r\n".encode() + LABEL + rows.encode("latin-1", "replace") + b"\r\n"


def whole(status: int, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """A response with its length."""
    return head(status, f"content-type: {kind}", f"content-length: {len(body)}", *headers) + body


class Exchange:
    """What a script may do with the connection of one request."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.keeps = True
        """Whether another request may follow; false once the bytes leave the protocol."""

    async def send(self, data: bytes) -> None:
        """Write, and wait while the reader is slower than we are."""
        self._connection.write(data)
        await self._connection.drained()

    async def chunk(self, data: bytes) -> None:
        """One chunk of a body of unknown length."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def finish(self) -> None:
        """The last chunk."""
        await self.send(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close after what was written, whatever is still owed."""
        self.keeps = False

    def reset(self) -> None:
        """Close with a reset."""
        self.keeps = False
        self._connection.reset()

    async def until_gone(self) -> None:
        """Wait until the client leaves; ends by cancellation."""
        await asyncio.Event().wait()


class Connection(asyncio.Protocol):
    """One connection: a request at a time, pipelined ones in their order."""

    def __init__(self, answer: Answer, everyone: set[Connection]) -> None:
        self._answer, self._everyone = answer, everyone
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._head: tuple[str, str, dict[bytes, bytes], bool, int, int] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; one too many is let go."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._everyone) >= MOST_CONNECTIONS:
            self._transport.abort()
            return
        self._everyone.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone; what was being written for it ends."""
        self._everyone.discard(self)
        self._transport = None
        self._still()
        self.resume_writing()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._drain = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It has caught up, or is gone."""
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        self._drain = None

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._buffer += data
        if self._task is None:
            self._pump()
        elif len(self._buffer) > MOST_BODY + MOST_HEAD and self._transport is not None:
            self._transport.abort()  # it sends on and on while it is being answered

    def write(self, data: bytes) -> None:
        """Write what there is, if anyone reads it."""
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait while the client has too much unread."""
        if self._drain is not None:
            await self._drain

    def reset(self) -> None:
        """Close so that the client is told of a reset."""
        if self._transport is None:
            return
        held = self._transport.get_extra_info("socket")
        # The option is the socket's, not the descriptor's: uvloop lets nobody set it but through a copy.
        with socket.socket(fileno=os.dup(held.fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close(self) -> None:
        """End, now."""
        if self._transport is not None:
            self._transport.abort()

    def _pump(self) -> None:
        """Answer every request that is whole."""
        while self._transport is not None and not self._transport.is_closing():
            try:
                request = self._next()
            except Refused as refused:
                body = b'{"error":{"message":"%b"}}' % refused.reason.encode()
                self.write(whole(refused.status, body, "connection: close"))
                self._transport.close()
                return
            if request is None:
                return
            answered = self._answer(request)
            if isinstance(answered, bytes):
                self.write(answered)
                if not request.keeps:
                    self._transport.close()
            else:
                self._task = asyncio.get_running_loop().create_task(self._play(answered, request.keeps))
                return

    async def _play(self, script: Script, keeps: bool) -> None:
        exchange = Exchange(self)
        try:
            await script(exchange)
        finally:
            self._task = None
            if self._transport is not None and not (keeps and exchange.keeps):
                self._transport.close()
        self._pump()

    def _next(self) -> Request | None:
        """The next request, once it is whole; raises `Refused`."""
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MOST_HEAD:
                    raise Refused(431, "more than 64 KiB of headers")
                self._wait()
                return None
            self._head = _read_head(bytes(self._buffer[:end]), end + 4)
            if self._head[2].get(b"expect", b"").lower() == b"100-continue":
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, target, headers, keeps, start, length = self._head
        if len(self._buffer) < start + length:
            self._wait()
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        self._head = None
        self._still()
        return Request(method, target, headers, body, keeps)

    def _wait(self) -> None:
        """A request that was begun has to end some time."""
        if self._timer is None and self._buffer:
            self._timer = asyncio.get_running_loop().call_later(HALF_REQUEST_S, self.close)

    def _still(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _read_head(data: bytes, start: int) -> tuple[str, str, dict[bytes, bytes], bool, int, int]:
    if len(data) > MOST_HEAD:
        raise Refused(431, "more than 64 KiB of headers")
    first, *rows = data.split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Refused(400, "no request line of HTTP/1.1")
    headers: dict[bytes, bytes] = {}
    for row in rows:
        name, colon, value = row.partition(b":")
        if not colon or not name or name != name.strip():
            raise Refused(400, "a header without a name")
        key = name.lower()
        if key in headers and key in (b"content-length", b"host"):
            raise Refused(400, "two headers where one may be")
        headers[key] = value.strip()
    if b"transfer-encoding" in headers:
        raise Refused(411, "send a content-length")
    told = headers.get(b"content-length", b"0")
    if not told.isdigit():
        raise Refused(400, "a content-length that is no number")
    if len(told) > 12 or int(told) > MOST_BODY:
        raise Refused(413, "more than 8 MiB of body")
    asked = headers.get(b"connection", b"").lower()
    keeps = asked != b"close" if words[2] == b"HTTP/1.1" else asked == b"keep-alive"
    method, target = words[0].decode("latin-1"), words[1].decode("latin-1")
    return method, target, headers, keeps, start, int(told)


@contextlib.asynccontextmanager
async def listening(answer: Answer, host: str, port: int) -> AsyncGenerator[int]:
    """Listen while the block runs; gives the port, which port 0 leaves to the system. Raises `OSError`."""
    everyone: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer, everyone), host, port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for connection in list(everyone):
            connection.close()
        await asyncio.sleep(0)  # each is told that it is lost, and ends what it was writing
