"""The one virtual table, shared by every list: lines with a cursor, keys and the mouse.

Rows come from a `Rows` provider, a row at a time, when they are drawn. The table keeps no data, sorts nothing and
understands no markup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.look import look_of
from workbench.tui.widgets.rows import Rows


class LineTable(LineView):
    """A scrolling list with a cursor."""

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
    """Cells at the left that show the cursor without colour."""

    quiet: bool = False
    """Shows its cursor only while it has the focus."""

    @dataclass
    class RowOpened(Message):
        """A row was chosen with enter, or clicked twice."""

        table: LineTable
        row: int

    @dataclass
    class CellClicked(Message):
        """A row was clicked: which of its lines, and which cell of it."""

        table: LineTable
        row: int
        line: int
        x: int

    @dataclass
    class HeadingClicked(Message):
        """The heading was clicked at a cell."""

        table: LineTable
        x: int

    def __init__(self, on_move: Callable[[int], None] | None = None, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.cursor = 0
        """The row the cursor is on."""
        self._on_move = on_move
        """Told at once, not by message: the next key may already be waiting and be about the new row."""

    def show_rows(self, rows: Rows, cursor: int | None = None, *, top: int | None = None) -> None:
        """Show other rows. The cursor stays on its number, or goes to `cursor`; nobody is told."""
        self.rows = rows
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, len(rows) - 1))
        if top is not None:
            self.top = top
        self.keep_inside()
        if cursor is not None and top is None:
            self._reveal()
        self.repaint()

    def on_resize(self) -> None:
        """The cursor stays in sight; a table that was hidden has only now a size to scroll by."""
        before = self.top
        self.keep_inside()
        self._reveal()
        if self.top != before:
            self.repaint()
            self.scrolled()

    def _reveal(self) -> None:
        """Scroll so that the cursor's row is seen."""
        first, count = self.rows.span(self.cursor)
        if first < self.top:
            self.top = first
        elif self.visible_lines and first + count > self.top + self.visible_lines:
            self.top = min(first, first + count - self.visible_lines)

    def dressed(self, line: int, cells: Line) -> tuple[Line, Style | None]:
        shows = len(self.rows) > 0 and (self.has_focus or not self.quiet)
        if not shows or self.rows.row_at(line) != self.cursor:
            return [Cell("  "), *cells], None
        over = look_of(self)["cursor-lit" if self.has_focus else "cursor-dim"]
        return [Cell("▌ ", "accent" if self.has_focus else "faint"), *cells], over

    def move_to(self, row: int) -> None:
        """Put the cursor on a row and tell whom it concerns."""
        row = max(0, min(row, len(self.rows) - 1))
        if row != self.cursor and len(self.rows):
            before = self.top
            self.cursor = row
            self._reveal()
            self.repaint()
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

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if self.heading_lines and offset.y == 0:
            self.post_message(self.HeadingClicked(self, offset.x - self.GUTTER))
        elif offset.x == self.size.width - 1 and self.visible_lines:
            self.scroll_lines((offset.y - self.heading_lines) * self.rows.lines // self.visible_lines)
        else:
            line = offset.y - self.heading_lines + self.top
            row = self.rows.row_at(line)
            if row is not None:
                self.move_to(row)
                self.post_message(self.CellClicked(self, row, line - self.rows.span(row)[0], offset.x - self.GUTTER))
                if event.chain == 2:
                    self.action_open()
