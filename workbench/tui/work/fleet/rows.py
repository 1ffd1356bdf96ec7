"""A sheet as the rows of a table: as wide as its content, narrowed where the terminal is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len

from workbench.tui.widgets.drawing import Cell, Line, clean, fit
from workbench.tui.widgets.rows import EvenRows
from workbench.whatif.report import Sheet

GAP = 2
NARROWEST = 18
_STYLES = {"tenants": "strong", "difference": "warn", "$/month": "", "why": "muted", "policy": "faint"}


class SheetRows(EvenRows):
    """The rows of a sheet that contain a text."""

    def __init__(self, sheet: Sheet, text: str = "") -> None:
        wanted = text.casefold()
        self.sheet = sheet
        self.shown: Sequence[tuple[str, ...]] = [
            row for row in sheet.rows if not wanted or any(wanted in cell.casefold() for cell in row)
        ]
        cells = [(heading, *(row[k] for row in sheet.rows)) for k, heading in enumerate(sheet.headings)]
        self._widths = tuple(max(cell_len(clean(cell)) for cell in column) for column in cells)

    def __len__(self) -> int:
        return len(self.shown)

    def draw_row(self, row: int, sub: int, width: int) -> Line:
        del sub
        return self._line(self.shown[row], width)

    def heading(self, width: int) -> Line | None:
        return [Cell(cell.text, "heading") for cell in self._line(self.sheet.headings, width)]

    def _line(self, cells: Sequence[str], width: int) -> list[Cell]:
        line: list[Cell] = []
        numbers = tuple(heading in self.sheet.numbers for heading in self.sheet.headings)
        for heading, text, size, number in zip(
            self.sheet.headings, cells, _narrowed(self._widths, numbers, width), numbers, strict=True
        ):
            if line:
                line.append(Cell(" " * GAP))
            line.append(Cell(fit(text, size, "right" if number else "left"), _STYLES.get(heading, "")))
        return line


@lru_cache(maxsize=64)
def _narrowed(widths: tuple[int, ...], numbers: tuple[bool, ...], room: int) -> tuple[int, ...]:
    """The widths, words giving way to numbers, the widest first."""
    found = list(widths)
    over = sum(found) + GAP * (len(found) - 1) - room
    while over > 0:
        soft = [k for k, size in enumerate(found) if not numbers[k] and size > NARROWEST]
        if not soft:
            break
        widest = max(soft, key=lambda k: found[k])
        found[widest] -= 1
        over -= 1
    return tuple(found)
