"""A record as LANGUAGE.md 13 writes it: JSON with names, prices, clauses, observed and needed values; and back.

Renders what is stored; decides nothing. Order, scores, reasons and which clause rejected whom are as recorded; names,
observed and needed values and the parts of a score are read from the contents that the record names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from workbench.engine import columnar
from workbench.engine.columnar.scorers import scores
from workbench.engine.values import wire_number
from workbench.engine.verdicts import observe
from workbench.language.admission import Admitted
from workbench.traces.parts.asked import request_of, state_wire
from workbench.traces.parts.sources import Source
from workbench.traces.parts.steps import QuietStep, Step
from workbench.traces.parts.words import TOLD_BASES
from workbench.traces.record import SCHEMA, Record, Trace


def document(record: Record) -> dict[str, Any]:
    """The record's JSON. Holds no number that is not finite (`"inf"`, `"nan"` instead), no text of a quiet trace."""
    trace, material = record.trace, record.material
    head = trace.head
    asked = request_of(head.asked, material.catalog)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "trace_id": str(head.trace_id),
        "sequence": record.sequence,
        "time": iso(head.time_ms),
        "tenant": str(head.tenant),
        "no_log": trace.no_log,
        "emulated": head.emulated,
        "policy_ir": material.policy.normal,
        "policy_version": head.policy_version,
        "policy_fingerprint": str(head.policy_fingerprint),
        "policy_sha256": str(head.policy_sha256),
        "catalog": {"name": material.catalog.name, "date": material.catalog.date},
        "catalog_sha256": str(head.catalog_sha256),
        "population_sha256": str(head.population_sha256),
        "rulebook_sha256": str(head.rulebook_sha256),
        "requirements": {name: _plain(value) for name, value in asked["requirements"].items()},
        "scope": asked.get("scope"),
        "state": state_wire(material.state),
        "seed": head.seed,
        "sources": material.sources.told,
        "population": material.verdicts.population,
        "ranked": ranked(record),
        "rejected": rejected(record),
    }
    found.update(_result(record))
    return found


def iso(time_ms: int) -> str:
    """A time as `2026-11-22T05:52:51.123Z`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    return wire_number(value) if isinstance(value, float) else value


def _result(record: Record) -> dict[str, Any]:
    trace, result = record.trace, record.trace.result
    if result is None:
        return {"outcome": None, "chosen": None, "decision_path": [], "total_latency_ms": None}
    usage = result.usage
    found: dict[str, Any] = {
        "outcome": str(result.outcome),
        "chosen": None
        if result.chosen is None
        else {**_offer(record, result.chosen), **_served(record, result.chosen)},
        "decision_path": [_event(record, step) for step in trace.steps],
        "tokens": {"in": usage.tokens_in, "out": usage.tokens_out, "cached": usage.tokens_cached},
        "cost_usd": usage.cost_usd,
        "cost_basis": None if usage.cost_basis is None else TOLD_BASES[usage.cost_basis],
        "first_token_ms": usage.first_token_ms,
        "tokens_per_s": usage.tokens_per_s,
        "total_latency_ms": result.total_latency_ms,
    }
    if isinstance(trace, Trace) and trace.exchange is not None:
        found["exchange"] = {"request": trace.exchange.request, "response": trace.exchange.response}
    return found


def _offer(record: Record, index: int) -> dict[str, Any]:
    catalog = record.material.catalog
    candidate = catalog.candidates[index]
    return {
        "index": index,
        "offer": catalog.offer_ids[index],
        "provider": candidate.get("provider_id"),
        "model_family": candidate.get("model_family"),
        "served_model_id": candidate.get("served_model_id"),
        "region": catalog.regions[index],
    }


def _served(record: Record, index: int) -> dict[str, Any]:
    candidate = record.material.catalog.candidates[index]
    return {"served_by": candidate.get("peer_id") or candidate.get("provider_id")}


def ranked(record: Record) -> list[dict[str, Any]]:
    """Every candidate of the order, best first, with its score and the score's parts."""
    verdicts, candidates = record.material.verdicts, record.material.catalog.candidates
    parts = _parts(record)
    found: list[dict[str, Any]] = []
    for place, (index, score) in enumerate(zip(verdicts.order, verdicts.scores, strict=True)):
        candidate = candidates[index]
        found.append(
            _offer(record, index)
            | {
                "tier": candidate.get("tier"),
                "price_in": candidate.get("price_in"),
                "price_out": candidate.get("price_out"),
                "score": wire_number(score),
                "parts": [{"term": term, "adds": wire_number(float(column[place]))} for term, column in parts],
            }
        )
    return found


