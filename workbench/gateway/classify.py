"""Every failure by name: one of the thirteen reasons, and a detail from a closed list.

The one place that judges. Tables, read from the top; no I/O, and no provider's text in what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from workbench.gateway.codecs.neutral import Flawed, Symptom
from workbench.gateway.codecs.unsaid import Unsaid
from workbench.gateway.error_body import ErrorBody, error_body, error_document, retry_after

Break = Literal[
    "dns", "connect_refused", "reset", "no_response", "tls_verify", "tls_handshake", "connect_timeout",
    "read_timeout", "write_timeout", "first_token_timeout", "attempt_timeout", "idle", "deadline", "local_pool",
    "protocol", "short_body", "cut", "tool_cut", "encoding_refused", "too_large", "redirect_refused",
    "address_refused", "caller_gone",
]  # fmt: skip
"""How a call can break beside what its status and its body say."""

DETAILS: Final = frozenset((
    *get_args(Break), *get_args(Symptom), *get_args(Unsaid),
    "invalid_request", "context", "input_filtered", "key_invalid", "credit", "key_rejected", "forbidden",
    "model_missing", "not_an_api", "upstream_timeout", "conflict", "request_bytes", "model_error", "rate", "quota",
    "upstream_5xx", "overloaded", "no_route", "status",
    "local_request", "local_url", "local_api_kind", "local_key_missing", "local_key_held", "local_key_malformed",
))  # fmt: skip
"""Every detail but `embedded:CODE`, and the class name of an exception that nobody expected."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed."""

    reason: str
    """One of the thirteen."""
    detail: str
    retry_after_ms: float | None = None
    local: bool = False
    """Our own side, or nothing that speaks against the provider: feeds no breaker."""
    measured: bool = False
    """The connection itself failed, whatever the tenant asked: counts for every tenant."""
    final: bool = False
    """Another try of the same candidate is pointless."""
    unconfigured: bool = False
    """Nothing was sent, for want of a key or an address."""


@dataclass(frozen=True, slots=True)
class Marker:
    """How an error is known: one of the words as its code, or a fragment in its message."""

    words: frozenset[str]
    fragments: tuple[str, ...] = ()

    def on(self, body: ErrorBody) -> bool:
        """Whether the error bears it."""
        return bool(self.words & body.words) or any(fragment in body.text for fragment in self.fragments)


CONTEXT: Final = Marker(
    frozenset((
        "context_length_exceeded", "string_above_max_length", "exceed_context_size_error", "request_too_large",
        "prompt_too_long", "tokens_exceeded",
    )),
    (
        "maximum context length", "prompt is too long", "exceeds the maximum number of tokens", "input is too long",
        "exceed context limit", "context window", "maximum prompt length", "exceeds the available context size",
        "reduce the length of the messages", "too large for model", "max_model_len", "range of input length should be",
    ),
)  # fmt: skip
FILTERED: Final = Marker(
    frozenset((
        "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "data_inspection_failed",
        "moderation_blocked", "contentfilter", "1301", "safety",
    )),
    ("content management policy", "content filtering policy", "data may contain inappropriate content"),
)  # fmt: skip
KEY: Final = Marker(
    frozenset(("api_key_invalid", "invalid_api_key", "unauthenticated", "authentication_error", "api_key_expired")),
    ("api key not valid", "api key expired", "incorrect api key", "invalid api key"),
)
CREDIT: Final = Marker(
    frozenset(("insufficient_quota", "billing_error", "insufficient_balance", "arrearage", "billing_not_active")),
    ("credit balance is too low", "insufficient balance", "insufficient credits"),
)
MODEL: Final = Marker(
    frozenset(("model_not_found", "invalid_model", "model_not_exist", "not_found_error", "model_not_available")),
    (
        "model not exist", "model does not exist", "is not a valid model id", "model identifier is invalid",
        "model not found", "no longer available",
    ),
)  # fmt: skip
QUOTA: Final = Marker(
    frozenset((
        "insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "insufficient_balance",
        "exceeded_current_quota_error", "billing_not_active", "spend_limit_exceeded", "billing_error",
    )),
    ("spend limit", "spending limit", "credit balance", "insufficient balance", "out of credits"),
)  # fmt: skip
NO_ROUTE: Final = Marker(
    frozenset(("no_available_provider", "no_endpoints")),
    ("no available provider", "no available model provider", "no endpoints found", "no provider available"),
)
HTML: Final = Marker(frozenset(("<html>",)))
MODERATED: Final = Marker(frozenset(("<moderated>",)))

