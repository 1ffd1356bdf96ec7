"""One connection: uvicorn's protocol, bounded, with a fast path for what takes one.

Owns what of a request is read here instead of by uvicorn, how its answer goes out, how long a connection may be idle.
Tells the request that is being answered when its client has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final, cast

from workbench.server.exchange import CONNECTION, Response
from workbench.server.net.bounds import Bounded, Doors
from workbench.server.net.fast_path import TARGET, FastPath, Headers

MOST_SHORT: Final = 64 * 1024
"""Bytes of a body on the fast path; a longer one would hold up the others while it is read."""
MOST_HEADS: Final = 256
MOST_HEAD: Final = 4 * 1024
"""Bytes of a head that is remembered."""
_END: Final = b"\r\n\r\n"
_GO_ON: Final = b"HTTP/1.1 100 "
_DIGITS: Final = 8
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """A head that the fast path took, as the parser read it: who comes again says the same, byte by byte."""

    headers: Headers
    length: int
    """Bytes of the body."""


class _Joined:
    """A transport that sends an answer's head together with what comes right after it."""

    __slots__ = ("_begun", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        """The first piece waits for the second; that a body may come is said at once."""
        if not self._begun and data.startswith(_GO_ON):
            self._transport.write(data)
            return
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


class _Unheard:
    """An event that nobody waits for."""

    def set(self) -> None:
        """Nothing follows."""


class _Turn:
    """A request that takes the fast path, where uvicorn looks for one of its own."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")
    message_event: ClassVar = _Unheard()

    def __init__(self, keep_alive: bool = True) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive


class Connection(Bounded):
    """A connection with a fast path."""

    fast_path: ClassVar[FastPath | None] = None
    heads: ClassVar[dict[bytes, Head]] = {}
    """Of all connections of one process, the oldest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: Callable[[], None] | None = None
        """Called when the client has hung up while it was being answered."""
        self._held: bytearray | None = None
        """The body of a request that may take the fast path."""
        self._data = b""
        """What is being read, where it begins with a request's first byte."""
        self._declined = False
        """Whether the fast path was asked about it already."""
        self._turn = _Turn()
        self._ending = False
        """Whether the request whose body is coming is the last one."""
        self._idle_from = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was turned away."""
        gone, self.gone = self.gone, None
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        super().connection_lost(exc)
        self.cycle = self.scope = cast("Any", None)  # its last request knows it: a circle would wait to be found
        if gone is not None:
            gone()

    def shutdown(self) -> None:
        """End after what is being asked or answered."""
        if self._held is not None:
            self._ending = True
        else:
            super().shutdown()

    # a request

    def data_received(self, data: bytes) -> None:
        """Bytes of a client. A head that is known is not read again: reading costs more than deciding does."""
        if self.fast_path is None or self._coming:
            super().data_received(data)
            return
        end = data.find(_END) + len(_END)
        known = self.heads.get(data[:end])
        if known is not None and len(data) == end + known.length:
            if self._again(known, data[end:]):
                return
            self._declined = True
        self._data = data
        super().data_received(data)
        self._data, self._declined = b"", False

    def _again(self, known: Head, body: bytes) -> bool:
        """Take a whole request that came while the parser was between two."""
        if self.is_answering or self.flow.write_paused or self.transport.is_closing():
            return False
        self._arrived()
        return self._take(known.headers, body)

    def _take(self, headers: Headers, body: bytes) -> bool:
        """Whether the fast path answers; if not, nothing has happened."""
        before, self._turn = self.cycle, _Turn(not self._ending)
        self.cycle = cast("Any", self._turn)
        if self.fast_path is not None and self.fast_path.take(self, headers, body):
            return True
        self.cycle = before
        return False

    def _remember(self, body: bytes) -> None:
        """Know the head again, where it came with its body, whole and alone."""
        end = self._data.find(_END) + len(_END)
        if end <= MOST_HEAD and len(self._data) == end + len(body):
            if len(self.heads) >= MOST_HEADS:
                self.heads.pop(next(iter(self.heads)))
            self.heads[self._data[:end]] = Head(self.headers, len(body))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.fast_path is not None and not self._declined and self.url == TARGET and _is_plain(self):
            self.check_head()
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
        if self._held is not None:
            held, self._held = bytes(self._held), None
            self._come()
            if self._take(self.headers, held):
                self._remember(held)
                return
            self._start()
            self.cycle.keep_alive = self.cycle.keep_alive and not self._ending
            super().on_body(held)
        super().on_message_complete()

    # its answer

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

    # between two requests

    def on_response_complete(self) -> None:
        """An answer has gone out: what waits behind it begins, or the connection is idle from now on."""
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._idle_from = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    def _look_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """The timer stays from one request to the next: setting and stopping one each time costs more than looking."""

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that has been idle for so long; one that is at work is looked at again."""
        self.timeout_keep_alive_task = None
        left = self._idle_from + self.timeout_keep_alive - self.loop.time()
        if self._coming or self.is_answering:
            self._look_in(self.timeout_keep_alive)
        elif left > 0:
            self._look_in(left)
        else:
            super().timeout_keep_alive_handler()


def _is_plain(connection: Connection) -> bool:
    """Whether nothing about the head asks for uvicorn."""
    parser = cast("Any", connection.parser)
    length = next((value for name, value in connection.headers if name == b"content-length"), b"")
    return (
        parser.get_method() == b"POST"
        and length.isdigit()
        and len(length) < _DIGITS
        and int(length) <= MOST_SHORT
        and not connection.is_answering
        and not connection.expect_100_continue
        and not parser.should_upgrade()
        and parser.get_http_version() == "1.1"
        and parser.should_keep_alive()
        and not connection.flow.write_paused  # a client that does not read is not written to without an end
    )


def connection_class(doors: Doors, fast_path: FastPath | None = None) -> type[Connection]:
    """The protocol with bounds of its own, and the fast path."""
    return type("Connection", (Connection,), {"doors": doors, "fast_path": fast_path, "heads": {}})
