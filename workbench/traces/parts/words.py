"""The closed words of a record, and text whose type says what it can be.

Owns the lists that a record of a `no_log` tenant may draw from. A word that is not in its list becomes `other`, so that
nothing a provider sends can pass as a code.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, cast, get_args

from workbench.errors import DocumentError, Finding

Need = Literal["vision", "tools", "json_mode", "seed"]
Privacy = Literal["tee_required", "no_log"]
Kind = Literal[
    "rate_limit", "timeout", "server_error", "auth_error", "bad_request", "content_filter", "bad_response",
    "model_unavailable", "network_error", "context_overflow", "stream_interrupted", "payment_required", "unknown",
]  # fmt: skip
EventName = Literal["attempted", "retry_scheduled", "provider_disabled", "skipped"]
ActionName = Literal["next_candidate", "next_provider_same_model", "retry_same", "disable_provider", "abort"]
Block = Literal["breaker_open", "disabled_provider", "not_configured"]
CostBasis = Literal["reported", "estimated", "provider"]
"""In a store: catalog prices times the tokens reported, times tokens estimated, or the provider's own figure."""
Basis = Literal["reported", "computed"]
"""As everybody is told: the provider's own figure, or the catalog's prices for the tokens that it counted."""
Detail = Literal[
    "dns", "connect_refused", "reset", "no_response", "tls_verify", "tls_handshake", "connect_timeout", "read_timeout",
    "first_token_timeout", "local_pool", "invalid_request", "context", "input_filtered", "key_invalid", "credit",
    "key_rejected", "forbidden", "model_missing", "not_an_api", "upstream_timeout", "conflict", "request_bytes",
    "model_error", "rate", "quota", "upstream_5xx", "overloaded", "no_route", "redirect_refused", "json", "short_body",
    "content_type", "shape", "embedded", "empty", "empty_length", "cut", "eof_without_done", "idle", "deadline",
    "sse_bad_event", "output_filtered", "refusal", "tool_shape", "tool_cut", "tool_json", "not_streamed", "too_large",
    "encoding_refused", "protocol", "status", "address_refused", "attempt_timeout", "write_timeout", "caller_gone",
    "local_request", "local_url", "local_api_kind", "local_key_missing", "local_key_held", "local_key_malformed",
    "local_no_messages", "local_no_turn", "local_role", "local_content", "local_part", "local_picture",
    "local_picture_address", "local_picture_place", "local_tool", "local_tool_call", "local_tool_choice",
    "local_response_format", "local_number", "local_value", "cancelled", "other",
]  # fmt: skip
NumberName = Literal[
    "min_context", "min_quality", "min_tok_s", "max_latency_ms", "max_cost_usd", "estimated_input_tokens",
    "estimated_output_tokens",
]  # fmt: skip

NEEDS: Final[frozenset[str]] = frozenset(get_args(Need))
PRIVACIES: Final[frozenset[str]] = frozenset(get_args(Privacy))
KINDS: Final[tuple[str, ...]] = get_args(Kind)
EVENTS: Final[frozenset[str]] = frozenset(get_args(EventName))
ACTIONS: Final[frozenset[str]] = frozenset(get_args(ActionName))
BLOCKS: Final[frozenset[str]] = frozenset(get_args(Block))
STORED_BASES: Final[Mapping[str, CostBasis]] = {"reported": "provider", "computed": "reported"}
"""The stored word for what everybody is told."""
TOLD_BASES: Final[Mapping[CostBasis, Basis]] = {
    "provider": "reported", "reported": "computed", "estimated": "computed",
}  # fmt: skip
"""The way back; `estimated` is what the endpoint once stored for a figure that it had computed."""
DETAILS: Final[frozenset[str]] = frozenset(get_args(Detail))
NUMBERS: Final[tuple[NumberName, ...]] = get_args(NumberName)

