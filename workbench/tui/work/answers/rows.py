"""A report's tables as lines for one width: columns share what there is, and what is cut bears a mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from workbench.tui.widgets.drawing import Cell, Line, clean, fit, wrap
from workbench.tui.widgets.rows import ListedRows
from workbench.whatif.report import Report, Sheet

GAP: Final = 2
NARROWEST: Final = 6
"""A column of text is not squeezed below this many cells."""
WIDEST: Final = 60
"""Nor does one take more than this while others are cut."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of a report: which sheet, and which row of it."""

    sheet: int
    row: int


@dataclass(frozen=True, slots=True)
class ReportRows:
    """The rows of a report that contain a text, and where each comes from."""

    listed: ListedRows
    places: tuple[Place, ...]


def report_rows(report: Report, width: int, wanted: str = "") -> ReportRows:
    """The report's tables in lines of `width` cells; of rows only those that contain every word of `wanted`."""
    words = wanted.casefold().split()
    lines: list[tuple[int | None, Line]] = []
    places: list[Place] = []
    for number, sheet in enumerate(report.sheets):
        rows = [k for k, row in enumerate(sheet.rows) if all(w in " ".join(row).casefold() for w in words)]
        if not rows and not (sheet.empty and not words):
            continue
        if lines:
            lines.append((None, ()))
        lines += [(None, [Cell(text, "title")]) for text in (wrap(sheet.title, width) if sheet.title else ())]
        if not rows:
            lines.append((None, [Cell(sheet.empty, "muted")]))
            continue
        widths = _widths(sheet, rows, width)
        lines.append((None, _heading(sheet, widths)))
        for row in rows:
            lines.append((len(places), _row(sheet, row, widths)))
            places.append(Place(number, row))
    return ReportRows(ListedRows(lines), tuple(places))


def _widths(sheet: Sheet, rows: Sequence[int], width: int) -> list[int]:
    """Cells for each column: as wide as its content, the widest texts giving way first."""
    widths = [
        max(cell_len(clean(text)) for text in (heading, *(sheet.rows[row][k] for row in rows)))
        for k, heading in enumerate(sheet.headings)
    ]
    over = sum(widths) + GAP * (len(widths) - 1) - width
    soft = [k for k, heading in enumerate(sheet.headings) if heading not in sheet.numbers]
    while over > 0:
        squeezable = [k for k in soft if widths[k] > NARROWEST]
        if not squeezable:
            break
        widest = max(squeezable, key=lambda k: widths[k])
        second = max((widths[k] for k in squeezable if k != widest), default=NARROWEST)
        take = min(over, max(1, widths[widest] - max(second, NARROWEST)))
        widths[widest] -= take
        over -= take
    return widths


def _heading(sheet: Sheet, widths: Sequence[int]) -> Line:
    return _laid([Cell(heading, "heading") for heading in sheet.headings], sheet, widths)


def _row(sheet: Sheet, row: int, widths: Sequence[int]) -> Line:
    cells = sheet.rows[row]
    return _laid([Cell(text, "strong" if k == 0 else style_of(text)) for k, text in enumerate(cells)], sheet, widths)


def _laid(cells: Sequence[Cell], sheet: Sheet, widths: Sequence[int]) -> Line:
    line: list[Cell] = []
    for k, cell in enumerate(cells):
        if k:
            line.append(Cell(" " * GAP))
        right = sheet.headings[k] in sheet.numbers
        line.append(Cell(fit(cell.text, widths[k], "right" if right else "left"), cell.style))
    return line


_STYLES: Final = {"x": "bad", "!": "bad", "▲": "warn", "▼": "good", "~": "accent", "+": "good"}


def style_of(text: str) -> str:
    """A style for a cell that begins with a sign; the sign says the same without it."""
    if text in {"-", "?", "="}:
        return "muted"
    if text == "#1":
        return "winner"
    head, blank, _ = text.partition(" ")
    return _STYLES.get(head, "") if blank else ""


def told(report: Report, place: Place | None, width: int, most: int) -> list[Line]:
    """The row at `place` in full: each cell beside its heading, in at most `most` lines."""
    if place is None:
        return []
    sheet = report.sheets[place.sheet]
    pairs = zip(sheet.headings, sheet.rows[place.row], strict=True)
    text = "  ·  ".join(f"{heading}: {cell}" if heading else cell for heading, cell in pairs if cell)
    lines = wrap(text, max(1, width))
    if len(lines) > most:
        lines = [*lines[: most - 1], fit(lines[most - 1] + "  ", max(1, width - 1)).rstrip() + "…"]
    return [[Cell(line)] for line in lines]


def copied_row(report: Report, place: Place | None) -> str:
    """The row at `place` as text, a tab between cells."""
    return "" if place is None else "\t".join(report.sheets[place.sheet].rows[place.row])
