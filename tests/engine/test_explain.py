"""Explanations: counts that add up, exact thresholds, observed beside needed, scores as the sum of their parts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings

from tests.engine.worlds import contexts, pools
from tests.strategies import SAMPLE, policies, preds
from workbench.engine import explain
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.errors import UsageError
from workbench.language.admission import Admitted, check
from workbench.language.signature import V1

NOWHERE = Context()


def pred(*term: Any) -> Admitted:
    return check(list(term), SAMPLE, sort="Pred")


OFFERS: list[dict[str, Any]] = [
    {"provider_id": "openai", "model_family": "gpt-5.5", "price_in": 33, "region_global": True, "no_log": False},
    {
        "provider_id": "mistral",
        "model_family": "m3",
        "price_in": 2,
        "region_eu": True,
        "no_log": True,
        "tier": "partner",
    },
    {"provider_id": "azure", "model_family": "gpt-5.5", "price_in": 30, "region_eu": True},
    {"provider_id": "scaleway", "model_family": "m3", "region_unknown": True, "capabilities": {"supports_tools": True}},
]
POOL = Pool(OFFERS, SAMPLE)


@pytest.mark.parametrize(
    ("term", "index", "subject", "observed", "needed"),
    [
        (["cmp", "price_in", "le", 30], 0, "price_in", "33", "<= 30 USD per million tokens"),
        (["cmp", "price_in", "le", 30], 3, "price_in", "unknown", "<= 30 USD per million tokens"),
        (["cmp", "tok_s", "ge", 0.5], 0, "tok_s", "unknown", ">= 0.5 tokens/s"),
        (["cmp", "success_rate", "ge", 0.5], 0, "success_rate", "unknown", ">= 0.5"),
        (["cmp", "credits", "gt", 0], 0, "credits", "unknown", "> 0 USD"),
        (["not", ["cmp", "price_in", "le", 30]], 0, "price_in", "33", "> 30 USD per million tokens"),
        (["is", "region_eu"], 0, "region", "global", "eu"),
        (["is", "region_eu"], 3, "region", "unknown", "eu"),
        (["not", ["is", "region_eu"]], 1, "region", "eu", "not eu"),
        (["or", ["is", "region_eu"], ["is", "region_us"]], 0, "region", "global", "one of eu, us"),
        (["is", "no_log"], 0, "no_log", "no", "yes"),
        (["is", "no_log"], 1, "no_log", "yes", "yes"),
        (["is", "no_log"], 2, "no_log", "unknown", "yes"),
        (["not", ["is", "trains_on_data"]], 2, "trains_on_data", "unknown", "no"),
        (["is", "breaker_open"], 0, "breaker_open", "no", "yes"),
        (["provider_eq", "mistral"], 0, "provider", "openai", "mistral"),
        (["not", ["provider_eq", "openai"]], 0, "provider", "openai", "not openai"),
        (["or", ["provider_eq", "b"], ["provider_eq", "a"]], 0, "provider", "openai", "one of a, b"),
        (["not", ["or", ["provider_eq", "a"], ["provider_eq", "b"]]], 0, "provider", "openai", "none of a, b"),
        (["family_eq", "m3"], 0, "model", "gpt-5.5", "m3"),
        (["served_by_eq", "m3"], 0, "served by", "openai", "m3"),
        (["tier_eq", "partner"], 0, "tier", "unknown", "partner"),
        (["min_tier", "marketplace"], 1, "tier", "partner", "marketplace or higher"),
        (["min_tier", "partner"], 1, "tier", "partner", "partner"),
        (["has_cap", "supports_tools"], 0, "supports_tools", "unknown", "yes"),
        (["has_cap", "supports_tools"], 3, "supports_tools", "yes", "yes"),
        (["scope_matches"], 0, "scope", "none", "none"),
        (["top"], 0, "", "anything", "anything"),
        (["bot"], 0, "", "anything", "nothing passes"),
        (["meets_req"], 0, "requirements", "none", "none"),
        (
            ["or", ["is", "no_log"], ["cmp", "price_in", "lt", 5]], 0,
            "", "price_in 33; no_log no", "price_in < 5 USD per million tokens or no_log yes",
        ),
    ],
)  # fmt: skip
def test_observed_beside_needed(term: list[Any], index: int, subject: str, observed: str, needed: str) -> None:
    predicate = pred(*term)
    verdict = explain.observe(predicate, index, POOL, NOWHERE)
    assert (verdict.subject, verdict.observed, verdict.needed) == (subject, observed, needed)
    assert verdict.passed == bool(explain.mask(predicate, POOL, NOWHERE)[index])


def test_the_requirements_are_told_one_by_one() -> None:
    wanted = {"needs": ["tools"], "min_context": 32000, "privacy": "no_log", "model_family": "m3", "min_tok_s": 5}
    verdict = explain.observe(pred("meets_req"), 3, POOL, Context({"requirements": wanted}))
    assert (verdict.passed, verdict.reason) == (False, "min_context")
    assert [(one.passed, one.reason, one.subject, one.observed, one.needed) for one in verdict.children] == [
        (True, None, "supports_tools", "yes", "yes"),
        (False, "min_context", "context", "unknown", ">= 32000"),
        (True, None, "model", "m3", "m3"),
        (False, "no_log", "privacy", "no_log unknown, has_tee unknown", "no_log or has_tee"),
        (False, "min_tok_s", "tok_s", "unknown", ">= 5"),
    ]


def test_a_state_average_is_observed() -> None:
    state = Context({}, {"ema": {"scaleway|m3": {"price_in": 0.25}}})
    assert explain.observe(pred("cmp", "price_in", "le", 1), 3, POOL, state).observed == "0.25"


@settings(deadline=None, max_examples=150)
@given(preds(depth=3), pools(), contexts())
def test_a_verdict_is_the_reference_verdict_all_the_way_down(term: list[Any], pool: Pool, context: Context) -> None:
    predicate = check(term, SAMPLE)
    for index, candidate in enumerate(pool.candidates):
        verdict = explain.observe(predicate, index, pool, context)
        assert verdict.reason == holds(predicate, candidate, pool, context)
        assert verdict.passed is (verdict.reason is None)
        if predicate.normal[0] in {"and", "meets_req"}:
            assert verdict.passed is all(child.passed for child in verdict.children)
        if predicate.normal[0] == "or":
            assert verdict.passed is any(child.passed for child in verdict.children)


def test_the_funnel_by_hand() -> None:
    found = explain.funnel([pred("is", "no_log"), pred("cmp", "price_in", "le", 30), pred("top")], POOL, NOWHERE)
    assert found.steps == ((3, 1), (0, 1), (0, 1))
    assert found.alone == (3, 2, 0)
    assert found.only == (1, 0, 0)
    assert found.survivors.tolist() == [False, True, False, False]


@settings(deadline=None, max_examples=100)
@given(preds(depth=1), preds(depth=1), preds(depth=2), pools(), contexts())
def test_the_funnel_adds_up(a: list[Any], b: list[Any], c: list[Any], pool: Pool, context: Context) -> None:
    predicates = [check(term, SAMPLE) for term in (a, b, c)]
    found = explain.funnel(predicates, pool, context)
    table = [[holds(one, candidate, pool, context) is not None for one in predicates] for candidate in pool.candidates]
    assert sum(removed for removed, _ in found.steps) + int(found.survivors.sum()) == len(pool)
    assert found.alone == tuple(sum(row[k] for row in table) for k in range(3))
    assert found.only == tuple(sum(row[k] and sum(row) == 1 for row in table) for k in range(3))
    assert found.survivors.tolist() == [not any(row) for row in table]
    assert found.survivors.tolist() == explain.together(predicates, pool, context).tolist()


def test_an_empty_funnel_lets_everyone_through() -> None:
    found = explain.funnel([], POOL, NOWHERE)
    assert (found.steps, found.alone, found.only) == ((), (), ())
    assert found.survivors.all()


SCORES = Pool([{"bench_intelligence": value} for value in (0.5, 0.57, 0.57, 0.6, 0.61, 0.7, None)], SAMPLE)


def thresholds(relation: str, bound: float, keep: list[bool] | None = None, **more: int) -> list[tuple[float, int]]:
    mask = explain.mask(pred("top"), SCORES, NOWHERE).copy()
    mask[:] = keep or [True] * 7
    predicate = pred("cmp", "bench_intelligence", relation, bound)
    return [(one.value, one.admits) for one in explain.thresholds(predicate, mask, SCORES, NOWHERE, **more)]


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ("ge", [(0.5, 6), (0.57, 5), (0.6, 3), (0.61, 2), (0.7, 1)]),
        ("gt", [(0.5, 5), (0.57, 3), (0.6, 2), (0.61, 1), (0.7, 0)]),
        ("le", [(0.5, 2), (0.57, 4), (0.6, 5), (0.61, 6), (0.7, 7)]),
        ("lt", [(0.5, 1), (0.57, 2), (0.6, 4), (0.61, 5), (0.7, 6)]),
        ("eq", [(0.5, 1), (0.57, 2), (0.6, 1), (0.61, 1), (0.7, 1)]),
        ("ne", [(0.5, 6), (0.57, 5), (0.6, 6), (0.61, 6), (0.7, 6)]),
    ],
)
def test_thresholds_are_exact(relation: str, expected: list[tuple[float, int]]) -> None:
    assert thresholds(relation, 0.6, each_way=2) == expected


def test_thresholds_show_where_nobody_is_left() -> None:
    # 0.7 fails elsewhere: it admits nobody, and is the next value there is.
    keep = [True, True, True, True, True, False, True]
    assert thresholds("ge", 0.6, keep) == [(0, 6), (0.5, 5), (0.57, 4), (0.6, 2), (0.61, 1), (0.7, 0)]


def test_thresholds_around_a_bound_that_no_offer_has() -> None:
    assert thresholds("ge", 0.58, each_way=1) == [(0.57, 5), (0.58, 3), (0.6, 3)]
    assert thresholds("ge", 0.58, [False] * 7, each_way=1) == [(0.57, 0), (0.58, 0), (0.6, 0)]


def test_thresholds_of_what_compares_nothing() -> None:
    with pytest.raises(UsageError):
        explain.thresholds(pred("is", "no_log"), explain.mask(pred("top"), POOL, NOWHERE), POOL, NOWHERE)


@pytest.mark.parametrize("relation", ["lt", "le", "eq", "ne", "ge", "gt"])
def test_a_threshold_admits_what_a_decision_with_it_would(relation: str) -> None:
    for negated in (False, True):
        term = ["cmp", "bench_intelligence", relation, 0.58]
        predicate = pred(*(["not", term] if negated else term))
        everyone = explain.mask(pred("top"), SCORES, NOWHERE)
        for value, admits in explain.thresholds(predicate, everyone, SCORES, NOWHERE):
            term = ["cmp", "bench_intelligence", relation, value]
            moved = pred(*(["not", term] if negated else term))
            assert int(explain.mask(moved, SCORES, NOWHERE).sum()) == admits


def policy(scorer: list[Any], selector: list[Any] | None = None) -> Admitted:
    keep = ["cmp", "price_in", "le", 40]
    return check(["policy", keep, scorer, selector or ["argmax"], ["id"], ["always", {"action": "abort"}]], SAMPLE)


def test_score_parts_by_hand() -> None:
    scorer = ["add", ["scale", 0.5, ["normalize", ["field", "price_in"]]], ["lit", 3]]
    known = policy(scorer)
    decision = decide(known, POOL)
    parts = explain.score_parts(known, 0, decision, POOL, NOWHERE)
    assert [(part.term[0], part.value, part.contribution) for part in parts] == [("lit", 3, 3), ("scale", 1, 0.5)]
    assert explain.score_parts(known, 3, decision, POOL, NOWHERE) == ()
    chained = policy(["zero"], ["top_k", 2, ["chain", [{"provider": "mistral", "model": "m3"}]]])
    part = explain.score_parts(chained, 1, decide(chained, POOL), POOL, NOWHERE)[0]
    assert (part.term[0], part.contribution) == ("chain", -1)


@settings(deadline=None, max_examples=150)
@given(policies(depth=3), pools(), contexts())
def test_parts_make_the_score(term: list[Any], pool: Pool, context: Context) -> None:
    known = check(term, SAMPLE)
    decision = decide(known, pool, context)
    for index, score in zip(decision.order, decision.scores, strict=True):
        total = 0.0
        for part in explain.score_parts(known, index, decision, pool, context):
            total += part.contribution
        assert total == score or (math.isnan(total) and math.isnan(score))


def test_margins() -> None:
    decision = decide(policy(["field", "price_in"]), POOL)
    assert decision.order == (0, 2, 1)
    assert [explain.margin(decision, index) for index in (0, 2, 1, 3)] == [3, 28, None, None]
    unknown = check(
        ["policy", ["top"], ["field", "latency_ms"], ["argmax"], ["id"], ["always", {"action": "abort"}]], SAMPLE
    )
    assert explain.margin(decide(unknown, POOL), 0) is None  # infinity less infinity says nothing


def test_v1_reads_speed_from_the_state() -> None:
    predicate = check(["meets_req"], SAMPLE, version=V1)
    context = Context({"requirements": {"min_tok_s": 5}}, {"ema": {"mistral|m3": {"ema_tok_s": 9}}})
    assert explain.observe(predicate, 1, POOL, context).children[0].observed == "9"
