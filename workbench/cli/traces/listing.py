"""`workbench traces list`: what was decided and what came of it, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import dollars
from workbench.cli.traces.store import filter_of, filter_options, opened, place_option, tell
from workbench.session.tracing.asking import shown_time
from workbench.session.tracing.rows import Page, answered, called, marks, page, row_json, short_id
from workbench.traces.listing import Filter, TraceRow

SHOWN = 50
WIDE = 120
"""Columns of a terminal from which a row says everything."""
WHOLE = frozenset(("id", "time (UTC)", "tries", "$", "ms"))
"""Headings whose cells are never cut: half an id finds nothing."""


@declare("list", "List traces, newest first.")
@filter_options
@click.option("--limit", type=click.IntRange(1, 100_000), default=SHOWN, show_default=True, metavar="N")
@click.option("--cursor", type=click.IntRange(1), metavar="CURSOR", help="Read on where a list before ended.")
@place_option
def command(invocation: Invocation, limit: int, cursor: int | None, place: str | None, **options: Any) -> int:
    """List traces, newest first: which offer won, which one answered, how often was tried, what it cost.

    `winner` stood first in the order; `answered` gave the answer. Times are UTC.
    """
    with opened(invocation, place) as here:
        wanted = filter_of(options, here.now)
        store = here.traces.existing()
        found = Page((), None) if store is None else page(store, wanted, now_ms=here.now, limit=limit, before=cursor)
        if invocation.as_json:
            body = {"store": here.json, "traces": [row_json(row) for row in found.rows], "next": found.next}
            invocation.output.document(body)
            return diagnostics.OK
        invocation.output.table(table(found.rows, invocation.output.width))
        if found.next is not None:
            invocation.note(f"there are older ones; --cursor {found.next} reads on")
        if not found.rows:
            _say_why_none(invocation, None if store is None else wanted, here.traces.shown)
        tell(invocation, here.traces)
    return diagnostics.OK


def _say_why_none(invocation: Invocation, wanted: Filter | None, shown: str) -> None:
    if wanted is None:
        invocation.note(f"nothing has been traced yet: there is no `{shown}`; calls and `workbench serve` write traces")
    elif wanted == Filter():
        invocation.note(f"there is no trace in `{shown}`")
    else:
        invocation.note(f"no trace in `{shown}` is like that; `workbench traces list` shows all")


def table(rows: Sequence[TraceRow], width: int | None = None) -> Table:
    """The rows as a table for people; on a narrow terminal without what `traces show` says as well."""
    headings = ("id", "time (UTC)", "tenant", "outcome", "winner", "answered", "tries", "$", "ms", "")
    dropped = frozenset(("winner", "tries", "ms")) if width is not None and width < WIDE else frozenset[str]()
    shown = [k for k, heading in enumerate(headings) if heading not in dropped]
    cells = [_cells(row, narrow=bool(dropped)) for row in rows]
    kept = tuple(tuple(row[k] for k in shown) for row in cells)
    return Table(tuple(headings[k] for k in shown), kept, WHOLE)


def _cells(row: TraceRow, *, narrow: bool) -> tuple[str, ...]:
    got = answered(row)
    if got is not None and got == row.winner and not narrow:
        got = "the winner"
    elif got is None and row.attempts:
        got = f"- (last {called(row) or '?'})"
    cost = "-" if row.cost_usd is None and not row.attempts else dollars(row.cost_usd)
    took = "-" if row.latency_ms is None else f"{row.latency_ms:.0f}"
    time = shown_time(row.time_ms)
    return (
        short_id(row.trace_id), time[5:] if narrow else time, row.tenant, row.outcome, row.winner or "nobody",
        got or "-", str(row.attempts), cost, took, ", ".join(marks(row)),
    )  # fmt: skip
