"""A frontier as an answer to hand over: the plot in characters, the line, every point, and what is not plotted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from workbench.session.state import WorkspaceState
from workbench.whatif.frontier.plot import LINE, RISER, Mark, Plot, figure, plot
from workbench.whatif.frontier.points import Frontier, Point
from workbench.whatif.report import Report, Sheet, counted, plain

SIGNS: Final = {0: "·", 1: "o", 2: "●", 3: "◆"}
"""By rank: rejected, passes, on the line, the winner."""
LABEL: Final = 7
"""Cells for the figures beside the plot."""
_UNPLOTTED: Final = 12
"""Offers that are named in the text; JSON and CSV have them all."""


def rank(point: Point) -> int:
    """What is seen where several points share a cell: the winner, then the line, then what passes."""
    if point.kind == "winner":
        return 3
    return 0 if point.kind == "rejected" else 2 if point.pareto else 1


def plot_of(found: Frontier, width: int, height: int, *, log_x: bool) -> Plot:
    """The points on a grid of cells; upwards the scale is the figure's usual one."""
    marks = [Mark(point.x, point.y, rank(point), point.pareto) for point in found.points]
    return plot(marks, width, height, log_x=log_x, log_y=found.y.spread)


def text_plot(found: Frontier, width: int, height: int, *, log_x: bool) -> list[str]:
    """The plot as lines of text, its axes and its legend with it."""
    if not found.points:
        return ["no offer has both figures"]
    drawn = plot_of(found, max(20, width - LABEL - 1), max(4, height), log_x=log_x)
    labels = {drawn.up.cells - 1 - at: figure(value) for at, value in drawn.up.ticks(3)}
    lines = [
        f"{labels.get(row, ''):>{LABEL}}{'┤' if row in labels else '│'}{_cells(drawn, row)}".rstrip()
        for row in range(drawn.up.cells)
    ]
    return [
        f"{found.y.title} ({found.y.better})",
        *lines,
        *axis_lines(drawn),
        f"{' ' * (LABEL + 1)}{found.x.title} ({found.x.better}{_scale(log_x)})",
        *_legend(),
    ]


def _scale(log: bool) -> str:
    return ", logarithmic" if log else ""


def _legend() -> Iterator[str]:
    yield f"{' ' * (LABEL + 1)}◆ winner  ● nothing beats it  o passes  · rejected  {LINE}{RISER} the line of the best"


def _cells(drawn: Plot, row: int) -> str:
    found: list[str] = []
    for column in range(drawn.across.cells):
        marks = drawn.cells.get((row, column))
        found.append(SIGNS[drawn.marks[marks[0]].rank] if marks else drawn.line.get((row, column), " "))
    return "".join(found)


def axis_lines(drawn: Plot) -> tuple[str, str]:
    """The axis below the plot and the figures on it."""
    rule, told = ["─"] * drawn.across.cells, [" "] * (drawn.across.cells + LABEL)
    for at, value in drawn.across.ticks(10):
        rule[at] = "┬"
        text = figure(value)
        start = max(0, min(at - len(text) // 2, len(told) - len(text)))
        told[start : start + len(text)] = text
    return f"{' ' * LABEL}└{''.join(rule)}", f"{' ' * (LABEL + 1)}{''.join(told).rstrip()}"


def frontier_report(state: WorkspaceState, found: Frontier, size: tuple[int, int], *, log_x: bool) -> Report:
    """The answer; `size` is that of the plot, in cells."""
    survivors, rejected = found.counts
    plotted = f"{len(found.points)} of {survivors + rejected} offers have both figures"
    lines = [f"{survivors} pass, {rejected} are rejected; {plotted}", ""]
    lines += text_plot(found, *size, log_x=log_x)
    rows = tuple(_line_words(state, found, point) for point in found.line)
    title = f"What nothing beats: {counted(len({(p.x, p.y) for p in found.line}), 'place')}"
    empty = "no offer that passes has both figures"
    numbers = frozenset((found.x.name, found.y.name))
    line = Sheet(title, ("", "offer", found.x.name, found.y.name, ""), rows, numbers, empty)
    unplotted = _unplotted(state, found.unplotted)
    table = Sheet("", _headings(found), tuple(_row(state, point) for point in found.points) + _missing(state, found))
    head = f"{found.tenant}: {found.y.name} against {found.x.name}"
    return Report(head, tuple(lines), (line, *unplotted), table, _document(state, found))


def _line_words(state: WorkspaceState, found: Frontier, point: Point) -> tuple[str, ...]:
    tied = sum((other.x, other.y) == (point.x, point.y) for other in found.line)
    sign = "◆" if point.kind == "winner" else "●"
    same = f"one of {tied} that are equal" if tied > 1 else ""
    return sign, state.catalog.offer_id(point.index), f"{point.x:.6g}", f"{point.y:.6g}", same


def _unplotted(state: WorkspaceState, missing: Sequence[tuple[int, tuple[str, ...]]]) -> tuple[Sheet, ...]:
    if not missing:
        return ()
    shown = tuple((state.catalog.offer_id(index), ", ".join(names)) for index, names in missing[:_UNPLOTTED])
    more = len(missing) - len(shown)
    rows = (*shown, (f"… and {more} more; --json has them all", "")) if more else shown
    return (Sheet(f"Not plotted: {counted(len(missing), 'offer')}", ("offer", "unknown"), rows),)


def _headings(found: Frontier) -> tuple[str, ...]:
    return ("offer", "provider", "model_family", "region", "verdict", found.x.name, found.y.name, "on_line", "unknown")


def _row(state: WorkspaceState, point: Point) -> tuple[str, ...]:
    on = "yes" if point.pareto else "no"
    return (*_offer(state, point.index), point.kind, plain(point.x), plain(point.y), on, "")


def _missing(state: WorkspaceState, found: Frontier) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (*_offer(state, index), "not plotted", "", "", "no", " ".join(names)) for index, names in found.unplotted
    )


def _offer(state: WorkspaceState, index: int) -> tuple[str, str, str, str]:
    offer = state.catalog.offers[index]
    return state.catalog.offer_id(index), offer.provider, offer.model, offer.region or ""


def _document(state: WorkspaceState, found: Frontier) -> dict[str, Any]:
    return {
        "tenant": found.tenant,
        "axes": {
            name: {"name": axis.name, "unit": axis.unit, "better": "less" if axis.less else "more"}
            for name, axis in (("x", found.x), ("y", found.y))
        },
        "survivors": found.counts[0],
        "rejected": found.counts[1],
        "winner": None if found.winner is None else state.catalog.offer_id(found.winner.index),
        "line": [state.catalog.offer_id(point.index) for point in found.line],
        "ties": [[state.catalog.offer_id(point.index) for point in group] for group in found.ties],
        "points": [_point_json(state, point) for point in found.points],
        "not_plotted": [
            {"offer": state.catalog.offer_id(index), "unknown": list(names)} for index, names in found.unplotted
        ],
    }


def _point_json(state: WorkspaceState, point: Point) -> dict[str, Any]:
    offer = state.catalog.offers[point.index]
    return {
        "offer": state.catalog.offer_id(point.index),
        "provider": offer.provider,
        "model_family": offer.model,
        "served_model_id": offer.served_model_id,
        "region": offer.region,
        "verdict": point.kind,
        "x": point.x,
        "y": point.y,
        "on_line": point.pareto,
        "on_line_without_rules": point.open,
    }
