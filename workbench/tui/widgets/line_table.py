"""The one virtual table, shared by every list: it draws the visible lines and nothing else.

Rows come from a `Rows` provider, a row at a time, when they are drawn. The table knows the cursor, scrolling, the mouse
and the sanitised drawing of cells; it keeps no data, sorts nothing and understands no markup. Textual's `DataTable`
spends 58 ms of processor time per key press on its visible cells; here only lines that look different are repainted,
and nothing that is shown ever asks for a new layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.widgets.drawing import Cell, Line, strip_of
from workbench.tui.widgets.look import look_of
from workbench.tui.widgets.rows import ListedRows, Rows

WHEEL = 3
"""Lines that one turn of the mouse wheel scrolls."""


class LineTable(Widget, can_focus=True):
    """A scrolling list with a cursor. The last column is kept for the scrollbar."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False, id="list.up"),
        Binding("down,j", "step(1)", "down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="list.page_down"),
        Binding("home,g", "to(0)", "first", show=False, id="list.first"),
        Binding("end,G", "to(-1)", "last", show=False, id="list.last"),
        Binding("enter", "open", "open", show=False, id="list.open"),
    ]
    GUTTER: ClassVar[int] = 2
    """Cells at the left that show the cursor without colour; 0 for a list without a cursor."""

    quiet: bool = False
    """Shows its cursor only while it has the focus."""

    @dataclass
    class RowOpened(Message):
        """A row was chosen with enter, or clicked twice."""

        table: LineTable
        row: int

    @dataclass
    class HeadingClicked(Message):
        """The heading was clicked at a cell."""

        table: LineTable
        x: int

    def __init__(self, on_move: Callable[[int], None] | None = None, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.rows: Rows = ListedRows()
        self.cursor = 0
        """The row the cursor is on."""
        self.top = 0
        """The first line that is seen below the heading."""
        self._on_move = on_move
        """Told at once, not by message: the next key may already be waiting and be about the new row."""
        self._strips: dict[int, Strip] = {}
        self._drawn_for: object = None
        self._base: Style | None = None
        """The widget's own style; walking up to the screen for it costs more than drawing a line."""

    # what is shown

    def show_rows(self, rows: Rows, cursor: int | None = None, *, top: int | None = None) -> None:
        """Show other rows. The cursor stays on its number, or goes to `cursor`; nobody is told."""
        self.rows = rows
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, len(rows) - 1))
        if top is not None:
            self.top = top
        self._keep_inside()
        if cursor is not None and top is None:
            self._reveal()
        self._repaint()

    @property
    def draw_width(self) -> int:
        """Cells that a line of a row has."""
        return max(1, self.size.width - self.GUTTER - 1)

    @property
    def _heading(self) -> int:
        return 0 if self.rows.heading(80) is None else 1

    @property
    def visible_lines(self) -> int:
        """Lines that fit below the heading."""
        return max(0, self.size.height - self._heading)

    def scroll_lines(self, to: int) -> None:
        """Make `to` the first line that is seen, as far as there are lines."""
        before = self.top
        self.top = to
        self._keep_inside()
        if self.top != before:
            self._repaint()
            self.scrolled()

    def scrolled(self) -> None:
        """Called when other lines are seen."""

    def _keep_inside(self) -> None:
        if self.size.height:
            self.top = max(0, min(self.top, self.rows.lines - self.visible_lines))

    def _reveal(self) -> None:
        """Scroll so that the cursor's row is seen."""
        first, count = self.rows.span(self.cursor)
        if first < self.top:
            self.top = first
        elif self.visible_lines and first + count > self.top + self.visible_lines:
            self.top = min(first, first + count - self.visible_lines)

    # drawing

    def _repaint(self) -> None:
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
            self._keep_inside()
        known = self._strips.get(y)
        if known is None:
            known = self._strips[y] = self._draw(y)
        return known

    def _draw(self, y: int) -> Strip:
        width = self.size.width - 1
        base, look = self._base or self.rich_style, look_of(self)
        if self._heading and y == 0:
            cells = [Cell(" " * self.GUTTER), *(self.rows.heading(width - self.GUTTER) or ())]
            return strip_of(cells, width + 1, look, base)
        line = y - self._heading + self.top
        bar = Segment("▐", base + look["faint"]) if self._on_bar(y - self._heading) else Segment(" ", base)
        if not 0 <= line < self.rows.lines:
            return Strip([*Strip.blank(width, base), bar], width + 1)
        cells = self.rows.draw(line, width - self.GUTTER)
        over = None
        if self.GUTTER:
            on_cursor = self._shows_cursor and self.rows.row_at(line) == self.cursor
            cells = self._with_gutter(cells, on_cursor=on_cursor)
            over = look["cursor-lit" if self.has_focus else "cursor-dim"] if on_cursor else None
        return Strip([*strip_of(cells, width, look, base, over), bar], width + 1)

    def _with_gutter(self, cells: Line, *, on_cursor: bool) -> Line:
        return [Cell("▌ " if on_cursor else "  ", "accent" if self.has_focus else "faint"), *cells]

    @property
    def _shows_cursor(self) -> bool:
        return len(self.rows) > 0 and (self.has_focus or not self.quiet)

    def _on_bar(self, y: int) -> bool:
        """Whether the scrollbar's thumb is beside a visible line."""
        seen, lines = self.visible_lines, self.rows.lines
        if lines <= seen or not seen:
            return False
        size = max(1, seen * seen // lines)
        start = (seen - size) * self.top // (lines - seen)
        return start <= y < start + size

    # cursor

    def move_to(self, row: int) -> None:
        """Put the cursor on a row and tell whom it concerns."""
        row = max(0, min(row, len(self.rows) - 1))
        if row != self.cursor and len(self.rows):
            before = self.top
            self.cursor = row
            self._reveal()
            self._repaint()
            if self.top != before:
                self.scrolled()
            if self._on_move is not None:
                self._on_move(row)

    def action_step(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        _, count = self.rows.span(self.cursor)
        self.move_to(self.cursor + by * max(1, self.visible_lines // max(1, count)))

    def action_to(self, row: int) -> None:
        self.move_to(len(self.rows) - 1 if row < 0 else row)

    def action_open(self) -> None:
        if len(self.rows):
            self.post_message(self.RowOpened(self, self.cursor))

    # mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(self.top + WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(self.top - WHEEL)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if self._heading and offset.y == 0:
            self.post_message(self.HeadingClicked(self, offset.x - self.GUTTER))
        elif offset.x == self.size.width - 1 and self.visible_lines:
            self.scroll_lines((offset.y - self._heading) * self.rows.lines // self.visible_lines)
        else:
            row = self.rows.row_at(offset.y - self._heading + self.top)
            if row is not None:
                self.move_to(row)
                if event.chain == 2:
                    self.action_open()
