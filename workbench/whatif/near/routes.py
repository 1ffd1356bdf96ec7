"""The fewest facts of a tenant that must be otherwise for a given offer to be admitted, found without guessing.

A fact helps only through a rule that looks at it, so the search follows the clauses that reject: each must go, or say
something else, by one of the facts that its rule looks at. Every answer was decided. Refuses to look deeper than
`DEEPEST` facts at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.engine import explain
from workbench.engine.reference.fields import Scene, number_field
from workbench.language.signature import V2
from workbench.rulebook.clause import Clause
from workbench.rulebook.schema import NO_LOG, Fact, TenantField
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.alignment import filters_of
from workbench.whatif.changes import with_facts
from workbench.whatif.trials import Trial, fields_of, is_whole, number_use, numbers_around, values_to_try

DEEPEST: Final = 4
"""Most facts changed at once."""
MOST: Final = 8
"""Most answers of one size that are told."""
_MOST_TRIED: Final = 20_000
"""Most tenants decided in one search."""

Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Route:
    """Facts that together admit the offer, and what the tenant then gets."""

    facts: tuple[tuple[str, Fact], ...]
    tenant: Tenant
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ByFact:
    """One value of one fact with which one clause no longer rejects the offer."""

    name: str
    value: Fact
    clause: Clause | None
    """The clause as it then reads; None where it is not there."""
    others: tuple[str, ...]
    """Clauses that then reject the offer and did not before."""
    lacking: tuple[str, ...] = ()
    """Facts that the tenant would have to state as well."""


@dataclass(frozen=True, slots=True)
class Routes:
    """What a search found."""

    found: tuple[Route, ...]
    """All of the smallest size, at most `MOST`."""
    exhausted: bool
    """Whether every possibility up to `DEEPEST` facts was looked at."""
    stuck: tuple[str, ...]
    """Clauses that no fact has a say in, so that no route can exist."""


def failing(state: WorkspaceState, outcome: Outcome, index: int) -> tuple[Clause, ...]:
    """The clauses that reject the offer, in shown order."""
    return tuple(
        clause
        for clause in filters_of(state, outcome)
        if clause.term is not None and not explain.mask(clause.term, state.pool, state.context)[index]
    )


def facts_behind(state: WorkspaceState, clause: Clause) -> tuple[str, ...]:
    """The facts that have a say in whether the clause is there and what it says."""
    names = [name for name, _ in clause.facts]
    if clause.rule_id is not None:
        plan = next((plan for plan in state.rulebook.plans if plan.rule.id == clause.rule_id), None)
        if plan is not None:
            names = [*plan.condition.fields, *names]
    return tuple(dict.fromkeys(names))


def _hear_nothing() -> None:
    """Nobody waits for news."""


@dataclass(slots=True)
class Search:
    """One offer that a tenant's policy rejects."""

    state: WorkspaceState
    tenant: Tenant
    index: int
    evaluator: Evaluator
    tell: Callable[[], None] = _hear_nothing
    """Called before each value is tried; what it raises ends the search."""
    tried: int = 0

    def routes(self) -> Routes:
        """The smallest sets of facts that admit the offer."""
        before = self.evaluator.outcome(self.state, self.tenant)
        stuck = tuple(c.id for c in failing(self.state, before, self.index) if not facts_behind(self.state, c))
        if stuck:
            return Routes((), True, stuck)
        for size in range(1, DEEPEST + 1):
            found: dict[frozenset[tuple[str, Fact]], Route] = {}
            for route in self._of(self.tenant, {}, size):
                found.setdefault(frozenset(route.facts), route)
            if found:
                ordered = sorted(found.values(), key=lambda route: (self._place(route), _named(route)))
                return Routes(tuple(ordered[:MOST]), True, ())
            if self.tried >= _MOST_TRIED:
                return Routes((), False, ())
        return Routes((), True, ())

    def _place(self, route: Route) -> int:
        decision = route.outcome.decision
        place = None if decision is None else decision.place(self.index)
        return len(self.state.pool) if place is None else place

    def _of(self, tenant: Tenant, chosen: Facts, size: int) -> Iterator[Route]:
        """Routes of exactly `size` more facts."""
        outcome = self.evaluator.outcome(self.state, tenant)
        if outcome.compiled is None:
            names: Sequence[str] = lacking(outcome)
        else:
            against = failing(self.state, outcome, self.index)
            if not against:
                return
            names = min((facts_behind(self.state, clause) for clause in against), key=len)
        for declared in fields_of(self.state):
            if declared.name in names and declared.name not in chosen:
                yield from self._by(tenant, chosen, declared, size)

    def _by(self, tenant: Tenant, chosen: Facts, declared: TenantField, size: int) -> Iterator[Route]:
        for trial in self.trials(tenant, declared):
            if self.tried >= _MOST_TRIED:
                return
            self.tried += 1
            self.tell()
            changed = with_facts(tenant, {declared.name: trial.value}, self.state.rulebook)
            found = list(self._after(changed, {**chosen, declared.name: trial.value}, size - 1))
            yield from found
            if found and declared.kind == "number":
                return  # of numbers that do, the nearest

    def _after(self, tenant: Tenant, facts: Facts, size: int) -> Iterator[Route]:
        if size:
            yield from self._of(tenant, facts, size)
            return
        outcome = self.evaluator.outcome(self.state, tenant)
        if outcome.decision is not None and outcome.decision.reason(self.index) is None:
            ordered = tuple((one.name, facts[one.name]) for one in fields_of(self.state) if one.name in facts)
            yield Route(ordered, tenant, outcome)

    def trials(self, tenant: Tenant, declared: TenantField) -> tuple[Trial, ...]:
        """Values of one fact that could make a difference to this offer; of a number the nearest first."""
        held = tenant.bindings().get(declared.name)
        if declared.kind == "number":
            return self._numbers(tenant, declared, held)
        trials = values_to_try(self.state, tenant, declared)
        if declared.kind != "list":
            return trials
        own = {value for value in self.state.pool.candidates[self.index].values() if isinstance(value, str)}
        entries = set(held) if isinstance(held, tuple) else set[str]()
        told = [t for t in trials if isinstance(t.value, tuple) and (set(t.value) ^ entries) & own]
        return (*told, Trial(declared.name, (), "empty")) if held is None else tuple(told)

    def _numbers(self, tenant: Tenant, declared: TenantField, held: object) -> tuple[Trial, ...]:
        """What tells values apart for one offer: the conditions' thresholds, and the offer's own values."""
        use = number_use(self.state, tenant, declared)
        scene = Scene(self.state.vocabulary, V2, self.state.context)
        candidate = self.state.pool.candidates[self.index]
        points = [*use.thresholds, *(number_field(name, candidate, scene) for name in use.fields)]
        if is_whole(declared):
            points += [point + step for point in points for step in (-1.0, 1.0)]
        else:
            points += [math.nextafter(point, end) for point in points for end in (-math.inf, math.inf)]
        trials = numbers_around(declared, held, [point for point in points if math.isfinite(point)])
        near = float(held) if isinstance(held, int | float) else 0.0
        return tuple(sorted(trials, key=lambda t: abs(t.value - near) if isinstance(t.value, int | float) else 0.0))


