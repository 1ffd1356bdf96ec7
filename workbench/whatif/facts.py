"""Other facts, other clauses: what one tenant would get, and which of its facts matter to its winner.

Every answer is decided, by the same evaluator as everything else; equal policies are decided once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import cast

from workbench.rulebook.schema import WORKLOAD_FIELDS, Fact, TenantField
from workbench.rulebook.tenant import DEFAULT_WORKLOAD, Tenant, Workload
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.alignment import ClauseRow
from workbench.whatif.changes import Changes, apply_changes, with_facts
from workbench.whatif.moves import NOTHING, Passage, changed_clauses, opened_and_closed
from workbench.whatif.summary import Summary, difference, summary_of
from workbench.whatif.trials import (
    Trial,
    crossings,
    fields_of,
    is_straight,
    is_whole,
    number_use,
    shown,
    values_to_try,
)


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact before and after; None is unknown."""

    name: str
    before: Fact | None
    after: Fact | None


@dataclass(frozen=True, slots=True)
class Supposed:
    """What a tenant gets before and after a change."""

    tenant: str
    before: Summary
    after: Summary
    facts: tuple[FactChange, ...]
    clauses: tuple[ClauseRow, ...]
    """The clauses that are not the same."""
    opened: Passage
    closed: Passage
    order_changed: bool
    """Whether the offers that would be tried, or their order, are others."""

    @property
    def winner_changed(self) -> bool:
        """Whether another offer answers, or none."""
        return self.before.served != self.after.served

    @property
    def changed(self) -> bool:
        """Whether anything that the tenant gets is different."""
        return self.winner_changed or self.order_changed or self.before.cost_per_run != self.after.cost_per_run

    @property
    def monthly(self) -> float | None:
        """USD a month more (or less); None where unknown."""
        return difference(self.before.cost_per_month, self.after.cost_per_month)


def suppose(
    state: WorkspaceState,
    tenant_id: str,
    changes: Changes,
    evaluator: Evaluator,
    workload: Workload = DEFAULT_WORKLOAD,
) -> Supposed:
    """What one tenant would get. Raises what `apply_changes` raises."""
    after = apply_changes(state, tenant_id, changes, workload)
    return compared(state, after, tenant_id, evaluator)


def suppose_all(state: WorkspaceState, changes: Changes, evaluator: Evaluator) -> tuple[Supposed, ...]:
    """What every tenant would get under other clauses, in ascending order of id."""
    after = apply_changes(state, None, changes)
    pairs = zip(state.tenants, after.tenants, strict=True)
    return tuple(held_against(state, after, tenant, changed, evaluator) for tenant, changed in pairs)


def compared(before: WorkspaceState, after: WorkspaceState, tenant_id: str, evaluator: Evaluator) -> Supposed:
    """One tenant under two states of one catalog."""
    return held_against(before, after, before.tenant(tenant_id), after.tenant(tenant_id), evaluator)


def held_against(
    before: WorkspaceState, after: WorkspaceState, tenant: Tenant, changed: Tenant, evaluator: Evaluator
) -> Supposed:
    """A tenant of one state and what it is in another, of one catalog."""
    was = evaluator.outcome(before, tenant)
    now = evaluator.outcome(after, changed)
    sides = (before, was), (after, now)
    same = was.compiled is not None and now.compiled is not None and was.compiled.policy == now.compiled.policy
    opened, closed = (NOTHING, NOTHING) if same else opened_and_closed(*sides)
    return Supposed(
        tenant.id,
        summary_of(*sides[0]),
        summary_of(*sides[1]),
        _fact_changes(was.tenant, now.tenant),
        () if same else changed_clauses(*sides),
        opened,
        closed,
        _order(was) != _order(now),
    )


def _order(outcome: Outcome) -> tuple[int, ...]:
    return () if outcome.decision is None else outcome.decision.order


def _fact_changes(before: Tenant, after: Tenant) -> tuple[FactChange, ...]:
    was, now = before.bindings(), after.bindings()
    names = dict.fromkeys((*was, *now))
    return tuple(
        FactChange(name, was.get(name), now.get(name))
        for name in names
        if was.get(name) != now.get(name) or type(was.get(name)) is not type(now.get(name))
    )


# -- which facts matter -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """One value of one fact, or a run of values with one winner, and what the tenant would get."""

    name: str
    value: Fact
    """The value that was decided; of a run, its first."""
    words: str
    """The value or the values: `true`, `below 0.5`, `0.61 to 0.63`, `+ azure`."""
    after: Summary
    winner_changed: bool
    order_changed: bool

    @property
    def matters(self) -> bool:
        """Whether another offer answers, or nobody; a value that leaves no policy answers nothing."""
        return self.winner_changed and self.after.fingerprint is not None


@dataclass(frozen=True, slots=True)
class Matter:
    """One fact of a tenant with all that other values of it would do."""

    field: TenantField
    held: Fact | None
    tried: tuple[Tried, ...]
    """The largest effect first."""
    values: int
    """How many values were decided."""
    note: str = ""
    """What was not tried, and why."""

    @property
    def matters(self) -> bool:
        """Whether some value changes the winner."""
        return any(one.matters for one in self.tried)


