"""One connection: bounds that ASGI cannot keep, because they hold before there is a request (RELIABILITY R37, R43).

Owns the time until a request has arrived whole, the sizes of its head, how many may be waited for at once, and that a
target is a path. Tells the request that is being answered when its client has gone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast

from workbench.server.exchange import CONNECTION, Response
from workbench.server.installed import missing
from workbench.server.net.fast_path import TARGET, FastPath

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
    target: int = 16 * 1024
    head: int = 64 * 1024
    headers: int = 100
    late: dict[Connection, None] = field(default_factory=dict["Connection", None], repr=False)
    """The connections that are waited for, the oldest first."""
    refused: int = 0
    """Connections that were closed because there were too many."""


MOST_SHORT: Final = 64 * 1024
"""Bytes of a body on the fast path; a longer one would hold up the others while it is read."""
_DIGITS: Final = 8
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}  # fmt: skip


class _Bad(Exception):
    """The head is refused."""


class _Joined:
    """A transport that sends an answer's head together with what comes right after it."""

    __slots__ = ("_begun", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        """The first piece waits for the second."""
        if not self._begun:
            self._begun, self._head = True, data
            return
        head, self._head = self._head, b""
        self._transport.write(head + data if head else data)

    def flush(self) -> None:
        """Send what waits: the answer to HEAD has nothing after its head."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Send what waits, and end."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """As the transport says."""
        return self._transport.is_closing()


def _complete(joined: _Joined, then: Callable[[], None]) -> None:
    """An answer has gone out whole."""
    joined.flush()
    then()


class _Turn:
    """A request that takes the fast path, where uvicorn looks for one of its own."""

    __slots__ = ("disconnected", "keep_alive", "message_event", "response_complete")

    def __init__(self, keep_alive: bool = True) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive
        self.message_event = self

    def set(self) -> None:
        """Nobody waits for it."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with bounds, and with a fast path for what takes one."""

    doors: ClassVar[Doors] = Doors()
    fast_path: ClassVar[FastPath | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: Callable[[], None] | None = None
        """Called when the client has hung up while it was being answered."""
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0
        self._coming = False
        self._fault = (400, "the request is no HTTP that is taken here")
        self._held: bytearray | None = None
        """The body of a request that may take the fast path."""
        self._turn = _Turn()
        self._ending = False
        """Whether the request whose body is coming is the last one."""

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
        gone, self.gone = self.gone, None
        super().connection_lost(exc)
        if gone is not None:
            gone()

    def shutdown(self) -> None:
        """End after what is being asked or answered."""
        if self._held is not None:
            self._ending = True
        else:
            super().shutdown()

    def turn_away(self) -> None:
        """Close without a word; whoever still answers is told that nobody is there."""
        self._arrived()
        if self._answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    def _await(self) -> None:
        self.doors.late[self] = None
        self._timer = self.loop.call_later(self.doors.arrival, self._late)

    def _arrived(self) -> None:
        self.doors.late.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._arrived()
        if self.transport.is_closing():
            return
        if not self._answering:
            self.transport.write(_refusal(408, "the request did not arrive in time"))
        self.turn_away()

    @property
    def _answering(self) -> bool:
        """Whether a head has come whole, and its answer has not gone out whole."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._size = 0
        self._coming = True

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
        if self._timer is not None and self._held is None and not self._answering and not self.transport.is_closing():
            self._size += len(data)
            if self._size > 2 * self.doors.head:
                self.send_400_response("")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if not self.url.startswith(b"/"):
            self._stop(400, "the target must be a path")
        names = [name for name, _ in self.headers if name in (b"content-length", b"transfer-encoding", b"host")]
        if len(names) != len(set(names)) or (b"content-length" in names and b"transfer-encoding" in names):
            self._stop(400, "the request's length or host is said twice")
        if self.fast_path is not None and self.url == TARGET and not self._answering and _is_plain(self):
            self._held = bytearray()
        else:
            self._start()

    def _start(self) -> None:
        """Let uvicorn answer it."""
        cast("dict[str, Any]", self.scope)[CONNECTION] = self
        super().on_headers_complete()
        cycle: Any = self.cycle
        cycle.transport = joined = _Joined(self.transport)
        cycle.on_response = partial(_complete, joined, cycle.on_response)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._coming = False
        if self._timer is not None:
            self._arrived()
        held, self._held = self._held, None
        if held is not None and self.fast_path is not None:
            before, self._turn = self.cycle, _Turn(not self._ending)
            self.cycle = cast("Any", self._turn)
            if self.fast_path.take(self, self.headers, bytes(held)):
                return
            self.cycle = before
            self._start()
            self.cycle.keep_alive = self.cycle.keep_alive and not self._ending
            super().on_body(bytes(held))
        super().on_message_complete()

    def reply(self, response: Response | None) -> None:
        """Answer the request on the fast path; None: hang up."""
        turn = self._turn
        turn.response_complete = True
        if self.transport.is_closing():
            return
        if response is None:
            self.transport.close()
            return
        body = response.body
        lines = [_STATUS_LINES[response.status], b"content-type: ", response.content_type]
        lines.append(b"\r\ncontent-length: %d\r\n" % len(body))
        lines += [b"%s: %s\r\n" % pair for pair in response.headers]
        if not turn.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"%s\r\n%s" % (b"".join(lines), body))
        if not turn.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _stop(self, status: int, message: str) -> None:
        self._fault = (status, message)
        raise _Bad(message)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser does not take."""
        del msg
        self._arrived()
        self.transport.write(_refusal(*self._fault))
        self.transport.close()


def _refusal(status: int, message: str) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "code": "http"}
    body = json.dumps({"error": error}).encode()
    head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    return head % (status, _REASONS[status], len(body)) + body


def _is_plain(connection: Connection) -> bool:
    """Whether nothing about the head asks for uvicorn."""
    parser = cast("Any", connection.parser)
    length = next((value for name, value in connection.headers if name == b"content-length"), b"")
    return (
        parser.get_method() == b"POST"
        and length.isdigit()
        and len(length) < _DIGITS
        and int(length) <= MOST_SHORT
        and not connection.expect_100_continue
        and not parser.should_upgrade()
        and parser.get_http_version() == "1.1"
        and parser.should_keep_alive()
        and not connection.flow.write_paused  # a client that does not read is not written to without an end
    )


def connection_class(doors: Doors, fast_path: FastPath | None = None) -> type[Connection]:
    """The protocol with bounds of its own, and the fast path."""
    return type("Connection", (Connection,), {"doors": doors, "fast_path": fast_path})
