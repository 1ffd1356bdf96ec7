"""What a difference decides: per tenant the change of winner, cost, order and legality, and the clauses behind it.

Offers of two catalogs are the same where provider, served model and region are. A tenant of which one side says
nothing, or nothing that can be read, is never told as unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from workbench.catalog import Catalog
from workbench.engine.decision import Decision
from workbench.session.evaluation import Direction, Evaluator, Outcome, movement
from workbench.session.state import WorkspaceState
from workbench.whatif.alignment import ClauseRow
from workbench.whatif.differ.sources import Broken, Side
from workbench.whatif.moves import changed_clauses
from workbench.whatif.summary import Summary, difference, summary_of

Status = Literal["same", "changed", "added", "removed", "unreadable"]


@dataclass(frozen=True, slots=True)
class Legality:
    """The offers that a tenant may reach on one side only, by name."""

    allowed: tuple[str, ...]
    """Rejected before, admitted after."""
    forbidden: tuple[str, ...]
    """Admitted before, rejected after."""
    new: tuple[str, ...]
    """Admitted after; not in the catalog before."""
    gone: tuple[str, ...]
    """Admitted before; no longer in the catalog."""

    def __bool__(self) -> bool:
        return bool(self.allowed or self.forbidden or self.new or self.gone)


_ON_FAILURE: Final = ("fallback", "transform")
"""Slots that change what is done without changing who is ranked."""

NOTHING: Final = Legality((), (), (), ())


@dataclass(frozen=True, slots=True)
class TenantDiff:
    """One tenant on both sides."""

    tenant: str
    status: Status
    before: Summary | None
    after: Summary | None
    direction: Direction
    """What the winner and its cost did."""
    changes: tuple[str, ...]
    """What of the decision is another: `winner`, `cost`, `order`, `survivors`, `legality`, `fallback`, `transform`,
    `policy` where one side gives none."""
    legality: Legality
    clauses: tuple[ClauseRow, ...]
    """The clauses that differ, decided or not."""
    broken: Broken | None = None

    @property
    def policy_changed(self) -> bool:
        """Whether the fingerprint is another."""
        return (self.before and self.before.fingerprint) != (self.after and self.after.fingerprint)

    @property
    def decision_changed(self) -> bool:
        """Whether the tenant is answered differently, or it can't be told."""
        return self.status != "same"

    @property
    def monthly(self) -> float | None:
        """USD a month more (or less); None where unknown."""
        if self.before is None or self.after is None:
            return None
        return difference(self.before.cost_per_month, self.after.cost_per_month)


@dataclass(frozen=True, slots=True)
class ClauseDiff:
    """One change of a clause, with the tenants that it is made for."""

    slot: str
    rule: str
    clause_id: str
    before: str | None
    after: str | None
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """Two sides, tenant by tenant in ascending order."""

    before: Side
    after: Side
    tenants: tuple[TenantDiff, ...]
    clauses: tuple[ClauseDiff, ...]
    """Every change of a clause once."""

    @property
    def changed(self) -> tuple[TenantDiff, ...]:
        """The tenants that are answered differently, added or removed ones and unreadable ones among them."""
        return tuple(tenant for tenant in self.tenants if tenant.decision_changed)

    @property
    def only_fingerprint(self) -> tuple[TenantDiff, ...]:
        """The tenants whose policy is another and whose decision is not."""
        return tuple(tenant for tenant in self.tenants if tenant.status == "same" and tenant.policy_changed)

    @property
    def same_catalog(self) -> bool:
        """Whether both sides have the same offers with the same facts."""
        return self.before.state.catalog.sha256 == self.after.state.catalog.sha256


def diff(before: Side, after: Side) -> Diff:
    """Every tenant of either side. Each side's decisions are made once per distinct policy."""
    return _Differ(before, after).run()


def offer_keys(catalog: Catalog) -> tuple[str, ...]:
    """One name per offer that means the same in another catalog; a second of one name has its number."""
    seen: dict[str, int] = {}
    keys: list[str] = []
    for offer in catalog.offers:
        name = f"{offer.provider}/{offer.served_model_id}@{offer.region or 'unknown'}"
        seen[name] = seen.get(name, 0) + 1
        keys.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(keys)


