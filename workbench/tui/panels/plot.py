"""Price against quality in text: the winner, the survivors, the rejected. A dot may stand for several offers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from workbench.tui import wording
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line

QUALITY = "bench_intelligence"
SIGNS: Mapping[int, tuple[str, str]] = {0: ("·", "faint"), 1: ("●", "good"), 2: ("◆", "accent"), 3: ("○", "warn")}
"""By rank: rejected, survivor, winner, the offer in question."""


def plot_lines(view: View, width: int, height: int) -> list[Line]:
    """`height` lines: the plot, its axis and its legend."""
    outcome = view.outcome
    if outcome is None or outcome.decision is None or width < 24:
        return []
    kinds = dict.fromkeys(outcome.decision.survivor_indices, 1)
    if view.offer is not None:
        kinds[view.offer] = 3
    if outcome.winner is not None:
        kinds[outcome.winner] = 2
    points = [
        (math.log10(price), float(quality), kinds.get(index, 0))
        for index, candidate in enumerate(view.state.catalog.candidates)
        if isinstance(price := candidate.get("price_out"), int | float)
        and isinstance(quality := candidate.get(QUALITY), int | float)
        and price > 0
    ]
    if not points:
        return [[Cell("no offer has both a price and a quality figure", "muted")]]
    return [*_grid(points, width, height - 2), *_legend(points, width)]


def _grid(points: list[tuple[float, float, int]], width: int, height: int) -> list[Line]:
    left, right = min(p[0] for p in points), max(p[0] for p in points)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    across, room = max(right - left, 1e-9), width - 5
    best: dict[tuple[int, int], int] = {}
    for x, y, kind in points:
        at = (round((high - y) / max(high - low, 1e-9) * (height - 1)), round((x - left) / across * (room - 1)))
        best[at] = max(best.get(at, 0), kind)
    lines: list[Line] = []
    for row in range(height):
        label = f"{high - (high - low) * row / max(1, height - 1):.2f}" if row % 4 == 0 else ""
        cells = [Cell(f"{label:>4}", "faint"), Cell("│", "faint")]
        for column in range(room):
            kind = best.get((row, column))
            cells.append(Cell(" ") if kind is None else Cell(*SIGNS[kind]))
        lines.append(cells)
    return lines


def _legend(points: list[tuple[float, float, int]], width: int) -> list[Line]:
    low, high = (wording.number(10 ** f(p[0] for p in points)) for f in (min, max))
    axis = f"{low} $/M out"
    gap = max(1, width - 5 - len(axis) - len(high))
    return [
        [Cell("     "), Cell(axis + "─" * gap + high, "faint")],
        [Cell("     "), Cell("◆", "accent"), Cell(" winner ", "muted"), Cell("●", "good"), Cell(" passes ", "muted"),
         Cell("·", "faint"), Cell(" rejected ", "muted"), Cell("○", "warn"), Cell(" cursor", "muted")],
    ]  # fmt: skip
