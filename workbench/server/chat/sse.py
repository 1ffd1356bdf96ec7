"""Server-sent events to one client: begun when there is something to say, cut where nobody reads on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from workbench.server.exchange import CONNECTION, Request, dumps

if TYPE_CHECKING:
    from workbench.server.net.connection import Connection

LAST_WORDS_S: Final = 1.0
"""How long a client may take to read the end of a stream whose time is over."""
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
DONE: Final = b"data: [DONE]\n\n"
KEEP_ALIVE: Final = b": keepalive\n\n"


class EventStream:
    """The events of one answer."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._send = request.send
        self.begun = False
        """Whether anything has been sent; from then on there is no other answer."""

    async def write(self, data: bytes) -> None:
        """Send bytes, the head before the first ones; waits while the client does not read."""
        if not self.begun:
            self.begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def event(self, value: object, name: str | None = None) -> None:
        """Send one event in JSON."""
        head = b"" if name is None else b"event: %s\n" % name.encode()
        await self.write(b"%sdata: %s\n\n" % (head, dumps(value)))

    async def end(self, data: bytes) -> None:
        """Send the last bytes; a client that does not take them in time is hung up on."""
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self.write(data)
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            connection = connection_of(self._request)
            if connection is not None:
                connection.turn_away()


def connection_of(request: Request) -> Connection | None:
    """The connection that a request came over; None where it came over another server's."""
    return request.scope.get(CONNECTION)


class until_gone:  # noqa: N801 - reads as a word in a `with`, at a part of the cost of a generator
    """Call `stop` where the client hangs up while the block runs."""

    __slots__ = ("_connection", "_stop")

    def __init__(self, request: Request, stop: Callable[[], None]) -> None:
        self._connection = connection_of(request)
        self._stop = stop

    def __enter__(self) -> None:
        connection = self._connection
        if connection is None:
            return
        connection.gone = self._stop
        if connection.transport.is_closing():
            self._stop()  # it went while something else was waited for

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.gone = None
