"""The one virtual table, shared by every list: it draws the visible lines and nothing else.

Rows come from a `Rows` provider, a row at a time, when they are drawn. The table knows the cursor, scrolling, the mouse
and the sanitised drawing of cells; it keeps no data, sorts nothing and understands no markup. Textual's `DataTable`
spends 58 ms of processor time per key press on its visible cells; here a press costs the lines that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from workbench.tui.widgets.drawing import EMPTY, Cell, Line, strip_of

STYLES = (
    "muted", "faint", "strong", "title", "accent", "good", "bad", "warn", "heading", "label", "winner",
    "number", "string", "op", "punct", "marked", "key", "field", "operator", "value", "keyword", "binding", "error",
)  # fmt: skip
"""Every word a `Cell` may have for its style; what they look like is in `styles/lines.tcss`."""


class Rows(Protocol):
    """What a table shows. Lines count from 0; a line of no row (a heading, a gap) belongs to row None."""

    @property
    def lines(self) -> int: ...
    def __len__(self) -> int: ...
    def row_at(self, line: int) -> int | None: ...
    def span(self, row: int) -> tuple[int, int]:
        """First line and number of lines of a row."""
        ...

    def draw(self, line: int, width: int) -> Line: ...
    def heading(self, width: int) -> Line | None: ...


class EvenRows:
    """Rows of the same height each: the base of long lists."""

    height: ClassVar[int] = 1

    def __len__(self) -> int:
        raise NotImplementedError

    def draw_row(self, row: int, sub: int, width: int) -> Line:
        """Line `sub` of row `row`."""
        raise NotImplementedError

    @property
    def lines(self) -> int:
        return len(self) * self.height

    def row_at(self, line: int) -> int | None:
        row = line // self.height
        return row if 0 <= row < len(self) else None

    def span(self, row: int) -> tuple[int, int]:
        return row * self.height, self.height

    def draw(self, line: int, width: int) -> Line:
        row, sub = divmod(line, self.height)
        return self.draw_row(row, sub, width) if 0 <= row < len(self) else EMPTY

    def heading(self, width: int) -> Line | None:  # noqa: ARG002 - for those that have one
        return None


class ListedRows:
    """Lines made beforehand, each with the row it belongs to: for short texts with a cursor."""

    def __init__(self, lines: Sequence[tuple[int | None, Line]] = ()) -> None:
        self._lines = lines
        self._spans: dict[int, tuple[int, int]] = {}
        for at, (row, _) in enumerate(lines):
            if row is not None:
                first, count = self._spans.get(row, (at, 0))
                self._spans[row] = (first, max(count, at - first + 1))

    @property
    def lines(self) -> int:
        return len(self._lines)

    def __len__(self) -> int:
        return max(self._spans, default=-1) + 1

    def row_at(self, line: int) -> int | None:
        return self._lines[line][0] if 0 <= line < len(self._lines) else None

    def span(self, row: int) -> tuple[int, int]:
        return self._spans.get(row, (0, 1))

    def draw(self, line: int, width: int) -> Line:  # noqa: ARG002 - the lines were made for a width
        return self._lines[line][1] if 0 <= line < len(self._lines) else EMPTY

    def heading(self, width: int) -> Line | None:  # noqa: ARG002
        return None


class LineTable(ScrollView, can_focus=True):
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
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in (*STYLES, "cursor", "gutter")}
    GUTTER: ClassVar[int] = 2
    """Cells at the left that show the cursor without colour; 0 for a list without a cursor."""

    quiet: bool = False
    """Shows its cursor only while it has the focus."""

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row the cursor is on."""

    @dataclass
    class RowOpened(Message):
        """A row was chosen with enter, or clicked twice."""

        table: LineTable
        row: int

        @property
        def control(self) -> LineTable:
            return self.table

    @dataclass
    class HeadingClicked(Message):
        """The heading was clicked at a cell."""

        table: LineTable
        x: int

        @property
        def control(self) -> LineTable:
            return self.table

    def __init__(self, on_move: Callable[[int], None] | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rows: Rows = ListedRows()
        self._on_move = on_move
        """Told at once, not by message: the next key may already be waiting and be about the new row."""

    # what is shown

    def show_rows(self, rows: Rows, cursor: int | None = None) -> None:
        """Show other rows; the cursor stays on its number, or goes to `cursor`, without a message."""
        self.rows = rows
        size = Size(0, rows.lines + self._top)
        if size != self.virtual_size:
            self.virtual_size = size
        wanted = self.cursor if cursor is None else cursor
        self.set_reactive(LineTable.cursor, max(0, min(wanted, len(rows) - 1)))
        if cursor is not None and self.is_mounted:
            self.reveal()
        self.refresh()

    @property
    def _top(self) -> int:
        return 0 if self.rows.heading(80) is None else 1

    @property
    def draw_width(self) -> int:
        """Cells that a line of a row has."""
        return max(1, self.scrollable_content_region.width - self.GUTTER)

    def reveal(self) -> None:
        """Scroll so that the cursor's row is seen."""
        first, count = self.rows.span(self.cursor)
        height = self.scrollable_content_region.height - self._top
        at = round(self.scroll_y)
        if first < at:
            self.scroll_to(y=first, animate=False)
        elif height > 0 and first + count > at + height:
            self.scroll_to(y=min(first, first + count - height), animate=False)

    def line_of_cursor(self) -> int:
        """The line, counted from the top of what is visible, where the cursor's row starts."""
        return self.rows.span(self.cursor)[0] + self._top - round(self.scroll_y)

    # drawing

    def style_of(self, name: str) -> Style:
        """The style behind a word of `STYLES`."""
        return self.get_component_rich_style(f"line--{name}", partial=True)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if self._top and y == 0:
            heading = [Cell(" " * self.GUTTER), *(self.rows.heading(width - self.GUTTER) or ())]
            return strip_of(heading, width, self.style_of, base)
        line = y - self._top + round(self.scroll_y)
        if not 0 <= line < self.rows.lines:
            return Strip.blank(width, base)
        cells = self.rows.draw(line, width - self.GUTTER)
        on_cursor = self._shows_cursor and self.rows.row_at(line) == self.cursor
        if not self.GUTTER:
            return strip_of(cells, width, self.style_of, base)
        sign = Cell("▌ " if on_cursor else "  ", "gutter")
        over = self.get_component_rich_style("line--cursor", partial=True) if on_cursor else None
        return strip_of([sign, *cells], width, self.style_of, base, over)

    @property
    def _shows_cursor(self) -> bool:
        return bool(self.GUTTER) and len(self.rows) > 0 and (self.has_focus or not self.quiet)

    def refresh_row(self, row: int) -> None:
        """Repaint one row."""
        first, count = self.rows.span(row)
        y = first + self._top - round(self.scroll_y)
        self.refresh(Region(0, y, self.size.width, count))

    # cursor

    def watch_cursor(self, before: int, after: int) -> None:
        self.refresh_row(before)
        self.refresh_row(after)

    def move_to(self, row: int) -> None:
        """Put the cursor on a row and tell whom it concerns."""
        row = max(0, min(row, len(self.rows) - 1))
        if row != self.cursor and len(self.rows):
            self.cursor = row
            self.reveal()
            if self._on_move is not None:
                self._on_move(row)

    def action_step(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        _, count = self.rows.span(self.cursor)
        visible = max(1, self.scrollable_content_region.height - self._top)
        self.move_to(self.cursor + by * max(1, visible // max(1, count)))

    def action_to(self, row: int) -> None:
        self.move_to(len(self.rows) - 1 if row < 0 else row)

    def action_open(self) -> None:
        if len(self.rows):
            self.post_message(self.RowOpened(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if self._top and offset.y == 0:
            self.post_message(self.HeadingClicked(self, offset.x - self.GUTTER))
            return
        row = self.rows.row_at(offset.y - self._top + round(self.scroll_y))
        if row is None:
            return
        self.move_to(row)
        if event.chain == 2:
            self.action_open()