def lacking(outcome: Outcome) -> tuple[str, ...]:
    """The facts that a tenant without a policy would have to state."""
    names = [f.place.path.partition(".")[2] for f in outcome.errors if f.code == "missing_fact" and f.place.path]
    return tuple(dict.fromkeys(names))


def by_one_fact(
    state: WorkspaceState, tenant: Tenant, index: int, clause: Clause, evaluator: Evaluator
) -> tuple[ByFact, ...]:
    """Every value of one fact with which `clause` no longer rejects the offer; of a number the nearest."""
    search = Search(state, tenant, index, evaluator)
    before = {one.id for one in failing(state, evaluator.outcome(state, tenant), index)}
    behind = facts_behind(state, clause) or ((NO_LOG,) if clause.id == "default.no-log" else ())
    found: list[ByFact] = []
    for declared in fields_of(state):
        if declared.name not in behind:
            continue
        for trial in search.trials(tenant, declared):
            outcome = evaluator.outcome(state, with_facts(tenant, {trial.name: trial.value}, state.rulebook))
            if outcome.compiled is None:
                continue
            left = failing(state, outcome, index)
            if all(one.id != clause.id for one in left):
                now = next((one for one in outcome.compiled.clauses if one.id == clause.id), None)
                others = tuple(one.id for one in left if one.id not in before)
                found.append(ByFact(trial.name, trial.value, now, others))
                if declared.kind == "number":
                    break
    return tuple(found)


def _named(route: Route) -> str:
    return repr(route.facts)
