"""Columns of a table: widths, headings, and the line that a row of cells becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from workbench.tui.widgets.drawing import Align, Cell, Line, filled, fit


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width` 0 takes what is left; `from_width` hides the column on narrower tables."""

    key: str
    title: str
    width: int = 0
    align: Align = "left"
    from_width: int = 0
    style: str = ""


@dataclass(frozen=True)
class Columns:
    """An ordered set of columns, one of which (the first of width 0) takes what is left."""

    all: tuple[Column, ...]
    gap: int = 1

    def lay(self, cells: Mapping[str, Cell | Line], width: int) -> list[Cell]:
        """The line that shows `cells` (by column key; one or several in a column) in `width` terminal cells."""
        line: list[Cell] = []
        for column, size in _sizes(self, width):
            cell = cells.get(column.key, Cell(""))
            if line:
                line.append(Cell(" " * self.gap))
            if isinstance(cell, Cell):
                line.append(Cell(fit(cell.text, size, column.align), cell.style or column.style))
            else:
                line.extend(filled(cell, size))
        return line

    def heading(self, width: int, sorted_by: str | None = None) -> list[Cell]:
        """The headings; the one sorted by bears a mark."""
        cells = {c.key: Cell(f"{c.title}▾" if c.key == sorted_by else c.title, "heading") for c in self.all}
        return self.lay(cells, width)

    def room(self, key: str, width: int) -> int:
        """How many cells a column has; 0 where it is hidden."""
        return next((size for column, size in _sizes(self, width) if column.key == key), 0)

    def at(self, x: int, width: int) -> str | None:
        """The key of the column under cell `x`."""
        start = 0
        for column, size in _sizes(self, width):
            if start <= x < start + size:
                return column.key
            start += size + self.gap
        return None


@lru_cache(maxsize=256)
def _sizes(columns: Columns, width: int) -> Sequence[tuple[Column, int]]:
    shown = [column for column in columns.all if width >= column.from_width]
    fixed = sum(column.width for column in shown) + columns.gap * (len(shown) - 1)
    flexible = [column for column in shown if column.width == 0]
    share = max(4, width - fixed)
    return [(c, c.width or (share if c is flexible[0] else 4)) for c in shown]
