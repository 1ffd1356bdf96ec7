"""How long one decision takes, at 15, 300, 2,500 and 10,000 offers: reference beside columnar, in one run.

    python benchmarks/engine.py [--repeats N]        JSON on stdout, times in microseconds, medians and 95th percentiles

`columnar` decides one policy uncached: order, scores and the reason of each rejected offer as arrays, with the masks of
its clauses kept, as they are after the first tenant; `columnar_cold` forgets them each time; `columnar_tuples` also
makes Python tuples of it all. Columns are built once per catalog and timed apart.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted, check
from workbench.language.vocabulary import CORE, Category, Field, Vocabulary

SIZES = (15, 300, 2500, 10000)

VOCABULARY: Vocabulary = CORE.extend(
    [Field("bench_intelligence", "Num", 0.0)], [Category("region", ("eu", "us", "global", "unknown"))]
)

FALLBACK: list[Any] = ["always", {"action": "next_candidate"}]
SCORER: list[Any] = [
    "add",
    ["scale", 0.7, ["normalize", ["field", "bench_intelligence"]]],
    ["scale", 0.3, ["neg", ["normalize", ["field", "price_in"]]]],
]
FILTERS: dict[str, list[Any]] = {
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

CONTEXT = Context({"requirements": {"min_context": 16000, "needs": ["tools"]}})


def offers(count: int) -> list[dict[str, Any]]:
    """Made-up offers with gaps, the same every time."""
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


def measured(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Median and 95th percentile of single calls, in microseconds."""
    for _ in range(min(repeats, 50)):
        work()
    gc.collect()
    gc.disable()
    times: list[float] = []
    try:
        for _ in range(repeats):
            start = time.perf_counter_ns()
            work()
            times.append((time.perf_counter_ns() - start) / 1000)
    finally:
        gc.enable()
    times.sort()
    return {"median_us": round(statistics.median(times), 2), "p95_us": round(times[int(len(times) * 0.95)], 2)}


def compared(policy: Admitted, pool: Pool, repeats: int) -> dict[str, Any]:
    """All ways of deciding one policy over one pool."""

    def cold() -> object:
        pool.columns.forget()
        return decide(policy, pool, CONTEXT)

    def tuples() -> object:
        decision = decide(policy, pool, CONTEXT)
        return decision.order, decision.scores, decision.rejected

    slow = max(5, min(repeats, 60000 // max(len(pool), 1)) // 4)
    decision = decide(policy, pool, CONTEXT)
    assert decision == decide(policy, pool, CONTEXT, evaluator="reference")
    times = {
        "reference": measured(lambda: decide(policy, pool, CONTEXT, evaluator="reference"), slow),
        "columnar": measured(lambda: decide(policy, pool, CONTEXT), repeats),
        "columnar_cold": measured(cold, repeats),
        "columnar_tuples": measured(tuples, max(20, repeats // 10)),
    }
    ratio = times["reference"]["median_us"] / times["columnar"]["median_us"]
    return {"offers": len(pool), "survivors": decision.survivors, **times, "ratio": round(ratio, 1)}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    repeats = parser.parse_args().repeats
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        pool = Pool(offers(size), VOCABULARY)
        for name, keep in FILTERS.items():
            policy = check(["policy", keep, SCORER, ["argmax"], ["id"], FALLBACK], VOCABULARY)
            start = time.perf_counter_ns()
            decide(policy, pool, CONTEXT)
            first = (time.perf_counter_ns() - start) / 1000
            rows.append({"policy": name, "first_with_columns_us": round(first), **compared(policy, pool, repeats)})
    versions = {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
    print(json.dumps({"benchmark": "engine", **versions, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
