"""Price against quality beside the facts: the same plot as the frontier's own screen, smaller."""

from __future__ import annotations

from workbench.errors import UsageError
from workbench.tui.lines.plot_lines import legend_line, plot_cells
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line
from workbench.whatif.frontier.points import frontier

NARROWEST = 24


def plot_lines(view: View, width: int, height: int) -> list[Line]:
    """`height` lines: the plot, its axis and its legend."""
    outcome = view.outcome
    if outcome is None or outcome.decision is None or width < NARROWEST:
        return []
    try:
        found = frontier(view.state, outcome)
    except UsageError:  # a catalog that declares no such figure
        found = None
    if found is None or not found.points:
        return [[Cell("no offer has both a price and a quality figure", "muted")]]
    return [*plot_cells(found, width, height - 1, log_x=found.x.spread, cursor=view.offer)[0], legend_line(width)]
