"""Clause text in little room: field names give way, lines are broken, and no number is ever cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len

from workbench.tui.widgets.drawing import Cell, Line, cut, line_width, shorten
from workbench.tui.widgets.tokens import coloured

LEAST_NAME = 9
"""Cells that a field's name keeps, so that it is still told from others."""


@lru_cache(maxsize=2_048)
def clause_lines(text: str, width: int, most: int = 3) -> tuple[Line, ...]:
    """The clause on one line where it fits, with shorter field names where that makes it fit, else on up to `most`."""
    cells = coloured(text)
    squeezed = squeeze(cells, width)
    if line_width(squeezed) <= width:
        return (squeezed,)
    lines = _broken(cells, width)
    if len(lines) <= most:
        return tuple(lines)
    rest = [cell for line in lines[most - 1 :] for cell in (*line, Cell(" "))]
    return (*lines[: most - 1], tuple(cut(rest, width)))


def squeeze(cells: Line, width: int) -> Line:
    """The same cells with the longest field names shortened as far as needed, at most to `LEAST_NAME`."""
    found = list(cells)
    over = line_width(found) - width
    while over > 0:
        names = [k for k, cell in enumerate(found) if cell.style == "field" and cell_len(cell.text) > LEAST_NAME]
        if not names:
            break
        at = max(names, key=lambda k: cell_len(found[k].text))
        size = cell_len(found[at].text)
        found[at] = Cell(shorten(found[at].text, max(LEAST_NAME, size - over)), "field")
        over = line_width(found) - width
    return tuple(found)


def _broken(cells: Sequence[Cell], width: int) -> list[Line]:
    """The cells in lines, broken between tokens; an operator stays with the number after it."""
    lines: list[list[Cell]] = [[]]
    for piece in _pieces(cells):
        if lines[-1] and line_width(lines[-1]) + line_width(piece) > width:
            lines.append([])
        lines[-1] += piece if lines[-1] else [cell for cell in piece if cell.text.strip()] or []
    return [tuple(squeeze(line, width)) for line in lines if line]


def _pieces(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Runs of cells that stay together: up to a blank that is followed by a name or a word."""
    pieces: list[list[Cell]] = [[]]
    for k, cell in enumerate(cells):
        after = cells[k + 1].style if k + 1 < len(cells) else ""
        blank = not cell.text.strip()
        if blank and after in ("field", "keyword", "value") and not _relation(cells, k - 1):
            pieces.append([])
        pieces[-1].append(cell)
    return pieces


def _relation(cells: Sequence[Cell], at: int) -> bool:
    return at >= 0 and cells[at].style == "operator" and cells[at].text not in (",", ")", "]")
