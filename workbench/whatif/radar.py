"""Who dies if X dies: for every provider (model, region) what each tenant has left without its offers.

Exact: what the filter admits does not depend on other offers, so the ranking and the selector are run again over the
survivors that remain. The same as deciding over a catalog without those offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.engine import columnar
from workbench.engine.columnar.scorers import scores
from workbench.engine.columnar.selectors import select
from workbench.rulebook.compile import Compiled
from workbench.session.evaluation import SIGNS, Direction, Evaluation, Outcome, cost_per_run
from workbench.session.state import WorkspaceState
from workbench.whatif.matrix.axis import By, axis

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

SORTS: Final = ("dies", "price", "name", "wins", "moves")


@dataclass(frozen=True, slots=True)
class Fall:
    """What one tenant has left."""

    tenant: str
    direction: Direction
    """Of the winner and its price; `lost` where nobody is left."""
    before: int
    """The winner as long as everyone is up."""
    after: int | None
    """The winner without the group; None where nobody is left."""
    cost_before: float | None
    cost_after: float | None
    """USD for one run of the tenant's workload; None where unknown or nobody."""
    left: int
    """Offers in the order that remain."""
    providers: int
    """Different providers among them."""

    @property
    def sign(self) -> str:
        """`x` nobody left, `▲` dearer, `▼` cheaper, `~` another winner at the same price, `=` the winner stays."""
        return SIGNS[self.direction]


@dataclass(frozen=True)
class Loss:
    """One provider (model, region) gone."""

    name: str
    offers: int
    """Offers of it, of those that are looked at."""
    cheapest: int | None
    """Of them the cheapest by price in and out together; None where no price is known."""
    price: float | None
    """What a million tokens in and a million out cost there, in USD."""
    used: int | None
    """The cheapest of those that pass for a tenant; None where none does, or no price is known."""
    used_price: float | None
    falls: tuple[Fall, ...]
    """Tenants that had one of its offers in their order, by id. All others see no change."""

    @cached_property
    def dead(self) -> tuple[Fall, ...]:
        """Tenants that are left with nobody."""
        return tuple(fall for fall in self.falls if fall.after is None)

    @cached_property
    def moved(self) -> tuple[Fall, ...]:
        """Tenants that get another winner."""
        return tuple(fall for fall in self.falls if fall.after is not None and fall.after != fall.before)

    @cached_property
    def thin(self) -> tuple[Fall, ...]:
        """Tenants that are left with one provider only."""
        return tuple(fall for fall in self.falls if fall.after is not None and fall.providers == 1)


@dataclass(frozen=True, slots=True)
class Radar:
    """Every loss, one at a time."""

    by: By
    losses: tuple[Loss, ...]
    nobody: tuple[str, ...]
    """Tenants that have nobody as long as everyone is up."""
    alone: tuple[tuple[str, str], ...]
    """Tenants whose whole order is with one provider, and that provider."""

    @property
    def cheapest(self) -> Loss | None:
        """The one with the lowest known price; the first in order of name where several have it."""
        priced = [loss for loss in self.losses if loss.price is not None]
        return min(priced, key=lambda loss: (loss.price or 0.0, loss.name), default=None)

    @property
    def cheapest_used(self) -> Loss | None:
        """The one with the cheapest offer that passes for a tenant."""
        priced = [loss for loss in self.losses if loss.used_price is not None]
        return min(priced, key=lambda loss: (loss.used_price or 0.0, loss.name), default=None)


def radar(evaluation: Evaluation, by: By = "provider", *, where: Mask | None = None, sort: str = "dies") -> Radar:
    """Every group of offers gone, one at a time.

    `where` narrows which groups are looked at, and their prices, to offers of the mask; a group falls as a whole all
    the same. `sort` is one of `SORTS`; ties stand by name.
    """
    state = evaluation.state
    columns = axis(state.catalog, by)
    looked = np.ones(len(state.pool), np.bool_) if where is None else where
    losses: list[Loss] = []
    passes = _passes(evaluation)
    falls = _falls(evaluation, columns.of_offer, len(columns.names))
    for column, name in enumerate(columns.names):
        offers = np.flatnonzero(looked & (columns.of_offer == column)).tolist()
        if offers:
            used = [index for index in offers if passes[index]]
            prices = (*_cheapest(state, offers), *_cheapest(state, used))
            losses.append(Loss(name, len(offers), *prices, tuple(falls[column])))
    outcomes = evaluation.outcomes.values()
    nobody = tuple(o.tenant.id for o in outcomes if o.decision is not None and o.winner is None)
    alone = tuple(
        (o.tenant.id, _provider(state, o.winner)) for o in outcomes if o.winner is not None and o.providers == 1
    )
    return Radar(by, tuple(sorted(losses, key=lambda loss: _key(loss, sort))), nobody, alone)


