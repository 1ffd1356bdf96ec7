"""HTTP/1.1 on the event loop itself, behind httpx's interface: the endpoint's transport.

Chosen by measurement: a call that never leaves the loop's thread costs a fraction of one that does. Parsing is
httptools', TLS is `gateway.transport.tls_context`'s. The same rules hold as there: no redirect, no cookie, no proxy, no
decompression. Raises what httpx's transports raise, nothing of the request in it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import httptools
import httpx

from workbench.gateway.limits import Limits
from workbench.gateway.transport import tls_context
from workbench.gateway.transports.direct import Arriving, Body, Direct

MOST_CONNECTIONS: Final = 4_096
KEPT_ALIVE: Final = 64
IDLE_S: Final = 4.0
"""A connection that was idle for longer is not used again: providers close them from five seconds on."""
MOST_BUFFERED: Final = 256 * 1024
MOST_HEAD: Final = 64 * 1024
_PORTS: Final = {"https": 443, "http": 80}


class Place(NamedTuple):
    """Where a URL leads."""

    secure: bool
    host: str
    port: int
    target: str
    name: str
    """As the Host header says it."""


@lru_cache(4_096)
def place_of(url: str) -> Place:
    """The parts of an absolute URL that has passed `address_fault`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme == "https", host, parts.port or _PORTS.get(parts.scheme, 80), target, parts.netloc)


