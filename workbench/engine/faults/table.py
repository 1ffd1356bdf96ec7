"""The closed table of faults: what each does to a call, what its argument means, and what the failure is then called.

The thirteen reasons of the language are kinds too, each played in the way that providers usually fail so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Argument = Literal["none", "duration", "pieces"]
Timing = Literal["at once", "before", "first", "silence", "endless", "alive"]
"""When a call with this fault ends: at once; a time before the headers; a time before the first word; never, for
nothing comes; never, for a little comes for ever; never, for only signs of life come."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the classifier makes of it. `reason` None: the call succeeds all the same."""

    reason: str | None
    detail: str | None = None
    status: int | None = 200
    """None where no status comes."""
    committed: bool = False
    local: bool = False
    """It says nothing against the provider: our own deadline, an answer that was filtered."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault."""

    name: str
    help: str
    plain: Told
    streamed: Told
    before_output: Told | None = None
    """Of a stream where it strikes before the first word (`cut_after:0`)."""
    argument: Argument = "none"
    default: float | None = None
    """Milliseconds, or pieces of the answer; None where it may be left out and then nothing is said."""
    timing: Timing = "at once"

    def told(self, arg: float | None, *, streamed: bool) -> Told:
        """What a call is told that meets it."""
        if not streamed:
            return self.plain
        return self.before_output if self.before_output is not None and arg == 0 else self.streamed

    @property
    def form(self) -> str:
        """How it is written: `rate_limit[:TIME]`."""
        word = {"none": "", "duration": ":TIME", "pieces": ":N"}[self.argument]
        return f"{self.name}[{word}]" if word else self.name


def _status(name: str, status: int, detail: str, says: str, *, reason: str | None = None, waits: bool = False) -> Kind:
    """A fault that is a status, the same plain and streamed."""
    told = Told(reason or name, detail, status)
    return Kind(name, says, told, told, argument="duration" if waits else "none")


def _body(name: str, told: Told, says: str) -> Kind:
    return Kind(name, says, told, told)


def _after(
    name: str, default: int, plain: Told, detail: str, before: Told, says: str, timing: Timing = "at once"
) -> Kind:
    """A fault in the middle of a stream."""
    streamed = Told("stream_interrupted", detail, committed=True)
    return Kind(name, says, plain, streamed, before, "pieces", default, timing)


_SHORT: Final = Told("network_error", "short_body")
_CUT: Final = Told("network_error", "cut")
_FINE: Final = Told(None)
_SILENT: Final = Told("timeout", "read_timeout", None)
_FILTERED: Final = Told("content_filter", "output_filtered")
_EMBEDDED: Final = Told("server_error", "embedded:server_error")

_KINDS: Final = (
    _status("rate_limit", 429, "rate", "429, with Retry-After where a time is given", waits=True),
    _status("timeout", 504, "upstream_timeout", "504: the provider itself ran out of time"),
    _status("server_error", 500, "upstream_5xx", "500"),
    _status("auth_error", 401, "key_rejected", "401: the key is refused"),
    _status("bad_request", 400, "invalid_request", "400: the request is refused"),
    _status("content_filter", 400, "input_filtered", "400: the prompt is refused by a filter"),
    _body("bad_response", Told("bad_response", "json"), "200 with JSON that ends in the middle, as `malformed`"),
    _status("model_unavailable", 404, "model_missing", "404: there is no such model"),
    _body("network_error", Told("network_error", "no_response", None), "the connection closes unanswered, as `down`"),
    _status("context_overflow", 400, "context", "400: the prompt is too long"),
    Kind("stream_interrupted", "the connection is cut after 3 pieces, as `cut_after:3`", _SHORT,
         Told("stream_interrupted", "cut", committed=True)),
    _status("payment_required", 402, "credit", "402: no credit is left"),
    _status("unknown", 418, "status", "418: a status that nobody expects"),
    _body("down", Told("network_error", "no_response", None), "the connection closes without an answer"),
    _body("reset", Told("network_error", "reset", None), "the connection is reset"),
    _body("protocol", Told("network_error", "protocol", None), "what comes is not HTTP"),
    _status("overloaded", 503, "overloaded", "503, with Retry-After where a time is given", reason="server_error",
            waits=True),
    _status("quota", 429, "quota", "429: the account has used up its credit", reason="payment_required"),
    _status("forbidden", 403, "forbidden", "403: the key may not do this", reason="auth_error"),
    _status("wrong_address", 404, "not_an_api", "404 with a web page", reason="model_unavailable"),
    Kind("slow", "waits before it answers; 2s", _FINE, _FINE, None, "duration", 2000.0, "before"),
    Kind("first_token", "a stream begins at once, its first word waits; 3s", _FINE, _FINE, None, "duration", 3000.0,
         "first"),
    Kind("hang", "takes the request and never answers", _SILENT, _SILENT, timing="silence"),
    Kind("keepalive", "sends signs of life and never a word", Told("timeout", "deadline", local=True),
         Told("timeout", "first_token_timeout"), timing="alive"),
    Kind("drip", "the answer never ends: a little of it at a time, a second apart or as said",
         Told("timeout", "deadline", local=True), Told("stream_interrupted", "deadline", committed=True, local=True),
         None, "duration", 1000.0, "endless"),
    _after("cut_after", 3, _SHORT, "cut", _CUT, "the connection is cut after N pieces of the answer; 3"),
    _after("stall_after", 3, Told("timeout", "read_timeout"), "idle", Told("timeout", "first_token_timeout"),
           "silence after N pieces of the answer; 3", "silence"),
    _after("eof_after", 3, _SHORT, "eof_without_done", Told("bad_response", "eof_without_done"),
           "a stream ends after N pieces without its end marker; 3"),
    _after("error_event_after", 3, _EMBEDDED, "embedded:server_error", _EMBEDDED,
           "an error inside the answer after N pieces of it; 3"),
    Kind("content_filter_after", "a filter ends the answer after N pieces of it; 3", _FILTERED,
         Told("content_filter", "output_filtered", committed=True), _FILTERED, "pieces", 3),
    _body("refusal", Told("content_filter", "refusal"), "the model refuses"),
    _body("empty", Told("bad_response", "empty"), "an answer without content"),
    _body("malformed", Told("bad_response", "json"), "200 with JSON that ends in the middle"),
    _body("html", Told("bad_response", "content_type"), "200 with a web page"),
    _body("wrong_shape", Told("bad_response", "shape"), "200 with JSON of another shape"),
    _body("huge", Told("bad_response", "too_large"), "an answer of 17 MiB, or an event of 2 MiB"),
    _body("huge_error", Told("bad_response", "too_large", 500), "500 with a body of 1 MiB"),
    _body("gzip", Told("bad_response", "encoding_refused"), "200, compressed although nobody asked"),
    _body("redirect", Told("bad_response", "redirect_refused", 302), "302 to another address"),
    _body("not_streamed", _FINE, "a whole answer where a stream was asked for; no failure"),
    _body("bad_event", _FINE, "one broken event in a stream; no failure"),
    _body("no_usage", _FINE, "an answer that counts no tokens; no failure"),
)  # fmt: skip

FAULTS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _KINDS}
"""By name: the thirteen reasons in the language's order, then the named faults."""
