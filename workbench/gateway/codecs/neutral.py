"""What a call is before and after any provider's wire format: one request, one reply, one set of stream events.

Owns the neutral values. A codec maps them to bytes and back; nobody else needs to know a provider's shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from workbench.boundary.sealed import sealed

Document = Mapping[str, Any]

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "error", "other"]

Symptom = Literal[
    "json", "shape", "content_type", "empty", "empty_length", "refusal", "input_filtered", "output_filtered",
    "tool_shape", "sse_bad_event", "too_large", "eof_without_done", "embedded", "protocol",
]  # fmt: skip
"""What can be wrong with a body that came with status 200."""


class LocalFault(Exception):
    """Nothing may be sent: our own side is at fault. Carries words from closed lists, never a value."""

    def __init__(self, reason: str, detail: str, *, unconfigured: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        """One of the thirteen."""
        self.detail = detail
        self.unconfigured = unconfigured
        """Whether no offer with this key's name and this address can be called before somebody has set something."""


class Flawed(Exception):
    """A body that is no answer. `code` and `message` are the provider's own words, of an embedded error only."""

    def __init__(
        self, symptom: Symptom, *, code: str | None = None, message: str = "", body: Document | None = None
    ) -> None:
        super().__init__(symptom)
        self.symptom: Symptom = symptom
        self.code = code
        self.message = message
        self.body: Document = body or {}


@sealed
class HttpRequest:
    """What goes out, all but the key: that is put into `key_header` where the request is sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    provider: str
    model: str
    key_name: str | None
    """The variable that holds the key; None where the offer takes none."""
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    stream: bool = False
    warnings: tuple[str, ...] = ()
    """Words from a closed list: parameters that this protocol has no place for (`dropped:seed`)."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that the model asks for."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; it may be broken."""


@sealed
class Usage:
    """What the provider counted. None is unknown."""

    tokens_in: int | None = None
    """Prompt tokens, cached ones included."""
    tokens_out: int | None = None
    """Answer tokens, reasoning included."""
    tokens_cached: int | None = None
    tokens_reasoning: int | None = None
    cost_usd: float | None = None
    """The provider's own figure."""


@sealed
class Reply:
    """A whole answer."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: FinishReason
    usage: Usage | None
    model: str | None
    """The id that the provider reports."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model reasons, without a word for the caller yet."""

    size: int


@dataclass(frozen=True, slots=True)
class ToolDelta:
    """A piece of a tool call; `index` tells the calls of one answer apart."""

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class UsageSeen:
    """What was counted so far; a later one replaces it."""

    usage: Usage | None


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """The id that the provider reports."""

    model: str


@dataclass(frozen=True, slots=True)
class FinishSeen:
    """The answer is whole; usage may follow."""

    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Warned:
    """Something was off and the answer stands; a word from a closed list."""

    word: str


StreamEvent = Delta | Thinking | ToolDelta | UsageSeen | ModelSeen | FinishSeen | Warned


class EventReader(Protocol):
    """Reads the documents of one stream of one protocol."""

    def read(self, document: Document) -> Iterable[StreamEvent]:
        """The events of one document; raises `Flawed`."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the protocol's own end was seen, after which nothing follows."""
        ...


MOST_DEPTH: Final = 64
MOST_DIGITS: Final = 400


def parse_json(data: bytes) -> Any:
    """The value of a provider's JSON; NaN and the infinities come as floats, lone surrogates as they stand.

    Raises `Flawed("json")` for bad UTF-8, a nesting deeper than any answer's, a number of absurd length.
    """
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        if data.count(b"[") + data.count(b"{") > MOST_DEPTH and _depth(data) > MOST_DEPTH:
            raise Flawed("json")
        if _LONG in data.translate(_DIGITS):
            return _DECODER.decode(text)
        value, end = _QUICK.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
    except (ValueError, RecursionError):
        raise Flawed("json") from None
    if text[end:].strip(_SPACE):
        raise Flawed("json")
    return value


def _depth(data: bytes) -> int:
    """The deepest nesting, brackets inside strings left out; linear."""
    outside = b"".join(data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    depth = deepest = 0
    for char in outside.translate(None, _NOT_BRACKETS):
        if char in b"[{":
            depth += 1
            if depth > deepest:
                deepest = depth
                if deepest > MOST_DEPTH:
                    return deepest
        else:
            depth -= 1
    return deepest


def _integer(literal: str) -> int | float:
    if len(literal) > MOST_DIGITS:
        raise ValueError("a number of absurd length")
    return int(literal) if len(literal) <= 20 else float(literal)


_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_DECODER: Final = json.JSONDecoder(parse_int=_integer)
_QUICK: Final = json.JSONDecoder()
"""The same where no number is long."""
_SPACE: Final = " \t\n\r"
_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_LONG: Final = b"0" * 20


def clean(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
