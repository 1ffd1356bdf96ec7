"""What admission refuses, where it says so, and what it says."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.errors import AdmissionError
from workbench.language.admission import Admitted, check, compose, find
from workbench.language.refusal import CODES
from workbench.language.signature import OPS, V1, V2
from workbench.language.vocabulary import CORE

NEXT: dict[str, Any] = {"action": "next_candidate"}
REST: list[Any] = [["zero"], ["argmax"], ["id"], ["always", NEXT]]


def first(term: Any, **options: Any) -> tuple[str, str, str, str | None]:
    """Path, code, reason and hint of the only finding that `check` raises."""
    with pytest.raises(AdmissionError) as caught:
        check(term, SAMPLE, **options)
    (finding,) = caught.value.findings
    assert finding.code in CODES
    assert finding == find(term, SAMPLE, **options)[0]
    return finding.place.path or "", finding.code, finding.reason, finding.hint


REFUSED: list[tuple[Any, str, str, str]] = [
    (["frobnicate"], "$", "op", "unknown op 'frobnicate'"),
    (["policy", ["top"]], "$", "arity", "policy takes 5 argument(s), got 1"),
    (["policy", ["is", "eu"], *REST], "$.policy[1].is[1]", "field", "undeclared field 'eu'"),
    (["policy", ["tier_eq", "gold"], *REST], "$.policy[1].tier_eq[1]", "tier", "unknown tier 'gold'"),
    (
        ["policy", ["top"], ["zero"], ["top_k", 0, ["argmax"]], ["id"], ["always", NEXT]],
        "$.policy[3].top_k[1]",
        "count",
        "expected a positive integer (Count >= 1)",
    ),
    (["policy", ["zero"], *REST], "$.policy[1]", "sort", "expected a Pred term, got Scorer"),
    (["and"], "$", "arity", "and takes at least 1 argument(s), got 0"),
    (["or"], "$", "arity", "or takes at least 1 argument(s), got 0"),
    (["add"], "$", "arity", "add takes at least 1 argument(s), got 0"),
    (["seq"], "$", "arity", "seq takes at least 1 argument(s), got 0"),
    (["top", 1], "$", "arity", "top takes 0 argument(s), got 1"),
    (["not"], "$", "arity", "not takes 1 argument(s), got 0"),
    ([], "$", "shape", "expected a term [op, ...], got an empty list"),
    ("top", "$", "shape", "expected a term [op, ...], got a string"),
    (("top",), "$", "shape", "expected a term [op, ...], got a Python tuple"),
    ([1], "$", "op", "expected an op name, got a number"),
    ([["top"]], "$", "op", "expected an op name, got a list"),
    (["not", "top"], "$.not[1]", "shape", "expected a Pred term [op, ...], got a string"),
    (["not", []], "$.not[1]", "shape", "expected a Pred term [op, ...], got an empty list"),
    (["cmp", "price_in", "le", "5"], "$.cmp[3]", "number", "expected a number, got a string"),
    (["cmp", "price_in", "<=", 5], "$.cmp[2]", "relation", "unknown relation '<='"),
    (["cmp", "price_in", 1, 5], "$.cmp[2]", "relation", "expected a relation, got a number"),
    (["cmp", 5, "le", 5], "$.cmp[1]", "field", "expected a field name, got a number"),
    (["cmp", "no_log", "le", 5], "$.cmp[1]", "field", "field 'no_log' is Bool, expected Num"),
    (["is", "price_in"], "$.is[1]", "field", "field 'price_in' is Num, expected Bool"),
    (["field", "quality"], "$.field[1]", "field", "undeclared field 'quality'"),
    (["tier_eq", 1], "$.tier_eq[1]", "tier", "expected a tier, got a number"),
    (["provider_eq", 5], "$.provider_eq[1]", "string", "expected a string, got a number"),
    (["top_k", True, ["argmax"]], "$.top_k[1]", "count", "expected a positive integer (Count >= 1), got a boolean"),
    (["top_k", 1.5, ["argmax"]], "$.top_k[1]", "count", "expected a positive integer (Count >= 1)"),
    (["set_param", "x", []], "$.set_param[2]", "scalar", "expected a number, a string or a boolean, got a list"),
    (["always", "abort"], "$.always[1]", "action", "expected an action record, got a string"),
    (["always", {}], "$.always[1]", "action", "an action record needs the key 'action'"),
    (["always", {"action": "retry"}], "$.always[1].action", "action", "unknown action 'retry'"),
    (["always", {**NEXT, "then_action": 1}], "$.always[1].then_action", "action", "expected an action, got a number"),
    (["always", {**NEXT, "attempts": True}], "$.always[1].attempts", "number", "expected a number, got a boolean"),
    (["always", {**NEXT, "note": "x"}], "$.always[1].note", "number", "expected a number, got a string"),
    (
        ["always", {**NEXT, "backoff_ms": {"x": 5}}],
        "$.always[1].backoff_ms",
        "number",
        "expected a number, got a record",
    ),
    (
        ["always", {**NEXT, "backoff_ms": [1, "2"]}],
        "$.always[1].backoff_ms[2]",
        "number",
        "expected a number, got a string",
    ),
    (["filter_text", {}], "$.filter_text[1]", "recipe", "expected a recipe (a list), got a record"),
    (
        ["filter_text", [5]],
        "$.filter_text[1][1]",
        "recipe",
        "expected a string or a flat record of numbers, got a number",
    ),
    (["filter_text", [{"a": {}}]], "$.filter_text[1][1].a", "number", "expected a number, got a record"),
    (["chain", {}], "$.chain[1]", "chain", "expected a chain (a list), got a record"),
    (["chain", [{"provider": "p"}]], "$.chain[1][1]", "chain", "a chain entry needs provider and model"),
    (["chain", [{"provider": "p", "model": 1}]], "$.chain[1][1].model", "string", "expected a string, got a number"),
    (
        ["chain", [{"provider": "p", "model": "m", "region": "eu"}]],
        "$.chain[1][1].region",
        "chain",
        "unknown key 'region'",
    ),
    (["chain", [["p", "m"]]], "$.chain[1][1]", "chain", "expected a record with provider and model, got a list"),
]


@pytest.mark.parametrize(("term", "path", "code", "reason"), REFUSED, ids=[row[3] + " " + row[1] for row in REFUSED])
def test_refused_with_place_and_reason(term: Any, path: str, code: str, reason: str) -> None:
    assert first(term)[:3] == (path, code, reason)


NULLS: list[tuple[Any, str]] = [
    (None, "$"),
    ([None], "$"),
    (["and", ["top"], None, ["bot"]], "$.and[2]"),
    (["and", ["top"], None], "$.and[2]"),
    (["top", None], "$.top[1]"),
    (["cmp", "price_in", None], "$.cmp[2]"),
    (["cmp", "price_in", "le", None], "$.cmp[3]"),
    (["cmp", None, "le", 1], "$.cmp[1]"),
    (["cmp", "price_in", None, 1], "$.cmp[2]"),
    (["tier_eq", None], "$.tier_eq[1]"),
    (["provider_eq", None], "$.provider_eq[1]"),
    (["top_k", None, ["argmax"]], "$.top_k[1]"),
    (["set_param", "x", None], "$.set_param[2]"),
    (["filter_text", None], "$.filter_text[1]"),
    (["filter_text", [None, "x"]], "$.filter_text[1][1]"),
    (["filter_text", [{"a": None}]], "$.filter_text[1][1].a"),
    (["chain", [None]], "$.chain[1][1]"),
    (["chain", [{"provider": None, "model": "m"}]], "$.chain[1][1].provider"),
    (["always", None], "$.always[1]"),
    (["always", {"action": None}], "$.always[1].action"),
    (["always", {**NEXT, "then_action": None}], "$.always[1].then_action"),
    (["always", {**NEXT, "attempts": None}], "$.always[1].attempts"),
    (["always", {**NEXT, "backoff_ms": [1, None]}], "$.always[1].backoff_ms[2]"),
]


@pytest.mark.parametrize(("term", "path"), NULLS)
def test_null_is_refused_at_its_place(term: Any, path: str) -> None:
    assert first(term)[:3] == (path, "null", "null is not allowed in a term")


HINTS: list[tuple[Any, str]] = [
    (["cmp", "price_ouT", "le", 5], "did you mean 'price_out'?"),
    (["is", "region_eux"], "did you mean 'region_eu'?"),
    (["is", "n\u043e_log"], "it looks like 'no_log', but has other letters"),
    (["provider", "openai"], "did you mean 'provider_eq'?"),
    (["tier_eq", "partners"], "did you mean 'partner'?"),
    (["tier_eq", "gold"], "one of fallback, marketplace, partner"),
    (["always", {"action": "next_candidat"}], "did you mean 'next_candidate'?"),
    (["cmp", "no_log", "le", 5], 'use ["is", FIELD]'),
    (["quality"], "only sigma-pol/v1 has it"),
    (["cmp", "price_in", "le"], "write [cmp, NumField, Rel, Num]"),
]


@pytest.mark.parametrize(("term", "hint"), HINTS)
def test_refused_with_a_way_out(term: Any, hint: str) -> None:
    assert first(term)[3] == hint


def test_find_tells_everything_in_order() -> None:
    term = ["policy", ["and", ["is", "eu"], None, ["cmp", "no_log", "xx", True]], ["top"], ["argmax"], ["id"], 5]
    assert [(finding.place.path, finding.code) for finding in find(term, SAMPLE)] == [
        ("$.policy[1].and[1].is[1]", "field"),
        ("$.policy[1].and[2]", "null"),
        ("$.policy[1].and[3].cmp[1]", "field"),
        ("$.policy[1].and[3].cmp[2]", "relation"),
        ("$.policy[1].and[3].cmp[3]", "number"),
        ("$.policy[2]", "sort"),
        ("$.policy[5]", "shape"),
    ]


def test_expected_sort_is_named() -> None:
    assert first(["top"], sort="Policy")[:3] == ("$", "sort", "expected a Policy term, got Pred")


def test_version_follows_the_number_of_slots_unless_forced() -> None:
    six = ["policy", ["ev_zero"], ["top"], *REST]
    assert check(six, CORE).version == V1
    assert check(["policy", ["top"], *REST], CORE).version == V2
    assert first(six, version=V2)[2] == "policy takes 5 argument(s), got 6"
    assert first(["policy", ["top"], *REST], version=V1)[2] == "policy takes 6 argument(s), got 5"
    assert check(["field", "quality"], CORE, version=V1).encoding == 'sigma-pol/v1:(field "quality")'


@pytest.mark.parametrize("op", ["provider_eq", "served_by_eq", "prefer"])
def test_v1_lacks_what_v2_added(op: str) -> None:
    assert first([op, "x"], version=V1)[2:] == (f"unknown op '{op}'", "only sigma-pol/v2 has it")


def test_every_operation_is_admitted_somewhere() -> None:
    assert all(op.versions for op in OPS.values())
    assert set(OPS) >= {"prefer", "ev_add", "policy"}


def test_an_admitted_term_is_immutable_and_made_by_check_alone() -> None:
    term: list[Any] = ["and", ["is", "no_log"], ["always_here"][:0] or ["top"]]
    admitted = check(term, SAMPLE)
    term[1][1] = "has_tee"
    term.append(None)
    assert admitted.source == ["and", ["is", "no_log"], ["top"]]
    assert admitted.normal == ["is", "no_log"]
    with pytest.raises(TypeError, match="from `check` alone"):
        Admitted()
    with pytest.raises(AttributeError):
        admitted.encoding = "x"
    with pytest.raises(AttributeError):
        del admitted.encoding
    with pytest.raises(TypeError):
        pickle.dumps(admitted)
    assert copy.deepcopy(admitted) is admitted
    assert copy.copy(admitted) is admitted
    assert repr(admitted) == f"<Admitted Pred {admitted.short}>"


def test_records_and_arrays_are_copied_in() -> None:
    action: dict[str, Any] = {**NEXT, "backoff_ms": [1]}
    admitted = check(["always", action], SAMPLE)
    action["backoff_ms"].append(None)
    action["attempts"] = 9
    assert admitted.normal == ["always", {**NEXT, "backoff_ms": [1]}]


def test_versions_keep_equal_terms_apart() -> None:
    assert check(["top"], CORE, version=V1) != check(["top"], CORE)
    assert check(["top"], CORE) != "top"


def test_only_a_policy_has_slots() -> None:
    with pytest.raises(ValueError, match="a Pred has no slots"):
        check(["top"], CORE).slot("filter")
    with pytest.raises(ValueError, match="mutate"):
        check(["policy", ["top"], *REST], CORE).slot("mutate")


def test_envelope_is_anded_and_admitted_anew() -> None:
    policy = check(["policy", ["and", ["is", "no_log"], ["meets_req"]], *REST], SAMPLE)
    envelope = check(["is", "region_eu"], SAMPLE)
    wrapped = compose(policy, envelope, SAMPLE)
    assert wrapped.source[1] == ["and", ["is", "region_eu"], policy.source[1]]
    assert wrapped.normal[1] == ["and", ["is", "no_log"], ["is", "region_eu"], ["meets_req"]]
    v1 = check(["policy", ["ev_zero"], ["top"], *REST], SAMPLE)
    assert compose(v1, envelope, SAMPLE).slot("filter") == check(["is", "region_eu"], SAMPLE, version=V1)


def test_envelope_is_named_where_the_whole_is_refused() -> None:
    deep: list[Any] = ["meets_req"]
    for _ in range(62):
        deep = ["not", deep]
    policy = check(["policy", deep, *REST], SAMPLE)
    with pytest.raises(AdmissionError) as caught:
        compose(policy, check(["is", "region_eu"], SAMPLE), SAMPLE)
    (finding,) = caught.value.findings
    assert finding.code == "depth"
    assert "envelope" in finding.reason
    with pytest.raises(ValueError, match="Pred around a Policy"):
        compose(policy, policy, SAMPLE)
