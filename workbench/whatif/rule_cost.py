"""What each clause costs a tenant: the decision made again with that clause left out and nothing else changed.

A difference is a fact about prices and scores, not advice: whether a clause is worth it is not for a program to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from workbench.errors import CompileError
from workbench.language.admission import Admitted
from workbench.rulebook.clause import Clause
from workbench.rulebook.compile import Compiled
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.rule import DEFAULT_RULE
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluator, Outcome, cost_per_run
from workbench.session.state import WorkspaceState
from workbench.session.views import envelope_clause
from workbench.whatif.changes import ClauseText, for_tenant
from workbench.whatif.summary import Summary, difference, sum_of, summary_of

MILLION: Final = 1e6
_LEFT_OUT: Final[tuple[Slot, ...]] = ("rank", "select")
"""Slots whose clause may be left out: the rulebook's default then holds."""


@dataclass(frozen=True, slots=True)
class ClauseCost:
    """One clause of one tenant: what holds with it, and what would without it."""

    clause: Clause
    with_it: Summary
    without: Summary
    quality: Mapping[str, tuple[float | None, float | None]]
    """Benchmark fields of the winner with the clause and without it; None is unknown."""
    passing: int
    """How many more offers pass without it."""

    @property
    def per_million(self) -> float | None:
        """USD that a million runs cost more with the clause (less where negative); None where a price is unknown."""
        delta = difference(self.without.cost_per_run, self.with_it.cost_per_run)
        return None if delta is None else delta * MILLION

    @property
    def per_month(self) -> float | None:
        """USD that a month costs more with the clause; None where unknown."""
        return difference(self.without.cost_per_month, self.with_it.cost_per_month)

    @property
    def changes_winner(self) -> bool:
        """Whether another offer answers without it."""
        return self.with_it.served != self.without.served

    def gained(self, name: str) -> float | None:
        """By how much the clause raises one benchmark field of the winner; None where unknown."""
        held, other = self.quality.get(name, (None, None))
        return difference(other, held)


@dataclass(frozen=True, slots=True)
class TenantCosts:
    """Every clause of one tenant, the dearest first."""

    tenant: str
    summary: Summary
    clauses: tuple[ClauseCost, ...]


@dataclass(frozen=True, slots=True)
class RuleTotal:
    """One clause of the rulebook over all tenants."""

    clause_id: str
    rule: str
    title: str
    shown: tuple[str, ...]
    """What it says, as different tenants have it."""
    tenants: int
    """How many have it."""
    moved: tuple[str, ...]
    """The tenants that would get another winner without it."""
    per_month: float | None
    """USD a month more with it, summed where known; None where it is known of none of the moved."""
    unknown: tuple[str, ...]
    """The tenants among `moved` whose price or runs per month are unknown, so that the sum leaves them out."""
    quality: Mapping[str, float]
    """Of each benchmark field, the mean gain over the moved tenants where it is known."""


def rule_costs(state: WorkspaceState, tenant_id: str, evaluator: Evaluator) -> TenantCosts:
    """What each clause of one tenant costs. Raises `CompileError` where the tenant has no policy."""
    return costs_of(state, state.tenant(tenant_id), evaluator)


def costs_of(state: WorkspaceState, tenant: Tenant, evaluator: Evaluator) -> TenantCosts:
    """What each clause of a tenant of the state costs. Raises as `rule_costs` does."""
    outcome = evaluator.outcome(state, tenant)
    if outcome.compiled is None:
        raise CompileError(f"tenant `{tenant.id}` has no policy", outcome.errors)
    state = replace(state, tenants=(tenant,))
    costs = [_cost(state, outcome, clause, evaluator) for clause in _clauses(state, outcome)]
    order = {id(cost): place for place, cost in enumerate(costs)}
    costs.sort(key=lambda cost: (*_dearest(cost), order[id(cost)]))
    return TenantCosts(tenant.id, summary_of(state, outcome), tuple(costs))


def _dearest(cost: ClauseCost) -> tuple[bool, float]:
    """Another winner first: those without a price before those with one, then by dollars."""
    if not cost.changes_winner:
        return (True, 0.0)
    return (False, float("-inf") if cost.per_million is None else -cost.per_million)


def _clauses(state: WorkspaceState, outcome: Outcome) -> list[Clause]:
    compiled = outcome.compiled
    if compiled is None:
        return []
    filters = [c for c in (*envelope_clause(state), *compiled.clauses) if c.slot == "filter" and c.term is not None]
    return [*filters, *(compiled.slots[slot] for slot in _LEFT_OUT if compiled.slots[slot].origin != "default")]


def _cost(state: WorkspaceState, outcome: Outcome, clause: Clause, evaluator: Evaluator) -> ClauseCost:
    without = decided_without(state, outcome, clause, evaluator)
    names = [name for name in state.catalog.benchmark_versions if name in state.vocabulary.fields]
    quality = {name: (_fact(state, outcome.winner, name), _fact(state, without.winner, name)) for name in names}
    return ClauseCost(
        clause, summary_of(state, outcome), summary_of(state, without), quality, without.survivors - outcome.survivors
    )


