"""Pools and contexts for property tests: candidates with gaps, wrong types, ties, infinities; requests; states."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.strategies import CAPABILITIES, FAMILIES, PROVIDERS, SAMPLE
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.language.vocabulary import Vocabulary

INF = float("inf")
TIERS = ("fallback", "marketplace", "partner", "elsewhere")

WRONG: st.SearchStrategy[Any] = st.sampled_from([None, "5", True, False, [], {}, float("nan"), 10**400])
"""What may stand where a number belongs, and does not count."""

FEW = (0, -0.0, 0.5, 1, 2, 2.0, 5, 1000, 1e308, -1e308, 5e-324, INF, -INF)


def numbers() -> st.SearchStrategy[Any]:
    """Few values, so that ties are common; now and then any double, or what is no number."""
    return st.one_of(st.sampled_from(FEW), st.sampled_from(FEW), st.floats(allow_nan=False), WRONG)


def flags() -> st.SearchStrategy[Any]:
    """Mostly booleans."""
    return st.one_of(st.booleans(), st.sampled_from([None, 1, 0, "true", []]))


def _names(known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(known), st.sampled_from(known), st.sampled_from([None, 3, "a|b", ""]))


def capabilities() -> st.SearchStrategy[Any]:
    """A candidate's capabilities, the context window among them."""
    shape = st.fixed_dictionaries({}, optional={"context": numbers(), **{name: flags() for name in CAPABILITIES}})
    return st.one_of(shape, shape, st.sampled_from([None, [], "x"]))


def candidates(vocabulary: Vocabulary = SAMPLE) -> st.SearchStrategy[dict[str, Any]]:
    """One wire candidate; any key may be missing or of the wrong type."""
    declared = {
        name: numbers() if field.sort == "Num" else flags()
        for name, field in vocabulary.fields.items()
        if name not in {"credits", "context", "breaker_open", "disabled"}
    }
    peers = st.sampled_from([{"peer_id": "peer-1"}, {"peer_id": "openai"}, {"peer_id": None}, [], {}])
    return st.fixed_dictionaries(
        {},
        optional={
            "provider_id": _names(PROVIDERS),
            "model_family": _names(FAMILIES),
            "tier": _names(TIERS),
            "capabilities": capabilities(),
            "quality_hint": numbers(),
            "offer": peers,
            "scope": st.sampled_from([None, "a", "b", True, 1, 1.0, []]),
            **declared,
        },
    )


def pools(vocabulary: Vocabulary = SAMPLE) -> st.SearchStrategy[Pool]:
    """Pools of 0 to 12 candidates, some of them twice in it."""
    few = st.lists(candidates(vocabulary), max_size=8)
    return st.tuples(few, st.integers(0, 4)).map(lambda made: Pool([*made[0], *made[0][: made[1]]], vocabulary))


def requirements() -> st.SearchStrategy[Any]:
    """The requirements block of a request, an empty one written `[]` now and then."""
    needs = st.lists(st.sampled_from(["tools", "vision", "json_mode", "seed", "poetry", 5, None]), max_size=4)
    block = st.fixed_dictionaries(
        {},
        optional={
            "needs": needs,
            "min_context": numbers(),
            "model_family": _names(FAMILIES),
            "tier": _names(TIERS),
            "privacy": st.sampled_from(["no_log", "tee_required", "none", None, True]),
            "min_quality": numbers(),
            "min_tok_s": numbers(),
            "max_latency_ms": numbers(),
            "max_cost_usd": numbers(),
            "estimated_input_tokens": numbers(),
            "estimated_output_tokens": numbers(),
        },
    )
    return st.one_of(block, st.sampled_from([[], None, "x"]))


def requests() -> st.SearchStrategy[Any]:
    """The request as it came."""
    shape = st.fixed_dictionaries(
        {},
        optional={
            "requirements": requirements(),
            "images": st.sampled_from([[], ["x"], None]),
            "tools": st.sampled_from([[], [{"name": "f"}], "x"]),
            "response_format": st.sampled_from([{"type": "json_object"}, {"type": "text"}, [], None]),
            "scope": st.sampled_from(["a", "b", None, True, 1]),
        },
    )
    return st.one_of(shape, shape, st.just([]))


def states() -> st.SearchStrategy[Any]:
    """What the host has measured."""
    keys = ("price_in", "price_out", "ema_latency_ms", "ema_tok_s", "success_rate_ewma", "last_quality_eval")
    averages = st.fixed_dictionaries({}, optional={key: numbers() for key in keys})
    routes = st.sampled_from([f"{p}|{f}" for p in (*PROVIDERS, "a|b", "") for f in (*FAMILIES, "a|b")])
    providers = st.sampled_from([*PROVIDERS, "a|b"])
    shape = st.fixed_dictionaries(
        {},
        optional={
            "ema": st.one_of(st.dictionaries(routes, st.one_of(averages, st.none()), max_size=8), st.just([])),
            "credits": st.one_of(st.dictionaries(providers, numbers(), max_size=4), st.just([])),
            "breakers": st.one_of(st.dictionaries(providers, flags(), max_size=4), st.just([])),
            "disabled": st.one_of(
                st.dictionaries(providers, st.sampled_from([{}, None, False]), max_size=4), st.just([])
            ),
            "free_credit_threshold_usd": numbers(),
        },
    )
    return st.one_of(shape, shape, st.just([]))


def contexts() -> st.SearchStrategy[Context]:
    """Requests, states and seeds together."""
    seeds = st.one_of(st.none(), st.integers(-(2**65), 2**65), st.sampled_from([0, 42, 2147483647, 1.5, True]))
    return st.builds(Context, requests(), states(), seeds)
