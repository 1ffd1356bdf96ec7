"""Lines of a fixed width from rows of text: pure, knows no stream and no colour but the heading's.

Widths are cells of a terminal: a wide character takes two, a combining one none. What does not fit is cut with `…`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

MARK: Final = "…"
GAP: Final = "  "
NARROWEST: Final = 6
"""A column of text is not squeezed below this many cells; the line is cut instead."""


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of text. Every row has one cell per heading."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = field(default_factory=frozenset[str])
    """Headings whose column holds numbers: set to the right, never cut."""


def first(table: Table, limit: int) -> Table:
    """The first rows of a table; 0 is all of them."""
    return table if limit == 0 else Table(table.headings, table.rows[:limit], table.numbers)


def lines(table: Table, width: int | None, *, colour: bool = False) -> Iterable[str]:
    """The table's lines, headings first. `width` in cells; None keeps everything."""
    from workbench.boundary import sanitiser

    rows = [[sanitiser.one_line(cell) for cell in row] for row in (table.headings, *table.rows)]
    right = [heading in table.numbers for heading in table.headings]
    widths = _widths(rows, right, width)
    for place, row in enumerate(rows):
        cells = [_pad(cell, widths[k], right=right[k]) for k, cell in enumerate(row)]
        line = fit(GAP.join(cells).rstrip(), width)
        yield f"\x1b[1m{line}\x1b[0m" if colour and place == 0 else line


def _widths(rows: Sequence[Sequence[str]], right: Sequence[bool], width: int | None) -> list[int]:
    widths = [max(cells(row[k]) for row in rows) for k in range(len(right))]
    if width is None:
        return widths
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while over > 0:
        soft = [k for k, w in enumerate(widths) if not right[k] and w > NARROWEST]
        if not soft:
            break
        widest = max(soft, key=lambda k: widths[k])
        second = max((widths[k] for k in soft if k != widest), default=NARROWEST)
        take = min(over, max(1, widths[widest] - max(second, NARROWEST)))
        widths[widest] -= take
        over -= take
    return widths


def _pad(text: str, width: int, *, right: bool) -> str:
    shown = fit(text, width)
    blank = " " * (width - cells(shown))
    return blank + shown if right else shown + blank


def fit(text: str, width: int | None) -> str:
    """`text` in at most `width` cells, cut with a mark; whole where `width` is None."""
    if width is None or cells(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += _cells_of(character)
        if used > width - 1:
            break
        kept += character
    return kept + MARK if width > 0 else ""


def cells(text: str) -> int:
    """How many cells of a terminal the text takes."""
    return len(text) if text.isascii() else sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
