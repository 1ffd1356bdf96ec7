"""The radar is what deciding over a catalog without those offers gives, by the reference evaluator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.whatif.worlds import sample, tenants
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.rulebook.tenant import Override, Tenant
from workbench.session.evaluation import Evaluation, Evaluator, Outcome
from workbench.whatif.drill.radar_report import radar_report
from workbench.whatif.matrix.axis import BYS, By, axis
from workbench.whatif.radar import SORTS, Loss, radar, removed


def evaluated(*found: Tenant) -> Evaluation:
    named = tuple(replace(tenant, id=f"t{place}") for place, tenant in enumerate(found))
    return Evaluator().evaluate(replace(sample(), tenants=named))


def without(evaluation: Evaluation, outcome: Outcome, gone: set[int]) -> list[int]:
    """The order over a pool that never had these offers, as places of the catalog."""
    assert outcome.compiled is not None
    state = evaluation.state
    kept = [index for index in range(len(state.pool)) if index not in gone]
    pool = Pool([state.pool.candidates[index] for index in kept], state.vocabulary)
    decision = decide(outcome.compiled.policy, pool, state.context, evaluator="reference")
    return [kept[place] for place in decision.order]


SELECTS = ("best first", "top 3", "prefer provider = mistral, then best first", "keep order")
RANKS = (
    '["field", "bench_intelligence"]',
    '["neg", ["normalize", ["field", "price_out"]]]',
    '["add", ["scale", 2, ["field", "bench_intelligence"]], ["neg", ["normalize", ["field", "price_in"]]]]',
)


@settings(max_examples=scaled(25, 250))
@given(tenants(), st.sampled_from(SELECTS), st.sampled_from(RANKS), st.data())
def test_losing_a_group_is_deciding_without_it(tenant: Tenant, select: str, rank: str, data: st.DataObject) -> None:
    own = (Override("own-1", None, 1, "select", select), Override("own-2", None, 1, "rank", rank))
    evaluation = evaluated(replace(tenant, overrides=own))
    outcome = evaluation.outcomes["t0"]
    by: By = data.draw(st.sampled_from([by for by in BYS if by != "offer"]))
    groups = axis(evaluation.state.catalog, by)
    losses = {loss.name: loss for loss in radar(evaluation, by).losses}
    used = sorted(
        {int(groups.of_offer[index]) for index in outcome.decision.survivor_indices} if outcome.decision else ()
    )
    for column in [*used[:3], data.draw(st.integers(0, len(groups.names) - 1))]:
        name, members = groups.names[column], set(groups.members(column))
        order = without(evaluation, outcome, members)
        assert removed(evaluation.state, outcome, groups.of_offer == column).tolist() == order
        fall = next((fall for fall in losses[name].falls if fall.tenant == "t0"), None)
        if fall is None:
            assert outcome.winner is None or order == list(outcome.decision.order if outcome.decision else ())
            continue
        assert fall.after == (order[0] if order else None)
        assert fall.left == len(order)
        assert fall.providers == len({evaluation.state.catalog.offers[index].provider for index in order})
        assert (fall in losses[name].dead) == (not order)
        assert (fall in losses[name].thin) == (bool(order) and fall.providers == 1)


def test_the_sample_says_who_dies_with_whom() -> None:
    evaluation = Evaluator().evaluate(sample())
    found = radar(evaluation)
    losses = {loss.name: loss for loss in found.losses}
    assert set(losses) == {offer.provider for offer in sample().catalog.offers}
    for tenant, provider in found.alone:
        assert tenant in {fall.tenant for fall in losses[provider].dead}
    assert found.nobody == tuple(key for key, o in evaluation.outcomes.items() if o.winner is None)
    dead = [fall for loss in found.losses for fall in loss.dead]
    assert dead
    assert all(fall.sign == "x" and fall.cost_after is None for fall in dead)


@pytest.mark.parametrize("sort", SORTS)
def test_losses_are_sorted_with_ties_by_name(sort: str) -> None:
    losses = radar(Evaluator().evaluate(sample()), sort=sort).losses
    keys: dict[str, Callable[[Loss], Any]] = {
        "dies": lambda loss: (-len(loss.dead), -len(loss.moved) - len(loss.dead), -len(loss.thin)),
        "moves": lambda loss: -len(loss.moved) - len(loss.dead),
        "wins": lambda loss: -len(loss.moved) - len(loss.dead),
        "price": lambda loss: (loss.price is None, loss.price or 0),
        "name": lambda loss: loss.name,
    }
    key = keys[sort]
    for one, other in pairwise(losses):
        assert key(one) <= key(other)
        if sort == "price" and key(one) == key(other):
            assert one.name < other.name


def test_a_clause_narrows_who_is_looked_at_and_what_is_cheapest() -> None:
    evaluation = Evaluator().evaluate(sample())
    offers = sample().catalog.offers
    eu = np.array([offer.region == "eu" for offer in offers])
    found = radar(evaluation, where=eu, sort="price")
    assert {loss.name for loss in found.losses} == {offer.provider for offer in offers if offer.region == "eu"}
    prices = [
        (offer.price_in + offer.price_out, offer.provider)
        for offer in offers
        if offer.region == "eu" and offer.price_in is not None and offer.price_out is not None
    ]
    assert found.cheapest is not None
    assert (found.cheapest.price, found.cheapest.name) == min(prices)
    whole = {loss.name: loss.falls for loss in radar(evaluation).losses}
    assert all(loss.falls == whole[loss.name] for loss in found.losses), "a provider falls as a whole"


def test_an_unknown_price_is_never_the_cheapest() -> None:
    offers = sample().catalog.offers
    unknown = np.array([offer.price_in is None for offer in offers])
    found = radar(Evaluator().evaluate(sample()), where=unknown)
    assert found.losses
    assert found.cheapest is None
    assert all(loss.price is None and loss.cheapest is None for loss in found.losses)


def test_the_answer_names_the_cheapest_and_who_is_stranded() -> None:
    evaluation = Evaluator().evaluate(sample())
    found = radar(evaluation)
    report = radar_report(sample(), found)
    text = report.text()
    assert f"the cheapest provider is {found.cheapest.name if found.cheapest else ''} (" in text
    stranded = {loss["name"]: loss["stranded"] for loss in report.document["losses"]}
    assert stranded == {loss.name: [fall.tenant for fall in loss.dead] for loss in found.losses}
    assert report.csv().count("\n") == 1 + sum(max(1, len(loss.falls)) for loss in found.losses)