Rule = tuple[Marker | None, str, str]

_REQUEST: Final[tuple[Rule, ...]] = (
    (FILTERED, "content_filter", "input_filtered"),
    (CONTEXT, "context_overflow", "context"),
    (KEY, "auth_error", "key_invalid"),
    (CREDIT, "payment_required", "credit"),
    (MODEL, "model_unavailable", "model_missing"),
    (None, "bad_request", "invalid_request"),
)
STATUSES: Final[Mapping[int, tuple[Rule, ...]]] = {
    400: _REQUEST,
    401: ((None, "auth_error", "key_rejected"),),
    402: ((None, "payment_required", "credit"),),
    403: (
        (MODERATED, "content_filter", "input_filtered"),
        (None, "auth_error", "forbidden"),
    ),
    404: (
        (HTML, "model_unavailable", "not_an_api"),
        (None, "model_unavailable", "model_missing"),
    ),
    408: ((None, "timeout", "upstream_timeout"),),
    409: ((None, "server_error", "conflict"),),
    413: ((None, "context_overflow", "request_bytes"),),
    415: ((None, "bad_request", "invalid_request"),),
    422: _REQUEST,
    424: ((None, "server_error", "model_error"),),
    429: (
        (QUOTA, "payment_required", "quota"),
        (None, "rate_limit", "rate"),
    ),
    503: (
        (NO_ROUTE, "model_unavailable", "no_route"),
        (None, "server_error", "overloaded"),
    ),
    504: ((None, "timeout", "upstream_timeout"),),
    529: ((None, "server_error", "overloaded"),),
}
"""By status, the first rule whose marker is on the error. What is not here: 3xx, other 4xx and 5xx."""

EMBEDDED: Final[Mapping[str, int]] = {
    "rate_limit_error": 429, "rate_limit_exceeded": 429, "rate_limit": 429, "resource_exhausted": 429,
    "throttlingexception": 429, "too_many_requests": 429, "insufficient_quota": 429, "credit_balance_exhausted": 429,
    "overloaded_error": 529, "overloaded": 529, "unavailable": 503, "serviceunavailableexception": 503,
    "service_unavailable": 503, "no_available_provider": 503,
    "server_error": 500, "api_error": 500, "internal": 500, "internal_error": 500, "internal_server_error": 500,
    "internalserverexception": 500, "error": 500, "server_is_overloaded": 503,
    "modelstreamerrorexception": 424, "modelerrorexception": 424,
    "timeout_error": 504, "timeout": 504, "deadline_exceeded": 504, "modeltimeoutexception": 408,
    "authentication_error": 401, "invalid_api_key": 401, "unauthenticated": 401,
    "permission_error": 403, "permission_denied": 403, "accessdeniedexception": 403,
    "billing_error": 402, "payment_required": 402,
    "not_found_error": 404, "not_found": 404, "model_not_found": 404,
    "request_too_large": 413, "context_length_exceeded": 400, "content_filter": 400,
    "content_policy_violation": 400, "invalid_request_error": 400, "invalid_argument": 400,
    "validationexception": 400, "failed_precondition": 400, "bad_request": 400, "invalid_prompt": 400,
    "upstream_error": 502, "provider_error": 502, "bad_gateway": 502,
}  # fmt: skip
"""Codes that errors with status 200 carry, with the status that says the same."""

