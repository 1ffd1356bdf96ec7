"""What a call came to: text, tokens, cost with its basis, speed, the trace. Owns the arithmetic, shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engine.fallback import Cascade, Finished
from workbench.engine.values import number
from workbench.gateway.codecs.neutral import ToolCall
from workbench.gateway.codecs.neutral import Usage as Counted
from workbench.gateway.events import Answer
from workbench.session.calls.health.store import tokens_per_second
from workbench.traces.parts.words import STORED_BASES, Basis
from workbench.traces.record import Exchange, Record, Usage

CACHED_SHARE: Final = 0.1
"""Of the input price, for tokens that the provider had in its cache."""
LOCAL: Final = "local_"
"""How the detail of an attempt begins for which nothing was sent."""
_ASKED: Final = ("messages", "tools", "response_format", "temperature", "max_tokens")


@dataclass(frozen=True, slots=True)
class Spent:
    """What the answer used; None is unknown and never 0."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost_usd: float | None = None
    cost_basis: Basis | None = None
    first_token_ms: float | None = None
    tokens_per_s: float | None = None

    @property
    def traced(self) -> Usage:
        """The same in a trace's words."""
        basis = STORED_BASES.get(self.cost_basis or "")
        return Usage(
            self.tokens_in, self.tokens_out, self.tokens_cached, self.cost_usd, basis, self.first_token_ms,
            self.tokens_per_s,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Called:
    """A call that is over."""

    answer: Answer
    spent: Spent
    record: Record
    """As it was written, or would have been."""
    heard: str = ""
    """The text that came, of a broken answer too."""
    lost: int = 0
    """Writes of traces that did not succeed."""

    @classmethod
    def nobody(cls, record: Record, finished: Finished, *, lost: int = 0) -> Called:
        """The call that was not made, because the policy leaves nobody."""
        answer = Answer(finished.outcome, None, None, (), (), recovery=finished.recovery)
        return cls(answer, Spent(), record, lost=lost)

    @property
    def trace_id(self) -> str:
        """Of the record."""
        return str(self.record.trace.head.trace_id)

    @property
    def outcome(self) -> str:
        """`ok`, a reason, `cancelled`, `no_candidates`, or `exhausted: LAST_REASON`."""
        return self.answer.outcome

    @property
    def sent(self) -> int:
        """How many of its attempts something was sent for."""
        return sum(not (attempt.detail or "").startswith(LOCAL) for attempt in self.answer.attempts)

    @property
    def ok(self) -> bool:
        """Whether it was answered."""
        return self.outcome == "ok"

    @property
    def text(self) -> str:
        """The answer's text, or as much of it as came."""
        return self.answer.reply.text if self.answer.reply is not None else self.heard

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model asks for."""
        return self.answer.reply.tool_calls if self.answer.reply is not None else ()

    @property
    def emulated(self) -> bool:
        """Whether the emulator answered, or was to."""
        return self.record.trace.head.emulated or any(each.emulated for each in self.answer.attempts)


def spent_of(answer: Answer, cascade: Cascade) -> Spent:
    """What the answer says it used, and what that costs."""
    if answer.reply is None or not answer.attempts:
        return Spent()
    last = answer.attempts[-1]
    usage = answer.reply.usage
    if usage is None:
        return Spent(first_token_ms=last.first_token_ms)
    cost, basis = cost_of(usage, cascade.pool.candidates[last.index])
    return Spent(
        usage.tokens_in, usage.tokens_out, usage.tokens_cached, cost, basis, last.first_token_ms,
        tokens_per_second(last),
    )  # fmt: skip


def cost_of(usage: Counted, candidate: Mapping[str, Any]) -> tuple[float | None, Basis | None]:
    """USD and its basis; both None where nobody knows."""
    if usage.cost_usd is not None:
        return usage.cost_usd, "reported"
    price_in, price_out = number(candidate.get("price_in")), number(candidate.get("price_out"))
    if price_in is None or price_out is None or usage.tokens_in is None or usage.tokens_out is None:
        return None, None
    cached = min(usage.tokens_cached or 0, usage.tokens_in)
    paid = (usage.tokens_in - cached) * price_in + cached * price_in * CACHED_SHARE + usage.tokens_out * price_out
    return round(max(paid, 0.0) / 1e6, 6), "computed"


def exchange_of(request: Mapping[str, Any], answer: Answer, heard: str) -> Exchange:
    """The text of a call for a tenant whose text may be kept."""
    asked = {name: request[name] for name in _ASKED if name in request}
    reply = answer.reply
    if reply is None:
        return Exchange(asked, {"text": heard, "complete": False} if heard else None)
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls]
    said = {"text": reply.text, "tool_calls": calls, "finish_reason": reply.finish_reason, "model": reply.model}
    return Exchange(asked, {**said, "warnings": list(reply.warnings)})
