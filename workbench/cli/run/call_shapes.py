"""The JSON of a test call: its quote, its path, its attempts, its answer, what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.cli.shapes import check_json, finite, offer_json, policy_json
from workbench.gateway.records import Attempt, LoggedAttempt
from workbench.session.calls.answer import Called
from workbench.session.calls.caller import Lack, Prepared
from workbench.session.calls.quote import Bound, Quote
from workbench.session.state import WorkspaceState
from workbench.session.views import offer_row, rejected_row

_ATTEMPT = (
    "attempt", "error_kind", "detail", "http_status", "retry_after_ms", "latency_ms", "first_token_ms", "bytes_in",
    "committed", "cancelled", "action", "action_suppressed", "tokens_in", "tokens_out", "tokens_cached",
    "finish_reason", "emulated",
)  # fmt: skip


def call_json(state: WorkspaceState, prepared: Prepared, called: Called) -> dict[str, Any]:
    """One call. `cost_basis` is `reported` (the provider's own figure), `computed` or null."""
    answer, spent = called.answer, called.spent
    chosen = None if answer.index is None else offer_json(offer_row(state, prepared.outcome, answer.index))
    compiled = prepared.outcome.compiled
    return {
        "tenant": prepared.tenant,
        "emulated": called.emulated,
        "no_log": prepared.quiet,
        "policy": None if compiled is None else policy_json(compiled.policy),
        "quote": quote_json(state, prepared),
        "warnings": [finding.as_document() for finding in prepared.findings],
        "outcome": called.outcome,
        "chosen": chosen,
        "decision_path": list(answer.path),
        "attempts": [_attempt_json(state, prepared, each) for each in answer.attempts],
        "answer": _answer_json(called),
        "tokens": {"in": spent.tokens_in, "out": spent.tokens_out, "cached": spent.tokens_cached},
        "cost_usd": spent.cost_usd,
        "cost_basis": spent.cost_basis,
        "first_token_ms": spent.first_token_ms,
        "tokens_per_s": finite(spent.tokens_per_s),
        "total_latency_ms": answer.latency_ms,
        "recovery": [
            {"provider": _provider(prepared, index), "retry_after_ms": wait} for index, wait in answer.recovery
        ],
        "rejected": _rejected(state, prepared) if prepared.nobody else [],
        "trace_id": called.trace_id,
        "trace_lost": called.lost,
    }


def quote_json(state: WorkspaceState, prepared: Prepared) -> dict[str, Any]:
    """What the call can use and cost at most; null is unknown."""
    told: Quote = prepared.quote
    return {
        "first": None if told.first is None else _bound_json(state, prepared, told.first),
        "attempts": told.attempts,
        "offers": told.candidates,
        "max_cost_usd": told.usd,
        "unknown_cost": [state.catalog.offer_id(index) for index in told.unknown],
        "missing": list(_lacks(state, prepared.lacks)),
    }


def _bound_json(state: WorkspaceState, prepared: Prepared, bound: Bound) -> dict[str, Any]:
    return {
        **offer_json(offer_row(state, prepared.outcome, bound.index)),
        "max_tokens_in": bound.tokens_in,
        "max_tokens_out": bound.tokens_out,
        "max_cost_usd": bound.usd,
    }


def _lacks(state: WorkspaceState, lacks: Iterable[Lack]) -> Iterable[dict[str, Any]]:
    for lack in lacks:
        offer = state.catalog.offer_id(lack.index)
        yield {"offer": offer, "provider": lack.provider, "variable": lack.variable, "why": lack.why}


def _attempt_json(state: WorkspaceState, prepared: Prepared, attempt: Attempt) -> dict[str, Any]:
    row = offer_row(state, prepared.outcome, attempt.index)
    shape: dict[str, Any] = {
        "offer": row.label,
        "provider": row.provider,
        "model_family": row.model_family,
        "served_model_id": row.served_model_id,
        "region": row.region,
    }
    shape.update({name: getattr(attempt, name) for name in _ATTEMPT})
    shape["warnings"] = list(attempt.warnings)
    if isinstance(attempt, LoggedAttempt):
        shape["error_message"] = attempt.error_message
    return shape


def _answer_json(called: Called) -> dict[str, Any] | None:
    reply = called.answer.reply
    if reply is None:
        return {"text": called.text, "complete": False} if called.text else None
    return {
        "text": reply.text,
        "complete": True,
        "tool_calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls],
        "finish_reason": reply.finish_reason,
        "model": reply.model,
        "warnings": list(reply.warnings),
    }


def _provider(prepared: Prepared, index: int) -> str:
    return str(prepared.cascade.pool.candidates[index].get("provider_id"))


def _rejected(state: WorkspaceState, prepared: Prepared) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for k in range(len(prepared.decision.rejected)):
        row = rejected_row(state, prepared.outcome, k)
        rules = [check_json(check) for check in row.checks]
        found.append({**offer_json(row.offer), "reason": row.reason, "rules": rules})
    return found
