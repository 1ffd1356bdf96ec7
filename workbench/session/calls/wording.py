"""A call in words, for commands and screens alike: its quote, its steps as they happen, what it came to.

Texts of ours and names from the catalog; whoever shows them sees to what a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workbench.catalog.models import Offer
from workbench.gateway.codecs.unsaid import SENTENCES
from workbench.gateway.events import Attempting, CallEvent, Failed, Waiting
from workbench.gateway.records import Attempt, LoggedAttempt
from workbench.session.calls.answer import Called, Spent
from workbench.session.calls.caller import Lack, Prepared
from workbench.session.state import WorkspaceState

Lines = list[tuple[str, str]]
"""A label and what is said of it."""

ANYTHING: Final = "unknown, could be anything"
_BASES: Final = {
    "reported": "as the provider reported it",
    "computed": "computed: the catalog's prices for the tokens that the provider counted",
}
_LACKS: Final = {
    "missing": "{0} is not set",
    "malformed": "{0} holds no key",
    "held": "{0} has not been confirmed for this address",
    "address": "{0}, the address of your own account, is not set",
}
_SHOWN: Final = 4


def dollars(value: float | None, *, unknown: str = "unknown") -> str:
    """`$0.0014`: three digits that count; `unknown` where it is, never 0."""
    if value is None:
        return unknown
    if value == 0:
        return "$0"
    if value >= 1:
        return f"${value:,.2f}"
    digits = max(2, 2 - _exponent(value))
    return f"${value:.{min(digits, 9)}f}".rstrip("0").rstrip(".")


def _exponent(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def milliseconds(value: float | None) -> str:
    """`340 ms`, `2.1 s`; `?` where it is unknown."""
    if value is None:
        return "?"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def counted(number: int, thing: str) -> str:
    """`1 attempt`, `2 attempts`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def place_words(state: WorkspaceState, index: int) -> str:
    """`PROVIDER/MODEL in REGION`."""
    return _place(state.catalog.offers[index])


def _place(offer: Offer) -> str:
    return f"{offer.provider}/{offer.served_model_id} in {offer.region or 'an unknown region'}"


def state_of_call(state: WorkspaceState, prepared: Prepared) -> WorkspaceState:
    """The state as the call was decided over: with its request, what was measured, and who is out now."""
    return replace(state, pool=prepared.cascade.pool, context=prepared.cascade.context)


def quote_lines(state: WorkspaceState, prepared: Prepared) -> Lines:
    """What is to be known before a call: who answers, how much it can be, what is missing."""
    first = prepared.quote.first
    if first is None:
        return [("tenant", prepared.tenant), ("offers", "the policy leaves nobody")]
    offer = state.catalog.offers[first.index]
    found: Lines = [
        ("provider", offer.provider),
        ("model", offer.served_model_id),
        ("region", offer.region or "unknown"),
        ("tokens", f"at most {_tokens(first.tokens_in)} in, {_tokens(first.tokens_out)} out"),
        ("first try", _first_try(prepared)),
        ("in all", _worst(prepared)),
    ]
    if prepared.quiet:
        found.append(("traces", "no_log: no word of it is kept"))
    found += [("key", words) for words in lack_lines(prepared.lacks, prepared.cascade.order)]
    return found


def _tokens(count: int | None) -> str:
    return "an unknown number" if count is None else f"{count:,}"


def _first_try(prepared: Prepared) -> str:
    first = prepared.quote.first
    if first is None or not prepared.can_be_called(first.index):
        able = next(filter(prepared.can_be_called, prepared.cascade.order), None)
        nothing = "nothing can be sent to it"
        return (
            nothing if able is None else f"{nothing}; the first that can be called is {_place(prepared.offers[able])}"
        )
    return ANYTHING if first.usd is None else f"at most {dollars(first.usd)}"


def _worst(prepared: Prepared) -> str:
    told = prepared.quote
    over = f"{counted(told.attempts, 'attempt')} among {counted(told.sendable, 'offer')}"
    if prepared.sendable == 0:
        return "nothing can be sent to any of them"
    if prepared.stuck:
        return f"nothing can be sent to any of the {counted(told.candidates, 'offer')} that the plan reaches"
    if told.usd is not None:
        words = f"at most {dollars(told.usd)}, were all of {over} charged in full"
    else:
        words = f"{ANYTHING}: {counted(len(told.unknown), 'offer')} of the plan without a known bound"
    return f"{words}; emulated, nothing is charged" if prepared.emulated else words


