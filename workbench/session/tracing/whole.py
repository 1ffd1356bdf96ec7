"""One trace in full, for a screen or a command: what happened step by step, who was kept out by what, what it lacks.

Reads a record; decides nothing. Offers are named by their ids; times are milliseconds since the first call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import Finding, WorkbenchError
from workbench.session.tracing.rows import find_all
from workbench.traces.document import document
from workbench.traces.listing import Filter, TraceRow
from workbench.traces.parts.steps import QuietStep, Step
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED, TOLD_BASES
from workbench.traces.record import Record, Trace
from workbench.traces.store import LAST, CallRow, TraceStore

ANSWERED, FAILED, WAITED, SKIPPED, DISABLED, UNKNOWN = "+", "x", "~", "-", "!", "?"
"""The sign of each kind of rung, so that no colour is needed."""
BASES: Final = {
    "reported": "reported: what the provider says it charged",
    "computed": "computed: catalog prices, the provider's token counts",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that happened in a call. Times in milliseconds."""

    sign: str
    offer: str | None
    at_ms: float
    """Since the first call began."""
    took_ms: float | None
    words: str
    """What happened, in closed words."""
    message: str | None = None
    """The provider's own words; never of a trace without text."""


@dataclass(frozen=True)
class Whole:
    """A trace with everything a person may want to see of it."""

    row: TraceRow
    record: Record
    document: Mapping[str, Any]
    """As it is exported; its outcome says `interrupted` where nobody recorded one."""
    rungs: tuple[Rung, ...]
    facts: tuple[tuple[str, str], ...]
    """What it is, as names and values."""
    lacks: tuple[str, ...]
    """What it does not hold, in sentences."""


def whole(store: TraceStore, row: TraceRow) -> Whole:
    """The trace of a row of the list. Raises `TraceError` where it is gone, `DocumentError` where it is damaged."""
    record = store.get(row.trace_id)
    shown = document(record)
    shown["outcome"] = shown["outcome"] or row.outcome
    rungs = _from_steps(record) if record.trace.steps else _from_calls(record, store.calls(row.trace_id), row.outcome)
    return Whole(row, record, shown, tuple(rungs), tuple(_facts(row, record)), tuple(_lacks(row, record)))


@dataclass(frozen=True, slots=True)
class Exported:
    """One trace of an export."""

    row: TraceRow
    document: Mapping[str, Any] | None
    """None where it could not be read; `findings` say why."""
    findings: tuple[Finding, ...] = ()


def exported(store: TraceStore, wanted: Filter, ids: Sequence[str] = (), *, now_ms: int) -> Iterator[Exported]:
    """The traces of these ids, else all that the filter means, as documents, oldest first.

    Those of a flow's id come in the order of its nodes. Raises `TraceError` at once for an id that means none or
    several; a trace that is damaged is given with its reasons.
    """
    if ids:
        meant = sorted((find_all(store, text, now_ms=now_ms) for text in ids), key=lambda rows: rows[0].sequence)
        rows = list({row.sequence: row for each in meant for row in each}.values())
    else:
        rows = list(reversed(store.rows(wanted, now_ms=now_ms, limit=LAST)))
    return (_exported(store, row) for row in rows)


def _exported(store: TraceStore, row: TraceRow) -> Exported:
    try:
        found = document(store.get(row.trace_id))
    except WorkbenchError as error:
        return Exported(row, None, unreadable(row, error))
    found["outcome"] = found["outcome"] or row.outcome
    return Exported(row, found)


def unreadable(row: TraceRow, error: WorkbenchError) -> tuple[Finding, ...]:
    """Why one trace of several can't be read, its id in front."""
    reasons = error.findings or (Finding(error.title, "trace"),)
    return tuple(Finding(f"trace {row.trace_id}: {reason.reason}", reason.code, hint=reason.hint) for reason in reasons)


def _name(record: Record, index: int) -> str | None:
    names = record.material.catalog.offer_ids
    return names[index] if 0 <= index < len(names) else None


def _from_steps(record: Record) -> Iterator[Rung]:
    at = 0.0
    for step in record.trace.steps:
        quiet = step.quiet if isinstance(step, Step) else step
        took = quiet.latency_ms if quiet.event == "attempted" else quiet.backoff_ms
        message = step.message if isinstance(step, Step) else None
        yield Rung(_sign(quiet), _name(record, quiet.index), at, took, _words(quiet), message)
        at += took or 0.0


def _sign(step: QuietStep) -> str:
    if step.event == "attempted":
        return FAILED if step.error_kind or step.cancelled else ANSWERED
    return {"retry_scheduled": WAITED, "skipped": SKIPPED, "provider_disabled": DISABLED}[step.event]