def removed(state: WorkspaceState, outcome: Outcome, gone: Mask) -> Places:
    """A tenant's order without the offers of the mask: catalog places, best first. Needs a policy."""
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        return np.zeros(0, np.intp)
    survivors = np.flatnonzero(decision.codes == len(decision.reasons))
    return _order(state, compiled, survivors[~gone[survivors]])


def _order(state: WorkspaceState, compiled: Compiled, survivors: Places) -> Places:
    policy = compiled.policy
    scorer, selector = policy.normal[-4:-2]
    view = columnar.View(state.pool.columns, policy.version, state.context)
    with np.errstate(all="ignore"):  # infinities are values here
        ranking = survivors, scores(scorer, survivors, view)
        return select(selector, ranking, view, len(survivors))[0]


def _falls(evaluation: Evaluation, of_offer: Places, count: int) -> list[list[Fall]]:
    """Per group the tenants that had an offer of it, what is worked out once for each distinct policy."""
    state = evaluation.state
    found: list[list[Fall]] = [[] for _ in range(count)]
    orders: dict[str, dict[int, tuple[Places, int]]] = {}
    for outcome in evaluation.outcomes.values():
        if outcome.compiled is None or outcome.decision is None or outcome.winner is None:
            continue
        key = outcome.compiled.policy.encoding
        known = orders.get(key)
        if known is None:
            known = orders[key] = _without_each(state, outcome, of_offer)
        for group, (order, providers) in known.items():
            found[group].append(_fall(state, outcome, order, providers))
    return found


def _without_each(state: WorkspaceState, outcome: Outcome, of_offer: Places) -> dict[int, tuple[Places, int]]:
    """By group that the order has an offer of: the order without it, and how many providers are in that."""
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        return {}
    survivors = np.flatnonzero(decision.codes == len(decision.reasons))
    providers = state.pool.columns.provider().codes
    found: dict[int, tuple[Places, int]] = {}
    # Offers that passed but were not kept have a say too: a ranking by shares looks at all of them.
    for group in np.unique(of_offer[survivors]).tolist():
        order = _order(state, compiled, survivors[of_offer[survivors] != group])
        found[group] = order, len(np.unique(providers[order]))
    return found


def _fall(state: WorkspaceState, outcome: Outcome, order: Places, providers: int) -> Fall:
    after = int(order[0]) if len(order) else None
    cost = None if after is None else cost_per_run(state.catalog.candidates[after], outcome.tenant.workload)
    before = outcome.winner if outcome.winner is not None else -1
    direction = _direction(before, after, outcome.cost_per_run, cost)
    return Fall(outcome.tenant.id, direction, before, after, outcome.cost_per_run, cost, len(order), providers)


def _direction(before: int, after: int | None, was: float | None, now: float | None) -> Direction:
    if after is None:
        return "lost"
    if after == before:
        return "same"
    if was is None or now is None or was == now:
        return "moved"
    return "dearer" if now > was else "cheaper"


def _passes(evaluation: Evaluation) -> Mask:
    """Which offers pass for at least one tenant."""
    found = np.zeros(len(evaluation.state.pool), dtype=np.bool_)
    for outcome in evaluation.outcomes.values():
        if outcome.decision is not None:
            found |= outcome.decision.codes == len(outcome.decision.reasons)
    return found


def _cheapest(state: WorkspaceState, offers: Sequence[int]) -> tuple[int | None, float | None]:
    known = [
        (offer.price_in + offer.price_out, index)
        for index in offers
        if (offer := state.catalog.offers[index]).price_in is not None and offer.price_out is not None
    ]
    if not known:
        return None, None
    price, index = min(known)
    return index, price


def _provider(state: WorkspaceState, index: int) -> str:
    return str(state.catalog.candidates[index]["provider_id"])


def _key(loss: Loss, sort: str) -> tuple[Any, ...]:
    wins = sum(fall.after != fall.before for fall in loss.falls)
    if sort == "price":
        return (loss.price is None, loss.price or 0.0, loss.name)
    if sort == "name":
        return (loss.name,)
    if sort in ("wins", "moves"):
        return (-wins, -len(loss.dead), loss.name)
    return (-len(loss.dead), -wins, -len(loss.thin), loss.name)
