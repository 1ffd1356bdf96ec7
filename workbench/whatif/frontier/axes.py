"""What a frontier can be drawn over: one run's price, and every number that the catalog declares.

Owns which end of a figure is the better one. A figure that is unknown stays unknown, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np

from workbench.engine.columnar.columns import Numbers
from workbench.errors import Finding, UsageError
from workbench.rulebook.tenant import Workload
from workbench.session.state import WorkspaceState

RUN: Final = "price"
"""One run of the tenant's workload, in USD."""
ALIASES: Final = {"quality": "bench_intelligence", "latency": "latency_ms", "speed": "tok_s"}
_LESS_IS_BETTER: Final = (RUN, "price_in", "price_out", "latency_ms", "retention_days")
_SPREAD: Final = (RUN, "price_in", "price_out", "latency_ms", "context", "max_output")
"""Figures over several powers of ten, which are drawn on a scale of logarithms."""
_FIRST: Final = (RUN, "price_in", "price_out", "bench_intelligence", "context", "latency_ms", "tok_s")


@dataclass(frozen=True, slots=True)
class AxisOf:
    """One figure of an offer."""

    name: str
    unit: str
    less: bool
    """Whether less of it is better."""
    spread: bool
    """Whether its usual scale is one of logarithms."""

    @property
    def title(self) -> str:
        """The name, and the unit where it has one."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def better(self) -> str:
        """Which end is better, in a word."""
        return "less is better" if self.less else "more is better"


def axes(state: WorkspaceState) -> tuple[str, ...]:
    """Every name that an axis may have: the usual ones first, then the catalog's, in its order."""
    declared = [name for name, field in state.vocabulary.fields.items() if field.sort == "Num"]
    first = [name for name in _FIRST if name == RUN or name in declared]
    return (*first, *(name for name in declared if name not in first))


def axis_of(state: WorkspaceState, name: str) -> AxisOf:
    """The axis of that name, or of a word for it. Raises `UsageError` with a suggestion."""
    known = axes(state)
    wanted = ALIASES.get(name, name)
    if wanted not in known:
        close = get_close_matches(name, [*known, *ALIASES], 1)
        hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}"
        raise UsageError("no such axis", [Finding(f"`{name}` is no figure of an offer", "unknown_axis", hint=hint)])
    if wanted == RUN:
        return AxisOf(RUN, "USD per run", True, True)
    less = wanted in _LESS_IS_BETTER or wanted.endswith("_rank")
    return AxisOf(wanted, state.vocabulary.fields[wanted].unit, less, wanted in _SPREAD)


def values(state: WorkspaceState, axis: AxisOf, workload: Workload) -> Numbers:
    """The figure of every offer of the catalog, NaN where it is unknown."""
    columns = state.pool.columns
    if axis.name != RUN:
        return columns.raw(axis.name)
    return (workload.tokens_in * columns.raw("price_in") + workload.tokens_out * columns.raw("price_out")) / np.float64(
        1e6
    )
