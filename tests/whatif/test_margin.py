"""A winner's margin: both sides of every flip are decided again by the other evaluator, and nothing nearer flips."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.whatif.worlds import sample
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.errors import NoCandidate
from workbench.language.admission import check
from workbench.session.evaluation import Evaluator
from workbench.session.state import WorkspaceState
from workbench.whatif.changes import ClauseText, for_tenant
from workbench.whatif.margin.margin import Flip, Margin, halved, margin, with_number
from workbench.whatif.margin.shape import decides_by, shape_of

SERVED = ("acme-eu", "brueckwald", "corvane-bank", "halvorsen", "lumenor-vip", "quillfern-trial")

RANKINGS = (
    "cheapest by price_out",
    "0.7 * normalize(bench_intelligence) + 0.3 * (1 - normalize(price_in))",
    "normalize(bench_intelligence) + normalize(bench_coding) + 0.2 * (1 - normalize(price_out))",
    "best by bench_intelligence",
    "1 - normalize(price_in)",
    '["add",["gate",["cmp","price_out","le",12],["field","bench_intelligence"]],["neg",["field","price_in"]]]',
    '["add",["clamp",0.2,0.6,["field","bench_intelligence"]],["scale",0.01,["neg",["field","price_out"]]]]',
)


def ranked(state: WorkspaceState, tenant: str, ranking: str) -> WorkspaceState:
    """The state in which one tenant has another ranking."""
    return for_tenant(state, tenant, ClauseText("rank", ranking, tenant_only=True))


def winner_with(state: WorkspaceState, tenant: str, flip: Flip, value: float) -> str | None:
    """Who wins with one number of one offer changed in the whole catalog, by the reference evaluator."""
    index = state.catalog.find(flip.offer)
    rows = list(state.pool.candidates)
    rows[index] = with_number(rows[index], flip.field, value)
    compiled = Evaluator().outcome(state, state.tenant(tenant)).compiled
    assert compiled is not None
    found = decide(compiled.policy, Pool(rows, state.vocabulary), Context(), evaluator="reference")
    return state.catalog.offer_id(found.order[0]) if found.order else None


def both_sides(state: WorkspaceState, tenant: str, found: Margin) -> None:
    for flip in found.flips:
        assert math.nextafter(flip.holds, flip.flips) == flip.flips
        assert winner_with(state, tenant, flip, flip.holds) == found.summary.winner
        assert winner_with(state, tenant, flip, flip.flips) == flip.then != found.summary.winner


@pytest.mark.parametrize("tenant", SERVED)
def test_both_sides_of_a_flip_are_what_they_are_said_to_be(tenant: str) -> None:
    found = margin(sample(), tenant, Evaluator())
    assert found.flips
    both_sides(sample(), tenant, found)


@settings(max_examples=scaled(8, 200))
@given(st.sampled_from(SERVED), st.sampled_from(RANKINGS), st.integers(0, 2**16))
def test_nothing_nearer_flips_under_any_ranking(tenant: str, ranking: str, seed: int) -> None:
    state = sample()
    state = ranked(state, tenant, ranking)
    found = margin(state, tenant, Evaluator())
    both_sides(state, tenant, found)
    chance = random.Random(seed)
    for flip in found.flips:
        assert flip.exact
        if flip.now is not None:
            value = flip.now + (flip.holds - flip.now) * chance.random()
            assert winner_with(state, tenant, flip, value) == found.summary.winner
    for one in found.firm:
        index = state.catalog.find(one.offer)
        now = state.pool.candidates[index].get(one.field)
        for value in (0.0, 1.0, chance.random(), 0.999 * (now or 1.0), 5.0 if "price" in one.field else 0.5):
            told = Flip(one.field, "", one.offer, False, None, 0, 0, None, by_filter=False, exact=True)
            assert winner_with(state, tenant, told, value) == found.summary.winner


def test_a_floor_that_the_winner_would_fall_through_is_told_as_the_filter() -> None:
    found = margin(sample(), "brueckwald", Evaluator())
    assert found.runner_up is None
    assert all(flip.by_filter and flip.then is None and flip.flips == 1000 for flip in found.flips)


def test_level_offers_flip_at_once() -> None:
    found = margin(sample(), "acme-eu", Evaluator())
    assert found.lead == 0
    assert all(abs(flip.flips - (flip.now or 0)) < 1e-12 for flip in found.flips)


def test_nobody_has_no_margin() -> None:
    with pytest.raises(NoCandidate):
        margin(sample(), "alba-clinic", Evaluator())


def test_a_draw_by_chance_is_decided_by_no_value() -> None:
    state = for_tenant(sample(), "corvane-bank", ClauseText("select", '["sample", 1]', tenant_only=True))
    found = margin(state, "corvane-bank", Evaluator())
    assert (found.by, found.flips, found.lead) == ("chance", (), None)


def test_a_share_inside_a_share_is_not_called_exact() -> None:
    names = sample().vocabulary
    scorer = ["normalize", ["add", ["normalize", ["field", "price_in"]], ["field", "price_out"]]]
    policy = check(["policy", ["top"], scorer, ["argmax"], ["id"], ["always", {"action": "abort"}]], names)
    assert shape_of(policy, "price_in").direction is None
    assert shape_of(policy, "price_out").direction == 1
    assert decides_by(policy) == "score"
    mixed = ["add", ["field", "price_in"], ["neg", ["field", "price_in"]]]
    both = check(["policy", ["top"], mixed, ["argmax"], ["id"], ["always", {"action": "abort"}]], names)
    assert shape_of(both, "price_in").direction is None


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_halving_finds_the_neighbouring_doubles(a: float, b: float, c: float) -> None:
    low, bound, high = sorted((a, b, c))
    assume(low < bound <= high)
    holds, flips = halved(lambda value: value < bound, low, high)
    assert flips == bound
    assert math.nextafter(holds, flips) == flips


def test_one_rival_may_be_named() -> None:
    state = sample()
    order = Evaluator().outcome(state, state.tenant("corvane-bank")).decision
    assert order is not None
    found = margin(state, "corvane-bank", Evaluator(), order.order[3])
    assert found.runner_up == state.catalog.offer_id(order.order[3])
    both_sides(state, "corvane-bank", found)
    assert replace(found, flips=()) != found