@dataclass(frozen=True, slots=True)
class Matters:
    """Every fact of a tenant, those that matter to its winner first."""

    tenant: str
    before: Summary
    facts: tuple[Matter, ...]


def what_matters(
    state: WorkspaceState, tenant_id: str, evaluator: Evaluator, tell: Callable[[], None] = lambda: None
) -> Matters:
    """Which facts matter to the tenant's winner: every value of every fact tried alone.

    `tell` is called while values are tried; what it raises ends that.
    """
    tenant = state.tenant(tenant_id)
    before = evaluator.outcome(state, tenant)
    base = summary_of(state, before)
    bench = _Bench(state, tenant, before, base, evaluator, tell)
    facts = [bench.matter(declared) for declared in fields_of(state)]
    order = {matter.field.name: place for place, matter in enumerate(facts)}
    facts.sort(key=lambda m: (*_weight(base, m.tried[0] if m.tried else None), order[m.field.name]))
    return Matters(tenant_id, base, tuple(facts))


def _weight(base: Summary, tried: Tried | None) -> tuple[bool, bool, bool, float, int]:
    """Smaller is more: another winner, a fact rather than an amount of work, nobody left, dollars, survivors."""
    if tried is None:
        return (True, True, True, 0.0, 0)
    delta = difference(base.cost_per_run, tried.after.cost_per_run)
    lost = tried.after.fingerprint is not None and (tried.after.winner is None or base.winner is None)
    return (
        not tried.matters,
        tried.name in WORKLOAD_FIELDS,
        not lost,
        0.0 if delta is None else -abs(delta),
        -abs(tried.after.survivors - base.survivors),
    )


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where one tenant's facts are tried."""

    state: WorkspaceState
    tenant: Tenant
    before: Outcome
    base: Summary
    evaluator: Evaluator
    tell: Callable[[], None]

    def outcome(self, name: str, value: Fact) -> Outcome:
        self.tell()
        changed = with_facts(self.tenant, {name: value}, self.state.rulebook)
        return self.evaluator.outcome(self.state, changed)

    def matter(self, declared: TenantField) -> Matter:
        """All that other values of one fact would do."""
        trials = list(values_to_try(self.state, self.tenant, declared))
        note = ""
        if declared.kind == "number":
            use = number_use(self.state, self.tenant, declared)
            if use.weighs:
                more, note = self._weighed(declared, use.thresholds)
                trials = sorted(
                    {t.value: t for t in (*more, *trials)}.values(), key=lambda t: float(cast("float", t.value))
                )
        elif declared.kind in {"text", "list"} and not trials:
            note = "it may be any text; the rulebook says nothing of which"
        tried = [self._tried(trial) for trial in trials]
        if declared.kind == "number":
            tried = list(_runs(tried, self.tenant.bindings().get(declared.name)))
        count = len(trials)
        places = {id(one): place for place, one in enumerate(tried)}
        tried.sort(key=lambda one: (*_weight(self.base, one), places[id(one)]))
        return Matter(declared, self.tenant.bindings().get(declared.name), tuple(tried), count, note)

    def _tried(self, trial: Trial) -> Tried:
        after = self.outcome(trial.name, trial.value)
        summary = summary_of(self.state, after)
        return Tried(
            trial.name, trial.value, trial.words, summary, summary.served != self.base.served,
            _order(after) != _order(self.before),
        )  # fmt: skip

    def _weighed(self, declared: TenantField, points: Sequence[float]) -> tuple[list[Trial], str]:
        """The values at which a ranking that weighs with the number gets another winner."""
        compiled = self.before.compiled
        if compiled is None or not is_straight(compiled.policy.slot("rank").normal):
            return (
                [],
                "the ranking weighs with it in no straight line; only the thresholds of clauses are tried",
            )
        whole = is_whole(declared)
        low = declared.minimum if declared.minimum is not None else 0.0
        high = declared.maximum if declared.maximum is not None else 2.0**53
        edges = [low, *(p for p in points if low < p < high), high]
        found: list[Trial] = []

        def winner(value: float) -> int | None:
            return self.outcome(declared.name, value).winner

        for left, right in pairwise(edges):
            last = right if right == high else (right - 1 if whole else math.nextafter(right, -math.inf))
            for until, first in crossings(winner, left, last, whole=whole):
                found.append(Trial(declared.name, until, f"up to {shown(until)}"))
                found.append(Trial(declared.name, first, f"from {shown(first)}"))
        return found, ""


def _runs(tried: Sequence[Tried], held: Fact | None) -> Iterator[Tried]:
    """Neighbouring values with one winner at one price as one; those below and above the tenant's own stay apart."""
    own = held if isinstance(held, int | float) else None

    def same(one: Tried) -> object:
        below = own is not None and isinstance(one.value, int | float) and one.value < own
        return one.after.served, one.after.cost_per_run, one.order_changed, below

    for _, group in groupby(tried, key=same):
        run = list(group)
        yield run[0] if len(run) == 1 else replace(run[0], words=_span(run[0].words, run[-1].words))


def _span(first: str, last: str) -> str:
    low = first.partition(" to ")[0]
    high = last.rpartition(" to ")[2]
    if first.startswith("below "):
        return f"below {high}" if " " not in high else high
    return f"{low} and more" if last.startswith("above ") else f"{low} to {high}"