def lack_lines(lacks: Sequence[Lack], order: Sequence[int]) -> list[str]:
    """Which variables are missing, for the winner and for the offers behind it; names variables alone."""
    by_variable: dict[tuple[str, str], list[Lack]] = {}
    for lack in lacks:
        by_variable.setdefault((lack.variable, lack.why), []).append(lack)
    found: list[str] = []
    for (variable, why), held in by_variable.items():
        wins = bool(order) and held[0].index == order[0]
        whom = "the first" if wins else "a fallback"
        rest = len(held) - 1
        also = f" and {counted(rest, 'fallback')}" if rest and wins else f" and {rest} more" if rest else ""
        found.append(f"{_LACKS[why].format(variable)}: {whom}{also} ({held[0].provider}) cannot be called")
    shown = found[:_SHOWN]
    return shown if len(found) <= _SHOWN else [*shown, f"… and {len(found) - _SHOWN} more variables"]


def event_words(state: WorkspaceState, event: CallEvent) -> str | None:
    """One step as it happens; None for a piece of the answer."""
    if isinstance(event, Attempting):
        again = f", try {event.attempt}" if event.attempt > 1 else ""
        return f"→ {place_words(state, event.index)}{again}"
    if isinstance(event, Failed):
        return f"✗ {failure_words(event.record)}"
    if isinstance(event, Waiting):
        return f"… waiting {milliseconds(event.ms)}"
    return None


def failure_words(attempt: Attempt) -> str:
    """Why an attempt failed: `rate_limit (rate, HTTP 429) after 40 ms: ` and the provider's words, or ours."""
    known = [attempt.detail or "", f"HTTP {attempt.http_status}" if attempt.http_status is not None else ""]
    detail = ", ".join(word for word in known if word)
    words = f"{attempt.error_kind or 'cancelled'}{f' ({detail})' if detail else ''}"
    words += f" after {milliseconds(attempt.latency_ms)}"
    ours = SENTENCES.get(attempt.detail or "")
    told = ours or (attempt.error_message if isinstance(attempt, LoggedAttempt) else None)
    return f"{words}: {told}" if told else words


def outcome_words(called: Called) -> str:
    """How the call ended, in one line."""
    many, unsent = counted(called.sent, "attempt"), len(called.answer.attempts) - called.sent
    if unsent:
        many += f" and {unsent} that nothing could be sent for"
    if called.ok:
        return f"answered after {many}, {milliseconds(called.answer.latency_ms)}"
    if called.outcome == "cancelled":
        return f"cancelled after {many}"
    if called.answer.recovery:
        first = min(wait for _, wait in called.answer.recovery)
        return f"no answer: every provider is out; the first is back in {milliseconds(first)}"
    if called.outcome == "no_candidates":
        return "nobody: the policy leaves no offer"
    return f"no answer: {called.outcome} after {many}"


def spent_lines(called: Called) -> Lines:
    """Tokens, cost with its basis, and speed."""
    spent = called.spent
    found: Lines = [("tokens", tokens_words(spent)), ("cost", cost_words(called))]
    if called.ok:
        speed = f"{spent.tokens_per_s:.0f} tokens/s" if spent.tokens_per_s is not None else "unknown tokens/s"
        found.append(("speed", f"first token {milliseconds(spent.first_token_ms)}, {speed}"))
    return found


def tokens_words(spent: Spent) -> str:
    """`12 in, 40 out`, cached ones named."""
    if spent.tokens_in is None and spent.tokens_out is None:
        return "unknown"
    cached = f" ({spent.tokens_cached:,} cached)" if spent.tokens_cached else ""
    known = ["?" if each is None else f"{each:,}" for each in (spent.tokens_in, spent.tokens_out)]
    return f"{known[0]} in{cached}, {known[1]} out"


def cost_words(called: Called) -> str:
    """`$0.0012, computed: ...`; unknown where it is."""
    spent = called.spent
    if spent.cost_basis is None:
        return "unknown" if called.sent else "nothing was sent"
    words = f"{dollars(spent.cost_usd)}, {_BASES[spent.cost_basis]}"
    if called.emulated:
        return f"nothing, emulated; a real one {words}"
    failed = called.sent - 1
    return f"{words}; what {counted(failed, 'failed attempt')} cost is not known" if failed > 0 else words


def trace_words(called: Called) -> str:
    """The trace's id, and whether it is whole."""
    if called.lost:
        return f"{called.trace_id}, but {counted(called.lost, 'record')} of it could not be written"
    return called.trace_id
