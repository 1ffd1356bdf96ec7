"""The plot that fills a screen: arrows go from point to point, a click takes the one under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from workbench.tui.lines.plot_lines import plot_cells
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.rows import ListedRows
from workbench.whatif.frontier.plot import At, Plot
from workbench.whatif.frontier.points import Frontier
from workbench.whatif.frontier.report import LABEL


class PlotView(LineView):
    """Points with a cursor on one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "go(0, -1)", "left", show=False, id="plot.left"),
        Binding("right,l", "go(0, 1)", "right", show=False, id="plot.right"),
        Binding("up,k", "go(-1, 0)", "up", show=False, id="plot.up"),
        Binding("down,j", "go(1, 0)", "down", show=False, id="plot.down"),
    ]

    def __init__(self, on_point: Callable[[int], None], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._on_point = on_point
        self.found: Frontier | None = None
        self.cursor: int | None = None
        """The offer the cursor is on."""
        self.log_x = False
        self._plot: Plot | None = None

    def show_points(self, found: Frontier, cursor: int | None, *, log_x: bool) -> None:
        """Show other points; nobody is told."""
        self.found, self.cursor, self.log_x = found, cursor, log_x
        self.redraw()

    def redraw(self) -> None:
        """Draw for the size at hand."""
        found = self.found
        if found is None or not self.size.height:
            return
        self._plot = None
        lines: list[Line] = [[Cell("no offer has both figures; X and Y choose others", "muted")]]
        if found.points:
            lines, self._plot = plot_cells(
                found, self.size.width - 2, self.size.height, log_x=self.log_x, cursor=self.cursor
            )
        self.rows = ListedRows([(None, line) for line in lines])
        self.top = 0
        self.repaint()

    def on_resize(self) -> None:
        self.redraw()

    def here(self) -> tuple[int, ...]:
        """The offers on the cursor's cell, the one that is seen first."""
        at = self._where()
        if self._plot is None or self.found is None or at is None:
            return ()
        return tuple(self.found.points[k].index for k in self._plot.cells[at])

    def _where(self) -> At | None:
        if self._plot is None or self.found is None:
            return None
        place = next((k for k, point in enumerate(self.found.points) if point.index == self.cursor), None)
        return None if place is None else self._plot.where(place)

    def _go_to(self, at: At) -> None:
        if self._plot is not None and self.found is not None:
            self._on_point(self.found.points[self._plot.cells[at][0]].index)

    def action_go(self, down: int, right: int) -> None:
        """To the nearest point that way; straight ahead counts less than aside."""
        here, plot = self._where(), self._plot
        if plot is None or not plot.cells:
            return
        if here is None:
            self._go_to(min(plot.cells))
            return
        found: list[tuple[float, At]] = []
        for row, column in plot.cells:
            ahead = (row - here[0]) * down + (column - here[1]) * right
            aside = abs((row - here[0]) * right) * 2 + abs((column - here[1]) * down) / 2
            if ahead > 0 and aside <= 4 * ahead:
                found.append((ahead + aside * 2, (row, column)))
        if found:
            self._go_to(min(found)[1])

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._plot is None:
            return
        clicked = (offset.y, offset.x - LABEL - 1)
        near = min(self._plot.cells, key=lambda at: (abs(at[0] - clicked[0]) * 2 + abs(at[1] - clicked[1]), at))
        if abs(near[0] - clicked[0]) <= 1 and abs(near[1] - clicked[1]) <= 2:
            self._go_to(near)
