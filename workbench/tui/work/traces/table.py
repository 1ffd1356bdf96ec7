"""The table of traces: a line each, drawn when it is seen. Signs and words say what colours say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workbench.session.tracing.asking import shown_time
from workbench.session.tracing.rows import SIGNS, answered, called
from workbench.traces.listing import TraceRow
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED
from workbench.tui import wording
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows
from workbench.tui.work.traces.loading import Listed

COST: Final = 10
"""Cells of a cost: a short call of a cheap model costs millionths of a dollar."""
COLUMNS = Columns((
    Column("time", "time (UTC)", 14, style="muted"),
    Column("tenant", "tenant", 13),
    Column("outcome", "outcome", 20),
    Column("answered", "answered"),
    Column("winner", "winner", 38, style="muted", from_width=150),
    Column("tries", "tries", 5, "right", from_width=92),
    Column("cost", "$", COST, "right"),
    Column("ms", "ms", 7, "right", from_width=92),
))  # fmt: skip


class TraceRows(EvenRows):
    """The traces that were read."""

    def __init__(self, listed: Listed) -> None:
        self.listed = listed

    def __len__(self) -> int:
        return len(self.listed.rows)

    def heading(self, width: int) -> Line | None:
        return COLUMNS.heading(width)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - one line each
        trace = self.listed.rows[row]
        return COLUMNS.lay(
            {
                "time": Cell(shown_time(trace.time_ms)[5:]),
                "tenant": Cell(trace.tenant),
                "outcome": outcome_cell(trace),
                "answered": [*_flags(trace), _answered(trace)],
                "winner": Cell(trace.winner or "nobody"),
                "tries": Cell(str(trace.attempts)),
                "cost": _cost(trace),
                "ms": Cell("-" if trace.latency_ms is None else f"{trace.latency_ms:,.0f}"),
            },
            width,
        )


def _cost(trace: TraceRow) -> Cell:
    nothing = trace.cost_usd is None and not trace.attempts
    return Cell("-" if nothing else wording.dollars(trace.cost_usd, COST))


def outcome_cell(trace: TraceRow) -> Cell:
    """How it ended: a sign, the word, and a colour that says no more than they do."""
    if trace.outcome == INTERRUPTED:
        return Cell(f"{SIGNS['interrupted']} {trace.outcome}", "warn")
    if trace.outcome == IN_FLIGHT:
        return Cell(f"{SIGNS['in flight']} {trace.outcome}", "accent")
    if trace.outcome == "ok":
        return Cell("+ ok", "good")
    if trace.outcome == "decided":
        return Cell("= decided", "muted")
    return Cell(f"x {trace.outcome.removeprefix('exhausted: ')}", "bad")


def _flags(trace: TraceRow) -> Line:
    return [Cell(f"{SIGNS['emulated']} emulated ", "warn")] if trace.emulated else []


def _answered(trace: TraceRow) -> Cell:
    got = answered(trace)
    if got is not None:
        return Cell(got, "strong" if got == trace.winner else "")
    if trace.outcome == "decided":
        return Cell(f"first: {trace.winner or 'nobody'}", "muted")
    last = called(trace)
    return Cell("nobody" if last is None else f"nobody, last {last}", "muted")


class TraceTable(LineTable):
    """Tells when its end comes near, by key or by wheel."""

    NEAR = 200
    """Rows before the end at which more are read."""

    def __init__(self, near_end: Callable[[], None], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(self._moved, id=id)
        self._near_end = near_end

    def _moved(self, row: int) -> None:
        if row + self.NEAR >= len(self.rows):
            self._near_end()

    def scrolled(self) -> None:
        if self.top + self.visible_lines + self.NEAR >= len(self.rows):
            self._near_end()
