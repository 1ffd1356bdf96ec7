"""A kept decision is the one that would be made now: whatever a decision reads is part of its key."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.worlds import contexts, pools
from tests.strategies import SAMPLE, policies
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decisions import Decisions
from workbench.engine.pool import Pool
from workbench.errors import UsageError
from workbench.language.admission import Admitted, check
from workbench.language.signature import V1, V2, Version

FALLBACK: list[Any] = ["always", {"action": "abort"}]
OFFERS = [
    {"provider_id": name, "model_family": "m", "price_in": price, "scope": scope, "capabilities": {"context": context}}
    for name, price, scope, context in (
        ("openai", 3, 1, 1000), ("mistral", 2, True, 2000), ("azure", 1, None, 3000), ("scaleway", 4, "1", 4000),
    )
]  # fmt: skip
POOL = Pool(OFFERS, SAMPLE)


def policy(keep: list[Any], scorer: list[Any] | None = None, selector: list[Any] | None = None) -> Admitted:
    """A policy of these parts."""
    return check(["policy", keep, scorer or ["zero"], selector or ["argmax"], ["id"], FALLBACK], SAMPLE)


@pytest.mark.parametrize("version", [V1, V2])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_kept_is_what_would_be_decided(version: Version, data: st.DataObject) -> None:
    pool = data.draw(pools())
    decisions = Decisions(pool)
    some = [
        check(term, SAMPLE, version=version)
        for term in data.draw(st.lists(policies(SAMPLE, version, depth=2), min_size=1, max_size=2))
    ]
    several = data.draw(st.lists(contexts(), min_size=2, max_size=3))
    mixed = [Context(a.request, b.state, c.seed) for a, b, c in product(several[:2], several[:2], several)]
    for one, context in product(some, [*several, *mixed, *mixed]):
        assert decisions.decide(one, context) == decide(one, pool, context)


def test_the_same_question_is_answered_once() -> None:
    decisions = Decisions(POOL)
    asks = policy(["meets_req"])
    first = decisions.decide(asks, Context({"requirements": {"min_context": 2000}}))
    assert first.order == (1, 2, 3)
    assert decisions.decide(asks, Context({"requirements": {"min_context": 2000}, "messages": ["hello"]})) is first
    assert decisions.decide(policy(["meets_req"]), Context({"requirements": {"min_context": 2000}}, {}, 7)) is first


@pytest.mark.parametrize("values", [(1, 1.0, True, "1"), (0, -0.0, False, None), ([1], [True], {"a": 1}, [])])
def test_values_that_python_takes_for_equal_stay_apart(values: tuple[Any, ...]) -> None:
    decisions = Decisions(POOL)
    for keep in (["scope_matches"], ["meets_req"]):
        for value in values:
            context = Context({"scope": value, "requirements": {"min_context": value, "model_family": value}})
            assert decisions.decide(policy(keep), context) == decide(policy(keep), POOL, context)


def test_a_new_state_is_a_new_question_where_the_policy_looks_at_it() -> None:
    decisions = Decisions(POOL)
    up = policy(["not", ["is", "breaker_open"]])
    blind = policy(["provider_eq", "azure"])
    assert decisions.decide(up).survivors == 4
    for name in ("openai", "mistral", "azure"):
        context = Context(state={"breakers": {name: True}})
        assert decisions.decide(up, context).survivors == 3
        assert decisions.decide(up, context).reason([o["provider_id"] for o in OFFERS].index(name)) == "not"
        assert decisions.decide(blind, context) is decisions.decide(blind)
    assert decisions.decide(up).survivors == 4


def test_the_seed_counts_where_the_policy_samples() -> None:
    decisions = Decisions(POOL)
    drawn = policy(["top"], ["field", "price_in"], ["sample", 5])
    orders = {decisions.decide(drawn, Context(seed=seed)).order for seed in range(1, 60)}
    assert len(orders) > 5
    assert decisions.decide(drawn, Context(seed=3)) is decisions.decide(drawn, Context(seed=3.0))
    fixed = policy(["top"])
    assert decisions.decide(fixed, Context(seed=1)) is decisions.decide(fixed, Context(seed=2))


def test_what_is_kept_is_bounded_and_cannot_be_written_to() -> None:
    decisions = Decisions(POOL, limit=3)
    asks = policy(["meets_req"])
    first = decisions.decide(asks, Context({"requirements": {"min_context": 1}}))
    for least in range(2, 5):
        decisions.decide(asks, Context({"requirements": {"min_context": least}}))
    assert decisions.decide(asks, Context({"requirements": {"min_context": 1}})) is not first
    with pytest.raises(ValueError, match="read-only"):
        first.order_array[0] = 3


def test_facts_that_make_no_key_are_decided_anew() -> None:
    decisions = Decisions(POOL)
    asks = policy(["meets_req"])
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in ("x" * 5000, 10**5000, deep):
        context = Context({"requirements": {"tier": value}})
        first = decisions.decide(asks, context)
        assert first == decide(asks, POOL, context)
        assert decisions.decide(asks, context) is not first


def test_needs_that_a_request_implies_are_part_of_the_question() -> None:
    decisions = Decisions(POOL)
    asks = policy(["meets_req"])
    json_mode: dict[str, Any] = {"type": "json_object"}
    implied: list[tuple[str, Any]] = [
        ("images", "x"),
        ("images", ["x"]),
        ("tools", []),
        ("tools", [{}]),
        ("images", []),
    ]
    for request in map(dict[str, Any], ([pair] for pair in [*implied, ("response_format", json_mode)])):
        assert decisions.decide(asks, Context(request)) == decide(asks, POOL, Context(request))


def test_only_a_policy_decides() -> None:
    with pytest.raises(UsageError):
        Decisions(POOL).decide(check(["top"], SAMPLE))