BREAKS: Final[Mapping[Break, Failure]] = {
    "dns": Failure("network_error", "dns", measured=True),
    "connect_refused": Failure("network_error", "connect_refused", measured=True),
    "reset": Failure("network_error", "reset"),
    "no_response": Failure("network_error", "no_response"),
    "tls_verify": Failure("network_error", "tls_verify", measured=True, final=True),
    "tls_handshake": Failure("network_error", "tls_handshake", measured=True, final=True),
    "connect_timeout": Failure("timeout", "connect_timeout", measured=True),
    "read_timeout": Failure("timeout", "read_timeout"),
    "write_timeout": Failure("timeout", "write_timeout"),
    "first_token_timeout": Failure("timeout", "first_token_timeout"),
    "attempt_timeout": Failure("timeout", "attempt_timeout"),
    "idle": Failure("timeout", "idle"),
    "deadline": Failure("timeout", "deadline", local=True),
    "local_pool": Failure("timeout", "local_pool", local=True),
    "protocol": Failure("network_error", "protocol"),
    "short_body": Failure("network_error", "short_body"),
    "cut": Failure("network_error", "cut"),
    "tool_cut": Failure("network_error", "tool_cut"),
    "encoding_refused": Failure("bad_response", "encoding_refused"),
    "too_large": Failure("bad_response", "too_large"),
    "redirect_refused": Failure("bad_response", "redirect_refused"),
    "address_refused": Failure("network_error", "address_refused", local=True),
    "caller_gone": Failure("unknown", "caller_gone", local=True),
}

FLAWS: Final[Mapping[Symptom, Failure]] = {
    "json": Failure("bad_response", "json"),
    "shape": Failure("bad_response", "shape"),
    "content_type": Failure("bad_response", "content_type"),
    "empty": Failure("bad_response", "empty"),
    "empty_length": Failure("bad_response", "empty_length", local=True),
    "refusal": Failure("content_filter", "refusal"),
    "input_filtered": Failure("content_filter", "input_filtered"),
    "output_filtered": Failure("content_filter", "output_filtered"),
    "tool_shape": Failure("bad_response", "tool_shape"),
    "sse_bad_event": Failure("stream_interrupted", "sse_bad_event"),
    "too_large": Failure("bad_response", "too_large"),
    "eof_without_done": Failure("bad_response", "eof_without_done"),
    "protocol": Failure("network_error", "protocol"),
}


def classify_status(status: int, headers: Mapping[str, str], data: bytes, *, now: float) -> Failure:
    """The failure that a status other than 200 is. `headers` in lower case; `now` the wall clock in seconds."""
    if status < 400:
        return BREAKS["redirect_refused"] if 300 <= status < 400 else Failure("bad_response", "status")
    body = error_body(data, headers)
    asked = retry_after(headers, now)
    wait = asked if asked is not None else body.retry_after_ms
    found = _by_status(status, _marked(body))
    if status == 402 and wait is not None:
        found = Failure("rate_limit", "rate")
    return replace(found, retry_after_ms=wait)


def _marked(body: ErrorBody) -> ErrorBody:
    """The error with what is no code of its own among its words."""
    marks = {"<html>"} if body.html else set[str]()
    if body.moderated:
        marks.add("<moderated>")
    return replace(body, words=body.words | marks) if marks else body


def _by_status(status: int, body: ErrorBody) -> Failure:
    for marker, reason, detail in STATUSES.get(status, ()):
        if marker is None or marker.on(body):
            return Failure(reason, detail)
    return Failure("server_error", "upstream_5xx") if status >= 500 else Failure("unknown", "status")


def classify_flaw(flaw: Flawed) -> Failure:
    """The failure that a body with status 200 is."""
    if flaw.symptom != "embedded":
        return FLAWS[flaw.symptom]
    body = error_document(flaw.body)
    code = (flaw.code or "").lower()
    status = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else EMBEDDED.get(code)
    if status is None:
        status = next((EMBEDDED[word] for word in sorted(body.words) if word in EMBEDDED), 500)
        code = "other" if code not in EMBEDDED else code
    found = _by_status(status, _marked(replace(body, text=body.text or flaw.message.lower())))
    return replace(found, detail=f"embedded:{code}", retry_after_ms=body.retry_after_ms)


def classify_break(word: Break) -> Failure:
    """The failure that a broken connection or a clock is."""
    return BREAKS[word]


def committed(failure: Failure) -> Failure:
    """The failure once something has reached the caller: the answer was interrupted, whatever broke it."""
    if failure.reason in {"content_filter", "unknown"}:
        return failure
    return replace(failure, reason="stream_interrupted")


def is_detail(word: str) -> bool:
    """Whether a word is on the closed list."""
    code = word.removeprefix("embedded:")
    if code != word:
        return code in EMBEDDED or code == "other" or (len(code) == 3 and code.isascii() and code.isdigit())
    return word in DETAILS