class _Connection(asyncio.Protocol):
    """One connection; one exchange at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._read_s = 0.0
        self._parser: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When it looks whether something has come; it stays from one exchange to the next."""
        self._heard = 0.0
        self.transport: asyncio.Transport
        self.idle_since = 0.0
        self.lost = False
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: deque[bytes] = deque()
        self.done = False
        self.keep = False
        self.error: httpx.TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._head_done = False
        self._measured = False
        self._size = self.buffered = 0
        self._paused = self._asking = False

    def ask(self, data: bytes, read_s: float) -> None:
        """Send a request; the connection is idle. `read_s` is the longest silence."""
        self._begin()
        self._read_s = read_s
        self._asking = True
        self._parser = httptools.HttpResponseParser(self)
        self._heard = self._loop.time()
        due = self._heard + read_s
        if self._timer is None or due < self._due:
            self._watch(due)
        self.transport.write(data)

    async def wait(self) -> None:
        """Until there is something new."""
        self._waiter = self._loop.create_future()
        await self._waiter

    async def head(self) -> None:
        """Until the head has come; raises what broke."""
        while not self._head_done:
            if self.error is not None:
                raise self.error
            await self.wait()

    def take(self) -> bytes:
        """What has come of the body."""
        data = self.chunks.popleft() if len(self.chunks) == 1 else b"".join(self.chunks)
        self.chunks.clear()
        self.buffered = 0
        if self._paused and not self.lost:
            self._paused = False
            self.transport.resume_reading()
        return data

    def release(self) -> bool:
        """The exchange is over; true where another one may follow."""
        self._asking = False
        if self.done and self.keep and not self.lost and self.error is None and not self.transport.is_closing():
            return True
        self._unwatch()
        return False

    def _watch(self, due: float) -> None:
        self._unwatch()
        self._due = due
        self._timer = self._loop.call_at(due, self._silent)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, error: httpx.TransportError) -> None:
        if self.error is None and not self.done:
            self.error = error
        self._tell()

    def _silent(self) -> None:
        self._timer = None
        if not self._asking:
            return
        now = self._loop.time()
        due = self._heard + self._read_s
        if due > now or self._paused:
            self._watch(max(due, now + 0.05))
            return
        self._fail(httpx.ReadTimeout("nothing came"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; those that nobody asked for end the connection."""
        if not self._asking or self.done:
            self.transport.abort()
            return
        self._heard = self._loop.time()
        if not self._head_done:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(httpx.RemoteProtocolError("the answer is no HTTP"))
            return
        if not self._head_done and self._size > MOST_HEAD:
            self._fail(httpx.RemoteProtocolError("the answer's head is too long"))
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side hung up, or we did."""
        self.lost = True
        if not self._asking or self.done:
            self._unwatch()
            return
        if not self._head_done:
            reset = isinstance(exc, ConnectionResetError)
            gone = httpx.ReadError("reset") if reset else httpx.RemoteProtocolError("Server disconnected")
            self._fail(gone)
        elif self._measured or exc is not None:
            self._fail(httpx.RemoteProtocolError("peer closed connection"))
        else:
            self.done = True
            self._tell()

    def on_message_begin(self) -> None:
        """An answer begins; a second one belongs to nobody, and ends the connection."""
        if self.done:
            self.keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self.done:
            return
        self.headers.append((name, value))
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._measured = True

    def on_headers_complete(self) -> None:
        """The head has come; one that only says to go on is forgotten."""
        if self.done:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200 and self.status != 101:
            self.headers, self._measured = [], False
            return
        self._head_done = True
        self.keep = self._measured and self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.done:
            return
        self.chunks.append(data)
        self.buffered += len(data)
        if self.buffered > MOST_BUFFERED and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._head_done:
            self.done = True


class LoopTransport(Direct):
    """A pool of connections. Belongs to one event loop; the caller closes it."""

    def __init__(self, tls: ssl.SSLContext | None = None, connections: int = MOST_CONNECTIONS) -> None:
        self._tls = tls
        self._idle: dict[tuple[bool, str, int], list[_Connection]] = {}
        self._room = asyncio.Semaphore(connections)

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits
    ) -> Arriving:
        """Send one request and give the answer's head, its body still to come."""
        place = place_of(url)
        data = _request(method, place, headers, body)
        if self._room.locked():
            try:
                async with asyncio.timeout(limits.pool_ms / 1000):
                    await self._room.acquire()
            except TimeoutError:
                raise httpx.PoolTimeout("no connection is free") from None
        else:
            await self._room.acquire()
        connection: _Connection | None = None
        try:
            connection = self._kept(place) or await self._connect(place, limits)
            connection.ask(data, limits.read_ms / 1000)
            await connection.head()
        except BaseException:
            self._give_back(place, connection, whole=False)
            raise
        return Arriving(connection.status, connection.headers, _Body(self, place, connection))

    def _kept(self, place: Place) -> _Connection | None:
        known = self._idle.get((place.secure, place.host, place.port))
        now = asyncio.get_running_loop().time()
        while known:
            connection = known.pop()
            if not connection.lost and not connection.transport.is_closing() and now - connection.idle_since < IDLE_S:
                return connection
            connection.transport.abort()
        return None

    async def _connect(self, place: Place, limits: Limits) -> _Connection:
        loop = asyncio.get_running_loop()
        secure: dict[str, Any] = {}
        if place.secure:
            if self._tls is None:
                self._tls = tls_context()
            secure = {"ssl": self._tls, "server_hostname": place.host}
        try:
            async with asyncio.timeout(limits.connect_ms / 1000):
                _, made = await loop.create_connection(lambda: _Connection(loop), place.host, place.port, **secure)
        except TimeoutError:
            raise httpx.ConnectTimeout("timeout") from None
        except (OSError, ssl.SSLError) as error:
            raise httpx.ConnectError("no connection") from error
        return made

    def _give_back(self, place: Place, connection: _Connection | None, *, whole: bool) -> None:
        self._room.release()
        if connection is None:
            return
        known = self._idle.setdefault((place.secure, place.host, place.port), [])
        if connection.release() and whole and len(known) < KEPT_ALIVE:
            connection.idle_since = asyncio.get_running_loop().time()
            known.append(connection)
        else:
            connection.transport.abort()

    def finished(self, place: Place, connection: _Connection) -> None:
        """Nobody reads an answer any more."""
        self._give_back(place, connection, whole=True)

    async def aclose(self) -> None:
        """Close every idle connection."""
        while self._idle:
            _, known = self._idle.popitem()
            for connection in known:
                connection.transport.abort()


class _Body(Body):
    """The body as it comes off the wire."""

    def __init__(self, owner: LoopTransport, place: Place, connection: _Connection) -> None:
        self._owner, self._place = owner, place
        self._connection: _Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._connection
        while connection is not None:
            if connection.chunks:
                yield connection.take()
            elif connection.error is not None:
                raise connection.error
            elif connection.done:
                return
            else:
                await connection.wait()

    def rest(self, most: int) -> bytes | None:
        """What is here, where it is all."""
        connection = self._connection
        if connection is None or not connection.done or connection.error is not None or connection.buffered > most:
            return None
        return connection.take()

    async def aclose(self) -> None:
        """Give the connection back, or cut it where the body was not read to its end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._owner.finished(self._place, connection)


def _request(method: str, place: Place, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{method} {place.target} HTTP/1.1", f"host: {place.name}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise httpx.LocalProtocolError("a header with a line's end in it")
    try:
        return head.encode("ascii") + b"\r\n\r\n" + body
    except UnicodeEncodeError:
        raise httpx.LocalProtocolError("a header that is not ASCII") from None
