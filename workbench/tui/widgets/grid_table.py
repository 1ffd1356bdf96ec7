"""A table that is virtual both ways: the first column and the headings stay, a cursor goes over cells.

Cells come from a `GridRows` provider, the visible ones of a line at a time. The cursor's cell stands in brackets, so
that it is seen without colour; marks at the ends of the headings say that there are columns beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from workbench.tui.widgets.drawing import Cell, fit, strip_of, with_bar
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.look import look_of
from workbench.tui.widgets.rows import Rows


class GridRows(Rows, Protocol):
    """What a grid shows."""

    columns: int
    column_width: int
    """Cells of every column but the first."""
    label_width: int
    """Cells of the first column."""
    heads: int
    """Lines of the heading."""
    corner: str
    """The heading of the first column."""

    def head(self, column: int, sub: int) -> Cell:
        """Line `sub` of a column's heading."""
        ...

    def label(self, row: int) -> Cell:
        """What stands in the first column."""
        ...

    def cells(self, row: int, columns: Sequence[int]) -> Sequence[Cell]:
        """The cells of a row in these columns."""
        ...

    def between(self, line: int) -> str:
        """What a line of no row says: the heading of a group."""
        ...


class GridTable(LineTable):
    """A scrolling grid with a cursor on a cell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "across(-1)", "left", show=False, id="grid.left"),
        Binding("right,l", "across(1)", "right", show=False, id="grid.right"),
        Binding("ctrl+left,less_than_sign", "sheet(-1)", "columns left", show=False, id="grid.page_left"),
        Binding("ctrl+right,greater_than_sign", "sheet(1)", "columns right", show=False, id="grid.page_right"),
        Binding("ctrl+home,0", "column(0)", "first column", show=False, id="grid.first_column"),
        Binding("ctrl+end,dollar_sign", "column(-1)", "last column", show=False, id="grid.last_column"),
    ]

    def __init__(self, on_cell: Callable[[], None], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(lambda _row: on_cell(), id=id)
        self._on_cell = on_cell
        self._grid: GridRows | None = None
        self.column = 0
        """The column the cursor is on."""
        self.left = 0
        """The first column that is seen after the labels."""

    def show_grid(self, rows: GridRows, row: int, column: int) -> None:
        """Show other rows with the cursor on a cell; nobody is told."""
        self._grid = rows
        self.column = max(0, min(column, rows.columns - 1))
        self._reveal_column()
        self.show_rows(rows, row)
        self.refresh()

    # room

    @property
    def heading_lines(self) -> int:
        return 0 if self._grid is None else self._grid.heads

    @property
    def room(self) -> int:
        """How many columns are seen."""
        if self._grid is None:
            return 1
        each = self._grid.column_width + 1
        return max(1, (self.size.width - 1 - self.GUTTER - self._grid.label_width - 1) // each)

    def _reveal_column(self) -> None:
        last = max(0, (self._grid.columns if self._grid else 0) - self.room)
        self.left = min(max(min(self.left, self.column), self.column - self.room + 1), last)

    def on_resize(self) -> None:
        self._reveal_column()
        super().on_resize()

    # drawing

    def _draw(self, y: int) -> Strip:
        grid = self._grid
        width = self.size.width - 1
        base, look = self._base or self.rich_style, look_of(self)
        if grid is None:
            return strip_of((), width + 1, look, base)
        columns = range(self.left, min(self.left + self.room, grid.columns))
        line = y - grid.heads + self.top
        if y < grid.heads:
            cells = self._heading(grid, y, columns)
        elif line < grid.lines:
            cells = self._line(grid, line, columns)
        else:
            cells = []
        bar = y >= grid.heads and self._on_bar(y - grid.heads)
        return with_bar(strip_of(cells, width, look, base), base + look["faint"] if bar else base, shown=bar)

    def _heading(self, grid: GridRows, y: int, columns: range) -> list[Cell]:
        corner = grid.corner if y == grid.heads - 1 else ""
        more = "‹" if self.left and y == 0 else " "
        cells = [Cell("  "), Cell(fit(corner, grid.label_width), "heading"), Cell(more, "accent")]
        for column in columns:
            head = grid.head(column, y)
            style = "title" if column == self.column else head.style or "heading"
            cells += [Cell(fit(head.text, grid.column_width), style), Cell(" ")]
        if columns and columns[-1] + 1 < grid.columns and y == 0:
            cells[-1] = Cell("›", "accent")
        return cells

    def _line(self, grid: GridRows, line: int, columns: range) -> list[Cell]:
        row = grid.row_at(line)
        if row is None:
            return [Cell("  "), Cell(grid.between(line), "label")]
        here = row == self.cursor
        mark = Cell("▌ ", "accent" if self.has_focus else "faint") if here else Cell("  ")
        label = grid.label(row)
        cells = [mark, Cell(fit(label.text, grid.label_width), "title" if here else label.style), Cell(" ")]
        for column, cell in zip(columns, grid.cells(row, columns), strict=True):
            if here and column == self.column:
                cells[-1] = Cell("[", "accent")
                cells += [Cell(fit(cell.text, grid.column_width), "cursor-lit"), Cell("]", "accent")]
            else:
                cells += [Cell(fit(cell.text, grid.column_width), cell.style), Cell(" ")]
        return cells

    # moving

    def move_across(self, column: int) -> None:
        """Put the cursor on a column and tell whom it concerns."""
        if self._grid is None or not self._grid.columns:
            return
        column = max(0, min(column, self._grid.columns - 1))
        if column != self.column:
            self.column = column
            self._reveal_column()
            self.repaint()
            self._on_cell()

    def action_across(self, by: int) -> None:
        self.move_across(self.column + by)

    def action_sheet(self, by: int) -> None:
        self.move_across(self.column + by * self.room)

    def action_column(self, to: int) -> None:
        self.move_across(10**9 if to < 0 else to)

    # mouse

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self._grid is not None:
            across = offset.x - self.GUTTER - self._grid.label_width - 1
            if across >= 0 and offset.x < self.size.width - 1:
                self.move_across(min(self.left + across // (self._grid.column_width + 1), self.left + self.room - 1))
            if offset.y < self.heading_lines:
                return
        super().on_click(event)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self._slide(1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self._slide(-1)

    def _slide(self, by: int) -> None:
        if self._grid is not None:
            self.left = max(0, min(self.left + by, self._grid.columns - self.room))
            self.repaint()
