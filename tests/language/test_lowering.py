"""The JSON spellings and what they are lowered to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.errors import AdmissionError
from workbench.language.admission import check
from workbench.language.lowering import lower

LOWERED: list[tuple[list[Any], list[Any]]] = [
    (["in", "provider", ["openai", "anthropic"]], ["or", ["provider_eq", "openai"], ["provider_eq", "anthropic"]]),
    (["in", "provider", ["openai"]], ["provider_eq", "openai"]),
    (["not_in", "provider", ["deepseek"]], ["not", ["provider_eq", "deepseek"]]),
    (["in", "model", []], ["bot"]),
    (["not_in", "model", []], ["top"]),
    (["eq", "region", "eu"], ["is", "region_eu"]),
    (["ne", "region", "eu"], ["not", ["is", "region_eu"]]),
    (["in", "region", ["eu", "unknown"]], ["or", ["is", "region_eu"], ["is", "region_unknown"]]),
    (["eq", "tier", "partner"], ["tier_eq", "partner"]),
    (["eq", "served_by", "peer-1"], ["served_by_eq", "peer-1"]),
    (["eq", "model", "gpt-5.5"], ["family_eq", "gpt-5.5"]),
    (["not", ["eq", "region", "us"]], ["not", ["is", "region_us"]]),
    (["prefer", ["eq", "region", "eu"], ["argmax"]], ["prefer", ["is", "region_eu"], ["argmax"]]),
    (["gate", ["in", "region", ["eu"]], ["zero"]], ["gate", ["is", "region_eu"], ["zero"]]),
]


@pytest.mark.parametrize(("spelled", "plain"), LOWERED)
def test_spelling_is_lowered_to_a_plain_term(spelled: list[Any], plain: list[Any]) -> None:
    assert lower(spelled, SAMPLE) == plain
    check(plain, SAMPLE)


def test_lowering_reaches_every_slot_of_a_policy() -> None:
    region: list[Any] = ["eq", "region", "eu"]
    always: list[Any] = ["always", {"action": "abort"}]
    spelled = ["policy", region, ["gate", region, ["zero"]], ["argmax"], ["when", region, ["id"]], always]
    plain = ["is", "region_eu"]
    assert lower(spelled, SAMPLE) == [
        "policy", plain, ["gate", plain, ["zero"]], ["argmax"], ["when", plain, ["id"]], always,
    ]  # fmt: skip


REFUSED: list[tuple[list[Any], str, str, str | None]] = [
    (["in", "provider"], "$", "in takes 2 argument(s), got 1", None),
    (["eq", "region", "ue"], "$.eq[2]", "region has no value 'ue'", "one of eu, us, global, unknown"),
    (["eq", "region", "globl"], "$.eq[2]", "region has no value 'globl'", "did you mean 'global'?"),
    (
        ["and", ["in", "region", ["eu", "xx"]]],
        "$.and[1].in[2][2]",
        "region has no value 'xx'",
        "one of eu, us, global, unknown",
    ),
    (["eq", "tier", "gold"], "$.eq[2]", "tier has no value 'gold'", "one of fallback, marketplace, partner"),
    (["eq", "provder", "x"], "$.eq[1]", "unknown name 'provder'", "did you mean 'provider'?"),
    (["eq", "price_in", 5], "$.eq[1]", "'price_in' is a number", 'write ["cmp", "price_in", "eq", NUMBER]'),
    (["eq", "no_log", True], "$.eq[1]", "'no_log' is a yes-or-no field", 'write ["is", "no_log"]'),
    (["in", "provider", "openai"], "$.in[2]", "expected a list of names, got a string", None),
    (["in", "provider", [5]], "$.in[2][1]", "expected a string, got a number", None),
    (["in", "provider", None], "$.in[2]", "null is not allowed in a term", None),
    (["not_in", "provider", ["a", None]], "$.not_in[2][2]", "null is not allowed in a term", None),
    (["eq", None, "x"], "$.eq[1]", "null is not allowed in a term", None),
    (["eq", "provider", None], "$.eq[2]", "null is not allowed in a term", None),
    (["in", "provider", ["x"] * 5000], "$.in[2]", "more than 4096 sub-terms", None),
]


@pytest.mark.parametrize(("spelled", "path", "reason", "hint"), REFUSED)
def test_spelling_is_refused_at_its_place(spelled: list[Any], path: str, reason: str, hint: str | None) -> None:
    with pytest.raises(AdmissionError) as caught:
        lower(spelled, SAMPLE)
    (finding,) = caught.value.findings
    assert (finding.place.path, finding.reason, finding.hint) == (path, reason, hint)


JUNK: list[Any] = [None, 5, "in", [], [None], ["and", None], {"in": 1}, [["in", "provider", []]]]


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_spelling_is_left_for_admission(junk: Any) -> None:
    assert lower(junk, SAMPLE) == junk


def test_spellings_are_not_part_of_the_language() -> None:
    with pytest.raises(AdmissionError, match="unknown op 'in'"):
        check(["in", "provider", ["openai"]], SAMPLE)
