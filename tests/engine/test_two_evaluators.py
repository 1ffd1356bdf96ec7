"""The two evaluators mean the same: order, scores to the last bit, reasons (RELIABILITY R2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.worlds import contexts, pools
from tests.scale import scaled
from tests.strategies import SAMPLE, policies, preds
from tests.timing import least
from workbench.engine.columnar import sift
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.explain import mask
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.language.admission import check
from workbench.language.signature import V1, V2, Version

EXAMPLES = scaled(300, 10_000)
"""Per test and version; tests/soak decides in bulk what this shrinks."""
VERSIONS: tuple[Version, ...] = (V2, V1)
POLICIES = {version: policies(SAMPLE, version, depth=3) for version in VERSIONS}
PREDICATES = {version: preds(SAMPLE, version, depth=3) for version in VERSIONS}
POOLS, CONTEXTS = pools(), contexts()
SEVERAL = st.lists(CONTEXTS, min_size=1, max_size=2)


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None, max_examples=EXAMPLES)
@given(data=st.data())
def test_decisions_agree(version: Version, data: st.DataObject) -> None:
    policy = check(data.draw(POLICIES[version]), SAMPLE, version=version)
    pool = data.draw(POOLS)
    for context in data.draw(SEVERAL):  # kept masks meet another state
        assert decide(policy, pool, context) == decide(policy, pool, context, evaluator="reference")


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None, max_examples=EXAMPLES)
@given(data=st.data())
def test_verdicts_agree(version: Version, data: st.DataObject) -> None:
    predicate = check(data.draw(PREDICATES[version]), SAMPLE, version=version)
    pool, context = data.draw(POOLS), data.draw(CONTEXTS)
    reasons = [holds(predicate, candidate, pool, context) for candidate in pool.candidates]
    decision, alive = sift(predicate, pool, context)
    assert [decision.reason(index) for index in range(len(pool))] == reasons
    assert alive.tolist() == [reason is None for reason in reasons]
    assert mask(predicate, pool, context).tolist() == [reason is None for reason in reasons]


def _large(count: int) -> Pool:
    """Many candidates, few values: long runs of ties past the point where another sort is used."""
    return Pool(
        [
            {
                "provider_id": f"p{i % 7}",
                "model_family": f"m{i % 11}",
                "price_in": None if i % 13 == 0 else (i * 7919) % 97,
                "price_out": (i * 104729) % 1009,
                "tok_s": (i * 31) % 5,
            }
            for i in range(count)
        ],
        SAMPLE,
    )


LARGE = _large(6000)

RANKINGS: list[list[Any]] = [
    ["field", "price_in"],
    ["neg", ["normalize", ["field", "price_in"]]],
    ["add", ["field", "price_in"], ["neg", ["field", "price_in"]]],
    ["add", ["scale", 0.7, ["normalize", ["field", "price_out"]]], ["scale", 0.3, ["field", "tok_s"]]],
    ["zero"],
]


@pytest.mark.parametrize("scorer", RANKINGS, ids=lambda scorer: scorer[0])
@pytest.mark.parametrize("size", [4096, 4097, 6000])
def test_long_pools_agree(scorer: list[Any], size: int) -> None:
    pool = Pool(LARGE.candidates[:size], SAMPLE)
    term = ["policy", ["top"], scorer, ["argmax"], ["id"], ["always", {"action": "abort"}]]
    policy = check(term, SAMPLE)
    assert decide(policy, pool) == decide(policy, pool, evaluator="reference")


@pytest.mark.parametrize("temperature", [0, 0.01, 0.5, 10, 300, 1e308, -1])
@pytest.mark.parametrize("seed", [None, 0, 7, -7, 2**31 - 1, 1e15])
def test_long_draws_agree(temperature: float, seed: float | None) -> None:
    pool = Pool(LARGE.candidates[:700], SAMPLE)
    scorer = ["add", ["field", "price_in"], ["neg", ["field", "price_in"]], ["field", "price_out"]]
    term = ["policy", ["top"], scorer, ["sample", temperature], ["id"], ["always", {"action": "abort"}]]
    policy = check(term, SAMPLE)
    context = Context(seed=seed)
    decision = decide(policy, pool, context)
    assert decision == decide(policy, pool, context, evaluator="reference")
    assert sorted(decision.order) == list(range(700))


def test_the_first_of_a_draw_do_not_depend_on_how_many_are_kept() -> None:
    def drawn(selector: list[Any]) -> tuple[int, ...]:
        term = ["policy", ["top"], ["field", "price_out"], selector, ["id"], ["always", {"action": "abort"}]]
        return decide(check(term, SAMPLE), LARGE, Context(seed=5)).order

    assert drawn(["top_k", 20, ["sample", 50]]) == drawn(["top_k", 200, ["sample", 50]])[:20]


def test_a_filter_of_more_children_than_a_byte_counts() -> None:
    children = [["cmp", "price_out", "ne", bound] for bound in range(300)]
    policy = check(
        ["policy", ["and", *children], ["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}]], SAMPLE
    )
    pool = Pool(LARGE.candidates[:1000], SAMPLE)
    decision = decide(policy, pool)
    assert decision == decide(policy, pool, evaluator="reference")
    assert 0 < decision.survivors < 1000


def _nested(depth: int, width: int) -> list[Any]:
    """A predicate as deep as is admitted, with `width` comparisons beside each level."""
    term: list[Any] = ["is", "no_log"]
    for level in range(depth):
        beside = [["cmp", "price_in", "ne", level * width + bound] for bound in range(width)]
        term = ["or" if level % 2 else "and", ["not", term] if level % 3 else term, *beside]
    return term


WORST: dict[str, list[Any]] = {
    "deep filter": ["policy", _nested(35, 100), ["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}]],
    "long sum": [
        "policy",
        ["top"],
        ["add", *[["scale", weight + 2, ["normalize", ["field", "price_out"]]] for weight in range(1350)]],
        ["sample", 1e308],
        ["id"],
        ["always", {"action": "abort"}],
    ],
    "deep gates": [
        "policy",
        ["top"],
        ["gate", _nested(18, 200), ["field", "price_in"]],
        ["prefer", _nested(5, 80), ["argmax"]],
        ["id"],
        ["always", {"action": "abort"}],
    ],
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_admitted_policy_is_bounded(name: str) -> None:
    policy = check(WORST[name], SAMPLE)

    def decided() -> None:
        decide(policy, Pool(LARGE.candidates[:1000], SAMPLE))  # a new one each time: a pool remembers

    assert least(decided, enough=2.0) <= 2.0  # RELIABILITY R11
