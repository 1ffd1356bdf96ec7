"""One connection to a provider: one HTTP/1.1 exchange at a time, on the event loop's own thread.

Owns the parsing (httptools') and the silence that is too long. Raises what httpx's transports raise, nothing of the
request in it.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import httptools
import httpx

MOST_BUFFERED: Final = 256 * 1024
MOST_HEAD: Final = 64 * 1024


class Connection(asyncio.Protocol):
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
        self.look: Callable[[], object] = _nothing
        """Tells whether bytes, or an end, wait to be read."""
        self.idle_since = 0.0
        """Its owner's clock, in seconds."""
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
        self.headed = False
        self._measured = False
        self._size = self.buffered = 0
        self.paused = self._asking = False
        self._hears: Callable[[], None] | None = None

    def ask(self, data: bytes, read_s: float, hears: Callable[[], None] | None = None) -> None:
        """Send a request; the connection is idle. `read_s` is the longest silence; `hears` is told of all that comes
        until somebody waits for it."""
        self._begin()
        self._hears = hears
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
        self._hears = None
        self._waiter = self._loop.create_future()
        await self._waiter

    async def head(self) -> None:
        """Until the head has come; raises what broke."""
        self._hears = None
        while not self.headed:
            if self.error is not None:
                raise self.error
            await self.wait()

    def take(self) -> bytes:
        """What has come of the body."""
        data = self.chunks.popleft() if len(self.chunks) == 1 else b"".join(self.chunks)
        self.chunks.clear()
        self.buffered = 0
        if self.paused and not self.lost:
            self.paused = False
            self.transport.resume_reading()
        return data

    def release(self) -> bool:
        """The exchange is over; true where another one may follow."""
        self._asking = False
        self._hears = None
        read = not self.paused and not self.chunks
        if (
            self.done
            and self.keep
            and read
            and not self.lost
            and self.error is None
            and not self.transport.is_closing()
        ):
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
        if self._hears is not None:
            self._hears()
            return
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
        if due > now or self.paused:
            self._watch(max(due, now + 0.05))
            return
        self._fail(httpx.ReadTimeout("nothing came"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self.transport = cast("asyncio.Transport", transport)
        self.look = _look_at(self.transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; those that nobody asked for end the connection."""
        if not self._asking or self.done:
            self.transport.abort()
            return
        self._heard = self._loop.time()
        if not self.headed:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(httpx.RemoteProtocolError("the answer is no HTTP"))
            return
        if not self.headed and self._size > MOST_HEAD:
            self._fail(httpx.RemoteProtocolError("the answer's head is too long"))
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side hung up, or we did."""
        self.lost = True
        if not self._asking or self.done:
            self._unwatch()
            return
        if not self.headed:
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
        self.headed = True
        self.keep = self._measured and self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.done:
            return
        self.chunks.append(data)
        self.buffered += len(data)
        if self.buffered > MOST_BUFFERED and not self.paused:
            self.paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.headed:
            self.done = True


def usable(connection: Connection) -> bool:
    """Whether another exchange may begin: it is open, and nothing has come that the loop has not seen yet.

    An answer that nobody asked for must not become the next one's.
    """
    return not connection.lost and not connection.transport.is_closing() and not connection.look()


def _look_at(transport: asyncio.Transport) -> Callable[[], object]:
    """What tells whether bytes, or an end, wait to be read."""
    held = transport.get_extra_info("socket")
    if held is None:
        return _nothing
    if not hasattr(select, "poll"):  # Windows
        return lambda: select.select([held], [], [], 0)[0]
    waiting = select.poll()
    waiting.register(held.fileno(), select.POLLIN)
    return partial(waiting.poll, 0)


def _nothing() -> object:
    return None
