"""Lines that scroll, drawn one by one when they are seen: what the tables and the readers stand on.

Textual's `ScrollView` asks for a new layout whenever the number of lines changes, and its `DataTable` spends 58 ms of
processor time per key press on its visible cells. Here only lines that look different are repainted, and nothing that
is shown ever asks for a layout.
"""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.widgets.drawing import Cell, Line, strip_of, with_bar
from workbench.tui.widgets.look import look_of
from workbench.tui.widgets.rows import ListedRows, Rows

WHEEL = 3
"""Lines that one turn of the mouse wheel scrolls."""


class LineView(Widget, can_focus=True):
    """Lines without a cursor. The last column is kept for the scrollbar."""

    GUTTER: ClassVar[int] = 0
    """Cells kept free at the left."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.rows: Rows = ListedRows()
        self.top = 0
        """The first line that is seen below the heading."""
        self._strips: dict[int, Strip] = {}
        self._drawn_for: object = None
        self._base: Style | None = None
        """The widget's own style; walking up to the screen for it costs more than drawing a line."""

    @property
    def draw_width(self) -> int:
        """Cells that a line of a row has."""
        return max(1, self.size.width - self.GUTTER - 1)

    @property
    def heading_lines(self) -> int:
        """Lines that the heading takes."""
        return 0 if self.rows.heading(80) is None else 1

    @property
    def visible_lines(self) -> int:
        """Lines that fit below the heading."""
        return max(0, self.size.height - self.heading_lines)

    def scroll_lines(self, to: int) -> None:
        """Make `to` the first line that is seen, as far as there are lines."""
        before = self.top
        self.top = to
        self.keep_inside()
        if self.top != before:
            self.repaint()
            self.scrolled()

    def scrolled(self) -> None:
        """Called when other lines are seen."""

    def keep_inside(self) -> None:
        """No line beyond the last."""
        if self.size.height:
            self.top = max(0, min(self.top, self.rows.lines - self.visible_lines))

    # drawing

    def repaint(self) -> None:
        """Draw what is seen and refresh the lines that look different."""
        if not self.size.height or self._drawn_for != self._looks():
            self._strips.clear()
            self.refresh()
            return
        changed: list[Region] = []
        for y in range(self.size.height):
            strip = self._draw(y)
            if self._strips.get(y) != strip:
                self._strips[y] = strip
                changed.append(Region(0, y, self.size.width, 1))
        if changed:
            self.refresh(*changed)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None

    def _looks(self) -> object:
        """All that a drawn line depends on beside the rows."""
        if self._base is None:
            self._base = self.rich_style
        return (self.size, self.has_focus, id(look_of(self)), self._base)

    def render_line(self, y: int) -> Strip:
        looks = self._looks()
        if looks != self._drawn_for:
            self._drawn_for = looks
            self._strips.clear()
            self.keep_inside()
        known = self._strips.get(y)
        if known is None:
            known = self._strips[y] = self._draw(y)
        return known

    def _draw(self, y: int) -> Strip:
        width = self.size.width - 1
        base, look = self._base or self.rich_style, look_of(self)
        line = y - self.heading_lines + self.top
        cells: Line = ()
        over = None
        if y < self.heading_lines:
            cells = [Cell(" " * self.GUTTER), *(self.rows.heading(width - self.GUTTER) or ())]
        elif line < self.rows.lines:
            cells = self.rows.draw(line, width - self.GUTTER)
            cells, over = self.dressed(line, cells)
        bar = y >= self.heading_lines and self._on_bar(y - self.heading_lines)
        return with_bar(strip_of(cells, width, look, base, over), base + look["faint"] if bar else base, shown=bar)

    def dressed(self, line: int, cells: Line) -> tuple[Line, Style | None]:
        """A line's cells with what stands left of them, and the style that lies over them."""
        del line
        return cells, None

    def _on_bar(self, y: int) -> bool:
        """Whether the scrollbar's thumb is beside a visible line."""
        seen, lines = self.visible_lines, self.rows.lines
        if lines <= seen or not seen:
            return False
        size = max(1, seen * seen // lines)
        start = (seen - size) * self.top // (lines - seen)
        return start <= y < start + size

    # mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(self.top + WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(self.top - WHEEL)
