"""The event stream of AWS, from bytes, sans I/O: length-prefixed messages with checksums, a JSON document in each."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final, cast

from workbench.gateway.codecs.neutral import EventReader, Flawed, StreamEvent, Warned, parse_json
from workbench.gateway.codecs.sse import MOST_BAD_EVENTS, MOST_EVENT_BYTES, MOST_EVENTS

_PRELUDE: Final = struct.Struct(">III")
_CRC: Final = struct.Struct(">I")
_SIZES: Final = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type; 0 and 1 have none, 6 and 7 say their length."""


class AwsStream:
    """A provider's stream over AWS event messages: bytes in, neutral events out."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._buffer = bytearray()
        self._count = 0
        self._bad = 0

    @property
    def ended(self) -> bool:
        """Whether the protocol's end was seen; nothing after it is read."""
        return self._reader.ended

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """The events within these bytes, in order; raises `Flawed` where the stream is no answer."""
        self._buffer += data
        while len(self._buffer) >= _PRELUDE.size:
            total, headers, crc = _PRELUDE.unpack_from(self._buffer)
            if zlib.crc32(self._buffer[:8]) != crc or not total >= 16 or headers > total - 16:
                raise Flawed("protocol")
            if total > MOST_EVENT_BYTES:
                raise Flawed("too_large")
            if len(self._buffer) < total:
                return
            message = bytes(self._buffer[:total])
            del self._buffer[:total]
            self._count += 1
            if self._count > MOST_EVENTS:
                raise Flawed("too_large")
            yield from self._message(message, headers)

    def close(self) -> Iterator[StreamEvent]:
        """The bytes have ended; a message that was begun is cut."""
        self._buffer.clear()
        return iter(())

    def _message(self, message: bytes, headers: int) -> Iterator[StreamEvent]:
        if zlib.crc32(message[:-4]) != _CRC.unpack(message[-4:])[0]:
            raise Flawed("protocol")
        names = _headers(message[12 : 12 + headers])
        payload = message[12 + headers : -4]
        kind = names.get(":event-type") or names.get(":exception-type") or names.get(":error-code") or ""
        try:
            document: Any = parse_json(payload) if payload else {}
        except Flawed:
            self._bad += 1
            if self._bad > MOST_BAD_EVENTS:
                raise Flawed("sse_bad_event") from None
            yield Warned("sse_bad_event")
            return
        body = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        if names.get(":message-type", "event") != "event":
            message_text = body.get("message")
            raise Flawed("embedded", code=kind, message=message_text if isinstance(message_text, str) else "")
        yield from self._reader.read({kind: body})


def _headers(data: bytes) -> dict[str, str]:
    """The string headers of one message; raises `Flawed` where they do not add up."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode("ascii")
            at += 1 + size
            kind = data[at]
            at += 1
            if kind in (6, 7):
                (length,) = struct.unpack_from(">H", data, at)
                value = data[at + 2 : at + 2 + length]
                at += 2 + length
                if kind == 7:
                    found[name] = value.decode("utf-8")
            elif kind > 1:
                at += _SIZES[kind]
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise Flawed("protocol") from None
    if at != len(data):
        raise Flawed("protocol")
    return found
