"""A call's answer in OpenAI's shape, `x_router` beside it: who answered, at what price, and the decision's trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from workbench.boundary.sealed import sealed
from workbench.engine.values import number, text
from workbench.gateway.codecs.neutral import Reply, Usage
from workbench.gateway.events import Answer
from workbench.server.chat.shown import Shown
from workbench.server.exchange import dumps
from workbench.traces.parts.words import random_hex

CACHED_SHARE: Final = 0.1
"""What a cached prompt token costs beside a new one, where the provider states no figure of its own."""
FINISH: Final[Mapping[str, str]] = {"other": "stop", "error": "stop"}


@sealed
class Told:
    """What an answer says beside the provider's own words."""

    trace_id: str
    began_ms: int
    """Milliseconds since 1970."""
    compact: bool = False
    session: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()


def completion_id() -> str:
    """A new answer's id."""
    return f"chatcmpl-{random_hex()}"


def completion(answer: Answer, reply: Reply, shown: Shown, told: Told, asked: str) -> bytes:
    """The body of a plain answer."""
    model = reply.model or served_id(answer, shown) or asked
    head: dict[str, Any] = {
        "id": completion_id(),
        "object": "chat.completion",
        "created": told.began_ms // 1000,
        "model": model,
        "choices": [{"index": 0, "message": message_of(reply), "finish_reason": finish_of(reply)}],
    }
    if reply.usage is not None:
        head["usage"] = usage_json(reply.usage)
    return b'%s,"x_router":%s}' % (dumps(head)[:-1], router(answer, shown, told))


def message_of(reply: Reply) -> dict[str, Any]:
    """The assistant's message; its content is `""` with tool calls, not null."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.tool_calls:
        message["tool_calls"] = tool_calls_json(reply)
    return message


def tool_calls_json(reply: Reply) -> list[dict[str, Any]]:
    """The tool calls of an answer."""
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.tool_calls
    ]


def finish_of(reply: Reply) -> str:
    """OpenAI's word for how it ended."""
    return FINISH.get(reply.finish_reason, reply.finish_reason)


def usage_json(usage: Usage) -> dict[str, Any]:
    """`usage`: unknown counts are 0, cache counts stand there only where the provider gave them."""
    tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
    found: dict[str, Any] = {
        "prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out,
    }  # fmt: skip
    if usage.tokens_cached is not None:
        found["prompt_tokens_details"] = {"cached_tokens": usage.tokens_cached}
    if usage.tokens_reasoning is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": usage.tokens_reasoning}
    return found


def served_id(answer: Answer, shown: Shown) -> str | None:
    """The catalog's id of the model that answered."""
    if answer.index is None:
        return None
    return text(shown.state.kept.candidates[answer.index].get("served_model_id"))


def router(answer: Answer, shown: Shown, told: Told) -> bytes:
    """`x_router`."""
    usage = answer.reply.usage if answer.reply is not None else None
    cost, basis = cost_of(usage, None if answer.index is None else shown.state.kept.candidates[answer.index])
    head: dict[str, Any] = {
        "cost_usd": cost,
        "cost_basis": basis,
        "tokens_cached": usage.tokens_cached if usage is not None else None,
        "policy_fingerprint": shown.subject.policy.fingerprint,
        "trace_id": told.trace_id,
        "compact": told.compact,
    }
    for attempt in answer.attempts:
        if attempt.emulated:
            head["emulated"] = True
            break
    warnings = [*told.warnings, *(answer.reply.warnings if answer.reply is not None else ())]
    if answer.unrecorded:
        warnings.append("trace_not_written")
    if warnings:
        head["warnings"] = warnings
    if told.session is not None:
        head["session_acc"] = told.session
    trace = shown.trace(
        path=path_json(answer, told.compact), began_ms=told.began_ms, latency_ms=answer.latency_ms, compact=told.compact
    )
    return b'{%s,%s,"decision_trace":%s}' % (shown.who(answer.index), dumps(head)[1:-1], trace)


def path_json(answer: Answer, compact: bool) -> bytes:
    """`decision_path`, times in whole milliseconds, as clients of the public host parse them.

    A compact one leaves out who was passed over for want of a key or an address.
    """
    path: Sequence[Mapping[str, Any]] = answer.path
    if compact and len(path) > 1:
        path = [entry for entry in path if entry.get("reason") != "not_configured"]
    return dumps([_whole(entry) for entry in path])


def _whole(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry, its times rounded."""
    for name in _TIMES:
        value = entry.get(name)
        if isinstance(value, float) and isfinite(value):
            entry = {**entry, name: round(value)}
    return entry


_TIMES: Final = ("latency_ms", "first_token_ms", "backoff_ms", "retry_after_ms")


def cost_of(usage: Usage | None, candidate: Mapping[str, Any] | None) -> tuple[float | None, str | None]:
    """USD and where the figure comes from: `reported` by the provider, `computed` from the catalog's prices, or None.

    Computed is (uncached in + cached in at a tenth + out) times the prices, 6 decimals, never negative.
    """
    if usage is None or candidate is None:
        return None, None
    if usage.cost_usd is not None:
        return usage.cost_usd, "reported"
    price_in, price_out = number(candidate.get("price_in")), number(candidate.get("price_out"))
    if price_in is None or price_out is None or usage.tokens_in is None or usage.tokens_out is None:
        return None, None
    cached = min(usage.tokens_cached or 0, usage.tokens_in)
    fresh = usage.tokens_in - cached
    total = (fresh * price_in + cached * price_in * CACHED_SHARE + usage.tokens_out * price_out) / 1e6
    return round(max(total, 0.0), 6), "computed"
