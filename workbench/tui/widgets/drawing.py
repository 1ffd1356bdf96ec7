"""Cells to strips: the one place where text becomes terminal cells.

Every string drawn by the workbench's own widgets passes here, is made safe (`boundary.sanitiser`), measured in terminal
cells and cut with a mark. Nothing here knows markup, and nothing may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.boundary.sanitiser import one_line

ELLIPSIS = "…"

Align = Literal["left", "right"]


class Cell(NamedTuple):
    """A piece of a line: plain text and the word for its style (a component class without its prefix)."""

    text: str
    style: str = ""


Line = Sequence[Cell]

EMPTY: Line = ()


@lru_cache(maxsize=16_384)
def _visible(text: str) -> str:
    return one_line(text)


def clean(text: str) -> str:
    """`text` on one line without anything a terminal would act on."""
    if text.isascii() and text.isprintable():
        return text
    return _visible(text)


@lru_cache(maxsize=16_384)
def fit(text: str, width: int, align: Align = "left") -> str:
    """`text`, made safe, in exactly `width` terminal cells; what is cut off is marked."""
    if width <= 0:
        return ""
    text = clean(text)
    size = cell_len(text)
    if size == width:
        return text
    if size < width:
        return " " * (width - size) + text if align == "right" else text + " " * (width - size)
    return set_cell_size(text, width - 1) + ELLIPSIS


def shorten(text: str, width: int) -> str:
    """`text`, made safe, in at most `width` terminal cells; what is cut off is marked."""
    text = clean(text)
    return text if cell_len(text) <= width else fit(text, width)


def line_width(line: Line) -> int:
    """How many terminal cells a line takes."""
    return sum(cell_len(clean(cell.text)) for cell in line)


def spread(left: Line, right: Line, width: int) -> list[Cell]:
    """`left` and `right` at the two ends of a line; `right` gives way only where even alone it is too wide."""
    room = width - line_width(right)
    if room <= 0:
        return list(right)
    fitted = cut(left, room - 1 if right else room)
    gap = room - line_width(fitted)
    return [*fitted, Cell(" " * gap), *right]


def cut(line: Line, width: int) -> list[Cell]:
    """The part of a line that fits, its end marked where something is missing."""
    shown: list[Cell] = []
    left = width
    for k, cell in enumerate(line):
        size = cell_len(clean(cell.text))
        rest = sum(cell_len(clean(c.text)) for c in line[k + 1 :]) if size >= left else 0
        if size + rest > left and size >= left:
            if left > 0:
                shown.append(Cell(fit(cell.text, left) if size > left else fit(cell.text + "  ", left), cell.style))
            return shown
        shown.append(cell)
        left -= size
    return shown


def filled(line: Line, width: int) -> list[Cell]:
    """A line cut or filled with blanks to exactly `width` cells."""
    shown = cut(line, width)
    missing = width - line_width(shown)
    return [*shown, Cell(" " * missing)] if missing > 0 else shown


def strip_of(line: Line, width: int, look: Mapping[str, Style], base: Style, over: Style | None = None) -> Strip:
    """The strip of exactly `width` cells that shows `line`; `over` (a cursor, say) lies above every cell's style."""
    segments: list[Segment] = []
    used = 0
    for text, name in cut(line, width):
        shown = clean(text)
        if not shown:
            continue
        style = base + look[name] if name else base
        segments.append(Segment(shown, style + over if over else style))
        used += cell_len(shown)
    if used < width:
        segments.append(Segment(" " * (width - used), base + over if over else base))
    return Strip(segments, width)


def with_bar(strip: Strip, style: Style, *, shown: bool) -> Strip:
    """The strip with one more cell: the scrollbar's thumb, or nothing."""
    return Strip([*strip, Segment("▐" if shown else " ", style)], strip.cell_length + 1)


def wrap(text: str, width: int) -> list[str]:
    """`text`, made safe, in lines of at most `width` cells, broken at spaces where there are any."""
    lines: list[str] = []
    current = ""
    for word in clean(text).split(" "):
        while cell_len(word) > width > 0:
            if current:
                lines.append(current)
                current = ""
            head = set_cell_size(word, width).rstrip()
            lines.append(head)
            word = word[len(head) :]  # noqa: PLW2901 - the rest of the same word
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
        else:
            lines.append(current)
            current = word
    if current or not lines:
        lines.append(current)
    return lines
