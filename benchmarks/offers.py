"""Made-up offers with gaps, the same every time, and the policies that are decided over them."""

from __future__ import annotations

import random
from typing import Any, Final

from workbench.engine.context import Context
from workbench.language.admission import Admitted, check
from workbench.language.vocabulary import CORE, Category, Field, Vocabulary

VOCABULARY: Final[Vocabulary] = CORE.extend(
    [Field("bench_intelligence", "Num", 0.0)], [Category("region", ("eu", "us", "global", "unknown"))]
)

FALLBACK: Final[list[Any]] = ["always", {"action": "next_candidate"}]
FILTERS: Final[dict[str, list[Any]]] = {
    "tenant": [
        "and",
        ["or", *[["provider_eq", f"p{k}"] for k in range(0, 30, 2)]],
        ["is", "region_eu"],
        ["is", "no_log"],
        ["cmp", "bench_intelligence", "ge", 0.1],
        ["not", ["is", "breaker_open"]],
    ],
    "wide": [
        "and",
        ["not", ["provider_eq", "p3"]],
        ["cmp", "price_out", "le", 35],
        ["has_cap", "supports_tools"],
        ["not", ["is", "breaker_open"]],
        ["meets_req"],
    ],
}
"""`tenant` leaves few and reads no request; `wide` leaves most, and reads the request's requirements."""

CONTEXT: Final = Context({"requirements": {"min_context": 16000, "needs": ["tools"]}})


def offers(count: int) -> list[dict[str, Any]]:
    """That many offers in wire form."""
    rng = random.Random(2026)  # noqa: S311 - not a secret
    return [
        {
            "provider_id": f"p{rng.randrange(30)}",
            "model_family": f"m{rng.randrange(120)}",
            "served_model_id": f"model-{place}",
            "tier": rng.choice(("fallback", "marketplace", "partner")),
            "price_in": None if rng.random() < 0.05 else round(rng.random() * 10, 3),
            "price_out": None if rng.random() < 0.05 else round(rng.random() * 40, 3),
            "no_log": rng.random() < 0.6,
            f"region_{rng.choice(('eu', 'eu', 'us', 'global', 'unknown'))}": True,
            "bench_intelligence": round(rng.random(), 3),
            "capabilities": {"context": rng.choice((8000, 32000, 128000)), "supports_tools": rng.random() < 0.9},
        }
        for place in range(count)
    ]


def policy_of(name: str) -> Admitted:
    """The policy with that filter, by quality and price, best first."""
    return policy_with(FILTERS[name])


def policies_with(keep: list[Any], count: int = 64) -> tuple[Admitted, ...]:
    """As many policies around a filter, each with weights of its own."""
    return tuple(policy_with(keep, 0.25 + place / (2 * count)) for place in range(count))


def policy_with(keep: list[Any], quality: float = 0.7) -> Admitted:
    """A policy around a filter; `quality` is its weight, the rest is the price's."""
    scorer: list[Any] = [
        "add",
        ["scale", quality, ["normalize", ["field", "bench_intelligence"]]],
        ["scale", 1 - quality, ["neg", ["normalize", ["field", "price_in"]]]],
    ]
    return check(["policy", keep, scorer, ["argmax"], ["id"], FALLBACK], VOCABULARY)