def _parts(record: Record) -> list[tuple[Any, Any]]:
    """Each summand of the score and what it adds, along the order; none where the selector gives the score itself."""
    material = record.material
    verdicts, policy = material.verdicts, material.policy
    selector = policy.slot("select").normal
    while selector[0] in {"top_k", "prefer"}:
        selector = selector[2]
    if selector[0] == "chain" or not verdicts.order:
        return []
    scorer = policy.slot("rank").normal
    survivors = np.array(verdicts.decision.survivor_indices, dtype=np.intp)
    at = survivors.searchsorted(np.array(verdicts.order, dtype=np.intp))
    view = columnar.View(material.catalog.pool.columns, policy.version, record.context)
    with np.errstate(all="ignore"):
        return [(part, scores(part, survivors, view)[at]) for part in (scorer[1:] if scorer[0] == "add" else [scorer])]


def rejected(record: Record) -> list[dict[str, Any]]:
    """Every candidate the filter turned away, with its conforming reason and every clause that rejects it."""
    material = record.material
    sources = material.sources.filters
    terms = material.sources.terms(material.catalog.vocabulary, material.policy.version)
    pairs = list(zip(sources, terms, strict=True))
    table = material.verdicts.rejecting
    context, pool = record.context, material.catalog.pool
    found: list[dict[str, Any]] = []
    for index, reason in material.verdicts.rejected:
        rules = [
            _rule(source, term, index, pool, context)
            for (source, term), no in zip(pairs, table[:, index], strict=True)
            if no
        ]
        candidate = material.catalog.candidates[index]
        found.append(
            {
                "index": index,
                "offer": material.catalog.offer_ids[index],
                "provider": candidate.get("provider_id"),
                "model_family": candidate.get("model_family"),
                "reason": reason,
                "rules": rules,
            }
        )
    return found


def _rule(source: Source, term: Admitted, index: int, pool: Any, context: Any) -> dict[str, Any]:
    seen = observe(term, index, pool, context)
    return {
        "id": source.id, "clause": source.shown, "rule": source.named, "rule_title": source.rule_title,
        "facts": [name for name, _ in source.facts], "subject": seen.subject, "observed": seen.observed,
        "needed": seen.needed,
    }  # fmt: skip


def _event(record: Record, step: QuietStep | Step) -> dict[str, Any]:
    quiet = step.quiet if isinstance(step, Step) else step
    found: dict[str, Any] = {"event": quiet.event, "index": quiet.index}
    if quiet.index >= 0:
        candidate = record.material.catalog.candidates[quiet.index]
        found.update(provider_id=candidate.get("provider_id"), model_family=candidate.get("model_family"))
    for name in _SHOWN:
        value = getattr(quiet, name)
        if value is not None and value is not False:
            found[name] = value
    if quiet.suppressed:
        found["action_suppressed"] = "committed"
    if isinstance(step, Step):
        found.update({k: v for k, v in (("detail", step.detail), ("error_message", step.message)) if v is not None})
    return found


_SHOWN = (
    "attempt", "error_kind", "detail", "http_status", "reason", "action", "committed", "cancelled", "latency_ms",
    "first_token_ms", "retry_after_ms", "backoff_ms", "bytes_in",
)  # fmt: skip
