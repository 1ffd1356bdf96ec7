"""The smallest change that admits an offer which a tenant's policy rejects: of clauses, or of the tenant's facts.

Every change told here was made and decided before it is told: the offer is admitted with it, and where it then stands
is read from that decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.engine import explain
from workbench.errors import CompileError
from workbench.language.admission import Admitted, check
from workbench.language.clause_text import to_text
from workbench.rulebook.clause import Clause
from workbench.rulebook.reader import SLOTS
from workbench.rulebook.schema import NO_LOG, Fact
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import Check, checks
from workbench.whatif.alignment import filters_of
from workbench.whatif.changes import ClauseText, for_tenant, with_facts
from workbench.whatif.near.repairs import Repair, repair
from workbench.whatif.near.routes import ByFact, Routes, Search, by_one_fact, failing
from workbench.whatif.rule_cost import decided
from workbench.whatif.summary import Summary, summary_of

Where = Literal["rule", "tenant", "envelope", "guard"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an offer stands once it is admitted."""

    place: int | None
    """In the order, from 1; None where the selector does not keep it."""
    of: int
    """How many stand in the order."""
    score: float | None
    keep: int | None
    """The `top N` with which the selector would keep it; None where it does, or where no number would."""
    after: Summary
    """What the tenant would get."""


@dataclass(frozen=True, slots=True)
class Against:
    """One clause that rejects the offer, and what would end that."""

    check: Check
    where: Where
    """Where the clause is written: with a rule, with this tenant, in the workspace; a guard is written nowhere."""
    repair: Repair | None
    """The clause changed; None where no text of it admits the offer."""
    text: str | None
    """The clause after the change; empty where nothing of it is left."""
    by_facts: tuple[ByFact, ...]
    """Single facts of the tenant that end it too."""


@dataclass(frozen=True, slots=True)
class Near:
    """One offer and one tenant."""

    tenant: str
    held: Mapping[str, Fact]
    """The tenant's facts as they are."""
    index: int
    offer: str
    admitted: bool
    """Whether it passes as it is; then there is nothing to change but what the selector keeps."""
    against: tuple[Against, ...]
    """Every clause that rejects it: each of them has to change, and no other."""
    facts_first: tuple[tuple[str, Fact], ...]
    """Facts that have to change beside the clauses, because a guard has no text."""
    by_clauses: Standing | None
    """Where it stands with the clauses changed; None where clauses alone can't admit it."""
    routes: Routes
    """Facts that admit it with every clause as it is."""
    standings: tuple[Standing, ...]
    """Aligned with `routes.found`."""
    standing: Standing | None
    """Where it stands as it is, where it is admitted."""


def near(
    state: WorkspaceState, tenant_id: str, index: int, evaluator: Evaluator, tell: Callable[[], None] = lambda: None
) -> Near:
    """What it takes to admit the offer at `index`. Raises `CompileError` where the tenant has no policy.

    `tell` is called while it searches; what it raises ends that.
    """
    tenant = state.tenant(tenant_id)
    state = replace(state, tenants=(tenant,))
    outcome = evaluator.outcome(state, tenant)
    if outcome.compiled is None or outcome.decision is None:
        raise CompileError(f"tenant `{tenant_id}` has no policy", outcome.errors)
    offer, held = state.catalog.offer_id(index), tenant.bindings()
    if outcome.decision.reason(index) is None:
        standing = standing_of(state, outcome, index, evaluator)
        return Near(tenant_id, held, index, offer, True, (), (), None, Routes((), True, ()), (), standing)
    against = _against(state, tenant, outcome, index, evaluator)
    first, standing = _by_clauses(state, tenant, index, against, evaluator)
    routes = Search(state, tenant, index, evaluator, tell).routes()
    standings = tuple(standing_of(state, route.outcome, index, evaluator) for route in routes.found)
    return Near(tenant_id, held, index, offer, False, against, first, standing, routes, standings, None)


def _against(
    state: WorkspaceState, tenant: Tenant, outcome: Outcome, index: int, evaluator: Evaluator
) -> tuple[Against, ...]:
    found: list[Against] = []
    told = {check.clause.id: check for check in checks(state, outcome, index)}
    for clause in failing(state, outcome, index):
        where = where_written(clause)
        fixed = None
        if where != "guard" and clause.term is not None:
            fixed = repair(clause.term, index, state.pool, state.context)
        text = None if fixed is None else text_of(state, fixed.term)
        by_facts = by_one_fact(state, tenant, index, clause, evaluator)
        found.append(Against(told[clause.id], where, fixed, text, by_facts))
    return tuple(found)


