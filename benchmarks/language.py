"""What the door into the language costs: medians in microseconds. Run `python -m benchmarks.language`.

Asserts nothing: figures depend on the machine, and who reads them compares two commits on one.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from workbench.errors import AdmissionError
from workbench.language.admission import check, find
from workbench.language.lowering import lower
from workbench.language.runnable import runnable
from workbench.language.vocabulary import CORE

POLICY: list[Any] = [
    "policy",
    [
        "and",
        ["meets_req"],
        ["not", ["is", "disabled"]],
        ["or", ["provider_eq", "openai"], ["provider_eq", "mistral"], ["provider_eq", "azure"]],
        ["cmp", "price_out", "le", 15],
        ["is", "no_log"],
        ["cmp", "context", "ge", 32000],
        ["not", ["provider_eq", "deepseek"]],
        ["has_cap", "supports_tools"],
    ],
    [
        "add",
        ["scale", 0.7, ["normalize", ["field", "tok_s"]]],
        ["scale", 0.3, ["neg", ["normalize", ["field", "price_in"]]]],
    ],
    ["top_k", 3, ["argmax"]],
    ["set_param", "temperature", 0],
    ["override", ["always", {"action": "next_candidate"}], "rate_limit", {"action": "retry_same", "attempts": 2}],
]
"""Eight clauses, a weighted ranking, a selection, a transform and a failure plan: 28 nodes."""

WIDEST: list[Any] = ["and", *[["cmp", "price_in", "le", place] for place in range(4095)]]
WRONG: list[Any] = ["policy", ["and", ["is", "no_log"], ["cmp", "price_ouT", "le", 5]], *POLICY[2:]]
SPELLED: list[Any] = ["and", ["in", "provider", ["openai", "mistral", "azure"]], ["ne", "tier", "fallback"]]


def refused(term: list[Any]) -> AdmissionError | None:
    """The refusal of a term that is wrong."""
    try:
        check(term, CORE)
    except AdmissionError as error:
        return error
    return None


def median(work: Callable[[], object], calls: int, rounds: int = 31) -> float:
    """Microseconds per call: the median over rounds, the collector off."""
    took: list[float] = []
    gc.disable()
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        took.append((time.perf_counter() - start) / calls * 1e6)
    gc.enable()
    return statistics.median(took)


def main() -> None:
    """Print one line per measurement."""
    admitted = check(POLICY, CORE)
    rows: list[tuple[str, Callable[[], object], int]] = [
        ("admit, normalize, encode, identity (8 clauses)", lambda: check(POLICY, CORE).identity, 200),
        ("the same with its fingerprint", lambda: check(POLICY, CORE).fingerprint, 200),
        ("refuse, with place and suggestion", lambda: refused(WRONG), 200),
        ("find everything that is wrong with it", lambda: find(WRONG, CORE), 200),
        ("lower two spellings", lambda: lower(SPELLED, CORE), 200),
        ("second verdict", lambda: runnable(admitted), 200),
        ("admit the widest term (4,096 nodes)", lambda: check(WIDEST, CORE), 2),
    ]
    for name, work, calls in rows:
        print(f"{median(work, calls):10.1f} µs  {name}")


if __name__ == "__main__":
    main()
