"""Lines to read: no cursor, the arrows scroll."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from workbench.tui.widgets.line_view import LineView
from workbench.tui.widgets.rows import Rows


class Reader(LineView):
    """Scrolls by line and by page."""

    class Resized(Message):
        """It has another size: lines that were made for a width are to be made again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "by_lines(-1)", "up", show=False, id="reader.up"),
        Binding("down,j", "by_lines(1)", "down", show=False, id="reader.down"),
        Binding("pageup", "by_pages(-1)", "page up", show=False, id="reader.page_up"),
        Binding("pagedown", "by_pages(1)", "page down", show=False, id="reader.page_down"),
        Binding("home,g", "to_line(0)", "first", show=False, id="reader.first"),
        Binding("end,G", "to_line(1000000000)", "last", show=False, id="reader.last"),
    ]

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def show_rows(self, rows: Rows) -> None:
        """Show other lines, from where one was reading."""
        self.rows = rows
        self.keep_inside()
        self.repaint()

    def action_by_lines(self, by: int) -> None:
        self.scroll_lines(self.top + by)

    def action_by_pages(self, by: int) -> None:
        self.scroll_lines(self.top + by * max(1, self.visible_lines - 1))

    def action_to_line(self, line: int) -> None:
        self.scroll_lines(line)
