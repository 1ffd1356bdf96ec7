"""HTTP/1.1 on the event loop itself, behind httpx's interface: the endpoint's transport.

Chosen by measurement: a call that never leaves the loop's thread costs a fraction of one that does. Parsing is
`connection`'s, TLS is `gateway.transport.tls_context`'s. The same rules hold as there: no redirect, no cookie, no
proxy, no decompression. Raises what httpx's transports raise, nothing of the request in it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from workbench.gateway.codecs.neutral import HttpRequest
from workbench.gateway.limits import Limits
from workbench.gateway.transport import tls_context
from workbench.gateway.transports.connection import Connection, usable
from workbench.gateway.transports.direct import OK, Arriving, Asked, Body, Direct
from workbench.gateway.transports.room import Room

MOST_CONNECTIONS: Final = 4_096
KEPT_ALIVE: Final = 64
IDLE_S: Final = 4.0
"""A connection that was idle for longer is not used again: providers close them from five seconds on."""
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


class LoopTransport(Direct):
    """A pool of connections. Belongs to one event loop; the caller closes it."""

    def __init__(self, tls: ssl.SSLContext | None = None, connections: int = MOST_CONNECTIONS) -> None:
        self._tls = tls
        self._idle: dict[tuple[bool, str, int], list[Connection]] = {}
        self._room = Room(connections)

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits
    ) -> Arriving:
        """Send one request and give the answer's head, its body still to come."""
        place = place_of(url)
        data = _request(method, place, headers, body)
        try:
            async with asyncio.timeout(None if self._room.free else limits.pool_ms / 1000):
                await self._room.enter()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection is free") from None
        try:
            connection = self._kept(place) or await self._connect(place, limits)
        except BaseException:
            self._room.leave()
            raise
        connection.ask(data, limits.read_ms / 1000)
        return await self.arriving(place, connection)

    async def arriving(self, place: Place, connection: Connection) -> Arriving:
        """The answer to what was asked, once its head has come; the caller closes it."""
        try:
            await connection.head()
        except BaseException:
            self._give_back(place, connection, whole=False)
            raise
        return Arriving(connection.status, connection.headers, _Body(self, place, connection))

    def ask(
        self, http: HttpRequest, headers: Sequence[tuple[str, str]], limits: Limits, hears: Callable[[Asked], None]
    ) -> Asked | None:
        """Send one request at once, where a connection is idle; else None, and nothing was done.

        `hears` is told of all that comes, until somebody takes the answer.
        """
        place = place_of(http.url)
        if not self._room.free or (place.secure, place.host, place.port) not in self._idle:
            return None
        data = _request(http.method, place, headers, http.body)
        connection = self._kept(place)
        if connection is None:
            return None
        self._room.free -= 1
        asked = _Asked(self, place, connection)
        connection.ask(data, limits.read_ms / 1000, lambda: hears(asked))
        return asked

    def _kept(self, place: Place) -> Connection | None:
        known = self._idle.get((place.secure, place.host, place.port))
        while known:
            connection = known.pop()
            if time.monotonic() - connection.idle_since < IDLE_S and usable(connection):
                return connection
            connection.transport.abort()
        return None

    async def _connect(self, place: Place, limits: Limits) -> Connection:
        loop = asyncio.get_running_loop()
        secure: dict[str, Any] = {}
        if place.secure:
            if self._tls is None:
                self._tls = tls_context()
            secure = {"ssl": self._tls, "server_hostname": place.host}
        try:
            async with asyncio.timeout(limits.connect_ms / 1000):
                _, made = await loop.create_connection(lambda: Connection(loop), place.host, place.port, **secure)
        except TimeoutError:
            raise httpx.ConnectTimeout("timeout") from None
        except (OSError, ssl.SSLError) as error:
            raise httpx.ConnectError("no connection") from error
        return made

    def _give_back(self, place: Place, connection: Connection, *, whole: bool) -> None:
        self._room.leave()
        known = self._idle.setdefault((place.secure, place.host, place.port), [])
        if connection.release() and whole and len(known) < KEPT_ALIVE:
            connection.idle_since = time.monotonic()
            known.append(connection)
        else:
            connection.transport.abort()

    def finished(self, place: Place, connection: Connection) -> None:
        """Nobody reads an answer any more."""
        self._give_back(place, connection, whole=True)

    async def aclose(self) -> None:
        """Close every idle connection."""
        while self._idle:
            _, known = self._idle.popitem()
            for connection in known:
                connection.transport.abort()


class _Asked(Asked):
    """A request that was sent without waiting; its answer is looked at in place, or taken as any other's."""

    __slots__ = ("_connection", "_owner", "_place")

    def __init__(self, owner: LoopTransport, place: Place, connection: Connection) -> None:
        self._owner, self._place, self._connection = owner, place, connection

    @property
    def waits(self) -> bool:
        """Whether there is nothing yet to be decided by: no head, or a part of a good answer."""
        known = self._connection
        if known.error is not None or known.lost or known.paused or known.done:
            return False
        return not known.headed or known.status == OK  # of any other the head is enough

    def whole(self) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
        """Headers and body of an answer of status 200 that is here to its end; it stays to be taken."""
        known = self._connection
        if known.status != OK or not known.done or known.error is not None:
            return None
        return known.headers, known.chunks[0] if len(known.chunks) == 1 else b"".join(known.chunks)

    def close(self) -> None:
        """The answer was read whole."""
        self._connection.take()
        self._owner.finished(self._place, self._connection)

    async def taken(self) -> Arriving:
        """The answer from here on as `send` gives it; raises as it does."""
        return await self._owner.arriving(self._place, self._connection)


class _Body(Body):
    """The body as it comes off the wire."""

    def __init__(self, owner: LoopTransport, place: Place, connection: Connection) -> None:
        self._owner, self._place = owner, place
        self._connection: Connection | None = connection

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
