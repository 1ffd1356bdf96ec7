"""The list of traces: a page of it, a row in words, and what a shortened id means: a trace, or a flow's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import Finding, TraceError
from workbench.session.tracing.asking import shown_time
from workbench.traces.document import iso
from workbench.traces.listing import Filter, TraceRow
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED, is_identifier
from workbench.traces.store import MOST_PARTS, TraceStore

SHORT: Final = 10
"""Characters of an id that lists show; any beginning that only one trace has will do."""
CANDIDATES: Final = 10
"""Traces that are named where a shortened id means several."""
SIGNS: Final = {"emulated": "◇", "interrupted": "!", "in flight": "…", "no_log": "·"}
"""One sign for each word that a row may bear, so that no colour is needed."""
_NODE: Final = re.compile(r"(.+)\.n([0-9]{1,3})")
"""The id of the trace of a flow's node: the flow's, and which node."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some traces, newest first."""

    rows: tuple[TraceRow, ...]
    next: int | None
    """What to give as `before` to read on; None at the end."""


def page(store: TraceStore, wanted: Filter, *, now_ms: int, limit: int, before: int | None = None) -> Page:
    """At most `limit` traces that the filter means, older than sequence number `before`."""
    found = store.rows(wanted, now_ms=now_ms, limit=limit + 1, before=before)
    more = len(found) > limit
    return Page(tuple(found[:limit]), found[limit - 1].sequence if more and limit else None)


def called(row: TraceRow) -> str | None:
    """The id of the offer that answered, else of the last that was called; of an interrupted call only the provider."""
    return row.offer or row.provider


def answered(row: TraceRow) -> str | None:
    """The id of the offer that answered; None where no call was made, or none succeeded."""
    return called(row) if row.outcome == "ok" else None


def marks(row: TraceRow) -> tuple[str, ...]:
    """What a row is beside its outcome, each a sign and a word."""
    held = (row.emulated, row.outcome == INTERRUPTED, row.outcome == IN_FLIGHT, row.no_log)
    return tuple(f"{sign} {word}" for (word, sign), holds in zip(SIGNS.items(), held, strict=True) if holds)


def short_id(trace_id: str) -> str:
    """The id as lists show it; a flow's node keeps its number, which tells it from the others."""
    flow, number = _node_of(trace_id)
    return trace_id[:SHORT] if flow is None else f"{flow[:SHORT]}.n{number}"


def flow_of(trace_id: str) -> str | None:
    """The id of the flow whose node's trace this is; None for any other trace."""
    return _node_of(trace_id)[0]


def _node_of(trace_id: str) -> tuple[str | None, int]:
    found = _NODE.fullmatch(trace_id)
    return (None, 0) if found is None else (found[1], int(found[2]))


def row_json(row: TraceRow) -> dict[str, Any]:
    """A row for programs: money in USD, times in milliseconds; unknown is null."""
    return {
        "trace_id": row.trace_id,
        "sequence": row.sequence,
        "time": iso(row.time_ms),
        "tenant": row.tenant,
        "no_log": row.no_log,
        "emulated": row.emulated,
        "interrupted": row.outcome == INTERRUPTED,
        "outcome": row.outcome,
        "winner": row.winner,
        "answered": answered(row),
        "provider": row.provider,
        "model_family": row.model,
        "region": row.region,
        "attempts": row.attempts,
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost_usd": row.cost_usd,
        "latency_ms": row.latency_ms,
    }


def find_all(store: TraceStore, text: str, *, now_ms: int) -> tuple[TraceRow, ...]:
    """The one trace whose id begins with `text`; or those of a flow's nodes, in their order, where it begins a flow's.

    Raises `TraceError` where there is none, or several and which.
    """
    rows = _meant(store, text, now_ms)
    flows = {flow_of(row.trace_id) for row in rows}
    if len(rows) > MOST_PARTS or (len(rows) > 1 and (len(flows) > 1 or None in flows)):
        raise _several(text, rows)
    return tuple(sorted(rows, key=lambda row: _node_of(row.trace_id)[1]))


def _meant(store: TraceStore, text: str, now_ms: int) -> list[TraceRow]:
    """The traces that `text` may mean, newest first, one at least."""
    given = text.strip().lower()
    if is_identifier(given):
        rows = store.rows(Filter(trace_id=given), now_ms=now_ms, limit=1)
        rows = rows or store.rows(Filter(prefix=given), now_ms=now_ms, limit=MOST_PARTS + 1)
        flow, number = _node_of(given)
        if not rows and flow is not None:  # a node as lists show it
            others = store.rows(Filter(prefix=flow), now_ms=now_ms, limit=CANDIDATES * MOST_PARTS)
            if len(others) == CANDIDATES * MOST_PARTS:
                raise _several(text, others)
            rows = [row for row in others if _node_of(row.trace_id)[1] == number and flow_of(row.trace_id) is not None]
        if rows:
            return rows
    hint = "`workbench traces list` lists them"
    raise TraceError("no such trace", [Finding(f"no trace's id begins with `{text}`", "unknown_trace", hint=hint)])


def _several(text: str, rows: Sequence[TraceRow]) -> TraceError:
    named = [f"{row.trace_id} ({shown_time(row.time_ms)}, {row.tenant}, {row.outcome})" for row in rows[:CANDIDATES]]
    many = f"`{text}` begins {'more than ' if len(rows) > CANDIDATES else ''}{len(named)} ids"
    found = Finding(many, "ambiguous_trace", hint="write more of the one that is meant")
    return TraceError("which trace", [found, *(Finding(name, "candidate_trace", severity="warning") for name in named)])