def text_of(state: WorkspaceState, term: Admitted) -> str:
    """A changed clause as people write it; empty where nothing of it is left."""
    return "" if term.normal == ["top"] else to_text(term.normal, state.vocabulary)


def where_written(clause: Clause) -> Where:
    """Where a person would change the clause."""
    if clause.id == "envelope":
        return "envelope"
    if clause.origin in {"own", "override"}:
        return "tenant"
    return "rule" if clause.rule_id is not None else "guard"


def _by_clauses(
    state: WorkspaceState, tenant: Tenant, index: int, against: Sequence[Against], evaluator: Evaluator
) -> tuple[tuple[tuple[str, Fact], ...], Standing | None]:
    """Where the offer stands with the clauses changed, and the fact that must change beside them.

    A tenant of which nothing may be kept is guarded by a clause that no text changes; it goes with the fact alone, and
    comes back where a clause that made it needless is changed.
    """
    guarded = any(one.where == "guard" for one in against)
    standing = None if guarded else with_clauses(state, tenant, index, against, (), evaluator)
    if standing is not None or not tenant.no_log:
        return (), standing
    quiet = ((NO_LOG, False),)
    standing = with_clauses(state, tenant, index, against, quiet, evaluator)
    return (quiet, standing) if standing is not None else ((), None)


def with_clauses(
    state: WorkspaceState,
    tenant: Tenant,
    index: int,
    against: Sequence[Against],
    facts: Sequence[tuple[str, Fact]],
    evaluator: Evaluator,
) -> Standing | None:
    """Where the offer stands with these clauses changed; None where one of them can't be, or it is still rejected."""
    outcome = with_edits(state, tenant, against, dict(facts), evaluator)
    if outcome is None or outcome[1].decision is None or outcome[1].decision.reason(index) is not None:
        return None
    return standing_of(*outcome, index, evaluator)


def with_edits(
    state: WorkspaceState, tenant: Tenant, against: Sequence[Against], facts: Mapping[str, Fact], evaluator: Evaluator
) -> tuple[WorkspaceState, Outcome] | None:
    """The state in which the tenant has these clauses changed, as overrides, and what it then gets.

    None where one of them has no text that would do.
    """
    changed = state.with_tenant(with_facts(tenant, facts, state.rulebook)) if facts else state
    for one in against:
        clause = one.check.clause
        if one.where == "guard" and facts:
            continue
        if one.repair is None or one.text is None:
            return None
        if one.where == "envelope":
            changed = replace(changed, envelope=one.repair.term)
        else:
            changed = for_tenant(changed, tenant.id, ClauseText(clause.id, one.text or None, tenant_only=True))
    return changed, evaluator.outcome(changed, changed.tenant(tenant.id))


def standing_of(state: WorkspaceState, outcome: Outcome, index: int, evaluator: Evaluator) -> Standing:
    """Where an offer that passes the filter stands, and whether the selector keeps it."""
    decision = outcome.decision
    summary = summary_of(state, outcome)
    if decision is None:
        return Standing(None, 0, None, None, summary)
    place = decision.place(index)
    score = None if place is None else decision.scores[place - 1]
    keep = None if place is not None else _keep(state, outcome, index, evaluator)
    return Standing(place, len(decision.order), score, keep, summary)


def _keep(state: WorkspaceState, outcome: Outcome, index: int, evaluator: Evaluator) -> int | None:
    """The count with which the outermost `top_k` keeps the offer: its place in the order that it cuts."""
    compiled = outcome.compiled
    selector = None if compiled is None else compiled.slots["select"].term
    if compiled is None or selector is None or selector.normal[0] != "top_k":
        return None
    inner = check(selector.normal[2], state.vocabulary, version=selector.version, sort="Selector")
    slots = [inner if slot == "select" else compiled.slots[slot].term for slot in SLOTS[1:]]
    filters = tuple(c.term for c in compiled.clauses if c.term is not None)
    policy = state.rulebook.reader.policy(filters, tuple(s for s in slots if s is not None), state.envelope)
    after = decided(state, replace(outcome, compiled=compiled), policy, evaluator)
    return None if after.decision is None else after.decision.place(index)


def nearest(state: WorkspaceState, outcome: Outcome, most: int) -> tuple[tuple[int, int], ...]:
    """The rejected offers with the fewest clauses against them, with how many; in catalog order where equal."""
    against = np.zeros(len(state.pool), dtype=np.int64)
    for clause in filters_of(state, outcome):
        if clause.term is not None:
            against += ~explain.mask(clause.term, state.pool, state.context)
    rejected = np.flatnonzero(against)
    order = rejected[np.argsort(against[rejected], kind="stable")][:most]
    return tuple((int(index), int(against[index])) for index in order)
