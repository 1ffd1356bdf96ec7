"""What a provider's error says, in whichever of their shapes: code words, message, when to come back.

Reads OpenAI's, Azure's, Anthropic's, Gemini's, Bedrock's, OpenRouter's, Mistral's and plain shapes with one look.
Never raises; an error that is not JSON has no words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from workbench.engine.values import items, number, record, text
from workbench.gateway.codecs.neutral import Flawed, parse_json

MOST_RETRY_MS: Final = 300_000.0
_TEXT: Final = 4096

_SECONDS: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """One error. The words and the text are lower case, for comparing; the message is the provider's own."""

    words: frozenset[str] = frozenset()
    text: str = ""
    message: str = ""
    retry_after_ms: float | None = None
    html: bool = False
    moderated: bool = False
    """OpenRouter's mark that the input was moderated away."""


def error_body(data: bytes, headers: Mapping[str, str]) -> ErrorBody:
    """The error that came with a status."""
    html = data.lstrip()[:1] == b"<" or "text/html" in headers.get("content-type", "")
    found = error_document({} if html else _document(data))
    extra = headers.get("x-amzn-errortype", "").partition(":")[0].lower()
    words = found.words | {extra} if extra else found.words
    plain = found.message or ("" if html else data[:_TEXT].decode("utf-8", "replace"))
    return ErrorBody(words, plain[:_TEXT].lower(), plain[:_TEXT], found.retry_after_ms, html, found.moderated)


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document: object = parse_json(data)
    except Flawed:
        return {}
    # Gemini wraps its error in a list where a stream was asked for
    return record(document) or record(next(iter(items(document)), None))


def error_document(body: Mapping[str, Any]) -> ErrorBody:
    """The error that a document holds, with status 200 too."""
    raw = body.get("error")
    inner = record(raw) or body
    words: set[str] = set()
    for name in ("code", "type", "status", "reason"):
        value = inner.get(name)
        if value is not None and not isinstance(value, bool):
            words.add(str(value)[:80].lower())
    deeper = text(record(inner.get("innererror")).get("code"))
    if deeper:
        words.add(deeper.lower())
    metadata = record(inner.get("metadata"))
    retry: float | None = None
    for detail in _details(inner):
        reason = text(detail.get("reason"))
        if reason:
            words.add(reason.lower())
        delay = text(detail.get("retryDelay"))
        if delay and delay.endswith("s"):
            retry = _milliseconds(delay[:-1], 1000.0)
    message = text(inner.get("message")) or (raw if isinstance(raw, str) else "") or text(body.get("detail")) or ""
    moderated = "flagged_input" in metadata or bool(items(metadata.get("reasons")))
    return ErrorBody(frozenset(words), message[:_TEXT].lower(), message[:_TEXT], retry, moderated=moderated)


def _details(inner: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for detail in items(inner.get("details"))[:16]:
        yield record(detail)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Milliseconds that the headers ask to wait, 0 to 300,000; None for none, a negative one or garbage.

    `now` is the wall clock in seconds, for a date.
    """
    own = headers.get("retry-after-ms")
    if own is not None and (ms := _milliseconds(own, 1.0)) is not None:
        return ms
    common = headers.get("retry-after")
    if common is None:
        return None
    ms = _milliseconds(common, 1000.0)
    return ms if ms is not None else _until(common, now)


def _milliseconds(written: str, unit: float) -> float | None:
    stripped = written.strip()
    if not _SECONDS.fullmatch(stripped):
        return None
    value = number(float(stripped))
    return None if value is None or not math.isfinite(value) else min(value * unit, MOST_RETRY_MS)


def _until(written: str, now: float) -> float | None:
    try:
        then = parsedate_to_datetime(written[:64]).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    ms = (then - now) * 1000.0
    return min(ms, MOST_RETRY_MS) if ms >= 0 else None
