"""What a tenant gets, in the few figures that every question about a change comes back to.

A cost that is not known stays unknown: no price, or no runs per month, is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.errors import Finding
from workbench.session.evaluation import Mark, Outcome
from workbench.session.state import WorkspaceState


@dataclass(frozen=True, slots=True)
class Summary:
    """One tenant's result under one state."""

    tenant: str
    winner: str | None
    """The winning offer's id; None where nobody is left, or there is no policy."""
    provider: str | None
    cost_per_run: float | None
    """USD."""
    runs_per_month: float | None
    survivors: int
    providers: int
    mark: Mark
    fingerprint: str | None
    """Of the policy; None where there is none."""
    errors: tuple[Finding, ...] = ()

    @property
    def cost_per_month(self) -> float | None:
        """USD; None where the price or the number of runs is unknown."""
        if self.cost_per_run is None or self.runs_per_month is None:
            return None
        return self.cost_per_run * self.runs_per_month

    @property
    def served(self) -> str:
        """The winner in words: `no policy` where there is none, `nobody` where it leaves none."""
        if self.fingerprint is None:
            return "no policy"
        return self.winner or "nobody"


def summary_of(state: WorkspaceState, outcome: Outcome) -> Summary:
    """The figures of one outcome."""
    index = outcome.winner
    cost = outcome.cost_per_run
    return Summary(
        outcome.tenant.id,
        None if index is None else state.catalog.offer_id(index),
        None if index is None else state.catalog.offers[index].provider,
        cost if cost is not None and math.isfinite(cost) else None,
        outcome.tenant.workload.runs_per_month,
        outcome.survivors,
        outcome.providers,
        outcome.mark,
        None if outcome.compiled is None else outcome.compiled.policy.fingerprint,
        outcome.errors,
    )


def summary_json(summary: Summary | None) -> dict[str, Any] | None:
    """The figures by name; costs in USD."""
    if summary is None:
        return None
    return {
        "winner": summary.winner,
        "provider": summary.provider,
        "cost_per_run": summary.cost_per_run,
        "cost_per_month": summary.cost_per_month,
        "survivors": summary.survivors,
        "providers": summary.providers,
        "mark": summary.mark,
        "fingerprint": summary.fingerprint,
        "errors": [finding.as_document() for finding in summary.errors],
    }


def sum_of(values: Iterable[float | None]) -> float | None:
    """The sum of those that are known: 0 of none at all, None where there are some and not one is known."""
    every = list(values)
    known = [value for value in every if value is not None]
    return sum(known) if known or not every else None


def difference(before: float | None, after: float | None) -> float | None:
    """After less before; None where either is unknown."""
    return None if before is None or after is None else after - before