def _words(step: QuietStep) -> str:
    if step.event == "retry_scheduled":
        return "wait before another try"
    if step.event == "skipped":
        return f"skipped: {(step.reason or 'not available').replace('_', ' ')}"
    if step.event == "provider_disabled":
        return f"provider disabled for this tenant: {step.reason or 'unknown'}"
    return ", ".join(_attempt_words(step))


def _attempt_words(step: QuietStep) -> Iterator[str]:
    if step.attempt is not None and step.attempt > 1:
        yield f"try {step.attempt}"
    if step.cancelled:
        yield "cancelled"
    elif step.error_kind is None:
        yield "answered"
    else:
        told = [str(step.http_status)] if step.http_status is not None else []
        told += [step.detail] if step.detail else []
        yield f"{step.error_kind} ({' '.join(told)})" if told else step.error_kind
    if step.first_token_ms is not None:
        yield f"first token after {step.first_token_ms:.0f} ms"
    if step.retry_after_ms is not None:
        yield f"it asks to wait {step.retry_after_ms:.0f} ms"
    if step.action is not None:
        kept = " not taken, the answer had begun" if step.suppressed else ""
        yield f"plan: {step.action}{kept}"


def _from_calls(record: Record, calls: Sequence[CallRow], outcome: str) -> Iterator[Rung]:
    """The calls of a trace that was never ended: what their intents say."""
    for call in calls:
        at = float(call.began_ms - calls[0].began_ms)
        offer = _name(record, call.index)
        if call.ended_ms is None:
            running = "no answer yet" if outcome == IN_FLIGHT else "nobody recorded how it went; it may have been paid"
            yield Rung(UNKNOWN, offer, at, None, f"try {call.attempt} began, {running}")
        else:
            status = f" ({call.http_status})" if call.http_status is not None else ""
            words = "answered" if call.kind is None else f"{call.kind}{status}"
            yield Rung(ANSWERED if call.kind is None else FAILED, offer, at, call.latency_ms, words)


def _facts(row: TraceRow, record: Record) -> Iterator[tuple[str, str]]:
    head, material, result = record.trace.head, record.material, record.trace.result
    winner = material.verdicts.winner
    yield "winner", "nobody" if winner is None else material.catalog.offer_ids[winner]
    if result is not None and result.chosen is not None and row.outcome == "ok":
        yield "answered", material.catalog.offer_ids[result.chosen]
    yield "cost", cost_words(record)
    if result is not None:
        used = result.usage
        if used.tokens_in is not None or used.tokens_out is not None:
            cached = f", {used.tokens_cached:g} of them cached" if used.tokens_cached else ""
            yield "tokens", f"{_count(used.tokens_in)} in{cached}, {_count(used.tokens_out)} out"
        if result.total_latency_ms is not None:
            first = "" if used.first_token_ms is None else f", first token after {used.first_token_ms:.0f} ms"
            rate = "" if used.tokens_per_s is None else f", {used.tokens_per_s:.0f} tokens/s"
            yield "took", f"{result.total_latency_ms:.0f} ms{first}{rate}"
    yield "policy", f"{head.policy_version} {head.policy_fingerprint}, sha256 {head.policy_sha256[:16]}"
    yield "catalog", f"{material.catalog.name} of {material.catalog.date}, sha256 {head.catalog_sha256[:16]}"
    yield "rulebook", f"sha256 {head.rulebook_sha256[:16]}"
    if head.seed is not None:
        yield "seed", f"{head.seed:g}"


def cost_words(record: Record) -> str:
    """What the call cost in dollars, and where that figure is from."""
    result = record.trace.result
    if result is None or result.usage.cost_usd is None:
        return "no call" if result is not None and not record.trace.steps else "unknown"
    basis = result.usage.cost_basis
    words = "basis unknown" if basis is None else BASES[TOLD_BASES[basis]]
    return f"{result.usage.cost_usd:.6f} $ ({words})"


def _count(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


def _lacks(row: TraceRow, record: Record) -> Iterator[str]:
    trace = record.trace
    if trace.no_log:
        yield (
            "This trace keeps no text: neither what was asked nor what was answered, nor a provider's own words, was "
            "ever written. Failures stand here as words from a closed list."
        )
    elif isinstance(trace, Trace) and trace.exchange is None and row.outcome not in {"decided", "no_candidates"}:
        yield "What was asked and answered is not in this trace."
    if row.outcome == INTERRUPTED:
        yield "The process that made the calls is gone without an outcome: tokens, cost and answer are not known."
    elif row.outcome == IN_FLIGHT:
        yield "The call is still under way: tokens, cost and answer are not known yet."
    elif row.outcome == "decided":
        yield "No call followed this decision."
