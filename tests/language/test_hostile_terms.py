"""Terms that somebody broke, by accident or on purpose: an admission error and nothing else (RELIABILITY R1)."""

from __future__ import annotations

import gc
import time
import unicodedata
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.mutation import mutated, sound
from tests.scale import scaled
from tests.strategies import SAMPLE
from workbench.errors import AdmissionError, Finding
from workbench.language.admission import Admitted, check, find
from workbench.language.lowering import lower
from workbench.language.normal_form import normalize
from workbench.language.refusal import CODES
from workbench.language.runnable import runnable
from workbench.language.signature import V1, V2, Version

BATCHES = scaled(10, 100)
PER_BATCH = 1000
SORTS = ("Pred", "Scorer", "Selector", "Xform", "FailPlan", "Policy", "Policy")


def well_worded(finding: Finding) -> bool:
    text = f"{finding.reason}{finding.place.path}{finding.hint or ''}"
    return (
        finding.code in CODES
        and (finding.place.path or "").startswith("$")
        and len(finding.reason) <= 512
        and not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in text)
    )


def admitted_or_refused(term: Any, version: Version) -> Admitted | tuple[Finding, ...]:
    try:
        return check(term, SAMPLE, version=version)
    except AdmissionError as error:
        return error.findings


def refusals_to_lower(term: Any) -> tuple[Finding, ...]:
    try:
        lower(term, SAMPLE)
    except AdmissionError as error:
        return error.findings
    return ()


@pytest.fixture
def no_collection() -> Iterator[None]:
    """The collector walks everything the whole test run holds, and that is not what is timed here."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_broken_term_is_admitted_soundly_or_refused_clearly(batch: int) -> None:
    random = Random(batch)
    refused = 0
    seconds: list[float] = []
    for _ in range(PER_BATCH):
        version: Version = random.choice((V1, V2, V2, V2))
        term: Any = mutated(random, sound(random, random.choice(SORTS), version))
        start = time.process_time()
        found = find(term, SAMPLE, version=version)
        outcome = admitted_or_refused(term, version)
        seconds.append(time.process_time() - start)
        if isinstance(outcome, Admitted):
            assert found == ()
            assert normalize(outcome.normal, version) == outcome.normal
            runnable(outcome)
        else:
            refused += 1
            assert outcome == found[:1]
            assert all(map(well_worded, found)), found
    assert refused > PER_BATCH * 0.8
    assert max(seconds) <= 1.0  # a guard against growth, not a figure
    assert sorted(seconds)[PER_BATCH * 99 // 100] <= 0.005


def test_lowering_a_broken_term_gives_a_term_or_an_admission_error() -> None:
    random = Random(99)
    refused = 0
    for _ in range(2000):
        term = sound(random, "Pred", V2)
        spelled: list[Any] = [
            "and",
            term,
            ["in", "region", ["eu", "us"]],
            ["ne", "provider", "openai"],
            ["not_in", "tier", []],
        ]
        broken: Any = mutated(random, spelled)
        findings = refusals_to_lower(broken)
        refused += bool(findings)
        assert all(map(well_worded, findings)), findings
    assert refused > 100


@pytest.mark.parametrize(
    "term",
    [
        {"0": "and"},
        {"op": "and", "args": []},
        ["and", {"0": "top"}],
        ["policy", {"__proto__": []}, ["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}]],
        ["always", {"__proto__": {"action": "abort"}}],
        ["__proto__"],
        ["__class__"],
        b"[]",
        12,
        True,
    ],
)
def test_objects_where_arrays_belong(term: Any) -> None:
    with pytest.raises(AdmissionError) as caught:
        check(term, SAMPLE)
    assert all(map(well_worded, caught.value.findings))


def test_terms_that_are_odd_but_sound() -> None:
    """`sample -1`, a lower bound over the upper one, a reason nobody knows: a defined result, not an error."""
    for term in (
        ["sample", -1],
        ["sample", 1e308],
        ["top_k", 2**60, ["argmax"]],
        ["clamp", 5, 1, ["field", "price_in"]],
        ["override", ["always", {"action": "abort"}], "weather", {"action": "next_candidate"}],
        ["set_param", "base_url", "http://example.org"],
        ["provider_eq", "a\x00\x1b\u202e"],
    ):
        assert find(term, SAMPLE) == ()


def test_the_same_reason_over_and_over_is_capped_by_depth() -> None:
    plan: list[Any] = ["always", {"action": "abort"}]
    for _ in range(63):
        plan = ["override", plan, "timeout", {"action": "next_candidate"}]
    normal = check(plan, SAMPLE).normal
    assert normal == ["override", ["always", {"action": "abort"}], "timeout", {"action": "next_candidate"}]
    assert find(["override", plan, "timeout", {"action": "abort"}], SAMPLE)[0].code == "depth"
