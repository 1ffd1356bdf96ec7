"""Every operation on predicates, with the reason it must give, written by hand (LANGUAGE.md 6.1, 6.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.engine.columnar import sift
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.language.admission import check
from workbench.language.signature import V1, V2, Version

OFFER: dict[str, Any] = {
    "provider_id": "mistral",
    "model_family": "mistral-large-3",
    "served_model_id": "mistral-large-2512",
    "tier": "marketplace",
    "price_in": 2,
    "price_out": 6,
    "tok_s": 40,
    "no_log": True,
    "region_eu": True,
    "bench_intelligence": 0.57,
    "capabilities": {"context": 128000, "supports_tools": True, "supports_vision": False},
}
BARE: dict[str, Any] = {"provider_id": "azure", "model_family": "gpt-5.5"}


def reason(
    term: list[Any], candidate: dict[str, Any], context: Context | None = None, version: Version = V2
) -> str | None:
    """The reason that both evaluators give."""
    predicate = check(term, SAMPLE, version=version, sort="Pred")
    pool, known = Pool([candidate], SAMPLE), context or Context()
    found = holds(predicate, candidate, pool, known)
    assert sift(predicate, pool, known)[0].reason(0) == found
    return found


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (["top"], None),
        (["bot"], "bot"),
        (["and", ["is", "no_log"], ["cmp", "price_in", "le", 5]], None),
        (["and", ["is", "has_tee"], ["cmp", "price_in", "le", 1]], "cmp:price_in:le"),  # normal-form order, not written
        (["or", ["is", "has_tee"], ["is", "no_log"]], None),
        (["or", ["is", "has_tee"], ["bot"], ["tier_eq", "partner"]], "or"),
        (["not", ["is", "no_log"]], "not"),
        (["not", ["is", "has_tee"]], None),
        (["is", "has_tee"], "is:has_tee"),
        (["is", "region_eu"], None),
        (["is", "region_us"], "is:region_us"),
        (["cmp", "price_in", "le", 2], None),
        (["cmp", "price_in", "lt", 2], "cmp:price_in:lt"),
        (["cmp", "price_in", "eq", 2], None),
        (["cmp", "price_in", "ne", 2], "cmp:price_in:ne"),
        (["cmp", "price_in", "ge", 2], None),
        (["cmp", "price_in", "gt", 2], "cmp:price_in:gt"),
        (["tier_eq", "marketplace"], None),
        (["tier_eq", "partner"], "tier"),
        (["min_tier", "fallback"], None),
        (["min_tier", "marketplace"], None),
        (["min_tier", "partner"], "min_tier"),
        (["family_eq", "mistral-large-3"], None),
        (["family_eq", "gpt-5.5"], "model_family"),
        (["provider_eq", "mistral"], None),
        (["provider_eq", "openai"], "provider_id"),
        (["served_by_eq", "mistral"], None),
        (["served_by_eq", "peer-9"], "served_by"),
        (["has_cap", "supports_tools"], None),
        (["has_cap", "supports_vision"], "missing_capability:supports_vision"),
        (["has_cap", "context"], "missing_capability:context"),
        (["scope_matches"], None),
        (["meets_req"], None),
    ],
)
def test_reason_of_each_operation(term: list[Any], expected: str | None) -> None:
    assert reason(term, OFFER) == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (["cmp", "price_in", "le", 1e308], "cmp:price_in:le"),  # unknown does not pass a ceiling
        (["cmp", "price_out", "gt", 1e308], None),
        (["cmp", "latency_ms", "le", 1e308], "cmp:latency_ms:le"),
        (["cmp", "tok_s", "gt", 0], "cmp:tok_s:gt"),
        (["cmp", "success_rate", "ge", 1], None),
        (["cmp", "context", "gt", 0], "cmp:context:gt"),
        (["cmp", "credits", "gt", 0], "cmp:credits:gt"),
        (["cmp", "bench_intelligence", "ge", 0.01], "cmp:bench_intelligence:ge"),
        (["cmp", "bench_intelligence_rank", "le", 5], "cmp:bench_intelligence_rank:le"),
        (["is", "no_log"], "is:no_log"),
        (["is", "dpa"], "is:dpa"),
        (["is", "trains_on_data"], None),  # a default of true holds until a boolean is stated
        (["tier_eq", "fallback"], None),
        (["min_tier", "marketplace"], "min_tier"),
        (["has_cap", "supports_tools"], "missing_capability:supports_tools"),
    ],
)
def test_what_is_absent_reads_as_its_default(term: list[Any], expected: str | None) -> None:
    assert reason(term, BARE) == expected


@pytest.mark.parametrize("wrong", [None, "2", True, [], {}, float("nan")])
def test_a_value_of_the_wrong_type_is_absent(wrong: Any) -> None:
    assert reason(["cmp", "price_in", "le", 1e308], {**OFFER, "price_in": wrong}) == "cmp:price_in:le"


@pytest.mark.parametrize("wrong", [None, "true", 1, [], {}])
def test_a_flag_counts_only_as_a_boolean(wrong: Any) -> None:
    assert reason(["is", "no_log"], {**OFFER, "no_log": wrong}) == "is:no_log"
    assert reason(["is", "trains_on_data"], {**OFFER, "trains_on_data": wrong}) is None
    assert reason(["is", "trains_on_data"], {**OFFER, "trains_on_data": False}) == "is:trains_on_data"


def test_a_tier_outside_of_the_order_is_below_all() -> None:
    elsewhere = {**OFFER, "tier": "gold"}
    assert reason(["min_tier", "fallback"], elsewhere) == "min_tier"
    assert reason(["tier_eq", "fallback"], elsewhere) == "tier"


def test_served_by_sees_the_peer_before_the_provider() -> None:
    routed = {**OFFER, "offer": {"peer_id": "peer-9"}}
    assert reason(["served_by_eq", "peer-9"], routed) is None
    assert reason(["served_by_eq", "mistral"], routed) == "served_by"


@pytest.mark.parametrize(
    ("own", "asked", "expected"),
    [
        (None, None, None),
        ("a", "a", None),
        ("a", "b", "scope"),
        ("a", None, "scope"),
        (1, True, "scope"),
        (1, 1.0, None),
    ],
)
def test_scope(own: Any, asked: Any, expected: str | None) -> None:
    assert reason(["scope_matches"], {**OFFER, "scope": own}, Context({"scope": asked})) == expected


def requiring(requirements: object, **request: Any) -> Context:
    return Context({"requirements": requirements, **request})


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (requiring([]), None),
        (requiring({"needs": ["tools"]}), None),
        (requiring({"needs": ["vision"]}), "missing_capability:vision"),
        (requiring({"needs": ["seed", "json_mode"]}), "missing_capability:json_mode"),
        (requiring({"needs": ["poetry"]}), None),
        (requiring({}, images=["data:..."]), "missing_capability:vision"),
        (requiring({}, images=[]), None),
        (requiring({}, tools=[{"name": "f"}]), None),
        (requiring({}, response_format={"type": "json_object"}), "missing_capability:json_mode"),
        (requiring({}, response_format={"type": "text"}), None),
        (requiring({"needs": ["seed"]}, images=["x"]), "missing_capability:vision"),
        (requiring({"min_context": 128000}), None),
        (requiring({"min_context": 128001, "model_family": "gpt-5.5"}), "min_context"),
        (requiring({"model_family": "gpt-5.5", "tier": "partner"}), "model_family"),
        (requiring({"tier": "partner", "privacy": "tee_required"}), "tier"),
        (requiring({"privacy": "tee_required", "min_quality": 2}), "tee_required"),
        (requiring({"privacy": "no_log"}), None),
        (requiring({"min_quality": 0.1, "min_tok_s": 50}), "min_quality"),
        (requiring({"min_tok_s": 50}), "min_tok_s"),
        (requiring({"min_tok_s": 40}), None),
        (requiring({"min_context": "many", "tier": 5, "min_tok_s": True}), None),
    ],
)
def test_requirements_in_their_order(context: Context, expected: str | None) -> None:
    assert reason(["meets_req"], OFFER, context) == expected


def test_requirements_of_a_bare_offer() -> None:
    assert reason(["meets_req"], BARE, requiring({"tier": "fallback"})) == "tier"  # here an absent tier equals none
    assert reason(["meets_req"], BARE, requiring({"privacy": "no_log"})) == "no_log"
    assert reason(["meets_req"], {**BARE, "has_tee": True}, requiring({"privacy": "no_log"})) is None
    assert reason(["meets_req"], {**BARE, "has_tee": True}, requiring({"privacy": "tee_required"})) is None
    assert reason(["meets_req"], BARE, requiring({"min_context": 0})) is None


AVERAGES = {
    "ema_latency_ms": 900,
    "ema_tok_s": 70,
    "success_rate_ewma": 0.5,
    "price_in": 9,
    "price_out": 20,
    "last_quality_eval": 0.8,
}
MEASURED = Context({}, {"ema": {"mistral|mistral-large-3": AVERAGES, "azure|gpt-5.5": AVERAGES}})


def test_the_state_speaks_after_the_catalog_in_v2() -> None:
    assert reason(["cmp", "price_in", "eq", 2], OFFER, MEASURED) is None
    assert reason(["cmp", "price_in", "eq", 9], BARE, MEASURED) is None
    assert reason(["cmp", "tok_s", "eq", 40], OFFER, MEASURED) is None
    assert reason(["cmp", "latency_ms", "lt", 1e9], OFFER, MEASURED) == "cmp:latency_ms:lt"


def test_the_state_speaks_first_in_v1() -> None:
    for term in (
        ["cmp", "price_in", "eq", 9],
        ["cmp", "latency_ms", "eq", 900],
        ["cmp", "tok_s", "eq", 70],
        ["cmp", "success_rate", "eq", 0.5],
        ["cmp", "quality", "eq", 0.8],
    ):
        assert reason(term, OFFER, MEASURED, V1) is None
    assert reason(["cmp", "price_in", "eq", 2], OFFER, Context(), V1) is None
    assert reason(["cmp", "tok_s", "eq", 0], OFFER, Context(), V1) is None
    assert reason(["cmp", "quality", "eq", 0.6], {**OFFER, "quality_hint": 0.6}, Context(), V1) is None
    assert reason(["meets_req"], OFFER, requiring({"min_tok_s": -1}), V1) == "min_tok_s"  # absent fails


def test_the_state_of_a_provider() -> None:
    state = Context(
        {}, {"credits": {"mistral": 3, "azure": "4"}, "breakers": {"mistral": True}, "disabled": {"mistral": None}}
    )
    assert reason(["cmp", "credits", "eq", 3], OFFER, state) is None
    assert reason(["cmp", "credits", "eq", 0], BARE, state) is None
    assert reason(["is", "breaker_open"], OFFER, state) is None
    assert reason(["is", "breaker_open"], BARE, state) == "is:breaker_open"
    assert reason(["is", "disabled"], OFFER, state) is None  # the key counts, whatever its value
    assert reason(["is", "disabled"], BARE, state) == "is:disabled"
    truthy = Context({}, {"breakers": {"mistral": 1}, "disabled": []})
    assert reason(["is", "breaker_open"], OFFER, truthy) == "is:breaker_open"
    assert reason(["is", "disabled"], OFFER, truthy) == "is:disabled"
