"""Server-sent events from bytes, sans I/O, with caps; and the stream of documents that providers send over them.

Lines end at CR, LF or CRLF and nowhere else: U+2028 inside a text is text. A byte order mark is skipped. The last
event counts even without its blank line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from workbench.gateway.codecs.neutral import EventReader, Flawed, StreamEvent, Warned, parse_json

MOST_EVENT_BYTES: Final = 1024 * 1024
MOST_EVENTS: Final = 100_000
MOST_BAD_EVENTS: Final = 3

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Sse:
    """One event: its name, empty where it has none, and its data, lines joined by LF."""

    name: bytes
    data: bytes


class SseParser:
    """Bytes in, events out. Raises `Flawed("too_large")` at a cap."""

    def __init__(self, *, most_bytes: int = MOST_EVENT_BYTES, most_events: int = MOST_EVENTS) -> None:
        self._most_bytes, self._most_events = most_bytes, most_events
        self._tail = bytearray()
        self._skip_lf = False
        self._first = True
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._count = 0

    def feed(self, data: bytes) -> Iterator[Sse]:
        """The events that end within these bytes."""
        if not data:
            return
        if self._skip_lf and data.startswith(b"\n"):
            self._skip_lf = False
            data = data[1:]
            if not data:
                return
        self._skip_lf = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in data:
            self._tail += data
            self._check(len(self._tail))
            return
        lines = (bytes(self._tail) + data).split(b"\n")
        self._tail = bytearray(lines.pop())
        self._check(len(self._tail))
        for line in lines:
            if line:
                self._line(line)
            elif (event := self._event()) is not None:
                yield event

    def close(self) -> Iterator[Sse]:
        """The bytes have ended: what was begun counts."""
        if self._tail:
            self._line(bytes(self._tail))
            self._tail.clear()
        if (event := self._event()) is not None:
            yield event

    def _line(self, line: bytes) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._size += len(value) + 1
            self._check(self._size)
            self._data.append(value)
        elif name == b"event":
            self._name = value

    def _event(self) -> Sse | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = b"", [], 0
        if not data:
            return None
        self._count += 1
        if self._count > self._most_events:
            raise Flawed("too_large")
        return Sse(name, data[0] if len(data) == 1 else b"\n".join(data))

    def _check(self, size: int) -> None:
        if size > self._most_bytes:
            raise Flawed("too_large")


class SseStream:
    """A provider's stream over SSE: bytes in, neutral events out."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._parser = SseParser()
        self._bad = 0
        self._marked = False

    @property
    def ended(self) -> bool:
        """Whether the end marker was seen; nothing after it is read."""
        return self._marked or self._reader.ended

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """The events within these bytes, in order; raises `Flawed` where the stream is no answer."""
        for event in self._parser.feed(data):
            yield from self._read(event)

    def close(self) -> Iterator[StreamEvent]:
        """The bytes have ended without a fault of the connection."""
        for event in self._parser.close():
            yield from self._read(event)

    def _read(self, event: Sse) -> Iterator[StreamEvent]:
        if self.ended:
            return
        if event.data.strip() == b"[DONE]":
            self._marked = True
            return
        document: Any = None
        try:
            document = parse_json(event.data)
        except Flawed:
            self._bad += 1
            if self._bad > MOST_BAD_EVENTS:
                raise Flawed("sse_bad_event") from None
            yield Warned("sse_bad_event")
            return
        if not isinstance(document, dict):
            yield Warned("sse_ignored")
            return
        yield from self._reader.read(document)  # pyright: ignore[reportUnknownArgumentType]
