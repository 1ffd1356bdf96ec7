"""The traces that are shown: read in pages, newest first, kept in step with the store. Used from threads; no widget.

Owns how far was read. The list stays in memory as far as a person has gone down; what is further away is read when it
comes near.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from workbench.session.tracing import Traces
from workbench.session.tracing.rows import page
from workbench.traces.listing import Filter, TraceRow

FIRST: int = 500
"""Traces of the first page; each further one is twice as long."""
MOST: int = 5_000
"""Most traces of one page: more at once would be felt in the keys."""

Pulse = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Listed:
    """Traces as far as they were read."""

    wanted: Filter = field(default_factory=Filter)
    rows: tuple[TraceRow, ...] = ()
    next: int | None = None
    """Where to read on; None at the end."""
    total: int = 0
    """How many the filter means; with a filter by text only what was read is counted."""
    pulse: Pulse | None = None
    """What the store said then; None where there is no store yet."""


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def first(traces: Traces, wanted: Filter, *, count: int = FIRST) -> Listed:
    """The newest traces. Raises `TraceError`."""
    store = traces.existing()
    if store is None:
        return Listed(wanted)
    pulse = store.pulse()
    found = page(store, wanted, now_ms=now_ms(), limit=count)
    total = pulse[1] if wanted == Filter() else _total(traces, wanted, found.next is None, len(found.rows))
    return Listed(wanted, found.rows, found.next, total, pulse)


def _total(traces: Traces, wanted: Filter, whole: bool, count: int) -> int:
    """A filter by text looks at every record, so it is not run twice only to count."""
    if whole or wanted.text or wanted.outcome:
        return count
    return traces.opened().count(wanted)


def further(traces: Traces, listed: Listed) -> Listed:
    """The same with one more page."""
    if listed.next is None:
        return listed
    limit = min(MOST, max(FIRST, len(listed.rows)))
    found = page(traces.opened(), listed.wanted, now_ms=now_ms(), limit=limit, before=listed.next)
    rows = (*listed.rows, *found.rows)
    return replace(listed, rows=rows, next=found.next, total=max(listed.total, len(rows)))


def refreshed(traces: Traces, listed: Listed) -> Listed | None:
    """The same as the store is now; None where nothing happened.

    New traces come in front; of those that were read before, the newest page is read anew, for their outcomes.
    """
    store = traces.existing()
    pulse = None if store is None else store.pulse()
    if pulse == listed.pulse:
        return None
    fresh = first(traces, listed.wanted)
    gone = listed.pulse is not None and pulse is not None and pulse[1] < listed.pulse[1]
    if gone or fresh.next is None or not listed.rows or fresh.next <= listed.rows[-1].sequence:
        return fresh
    if fresh.next > listed.rows[0].sequence:
        return fresh  # so many are new that the two do not meet
    older = tuple(row for row in listed.rows if row.sequence < fresh.next)
    return replace(fresh, rows=(*fresh.rows, *older), next=listed.next, total=max(fresh.total, len(older)))
