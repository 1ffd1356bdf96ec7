"""Caps, each met before its contents are looked at (RELIABILITY R4, section 3 rows 6 to 12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.timing import least
from workbench.errors import AdmissionError
from workbench.language.admission import MAX_BYTES, check, find
from workbench.language.encoding import encode
from workbench.language.lowering import lower
from workbench.language.vocabulary import CORE

ACTION: dict[str, Any] = {"action": "retry_same"}


def nested(levels: int) -> list[Any]:
    term: list[Any] = ["meets_req"]
    for _ in range(levels - 1):
        term = ["not", term]
    return term


def brackets(levels: int) -> list[Any]:
    term: list[Any] = []
    for _ in range(levels - 1):
        term = [term]
    return term


def wide(nodes: int) -> list[Any]:
    return ["and", *[["meets_req"] for _ in range(nodes - 1)]]


def entries(count: int) -> list[Any]:
    return ["chain", [{"provider": "p", "model": "m"} for _ in range(count)]]


def keys(count: int) -> list[Any]:
    return ["always", {**ACTION, **{f"k{index}": 1 for index in range(count - 1)}}]


def waits(count: int) -> list[Any]:
    return ["always", {**ACTION, "backoff_ms": [1] * count}]


def heavy(size: int) -> list[Any]:
    """A term whose encoding has exactly `size` bytes, far from every other cap."""
    steps = [["set_param", "p", "x" * 4000] for _ in range(64)]
    term: list[Any] = ["seq", *steps]
    missing = size - len(encode(term))
    while missing > 4000:
        steps.append(["set_param", "p", "x" * 3900])
        term = ["seq", *steps]
        missing = size - len(encode(term))
    for step in steps:
        change = max(-4000, min(missing, 4096 - len(step[2])))
        step[2] = "x" * (len(step[2]) + change)
        missing -= change
    term = ["seq", *steps]
    assert len(encode(term)) == size
    return term


CAPS: list[tuple[str, Callable[[int], Any], int, str]] = [
    ("depth", nested, 64, "depth"),
    ("nodes", wide, 4096, "nodes"),
    ("recipe", lambda n: ["filter_text", ["x"] * n], 64, "size"),
    ("chain", entries, 256, "size"),
    ("action keys", keys, 16, "size"),
    ("backoff_ms", waits, 16, "size"),
    ("name", lambda n: ["family_eq", "x" * n], 256, "size"),
    ("name of two-byte letters", lambda n: ["family_eq", "é" * n], 128, "size"),
    ("parameter name", lambda n: ["inject_seed", "x" * n], 256, "size"),
    ("key", lambda n: ["always", {**ACTION, "k" * n: 1}], 256, "size"),
    ("string", lambda n: ["set_param", "x", "y" * n], 4096, "size"),
    ("whole", heavy, MAX_BYTES, "size"),
]


@pytest.mark.parametrize(("make", "cap", "code"), [row[1:] for row in CAPS], ids=[row[0] for row in CAPS])
def test_at_the_cap_admitted_and_over_it_refused_at_once(make: Callable[[int], Any], cap: int, code: str) -> None:
    check(make(cap), CORE)
    over = make(cap + 1)

    def refused() -> None:
        with pytest.raises(AdmissionError) as caught:
            check(over, CORE)
        assert caught.value.findings[0].code == code

    assert least(refused, enough=1.0) <= 1.0  # a guard against growth, not a figure
    with pytest.raises(AdmissionError) as caught:
        check(over, CORE)
    assert caught.value.findings[0] == find(over, CORE)[0]


HUGE: list[tuple[str, Callable[[], Any], str]] = [
    ("100,000 levels of not", lambda: nested(100_000), "depth"),
    ("100,000 brackets", lambda: brackets(100_000), "op"),
    ("400,000 children", lambda: wide(400_000), "nodes"),
    ("200,000 steps", lambda: ["filter_text", ["x"] * 200_000], "size"),
    ("50,000 links", lambda: entries(50_000), "size"),
    ("50,000 keys", lambda: keys(50_000), "size"),
    ("5 MB op", lambda: ["x" * 5_000_000], "op"),
    ("5 MB family", lambda: ["family_eq", "x" * 5_000_000], "size"),
    ("5 MB field", lambda: ["is", "x" * 5_000_000], "field"),
    ("5 MB key", lambda: ["always", {**ACTION, "x" * 5_000_000: 1}], "size"),
    ("5 MB chain key", lambda: ["chain", [{"x" * 5_000_000: 1}]], "size"),
    ("10,000 digits", lambda: ["lit", 10**10_000], "number"),
    ("a million digits in a count", lambda: ["top_k", 1 << 3_000_000, ["argmax"]], "number"),
]


@pytest.mark.parametrize(("make", "code"), [row[1:] for row in HUGE], ids=[row[0] for row in HUGE])
def test_huge_terms_end_in_a_short_clear_error(make: Callable[[], Any], code: str) -> None:
    term, kept = make(), list[AdmissionError]()

    def refused() -> None:
        with pytest.raises(AdmissionError) as caught:
            check(lower(term, CORE), CORE)
        kept.append(caught.value)

    assert least(refused, enough=1.0) <= 1.0  # a guard against growth, not a figure
    (finding,) = kept[-1].findings
    assert finding.code == code
    assert len(finding.reason) <= 512
    assert find(term, CORE)[0] == finding


def test_a_list_inside_itself_is_only_too_deep() -> None:
    knot: list[Any] = ["not"]
    knot.append(knot)
    with pytest.raises(AdmissionError) as caught:
        check(lower(knot, CORE), CORE)
    assert caught.value.findings[0].code == "depth"


def test_65_levels_read_like_100_000() -> None:
    assert find(nested(65), CORE) == find(nested(100_000), CORE)
    assert find(brackets(65), CORE) == find(brackets(100_000), CORE)


def test_numbers_are_doubles() -> None:
    assert check(["lit", 9007199254740993], CORE).identity == check(["lit", 9007199254740992], CORE).identity
    assert check(["lit", 9007199254740993], CORE).normal == ["lit", 9007199254740992.0]
    assert check(["lit", 2**70], CORE).encoding == "sigma-pol/v2:(lit 1.1805916207174113e+21)"
    assert isinstance(check(["lit", 2**70], CORE).normal[1], float)
    zeros = {check(["lit", zero], CORE).identity for zero in json.loads("[-0, 0.0, 0, -0.0]")}
    assert len(zeros) == 1


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 2**1024, -(2**1024)])
def test_numbers_are_finite(number: float) -> None:
    for term in (["lit", number], ["set_param", "x", number], ["always", {**ACTION, "backoff_ms": [number]}]):
        with pytest.raises(AdmissionError) as caught:
            check(term, CORE)
        assert caught.value.findings[0].code == "number"
