"""Failure plans as tables (LANGUAGE.md 6.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given

from tests.strategies import SAMPLE, failplans
from workbench.engine.failplan import classify, fallback_table
from workbench.errors import UsageError
from workbench.language.admission import check
from workbench.language.encoding import encode_value
from workbench.language.signature import FAIL_REASONS

NEXT: dict[str, Any] = {"action": "next_candidate"}
STOP: dict[str, Any] = {"action": "abort"}
RETRY: dict[str, Any] = {
    "action": "retry_same",
    "attempts": 2,
    "backoff_ms": [200, 600],
    "then_action": "next_candidate",
}


def test_every_reason_has_its_action() -> None:
    plan = check(["override", ["override", ["always", NEXT], "timeout", RETRY], "auth_error", STOP], SAMPLE)
    expected = dict.fromkeys(FAIL_REASONS, NEXT) | {"timeout": RETRY, "auth_error": STOP}
    assert dict(fallback_table(plan)) == expected
    assert [reason for reason, _ in fallback_table(plan)] == list(FAIL_REASONS)
    assert len(FAIL_REASONS) == 13


def test_the_outermost_override_wins() -> None:
    plan = check(["override", ["override", ["always", NEXT], "timeout", STOP], "timeout", RETRY], SAMPLE)
    assert classify(plan, "timeout") == RETRY


def test_what_is_not_in_the_map_takes_what_stands_under_unknown() -> None:
    plan = check(["override", ["override", ["always", NEXT], "unknown", STOP], "moonquake", RETRY], SAMPLE)
    assert classify(plan, "timeout") == STOP
    assert classify(plan, "unknown") == STOP
    assert classify(plan, "moonquake") == RETRY


def test_a_policy_has_a_plan_and_a_predicate_has_none() -> None:
    policy = check(["policy", ["top"], ["zero"], ["argmax"], ["id"], ["always", STOP]], SAMPLE)
    assert classify(policy, "timeout") == STOP
    with pytest.raises(UsageError):
        classify(check(["top"], SAMPLE), "timeout")


def test_an_action_is_the_callers_own_copy() -> None:
    plan = check(["always", RETRY], SAMPLE)
    classify(plan, "timeout")["backoff_ms"].append(9)
    assert classify(plan, "timeout") == RETRY


def folded(term: list[Any], reason: str) -> dict[str, Any]:
    """The meaning said over once more, on the source: from the inside out, `unknown` replacing the base."""
    table: dict[str, dict[str, Any]] = {}

    def fold(plan: list[Any]) -> None:
        if plan[0] == "always":
            table["unknown"] = plan[1]
        else:
            fold(plan[1])
            table[plan[2]] = plan[3]

    fold(term)
    return table.get(reason, table["unknown"])


@given(failplans(depth=4))
def test_the_normal_form_classifies_the_thirteen_reasons_as_the_source_does(term: list[Any]) -> None:
    assume("unknown" not in repr(term))  # there the normal form decides, and the source may mean something else
    plan = check(term, SAMPLE)
    for reason in FAIL_REASONS:
        assert encode_value(classify(plan, reason)) == encode_value(folded(term, reason))
