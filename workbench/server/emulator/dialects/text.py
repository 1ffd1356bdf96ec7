"""JSON and events as bytes: compact, in ASCII, the same each time."""

from __future__ import annotations

import json
from typing import Any


def js(document: Any) -> bytes:
    """A document."""
    return json.dumps(document, separators=(",", ":")).encode()


def event(document: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    told = js(document)
    return b"data: %b\n\n" % told if name is None else b"event: %b\ndata: %b\n\n" % (name.encode(), told)
