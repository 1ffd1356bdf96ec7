"""Scorers and selectors with values worked out by hand (LANGUAGE.md 6.3, 6.4, 6.5), by both evaluators."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.boundary import strict_json
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.engine.minstd import Minstd
from workbench.engine.pool import Pool
from workbench.engine.values import wire_number
from workbench.errors import AdmissionError, UsageError
from workbench.language.admission import check
from workbench.language.signature import V1

INF, NAN = math.inf, math.nan
PLAN = ["always", {"action": "abort"}]


def offers(*prices: object, **more: list[Any]) -> Pool:
    """Offers `p0|m0`, `p1|m1`, ... with these input prices."""
    made: list[dict[str, Any]] = []
    for place, price in enumerate(prices):
        extra = {name: values[place] for name, values in more.items()}
        made.append({"provider_id": f"p{place}", "model_family": f"m{place}", "price_in": price, **extra})
    return Pool(made, SAMPLE)


def ranked(
    pool: Pool,
    scorer: list[Any],
    selector: list[Any] | None = None,
    context: Context | None = None,
    *,
    keep: list[Any] | None = None,
    v1: bool = False,
) -> Decision:
    """The decision that both evaluators come to."""
    slots = [keep or ["top"], scorer, selector or ["argmax"], ["id"], PLAN]
    policy = check(["policy", *([["ev_zero"]] if v1 else []), *slots], SAMPLE)
    decision = decide(policy, pool, context or Context())
    assert decision == decide(policy, pool, context or Context(), evaluator="reference")
    return decision


def scored(pool: Pool, scorer: list[Any], context: Context | None = None, *, v1: bool = False) -> list[float]:
    """The scores in catalog order."""
    return list(ranked(pool, scorer, ["ordered"], context, v1=v1).scores)


PRICE = ["field", "price_in"]


@pytest.mark.parametrize(
    ("scorer", "expected"),
    [
        (["zero"], [0, 0, 0]),
        (["lit", -2.5], [-2.5] * 3),
        (PRICE, [1, 3, 5]),
        (["scale", 2, PRICE], [2, 6, 10]),
        (["neg", PRICE], [0, -2, -4]),
        (["add", PRICE, ["lit", 10], PRICE], [12, 16, 20]),
        (["normalize", PRICE], [0, 0.5, 1]),
        (["neg", ["normalize", PRICE]], [1, 0.5, 0]),
        (["clamp", 2, 4, PRICE], [2, 3, 4]),
        (["clamp", 4, 2, PRICE], [4, 4, 2]),
        (["gate", ["cmp", "price_in", "ge", 3], PRICE], [0, 3, 5]),
        (["normalize", ["gate", ["cmp", "price_in", "ge", 3], PRICE]], [0, 0.6, 1]),
    ],
)
def test_scorers(scorer: list[Any], expected: list[float]) -> None:
    assert scored(offers(1, 3, 5), scorer) == expected


def test_sums_are_taken_from_0_in_normal_form_order() -> None:
    # The encodings sort as (lit -1e16) (lit 1) (lit 1e16): the 1 is lost, and a sum from the other end would keep it.
    assert scored(offers(0), ["add", ["lit", 1e16], ["lit", 1], ["lit", -1e16]]) == [
        ((0.0 + -1e16) + 1) + 1e16,
    ]
    assert math.copysign(1, scored(offers(0), ["add", ["lit", -0.0], ["scale", -1, PRICE]])[0]) == 1


def test_normalize_is_over_the_survivors_alone() -> None:
    decision = ranked(offers(1, 3, 5), ["normalize", PRICE], keep=["cmp", "price_in", "le", 3])
    assert decision.order == (1, 0)
    assert decision.scores == (1, 0)
    assert [(one.index, one.reason) for one in decision.rejected] == [(2, "cmp:price_in:le")]
    assert decision.survivor_indices == (0, 1)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((), []),
        ((4,), [0]),
        ((4, 4), [0, 0]),
        ((None, 1, 3), [1, 0, 0]),  # an infinite price is simply the worst
        ((None, None), [0, 0]),
        ((-1e308, 0, 1e308), [0, 0, 1]),  # the width overflows
        ((0, 5e-324, 1e-323), [0, 0.5, 1]),
        ((-INF, 0, INF), [0, 0, 1]),  # not a number gives 0
    ],
)
def test_normalize_never_gives_what_is_no_number(prices: tuple[Any, ...], expected: list[float]) -> None:
    assert scored(offers(*prices), ["normalize", PRICE]) == expected


def test_normalize_looks_past_what_is_no_number() -> None:
    difference = ["add", ["neg", PRICE], PRICE]
    assert scored(offers(None, 1, 2), ["normalize", ["add", difference, PRICE]]) == [0, 0, 1]


def test_argmax_keeps_ties_in_input_order_and_puts_what_is_no_number_last() -> None:
    pool = offers(None, 1, None, 0, 1, -1)
    decision = ranked(pool, ["add", ["neg", PRICE], ["scale", 2, PRICE]])
    assert decision.order == (1, 4, 3, 5, 0, 2)
    assert [wire_number(score) for score in decision.scores] == [2, 2, 1, 0, "nan", "nan"]


def test_row_19_scores_that_are_not_finite_leave_as_words() -> None:
    huge = ["scale", 1e308, ["scale", 1e308, PRICE]]
    decision = ranked(offers(None, 3, -3, 0), ["add", ["neg", huge], huge])
    words = [wire_number(score) for score in decision.scores]
    assert decision.order == (3, 0, 1, 2)
    assert words == [1, "nan", "nan", "nan"]
    assert strict_json.dumps(words) == '[1.0, "nan", "nan", "nan"]'
    assert [wire_number(score) for score in ranked(offers(1, -1), huge).scores] == ["inf", "-inf"]


@pytest.mark.parametrize(
    ("selector", "order"),
    [
        (["argmax"], (2, 1, 3, 0)),
        (["ordered"], (0, 1, 2, 3)),
        (["top_k", 2, ["argmax"]], (2, 1)),
        (["top_k", 2**60, ["ordered"]], (0, 1, 2, 3)),
        (["top_k", 3, ["top_k", 2, ["ordered"]]], (0, 1)),
        (["prefer", ["cmp", "price_in", "le", 3], ["argmax"]], (1, 3, 0, 2)),
        (["prefer", ["bot"], ["argmax"]], (2, 1, 3, 0)),
        (["top_k", 1, ["prefer", ["provider_eq", "p0"], ["argmax"]]], (0,)),
        (["prefer", ["provider_eq", "p0"], ["top_k", 2, ["argmax"]]], (2, 1)),
    ],
)
def test_selectors(selector: list[Any], order: tuple[int, ...]) -> None:
    decision = ranked(offers(1, 3, 5, 3), PRICE, selector)
    assert decision.order == order
    assert decision.scores == tuple([1, 3, 5, 3][index] for index in order)
    assert decision.survivors == 4


def test_chain_is_a_whitelist_in_its_own_order() -> None:
    offer = {"provider_id": "a", "model_family": "x"}
    pool = Pool([offer, {"provider_id": "b", "model_family": "y"}, {**offer, "price_in": 1}, {}], SAMPLE)
    chain = [
        {"provider_id": "a", "model_family": "x"},
        {"provider": "b", "model": "y", "provider_id": "a", "model_family": "x"},
        {"provider": "c", "model": "z"},
        {"provider": "a", "model": "x"},
    ]
    decision = ranked(pool, ["zero"], ["chain", chain])
    assert decision.order == (1, 0, 2)
    assert decision.scores == (-2, -4, -4)
    assert decision.rejected == ()
    assert ranked(pool, ["zero"], ["chain", []]).order == ()
    assert ranked(pool, ["zero"], ["top_k", 1, ["chain", chain]]).scores == (-2,)


def test_the_generator_is_minstd_after_four_steps() -> None:
    state = 42
    for _ in range(5):
        state = state * 16807 % 2147483647
    assert Minstd(42).draw() == state / 2147483647
    assert Minstd(0).draw() == Minstd(2147483646).draw()
    assert Minstd(-1).draw() == Minstd(2147483646).draw()
    assert Minstd(2147483647 + 42).draw() == Minstd(42).draw()


def test_sample_draws_as_the_language_says() -> None:
    pool, weights = offers(1, 2, 3, 4), [1.0, 0.5, 0.25, 0.125]
    remaining, generator, drawn = [3, 2, 1, 0], Minstd(1234567), list[int]()
    while remaining:
        threshold, total = generator.draw() * sum(weights), 0.0
        for place, weight in enumerate(weights):
            total += weight
            if total >= threshold:
                drawn.append(remaining.pop(place))
                weights.pop(place)
                break
    decision = ranked(pool, PRICE, ["sample", 1], Context(seed=1234567))
    assert list(decision.order) == drawn
    assert drawn != [3, 2, 1, 0]  # or this would test nothing
    assert decision.scores == tuple(float(index + 1) for index in drawn)


def test_a_cold_sample_is_argmax_and_no_seed_is_seed_0() -> None:
    pool = offers(1, 4, 2, 4)
    for temperature in (0, -1):
        assert ranked(pool, PRICE, ["sample", temperature], Context(seed=9)).order == (1, 3, 2, 0)
    assert ranked(pool, PRICE, ["sample", 5]) == ranked(pool, PRICE, ["sample", 5], Context(seed=0))


MEASURED = {"p0|m0": {"last_quality_eval": 1.5, "ema_latency_ms": 1000, "price_in": 2, "price_out": 10}}


@pytest.mark.parametrize(
    ("scorer", "state", "requirements", "expected"),
    [
        ("quality", {"ema": MEASURED}, {}, [1, 0.25, 0.5]),
        ("speed", {"ema": MEASURED}, {}, [0.8, 0.5, 0.5]),
        ("speed", {"ema": MEASURED}, {"max_latency_ms": 500}, [0, 0.5, 0.5]),
        ("cost", {"ema": MEASURED}, {}, [1 - 0.007 / 0.01, 1, 1]),
        ("cost", {"ema": MEASURED}, {"estimated_output_tokens": 0, "max_cost_usd": 0.004}, [0.5, 1, 1]),
        ("free_credit", {"credits": {"p0": 1, "p1": 0.5}}, {}, [1, 0, 0]),
        ("free_credit", {"credits": {"p0": 0, "p1": -1}, "free_credit_threshold_usd": 0}, {}, [1, 0, 0]),
        ("partner", {}, {}, [1, 0.5, 0]),
    ],
)
def test_composites_of_v1(scorer: str, state: object, requirements: object, expected: list[float]) -> None:
    pool = offers(1, 1, 1, quality_hint=[0.1, 0.25, None], tier=["partner", "marketplace", None])
    context = Context({"requirements": requirements}, state)  # type: ignore[arg-type]
    found = scored(pool, [scorer], context, v1=True)
    assert all(abs(score - wanted) <= 1e-15 for score, wanted in zip(found, expected, strict=True))


def test_an_empty_pool_decides_to_nobody() -> None:
    decision = ranked(Pool([], SAMPLE), ["normalize", PRICE], ["sample", 1])
    assert (decision.order, decision.scores, decision.rejected) == ((), (), ())
    assert (decision.population, decision.survivors, decision.winner) == (0, 0, None)


def test_what_a_decision_says_of_one_candidate() -> None:
    decision = ranked(offers(1, 9, 3), PRICE, ["top_k", 1, ["argmax"]], keep=["cmp", "price_in", "lt", 9])
    assert decision.winner == 2
    assert [decision.place(index) for index in range(3)] == [None, None, 1]
    assert [decision.reason(index) for index in range(3)] == [None, "cmp:price_in:lt", None]
    assert decision.survivors == 2
    assert decision != ranked(offers(1, 9, 3), PRICE, ["top_k", 1, ["argmax"]])


def test_only_a_policy_decides() -> None:
    with pytest.raises(UsageError):
        decide(check(["top"], SAMPLE), offers(1))


def test_a_policy_of_another_catalog_is_named() -> None:
    from workbench.language.vocabulary import CORE

    policy = check(["policy", ["is", "dpa"], ["zero"], ["argmax"], ["id"], PLAN], SAMPLE)
    for evaluator in ("columnar", "reference"):
        with pytest.raises(AdmissionError, match="dpa"):
            decide(policy, Pool([{}], CORE), evaluator=evaluator)


def test_versions_do_not_share_kept_masks() -> None:
    pool = offers(1, 2, tok_s=[5, 50])
    slots = [["cmp", "tok_s", "ge", 10], ["zero"], ["argmax"], ["id"], PLAN]
    assert decide(check(["policy", *slots], SAMPLE), pool).order == (1,)
    assert decide(check(["policy", ["ev_zero"], *slots], SAMPLE, version=V1), pool).order == ()