DECIDED: Final = "decided"
"""A decision that no call followed."""
INTERRUPTED: Final = "interrupted"
"""Begun by a process that is gone, without an outcome."""
IN_FLIGHT: Final = "in flight"
_EXHAUSTED: Final = "exhausted: "
OUTCOMES: Final[frozenset[str]] = frozenset(
    (DECIDED, "ok", "cancelled", "no_candidates", "exhausted: no_candidates", *KINDS, *(_EXHAUSTED + k for k in KINDS))
)
"""Every way in which a trace can end."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_IDENTIFIER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WHOSE: Final = re.compile(rf"((caller|state):)?{_IDENTIFIER.pattern}")
_FINGERPRINT: Final = re.compile(r"[0-9]{1,10}-[0-9]{1,10}")


class _Shaped(str):
    """Text that has one shape; another is refused where it is made."""

    __slots__ = ()
    shape: re.Pattern[str]

    def __new__(cls, value: str) -> _Shaped:
        if cls.shape.fullmatch(value) is None:
            name = cls.__name__.lower()
            raise DocumentError("not a record that can be kept", [Finding(f"this is no {name}", "trace_shape")])
        return super().__new__(cls, value)


class Digest(_Shaped):
    """A SHA-256 in hex."""

    __slots__ = ()
    shape = _DIGEST

    def __new__(cls, value: str) -> Digest:
        return cast("Digest", super().__new__(cls, value))


class Identifier(_Shaped):
    """A trace's id: small letters, digits, `.`, `_`, `-`, at most 64."""

    __slots__ = ()
    shape = _IDENTIFIER

    def __new__(cls, value: str) -> Identifier:
        return cast("Identifier", super().__new__(cls, value))


class Whose(_Shaped):
    """Whom a trace is about: a tenant's id; or `caller:ID` and `state:ID`, which no tenant's id can equal.

    The first of these is a caller that named no tenant, the other a tenant state that came with its request.
    """

    __slots__ = ()
    shape = _WHOSE

    def __new__(cls, value: str) -> Whose:
        return cast("Whose", super().__new__(cls, value))


class Fingerprint(_Shaped):
    """The fingerprint of a policy: two numbers."""

    __slots__ = ()
    shape = _FINGERPRINT

    def __new__(cls, value: str) -> Fingerprint:
        return cast("Fingerprint", super().__new__(cls, value))


class Ending(_Shaped):
    """How a trace ended: one of `OUTCOMES`."""

    __slots__ = ()
    shape = re.compile("|".join(re.escape(word) for word in sorted(OUTCOMES, key=len, reverse=True)))

    @lru_cache(64)
    def __new__(cls, value: str) -> Ending:
        return cast("Ending", super().__new__(cls, value))


class _Random:
    """Random hexadecimal digits, from the system in larger pieces."""

    def __init__(self) -> None:
        self._held: list[str] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._held.clear)

    def take(self) -> str:
        """24 digits that nobody else gets; a forked process begins anew."""
        if not self._held:
            digits = secrets.token_hex(12 * 256)
            self._held += [digits[at : at + 24] for at in range(0, len(digits), 24)]
        return self._held.pop()


_random: Final = _Random()


def random_hex() -> str:
    """24 random hexadecimal digits."""
    return _random.take()


def new_id() -> Identifier:
    """A trace id that no other trace has. It begins with its moment, so that a store's index grows at its end."""
    made = f"t{_moment(time.time_ns() // 1_000_000)}{_random.take()[:16]}"
    return str.__new__(Identifier, made)  # it has the shape


@lru_cache(1)
def _moment(ms: int) -> str:
    """Milliseconds since 1970 in eight digits to the base of 36, which last until 2059."""
    found = ""
    for _ in range(8):
        ms, digit = divmod(ms, 36)
        found = _DIGITS[digit] + found
    return found


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def is_identifier(text: str) -> bool:
    """Whether `text` could be a trace's id at all."""
    return _IDENTIFIER.fullmatch(text) is not None


def kind_of(value: object) -> Kind | None:
    """The failure's kind; an unheard-of one is `unknown`."""
    if value is None:
        return None
    return cast("Kind", value) if value in KINDS else "unknown"


def detail_of(value: object) -> Detail | None:
    """The detail as a closed word. `embedded:CODE` keeps its head: the code is the provider's own text."""
    if value is None:
        return None
    head = str(value).partition(":")[0]
    return cast("Detail", head) if head in DETAILS else "other"
