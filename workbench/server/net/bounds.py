"""The bounds of a connection that ASGI cannot keep, because they hold before there is a request (RELIABILITY R37, R43).

Owns the time until a request has arrived whole, the sizes of its head, how many may be waited for at once, and that a
target is a path.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

from workbench.server.installed import missing

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
except ImportError:
    raise missing("uvicorn") from None

_REASONS: Final = {
    400: b"Bad Request", 408: b"Request Timeout", 414: b"URI Too Long", 431: b"Request Header Fields Too Large",
}  # fmt: skip


@dataclass(slots=True)
class Doors:
    """The bounds of all connections of one process. Times in seconds, sizes in bytes."""

    arrival: float = 10.0
    """Until a request has come whole: from the connection on, then from its first byte on."""
    waiting: int = 256
    """Connections that have sent no whole request yet; one more, and the oldest of them is closed."""
    connections: int = 4_096
    unread: float = 60.0
    """How long an answer may wait for its reader."""
    target: int = 16 * 1024
    head: int = 64 * 1024
    headers: int = 100
    late: dict[Bounded, None] = field(default_factory=dict["Bounded", None], repr=False)
    """The connections that are waited for, the oldest first."""
    refused: int = 0
    """Connections that were closed because there were too many."""


class _Bad(Exception):
    """The head is refused."""


class Bounded(HttpToolsProtocol):
    """uvicorn's protocol with bounds."""

    doors: ClassVar[Doors] = Doors()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0
        self._coming = False
        """Whether a part of a request has come."""
        self._headed = False
        """Whether its head has."""
        self._fault = (400, "the request is no HTTP that is taken here")
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client is there; from now on it is waited for."""
        super().connection_made(transport)
        doors = self.doors
        if len(self.connections) > doors.connections:
            doors.refused += 1
            transport.abort()
            return
        self._await()
        if len(doors.late) > doors.waiting:
            doors.refused += 1
            next(iter(doors.late)).turn_away()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was turned away."""
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read: it has some time to."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.doors.unread, self.turn_away)

    def resume_writing(self) -> None:
        """It has read, or has gone."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def turn_away(self) -> None:
        """Close without a word; whoever still answers is told that nobody is there."""
        self._arrived()
        if self.is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    def _await(self) -> None:
        self.doors.late[self] = None
        self._timer = self.loop.call_later(self.doors.arrival, self._late)

    def _arrived(self) -> None:
        if self._timer is not None:
            self.doors.late.pop(self, None)
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._arrived()
        if self.transport.is_closing():
            return
        if not self.is_answering:
            self.transport.write(_refusal(408, "the request did not arrive in time"))
        self.turn_away()

    @property
    def is_answering(self) -> bool:
        """Whether a head has come whole, and its answer has not gone out whole."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._size = 0
        self._coming, self._headed = True, False

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        super().on_url(url)
        if len(self.url) > self.doors.target:
            self._stop(414, "the target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._size += len(name) + len(value)
        if self._size > self.doors.head or len(self.headers) >= self.doors.headers:
            self._stop(431, "the headers are too many or too long")
        super().on_header(name, value)

    def data_received(self, data: bytes) -> None:
        """Bytes of a client; a head that never ends is refused at its cap."""
        super().data_received(data)
        if self._coming and self._timer is None and not self.transport.is_closing():
            self._await()
        if self._timer is not None and not self._headed and not self.is_answering and not self.transport.is_closing():
            self._size += len(data)
            if self._size > 2 * self.doors.head:
                self.send_400_response("")

    def check_head(self) -> None:
        """Refuse a target that is no path, and a length or a host that is said twice."""
        self._headed = True
        if not self.url.startswith(b"/"):
            self._stop(400, "the target must be a path")
        names = [name for name, _ in self.headers if name in (b"content-length", b"transfer-encoding", b"host")]
        if len(names) != len(set(names)) or (b"content-length" in names and b"transfer-encoding" in names):
            self._stop(400, "the request's length or host is said twice")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.check_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._come()
        super().on_message_complete()

    def _come(self) -> None:
        self._coming = False
        self._arrived()

    def _stop(self, status: int, message: str) -> None:
        self._fault = (status, message)
        raise _Bad(message)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser does not take; behind a whole request that is being answered, end after its answer."""
        del msg
        self._arrived()
        self._coming = False
        if self.is_answering:
            cycle: Any = self.cycle
            if not getattr(cycle, "more_body", False):
                cycle.keep_alive = False
                return
            if cycle.response_started:
                self.turn_away()
                return
        self.transport.write(_refusal(*self._fault))
        self.transport.close()


def _refusal(status: int, message: str) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "code": "http"}
    body = json.dumps({"error": error}).encode()
    head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (status, _REASONS[status], len(body)) + body