def _fact(state: WorkspaceState, index: int | None, name: str) -> float | None:
    value = None if index is None else state.catalog.candidates[index].get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def decided_without(state: WorkspaceState, outcome: Outcome, clause: Clause, evaluator: Evaluator) -> Outcome:
    """What the tenant would get if this clause were not there, everything else as it is."""
    compiled = outcome.compiled
    if compiled is None:
        return outcome
    if clause.slot != "filter":
        policy = _without_slot(state, outcome, clause)
    elif clause.rule_id is None and clause.origin == "default":
        policy = _without_guard(state, compiled, clause)
    else:
        changed = for_tenant(state, outcome.tenant.id, ClauseText(clause.id, None, tenant_only=True))
        return evaluator.outcome(changed, changed.tenant(outcome.tenant.id))
    return decided(state, outcome, policy, evaluator)


def _without_guard(state: WorkspaceState, compiled: Compiled, clause: Clause) -> Admitted:
    """The policy without a clause that nobody wrote: the envelope, or a guard."""
    filters = tuple(c.term for c in compiled.clauses if c.term is not None and c is not clause)
    slots = tuple(term for slot in SLOTS[1:] if (term := compiled.slots[slot].term) is not None)
    return state.rulebook.reader.policy(filters, slots, None if clause.id == "envelope" else state.envelope)


def decided(state: WorkspaceState, outcome: Outcome, policy: Admitted, evaluator: Evaluator) -> Outcome:
    """What the outcome's tenant would get under another policy."""
    if outcome.compiled is None:
        return outcome
    decision, providers = evaluator.decision(state, policy)
    winner = decision.order[0] if decision.order else None
    cost = None if winner is None else cost_per_run(state.catalog.candidates[winner], outcome.tenant.workload)
    compiled = replace(outcome.compiled, policy=policy)
    return Outcome(outcome.tenant, compiled, decision, (), winner, cost, decision.survivors, providers)


def _without_slot(state: WorkspaceState, outcome: Outcome, left_out: Clause) -> Admitted:
    """The policy with the rulebook's default where this clause stands."""
    compiled = outcome.compiled
    if compiled is None:
        raise ValueError("a tenant without a policy has no slots")
    defaults = state.rulebook.plans[0].clauses(outcome.tenant.bindings(), state.rulebook.reader) or ()
    slots: list[Admitted] = []
    for slot in SLOTS[1:]:
        clause = compiled.slots[slot]
        if clause is left_out:
            clause = next((one for one in reversed(defaults) if one.slot == slot and one.term is not None), clause)
        if clause.term is not None:
            slots.append(clause.term)
    filters = tuple(c.term for c in compiled.clauses if c.term is not None)
    return state.rulebook.reader.policy(filters, tuple(slots), state.envelope)


# -- over all tenants -------------------------------------------------------------------------------------------------


def dearest_rules(
    state: WorkspaceState, evaluator: Evaluator, tell: Callable[[int], None] = lambda _done: None
) -> tuple[tuple[RuleTotal, ...], tuple[TenantCosts, ...]]:
    """Every clause over all tenants, the dearest a month first; and each tenant's own. Those without a policy lack.

    `tell` hears how many tenants are done.
    """
    found: dict[str, list[tuple[str, ClauseCost]]] = {}
    every: list[TenantCosts] = []
    for done, tenant in enumerate(state.tenants):
        tell(done)
        try:
            costs = costs_of(state, tenant, evaluator)
        except CompileError:
            continue
        every.append(costs)
        for cost in costs.clauses:
            found.setdefault(total_key(cost.clause, tenant.id), []).append((tenant.id, cost))
    totals = [_total(key, costs) for key, costs in found.items()]
    totals.sort(key=lambda total: (-(total.per_month or 0.0), -len(total.moved), total.clause_id))
    return tuple(totals), tuple(every)


def total_key(clause: Clause, tenant_id: str) -> str:
    """What clauses of different tenants are counted under: the clause's id, a tenant's own apart."""
    return f"{tenant_id} {clause.id}" if clause.origin == "own" else clause.id


def _total(key: str, costs: Sequence[tuple[str, ClauseCost]]) -> RuleTotal:
    first = costs[0][1].clause
    moved = [(tenant, cost) for tenant, cost in costs if cost.changes_winner]
    gains: dict[str, list[float]] = {}
    for _, cost in moved:
        for name in cost.quality:
            gain = cost.gained(name)
            if gain is not None:
                gains.setdefault(name, []).append(gain)
    return RuleTotal(
        key,
        DEFAULT_RULE if first.rule == "default" else first.rule,
        first.rule_title,
        tuple(dict.fromkeys(cost.clause.shown for _, cost in costs)),
        len(costs),
        tuple(tenant for tenant, _ in moved),
        sum_of(cost.per_month for _, cost in moved),
        tuple(tenant for tenant, cost in moved if cost.per_month is None),
        {name: sum(values) / len(values) for name, values in gains.items()},
    )
