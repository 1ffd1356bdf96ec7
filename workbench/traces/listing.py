"""Which traces somebody wants to see: the filter, its SQL with every value a parameter, and the row of a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from workbench.traces.databases.base import Row
from workbench.traces.databases.places import gone
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED, KINDS

LONGEST_MS: Final = 10 * 60 * 1000
"""No call lasts this long: one without an outcome that began earlier was interrupted."""
COLUMNS: Final = (
    "sequence, trace_id, time_ms, tenant, no_log, emulated, outcome, "
    "CASE WHEN outcome IS NULL THEN (SELECT c.provider FROM calls c WHERE c.sequence = traces.sequence "
    "ORDER BY c.number DESC LIMIT 1) ELSE provider END, model, region, "
    "CASE WHEN outcome IS NULL THEN (SELECT count(*) FROM calls c WHERE c.sequence = traces.sequence) "
    "ELSE attempts END, tokens_in, tokens_out, cost_usd, latency_ms, writer, winner, offer"
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a trace must be to be meant; every part that is None lets all through."""

    tenant: str | None = None
    provider: str | None = None
    """Of the offer that answered, or of any call on the way."""
    outcome: str | None = None
    """A reason (`timeout`, every candidate tried or not), another whole word (`ok`, `exhausted: timeout`,
    `interrupted`), or `exhausted`, `failed`."""
    since_ms: int | None = None
    """From here on, this millisecond included."""
    until_ms: int | None = None
    """Up to here, this millisecond left out."""
    text: str | None = None
    """A part of the id, tenant, provider, model or outcome, or of the text where it is kept; case does not count."""
    trace_id: str | None = None
    """The whole id."""
    prefix: str | None = None
    """How the id begins."""
    up_to: int | None = None
    """The last sequence number that is meant."""


class TraceRow(NamedTuple):
    """One trace in a list; a tuple, because a list makes ten thousand of them."""

    sequence: int
    trace_id: str
    time_ms: int
    tenant: str
    no_log: bool
    emulated: bool
    outcome: str
    """One of the closed words, `interrupted` and `in flight` among them."""
    provider: str | None
    """Of the offer that answered, else of the last call."""
    model: str | None
    region: str | None
    attempts: int
    tokens_in: float | None
    tokens_out: float | None
    cost_usd: float | None
    latency_ms: float | None
    winner: str | None = None
    """The id of the offer that stood first in the order; None where nobody did."""
    offer: str | None = None
    """The id of the offer that answered, else of the last call; None also where a call was interrupted."""


def trace_rows(rows: list[Row], now_ms: int) -> list[TraceRow]:
    """The rows of `COLUMNS` as values; what has no outcome is told apart by whether its process lives."""
    return [
        TraceRow(
            r[0], r[1], r[2], r[3], bool(r[4]), bool(r[5]), r[6] or unfinished(r[15], now_ms - r[2]), r[7], r[8], r[9],
            r[10], r[11], r[12], r[13], r[14], r[16], r[17],
        )
        for r in rows
    ]  # fmt: skip


def unfinished(writer: str, age_ms: int) -> str:
    """What a trace without an outcome is: `in flight`, or `interrupted`."""
    return INTERRUPTED if gone(writer) or abs(age_ms) > LONGEST_MS else IN_FLIGHT


def where(wanted: Filter) -> tuple[str, dict[str, Any]]:
    """A condition over `traces` and its parameters."""
    parts: list[str] = ["1 = 1"]
    values: dict[str, Any] = {}
    for condition, name, value in _conditions(wanted):
        parts.append(condition)
        if name:
            values[name] = value
    return " AND ".join(parts), values


def _conditions(wanted: Filter) -> Iterator[tuple[str, str, Any]]:
    if wanted.tenant is not None:
        yield "tenant = :tenant", "tenant", _text(wanted.tenant)
    if wanted.provider is not None:
        called = "EXISTS (SELECT 1 FROM calls c WHERE c.sequence = traces.sequence AND c.provider = :provider)"
        yield f"(provider = :provider OR {called})", "provider", _text(wanted.provider)
    if wanted.since_ms is not None:
        yield "time_ms >= :since", "since", wanted.since_ms
    if wanted.until_ms is not None:
        yield "time_ms < :until", "until", wanted.until_ms
    if wanted.trace_id is not None:
        yield "trace_id = :trace_id", "trace_id", _text(wanted.trace_id)
    if wanted.prefix is not None:
        yield "substr(trace_id, 1, length(:prefix)) = :prefix", "prefix", _text(wanted.prefix)
    if wanted.up_to is not None:
        yield "sequence <= :up_to", "up_to", wanted.up_to
    if wanted.outcome is not None:
        yield _outcome(wanted.outcome)
    if wanted.text:
        held = "EXISTS (SELECT 1 FROM records r WHERE r.sequence = traces.sequence AND r.words LIKE :text ESCAPE '!')"
        yield held, "text", f"%{_escaped(folded(wanted.text))}%"


def _outcome(outcome: str) -> tuple[str, str, Any]:
    if outcome in {INTERRUPTED, IN_FLIGHT}:
        return "outcome IS NULL", "", None
    if outcome == "failed":
        return "(outcome IS NULL OR outcome NOT IN ('ok', 'decided'))", "", None
    if outcome == "exhausted":
        return "outcome LIKE 'exhausted:%'", "", None
    if outcome in KINDS:
        return "(outcome = :outcome OR outcome = 'exhausted: ' || :outcome)", "outcome", _text(outcome)
    return "outcome = :outcome", "outcome", _text(outcome)


def folded(text: str) -> str:
    """Text as it is searched: without case, without what a database cannot hold."""
    return _text(text).casefold()


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
