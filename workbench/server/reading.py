"""A request's body, read within its cap and as strict JSON (RELIABILITY R36, R39)."""

from __future__ import annotations

from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import DocumentError
from workbench.server.errors import Refused, finding_text, said, unprocessable
from workbench.server.exchange import Request

MOST_BYTES: Final = 1024 * 1024
_CLOSE: Final = ((b"connection", b"close"),)


class ClientGone(Exception):
    """The client hung up; there is nobody to answer."""


async def read_body(request: Request, limit: int = MOST_BYTES) -> bytes:
    """The whole body; `Refused` 413 above `limit` bytes (as announced, and while reading), 415 for a compressed one."""
    length = b"0"
    for name, value in request.scope["headers"]:
        if name == b"content-length":
            length = value
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise Refused(415, "content_encoding", "send the body as it is, not compressed", headers=_CLOSE)
    if not length.isdigit() or len(length) > 15 or int(length) > limit:
        raise _too_large(limit)
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return _within(message.get("body", b""), limit)
    found = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        found += message.get("body", b"")
        if len(found) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(found)
        message = await request.receive()


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> Refused:
    return Refused(413, "too_large", f"a body may have at most {limit:,} bytes", headers=_CLOSE)


async def read_json(request: Request, limit: int = MOST_BYTES) -> Any:
    """The body's JSON value; `Refused` 400 with line and column where it is no JSON that is safe to read."""
    data = await read_body(request, limit)
    try:
        return strict_json.loads(data, source="the body", max_bytes=limit)
    except DocumentError as error:
        finding = error.findings[0]
        place = f"line {finding.place.line}, column {(finding.place.column or 0) + 1}: " if finding.place.line else ""
        raise Refused(400, "invalid_json", said(f"the body is not JSON: {place}{finding_text(finding)}")) from None


async def read_object(request: Request, limit: int = MOST_BYTES) -> dict[str, Any]:
    """The body's JSON object; 422 where it is another value."""
    value = await read_json(request, limit)
    if not isinstance(value, dict):
        raise unprocessable("Input should be a valid dictionary or object", ["body"], "model_attributes_type")
    return cast("dict[str, Any]", value)
