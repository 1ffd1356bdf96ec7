"""A frontier as cells of the terminal, for the small plot beside the facts and for the screen of its own."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.tui.widgets.drawing import Cell, Line, cut
from workbench.whatif.frontier.plot import LINE, Plot, figure
from workbench.whatif.frontier.points import Frontier
from workbench.whatif.frontier.report import LABEL, axis_lines, plot_of

STYLES: Mapping[int, tuple[str, str]] = {0: ("·", "faint"), 1: ("o", ""), 2: ("●", "good"), 3: ("◆", "accent")}
"""By rank: rejected, passes, on the line, the winner."""
CURSOR = ("◎", "warn")


def plot_cells(
    found: Frontier, width: int, height: int, *, log_x: bool, cursor: int | None = None
) -> tuple[list[Line], Plot]:
    """`height` lines with both axes, and the plot that they show; `cursor` is an offer."""
    drawn = plot_of(found, max(8, width - LABEL - 1), max(3, height - 2), log_x=log_x)
    at = next((drawn.where(k) for k, point in enumerate(found.points) if point.index == cursor), None)
    labels = {drawn.up.cells - 1 - place: figure(value) for place, value in drawn.up.ticks(3)}
    lines: list[Line] = []
    for row in range(drawn.up.cells):
        label = labels.get(row, "")
        cells = [Cell(f"{label:>{LABEL}}{'┤' if label else '│'}", "faint")]
        cells += [_cell(drawn, row, column, at) for column in range(drawn.across.cells)]
        lines.append(cells)
    rule, told = axis_lines(drawn)
    return [*lines, [Cell(rule, "faint")], [Cell(told, "faint")]], drawn


def _cell(drawn: Plot, row: int, column: int, cursor: tuple[int, int] | None) -> Cell:
    if (row, column) == cursor:
        return Cell(*CURSOR)
    marks = drawn.cells.get((row, column))
    if marks:
        return Cell(*STYLES[drawn.marks[marks[0]].rank])
    line = drawn.line.get((row, column))
    return Cell(" ") if line is None else Cell(line, "good")


def legend_line(width: int) -> Line:
    """What the signs mean."""
    signs = [(*STYLES[3], "winner"), (*STYLES[2], "best"), (*STYLES[1], "passes"), (*STYLES[0], "rejected"),
             (*CURSOR, "here"), (LINE, "good", "the line")]  # fmt: skip
    cells = [Cell(" " * (LABEL + 1 if width > 60 else 1))]
    for sign, style, word in signs:
        cells += [Cell(sign, style), Cell(f" {word} ", "muted")]
    return cut(cells, width)
