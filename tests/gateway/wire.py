"""What providers put on the wire, byte by byte: good answers and broken ones, in each protocol."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

WORD = "CANARY-ANSWER-7d1f"
"""Stands in every answer and every error; no record of a `no_log` tenant may hold it."""


def head(status: int | str, *headers: str) -> bytes:
    """A status line and headers."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode()


def http(status: int | str, body: bytes | str, *headers: str, kind: str = "application/json") -> bytes:
    """A whole response with its length."""
    data = body.encode() if isinstance(body, str) else body
    return head(status, f"content-type: {kind}", f"content-length: {len(data)}", *headers) + data


def js(status: int | str, document: object, *headers: str) -> bytes:
    """A whole JSON response."""
    return http(status, json.dumps(document), *headers)


def error(status: int, message: str = "", code: object = None, *headers: str, **extra: object) -> bytes:
    """An error in OpenAI's shape."""
    told = {"message": f"{message} {WORD}".strip(), "type": "some_error", "code": code, **extra}
    return js(status, {"error": told}, *headers)


def stream(*pieces: bytes, length: bool = False) -> bytes:
    """The start of a stream with these pieces; without a length it ends where the connection does."""
    body = b"".join(pieces)
    extra = [f"content-length: {len(body)}"] if length else ["connection: close"]
    return head(200, "content-type: text/event-stream", *extra) + body


def data(document: object) -> bytes:
    """One event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def choice(delta: object, finish: str | None = None, **extra: object) -> bytes:
    """One chunk of a chat completion."""
    return data(
        {"id": "c", "model": "served-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **extra}
    )


ROLE = choice({"role": "assistant", "content": ""})


def text(words: str = WORD) -> bytes:
    """A chunk with text."""
    return choice({"content": words})


def finish(reason: str = "stop") -> bytes:
    """The last chunk."""
    return choice({}, reason)


USAGE: dict[str, Any] = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}


def completion(
    content: object = WORD, *, reason: object = "stop", usage: object = USAGE, **message: object
) -> dict[str, Any]:
    """A whole chat completion."""
    said = {"role": "assistant", "content": content, **message}
    return {"id": "c", "model": "served-1", "choices": [{"message": said, "finish_reason": reason}], "usage": usage}


def answered(streamed: bool) -> bytes:
    """A good answer."""
    if not streamed:
        return js(200, completion())
    return stream(ROLE, text("CANARY-"), text("ANSWER-7d1f"), finish(), data({"choices": [], "usage": USAGE}), DONE)


def aws(kind: str, document: object, message: str = "event") -> bytes:
    """One message of AWS's event stream."""
    name = ":event-type" if message == "event" else ":exception-type"
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in ((":message-type", message), (name, kind), (":content-type", "application/json"))
    )
    payload = json.dumps(document).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    begun = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return begun + struct.pack(">I", zlib.crc32(begun))
