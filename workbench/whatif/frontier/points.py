"""The points of a frontier: every offer with both figures known, what became of it, and which of them nothing beats.

The line is exact: an offer is on it exactly if no survivor is at least as good in both figures and better in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.engine.columnar.columns import Numbers
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.frontier.axes import RUN, AxisOf, axis_of, values

Kind = Literal["rejected", "survivor", "winner"]
X: Final = RUN
Y: Final = "bench_intelligence"


@dataclass(frozen=True, slots=True)
class Point:
    """One offer."""

    index: int
    """Its place in the catalog."""
    x: float
    y: float
    kind: Kind
    pareto: bool
    """Whether nothing that passes is better: it is on the line."""
    open: bool
    """Whether it would be on the line if every offer passed."""


@dataclass(frozen=True)
class Frontier:
    """One tenant's points."""

    tenant: str
    x: AxisOf
    y: AxisOf
    points: tuple[Point, ...]
    """In catalog order."""
    unplotted: tuple[tuple[int, tuple[str, ...]], ...]
    """Offers of which a figure is unknown, and which: in catalog order."""
    counts: tuple[int, int]
    """Survivors and rejected, those that are not plotted included."""

    @cached_property
    def line(self) -> tuple[Point, ...]:
        """The survivors that nothing beats, from the best `x` on; those that are equal in catalog order."""
        sign = 1 if self.x.less else -1
        return tuple(sorted((p for p in self.points if p.pareto), key=lambda p: (sign * p.x, p.index)))

    @cached_property
    def ties(self) -> tuple[tuple[Point, ...], ...]:
        """Of the line, the groups of offers that are equal in both figures."""
        groups: dict[tuple[float, float], list[Point]] = {}
        for point in self.line:
            groups.setdefault((point.x, point.y), []).append(point)
        return tuple(tuple(group) for group in groups.values() if len(group) > 1)

    @cached_property
    def winner(self) -> Point | None:
        """The winner, where it is plotted."""
        return next((point for point in self.points if point.kind == "winner"), None)


def frontier(state: WorkspaceState, outcome: Outcome, x: str = X, y: str = Y) -> Frontier:
    """Where every offer stands for a tenant. Raises `UsageError` for an unknown axis.

    A tenant without a policy has every offer as rejected.
    """
    across, up = axis_of(state, x), axis_of(state, y)
    xs, ys = (values(state, axis, outcome.tenant.workload) for axis in (across, up))
    known = np.isfinite(xs) & np.isfinite(ys)
    passed = np.zeros(len(state.pool), dtype=np.bool_)
    if outcome.decision is not None:
        passed = outcome.decision.codes == len(outcome.decision.reasons)
    kept, free = np.flatnonzero(known & passed), np.flatnonzero(known)
    on, would = set(unbeaten(xs, ys, kept, across, up)), set(unbeaten(xs, ys, free, across, up))
    points = tuple(
        Point(index, float(xs[index]), float(ys[index]), _kind(outcome, index, passed), index in on, index in would)
        for index in free.tolist()
    )
    missing = tuple(
        (index, tuple(axis.name for axis, column in ((across, xs), (up, ys)) if not np.isfinite(column[index])))
        for index in np.flatnonzero(~known).tolist()
    )
    survivors = int(np.count_nonzero(passed))
    return Frontier(outcome.tenant.id, across, up, points, missing, (survivors, len(passed) - survivors))


def unbeaten(xs: Numbers, ys: Numbers, among: NDArray[np.intp], x: AxisOf, y: AxisOf) -> Sequence[int]:
    """Of these offers those that none of them beats; equal ones stand beside each other."""
    if not len(among):
        return ()
    cost = xs[among] if x.less else -xs[among]
    worth = -ys[among] if y.less else ys[among]
    order = np.lexsort((-worth, cost))
    found: list[int] = []
    best, column, top = -np.inf, np.nan, -np.inf
    for place in order.tolist():
        if cost[place] != column:  # the first of those that cost the same is the best of them
            best = max(best, top)
            column, top = cost[place], worth[place]
        if worth[place] == top and top > best:
            found.append(int(among[place]))
    return found


def _kind(outcome: Outcome, index: int, passed: NDArray[np.bool_]) -> Kind:
    if index == outcome.winner:
        return "winner"
    return "survivor" if passed[index] else "rejected"
