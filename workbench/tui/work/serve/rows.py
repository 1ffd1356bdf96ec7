"""The table of calls that the endpoint answered: a line each. Signs and words say what colours say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.session.calls.children.endpoint import Served
from workbench.session.tracing.rows import SIGNS
from workbench.tui import wording
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line, clean
from workbench.tui.widgets.rows import EvenRows

COST: Final = 10
COLUMNS = Columns((
    Column("time", "time (UTC)", 12, style="muted"),
    Column("tenant", "tenant", 14),
    Column("outcome", "outcome", 18),
    Column("offer", "answered by"),
    Column("region", "region", 8, from_width=110),
    Column("left", "ranked", 9, "right", from_width=130),
    Column("tries", "tries", 5, "right", from_width=92),
    Column("cost", "$", COST, "right"),
    Column("ms", "ms", 7, "right", from_width=92),
))  # fmt: skip


class CallRows(EvenRows):
    """Calls, the newest first."""

    def __init__(self, calls: Sequence[Served]) -> None:
        self.calls = calls

    def __len__(self) -> int:
        return len(self.calls)

    def heading(self, width: int) -> Line | None:
        return COLUMNS.heading(width)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - one line each
        call = self.calls[row]
        mark: Line = [Cell(f"{SIGNS['emulated']} ", "warn")] if call.emulated else []
        return COLUMNS.lay(
            {
                "time": Cell(call.time[11:23]),
                "tenant": Cell(clean(call.tenant)),
                "outcome": _outcome(call),
                "offer": [*mark, Cell(clean(call.offer) or "nobody", "strong" if call.offer else "muted")],
                "region": Cell(clean(call.region) or "?"),
                "left": Cell(f"{call.ranked}/{call.population}"),
                "tries": Cell(str(call.attempts)),
                "cost": _cost(call),
                "ms": Cell("-" if call.latency_ms is None else f"{call.latency_ms:,.0f}"),
            },
            width,
        )


def _cost(call: Served) -> Cell:
    nothing = call.cost_usd is None and not call.attempts
    return Cell("-" if nothing else wording.dollars(call.cost_usd, COST))


def _outcome(call: Served) -> Cell:
    if call.outcome == "ok":
        return Cell("+ ok", "good")
    return Cell(f"x {clean(call.outcome.removeprefix('exhausted: '))}", "bad")
