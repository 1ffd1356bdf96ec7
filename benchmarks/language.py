"""What the door into the language costs, in microseconds.

    python -m benchmarks.language [--json]

Asserts nothing: figures depend on the machine, and who reads them compares two commits on one.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.measure import medians
from benchmarks.tables import Table, script
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


def nested(levels: int) -> list[Any]:
    """As many `not`s inside each other."""
    term: list[Any] = ["top"]
    for _ in range(levels):
        term = ["not", term]
    return term


DEEP = nested(100_000)
WRONG: list[Any] = ["policy", ["and", ["is", "no_log"], ["cmp", "price_ouT", "le", 5]], *POLICY[2:]]
SPELLED: list[Any] = ["and", ["in", "provider", ["openai", "mistral", "azure"]], ["ne", "tier", "fallback"]]


def refused(term: list[Any]) -> AdmissionError | None:
    """The refusal of a term that is wrong."""
    try:
        check(term, CORE)
    except AdmissionError as error:
        return error
    return None


def measure() -> list[Table]:
    """One table."""
    admitted = check(POLICY, CORE)
    took = medians(
        {
            "admit, normalize, encode, identity (8 clauses)": lambda: check(POLICY, CORE).identity,
            "the same with its fingerprint": lambda: check(POLICY, CORE).fingerprint,
            "refuse, with place and suggestion": lambda: refused(WRONG),
            "find everything that is wrong with it": lambda: find(WRONG, CORE),
            "lower two spellings": lambda: lower(SPELLED, CORE),
            "second verdict": lambda: runnable(admitted),
            "refuse a recipe over its cap": lambda: refused(["filter_text", ["x"] * 65]),
            "refuse a string over its cap": lambda: refused(["set_param", "x", "y" * 4097]),
            "refuse 100,000 levels": lambda: refused(DEEP),
            "admit the widest term (4,096 nodes)": lambda: check(WIDEST, CORE),
        }
    )
    return [Table("language", "The door into the language", ("what", "µs"), tuple(took.items()))]


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