class _Differ:
    """Both sides with what is worked out once for all tenants."""

    def __init__(self, before: Side, after: Side) -> None:
        self.sides = before, after
        self.evaluators = Evaluator(), Evaluator()
        self.keys = offer_keys(before.state.catalog), offer_keys(after.state.catalog)
        self.there = frozenset(self.keys[0]), frozenset(self.keys[1])
        self.legalities: dict[tuple[int, int], Legality] = {}
        self.orders: dict[tuple[int, int], tuple[str, ...]] = {}
        self.passed: dict[tuple[int, int], frozenset[str]] = {}
        self.kept: list[Decision] = []
        """The decisions behind those names, which stay, so that no other takes their place in memory."""

    def run(self) -> Diff:
        """The diff of every tenant."""
        known = [{tenant.id: tenant for tenant in side.state.tenants} for side in self.sides]
        broken = [{one.tenant: one for one in side.broken} for side in self.sides]
        names = sorted({*known[0], *known[1], *broken[0], *broken[1]})
        tenants: list[TenantDiff] = []
        for name in names:
            fault = broken[0].get(name) or broken[1].get(name)
            outcomes = [
                evaluator.outcome(side.state, each[name]) if name in each else None
                for evaluator, side, each in zip(self.evaluators, self.sides, known, strict=True)
            ]
            tenants.append(self.tenant(name, outcomes[0], outcomes[1], fault))
        return Diff(*self.sides, tuple(tenants), _once(tenants))

    def tenant(self, name: str, was: Outcome | None, now: Outcome | None, fault: Broken | None) -> TenantDiff:
        """One tenant; what a side lacks is None."""
        before, after = self.sides[0].state, self.sides[1].state
        summaries = (
            None if was is None else summary_of(before, was),
            None if now is None else summary_of(after, now),
        )
        if was is None or now is None:
            status: Status = "unreadable" if fault is not None else "added" if was is None else "removed"
            return TenantDiff(name, status, *summaries, "same", (), NOTHING, (), fault)
        legality = self.legality(was.decision, now.decision)
        changes = tuple(self.changes(was, now, legality))
        clauses = changed_clauses((before, was), (after, now)) if _other_policy(was, now) else ()
        status = "changed" if changes else "same"
        if fault is not None or (was.compiled is None and now.compiled is None):
            status = "unreadable"
        return TenantDiff(name, status, *summaries, self.direction(was, now), changes, legality, clauses, fault)

    def direction(self, was: Outcome, now: Outcome) -> Direction:
        """What the winner and its cost did."""
        if was.winner is None or now.winner is None or was.cost_per_run != now.cost_per_run:
            return movement(was, now).direction
        same = self.keys[0][was.winner] == self.keys[1][now.winner]
        return "same" if same else "moved"

    def changes(self, was: Outcome, now: Outcome, legality: Legality) -> list[str]:
        """What of the decision is another."""
        if was.compiled is None or now.compiled is None:
            return ["policy"]
        orders = self.order(0, was.decision), self.order(1, now.decision)
        found: list[str] = []
        if orders[0][:1] != orders[1][:1]:
            found.append("winner")
        if was.cost_per_run != now.cost_per_run:
            found.append("cost")
        if orders[0] != orders[1]:
            found.append("order")
        if was.survivors != now.survivors:
            found.append("survivors")
        if legality:
            found.append("legality")
        policies = was.compiled.policy, now.compiled.policy
        return found + [slot for slot in _ON_FAILURE if policies[0].slot(slot) != policies[1].slot(slot)]

    def order(self, side: int, decision: Decision | None) -> tuple[str, ...]:
        """The offers in the order in which they would be tried, by key."""
        if decision is None:
            return ()
        known = self.orders.get((side, id(decision)))
        if known is None:
            keys = self.keys[side]
            self.kept.append(decision)
            known = self.orders[side, id(decision)] = tuple(keys[index] for index in decision.order)
        return known

    def survivors(self, side: int, decision: Decision | None) -> frozenset[str]:
        """The offers that pass, by key."""
        if decision is None:
            return frozenset()
        known = self.passed.get((side, id(decision)))
        if known is None:
            keys = self.keys[side]
            self.kept.append(decision)
            known = self.passed[side, id(decision)] = frozenset(keys[index] for index in decision.survivor_indices)
        return known

    def legality(self, was: Decision | None, now: Decision | None) -> Legality:
        """The offers that pass on one side only; worked out once for each pair of decisions."""
        key = (id(was), id(now))
        known = self.legalities.get(key)
        if known is None:
            before, after = self.survivors(0, was), self.survivors(1, now)
            more, less = sorted(after - before), sorted(before - after)
            known = self.legalities[key] = Legality(
                tuple(name for name in more if name in self.there[0]),
                tuple(name for name in less if name in self.there[1]),
                tuple(name for name in more if name not in self.there[0]),
                tuple(name for name in less if name not in self.there[1]),
            )
        return known


def _other_policy(was: Outcome, now: Outcome) -> bool:
    if was.compiled is None or now.compiled is None:
        return was.compiled is not now.compiled
    return was.compiled.policy.encoding != now.compiled.policy.encoding


def _once(tenants: Sequence[TenantDiff]) -> tuple[ClauseDiff, ...]:
    """Every change of a clause with all the tenants that have it, the one for most first."""
    found: dict[tuple[str, str, str, str | None, str | None], list[str]] = {}
    for tenant in tenants:
        for row in tenant.clauses:
            key = (row.slot, row.rule, row.id, row.words(0), row.words(1))
            found.setdefault(key, []).append(tenant.tenant)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return tuple(ClauseDiff(*key, tuple(names)) for key, names in ordered)


def rules_touched(before: WorkspaceState, after: WorkspaceState) -> Mapping[str, str]:
    """What happened to each rule: `added`, `removed` or `changed`, by id; those that are the same are left out."""
    was, now = before.rulebook.by_id, after.rulebook.by_id
    found: dict[str, str] = {}
    for name in (*was, *(name for name in now if name not in was)):
        if name not in now:
            found[name] = "removed"
        elif name not in was:
            found[name] = "added"
        elif was[name] != now[name]:
            found[name] = "changed"
    return found
