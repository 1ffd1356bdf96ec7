"""A plot in characters: points on a grid, the line through the best of them, ticks at round figures.

Pure: knows neither a terminal nor a policy. A cell may stand for several points and shows the one of the highest rank.
On a scale of logarithms a figure of 0 or less stands in a column of its own, before the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

At = tuple[int, int]
"""A row from the top and a column, from 0."""

LINE: Final = "┈"
RISER: Final = "┊"


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to be drawn."""

    x: float
    y: float
    rank: int
    """The greater is seen where several fall on one cell."""
    on_line: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """Where figures fall on a number of cells."""

    low: float
    high: float
    cells: int
    log: bool = False
    odd: bool = False
    """Whether the first cell is for figures that have no logarithm."""

    def at(self, value: float) -> int:
        """The cell of a figure, from the low end."""
        if self.log and value <= 0:
            return 0
        start = min(2, self.cells - 1) if self.odd else 0
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        share = 0.5 if high <= low else (value - low) / (high - low)
        return start + round(min(max(share, 0.0), 1.0) * (self.cells - 1 - start))

    def ticks(self, room: int) -> Iterator[tuple[int, float]]:
        """Cells and round figures, at least `room` cells apart."""
        last = -room
        for value in ([0.0] if self.odd else []) + self._round(max(2, self.cells // max(1, room))):
            at = self.at(value)
            if at - last >= room:
                yield at, value
                last = at

    def _round(self, most: int) -> list[float]:
        if self.high <= self.low:
            return [self.low]
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = (1, 2, 5) if (last - first) * 3 <= most else (1,)
            found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        else:
            step = _nice((self.high - self.low) / most)
            first = math.ceil(self.low / step)
            found = [place * step for place in range(first, math.floor(self.high / step) + 1)]
        inside = [value for value in found if self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)]
        return inside or [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Plot:
    """Where every mark is."""

    across: Scale
    up: Scale
    marks: tuple[Mark, ...]
    cells: Mapping[At, tuple[int, ...]]
    """By row and column the marks there, the one that is seen first."""
    line: Mapping[At, str] = field(default_factory=dict[At, str])
    """Cells of the line and what is drawn there; a mark lies above it."""

    def where(self, mark: int) -> At:
        """The row and the column of a mark."""
        return _at(self.marks[mark], self.across, self.up)


def plot(marks: Sequence[Mark], width: int, height: int, *, log_x: bool = False, log_y: bool = False) -> Plot:
    """The marks on `width` by `height` cells; both are at least 2."""
    across = _scale([mark.x for mark in marks], max(2, width), log_x)
    up = _scale([mark.y for mark in marks], max(2, height), log_y)
    cells: dict[At, list[int]] = {}
    for place, mark in enumerate(marks):
        cells.setdefault(_at(mark, across, up), []).append(place)
    sorted_cells = {at: tuple(sorted(found, key=lambda k: -marks[k].rank)) for at, found in cells.items()}
    stairs = _stairs(sorted({_at(mark, across, up) for mark in marks if mark.on_line}, key=lambda at: at[1]))
    return Plot(across, up, tuple(marks), sorted_cells, dict(stairs))


def _scale(figures: Sequence[float], cells: int, log: bool) -> Scale:
    usable = [value for value in figures if not log or value > 0]
    if not usable:
        return Scale(0.0, 0.0, cells)
    return Scale(min(usable), max(usable), cells, log, len(usable) < len(figures))


def _at(mark: Mark, across: Scale, up: Scale) -> At:
    return up.cells - 1 - up.at(mark.y), across.at(mark.x)


def _stairs(stops: Sequence[At]) -> Iterator[tuple[At, str]]:
    """From stop to stop: along, then up or down."""
    for k in range(len(stops) - 1):
        (row, column), (to_row, to_column) = stops[k], stops[k + 1]
        yield from (((row, at), LINE) for at in range(column + 1, to_column + (row == to_row)))
        yield from (((at, to_column), RISER) for at in range(min(row, to_row), max(row, to_row) + 1))


def _nice(step: float) -> float:
    """The round figure (1, 2 or 5 times a power of ten) that is at least `step`."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return next((factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9)), 10 * power)


def figure(value: float) -> str:
    """A figure beside an axis, short: `0.002`, `0.5`, `200k`, `1M`."""
    if value == 0:
        return "0"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.0e}".replace("e-0", "e-")
