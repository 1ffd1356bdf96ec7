"""sigma-pol/v1: read, named, and brought to v2 with its differences told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from tests.strategies import SAMPLE, policies
from workbench.errors import AdmissionError
from workbench.language.admission import check
from workbench.language.migrate import CODES, migrate
from workbench.language.signature import V1, V2
from workbench.language.vocabulary import CORE, CORE_V1, Field

REST: list[Any] = [["argmax"], ["id"], ["always", {"action": "next_candidate"}]]


def v1(condition: Any = None, scorer: Any = None, evidence: Any = None) -> list[Any]:
    return ["policy", evidence or ["ev_zero"], condition or ["top"], scorer or ["zero"], *REST]


def test_v1_encoding() -> None:
    term = v1(["cmp", "quality", "ge", 0.5], ["add", ["partner"], ["scale", 2, ["cost"]]])
    assert check(term, CORE).encoding == (
        'sigma-pol/v1:(policy (ev_zero) (cmp "quality" "ge" 0.5) (add (partner) (scale 2 (cost))) (argmax) (id) '
        '(always {"action":"next_candidate"}))'
    )
    assert check(term, CORE) == check(term, CORE_V1)


def test_evidence_is_associative_and_commutative() -> None:
    one = ["ev_add", ["from_prov", "user"], ["ev_add", ["decay", 2, ["from_prov", "probe"]], ["ev_zero"]]]
    other = ["ev_add", ["decay", 2, ["from_prov", "probe"]], ["from_prov", "user"]]
    assert check(one, CORE, version=V1) == check(other, CORE, version=V1)
    assert check(one, CORE, version=V1).normal == other
    assert check(["ev_add", ["ev_zero"]], CORE, version=V1).normal == ["ev_zero"]
    assert check(["ev_scale", 1, ["ev_zero"]], CORE, version=V1).normal == ["ev_scale", 1, ["ev_zero"]]


def migrated(term: list[Any], **options: Any) -> tuple[list[Any], list[tuple[str, str | None]]]:
    made, found = migrate(check(term, SAMPLE, version=V1), SAMPLE, **options)
    assert made.version == V2
    assert all(finding.severity == "warning" and finding.code in CODES for finding in found)
    return made.source, [(finding.code, finding.place.path) for finding in found]


def test_what_both_versions_say_alike_stays() -> None:
    term = v1(["and", ["is", "no_log"], ["cmp", "context", "ge", 5]], ["normalize", ["field", "credits"]])
    assert migrated(term) == (["policy", *term[2:]], [])


def test_differences_are_told_once_each_with_their_place() -> None:
    term = v1(
        ["and", ["meets_req"], ["cmp", "price_in", "le", 5], ["cmp", "price_in", "ge", 1], ["cmp", "tok_s", "ge", 9]],
        ["add", ["speed"], ["speed"], ["partner"]],
        ["from_prov", "user"],
    )
    source, found = migrated(term)
    assert found == [
        ("evidence", "$.policy[1]"),
        ("requirements", "$.policy[2].and[1]"),
        ("field", "$.policy[2].and[2].cmp[1]"),
        ("field", "$.policy[2].and[4].cmp[1]"),
        ("composite", "$.policy[3].add[1]"),
        ("composite", "$.policy[3].add[3]"),
    ]
    assert source[1] == term[2]
    assert source[2][1] == ["clamp", 0, 1, ["neg", ["scale", 0.0002, ["field", "latency_ms"]]]]


def test_quality_gets_a_stand_in_or_says_that_it_has_none() -> None:
    assert migrated(["quality"]) == (["lit", 0.5], [("composite", "$")])
    stand_in = {"quality_field": "bench_intelligence"}
    assert migrated(["quality"], **stand_in)[0] == ["clamp", 0, 1, ["field", "bench_intelligence"]]
    assert migrated(["cmp", "quality_hint", "ge", 0.5], **stand_in) == (
        ["cmp", "bench_intelligence", "ge", 0.5],
        [("field", "$.cmp[1]")],
    )
    declared = SAMPLE.extend([Field("quality_hint", "Num", 0.0)])
    assert migrate(check(["quality"], SAMPLE, version=V1), declared)[0].source == [
        "clamp",
        0,
        1,
        ["field", "quality_hint"],
    ]


def test_a_filter_that_v2_cannot_state_is_refused_and_never_dropped() -> None:
    with pytest.raises(AdmissionError, match="undeclared field 'quality'"):
        migrated(v1(["cmp", "quality", "ge", 0.5]))
    with pytest.raises(AdmissionError, match="undeclared field 'iq'"):
        migrated(["quality"], quality_field="iq")
    with pytest.raises(ValueError, match="evidence"):
        migrated(["ev_zero"])


def test_v2_comes_back_as_it_is() -> None:
    term = check(["top"], CORE)
    assert migrate(term, CORE) == (term, ())


@settings(max_examples=150, deadline=None)
@given(policies(version=V1))
def test_any_v1_policy_migrates_once_quality_has_a_stand_in(term: list[Any]) -> None:
    made, _ = migrate(check(term, SAMPLE), SAMPLE, quality_field="bench_intelligence")
    assert made.version == V2
    assert made.sort == "Policy"
