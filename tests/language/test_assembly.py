"""A policy put together from admitted parts is the one that `check` admits as a whole, to the byte."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import SAMPLE, terms
from workbench.errors import AdmissionError
from workbench.language.admission import MAX_BYTES, Admitted, Term, assemble, check
from workbench.language.signature import MAX_DEPTH, MAX_NODES, V1, Sort
from workbench.language.vocabulary import CORE

SLOTS: tuple[Sort, ...] = ("Scorer", "Selector", "Xform", "FailPlan")
REST: list[Term] = [["zero"], ["argmax"], ["id"], ["always", {"action": "next_candidate"}]]
FILTERS = st.lists(terms("Pred", depth=2), min_size=1, max_size=6)
OTHERS = st.tuples(*[terms(sort, depth=2) for sort in SLOTS])


def parts(filters: list[Any], rest: list[Any] | tuple[Any, ...] = tuple(REST)) -> tuple[list[Admitted], list[Admitted]]:
    """Each part admitted on its own."""
    slots = [check(term, SAMPLE, sort=sort) for term, sort in zip(rest, SLOTS, strict=True)]
    return [check(term, SAMPLE, sort="Pred") for term in filters], slots


def whole(filters: list[Any], rest: list[Any] | tuple[Any, ...] = tuple(REST)) -> Term:
    """The same, written out."""
    return ["policy", ["and", *filters], *rest]


def assert_same(got: Admitted, expected: Admitted) -> None:
    """Everything that can be seen of an admitted term."""
    assert repr(got.source) == repr(expected.source)
    assert repr(got.normal) == repr(expected.normal)
    assert (got.sort, got.version, got.encoding) == (expected.sort, expected.version, expected.encoding)
    assert (got.identity, got.fingerprint) == (expected.identity, expected.fingerprint)


@settings(max_examples=400, deadline=None)
@given(FILTERS, OTHERS)
def test_assembled_is_what_check_admits(filters: list[Any], rest: tuple[Any, ...]) -> None:
    got, expected = assemble(*parts(filters, rest), SAMPLE), check(whole(filters, rest), SAMPLE)
    assert_same(got, expected)
    for slot in ("filter", "rank", "select", "transform", "fallback"):
        assert_same(got.slot(slot), expected.slot(slot))
    assert expected.used is not None
    assert got.used is not None
    assert (got.used.nodes, got.used.size) == (expected.used.nodes, expected.used.size)
    assert 0 <= got.used.depth - expected.used.depth <= 1


@settings(max_examples=100, deadline=None)
@given(FILTERS, OTHERS)
def test_parts_of_a_whole_are_walked_again_and_come_out_the_same(filters: list[Any], rest: tuple[Any, ...]) -> None:
    policy = check(whole(filters, rest), SAMPLE)
    slots = [policy.slot(name) for name in ("rank", "select", "transform", "fallback")]
    assert all(slot.used is None for slot in slots)
    keep = policy.slot("filter")
    assert assemble([keep], slots, SAMPLE) == policy


def nested(levels: int) -> Term:
    """A Pred of that many levels, of 1 + `levels` terms' depth at most."""
    term: Term = ["meets_req"]
    for _ in range(levels - 1):
        term = ["not", term]
    return term


def refusal(filters: list[Any]) -> AdmissionError:
    """How the whole is refused, when it is assembled and when it is checked: the same way."""
    with pytest.raises(AdmissionError) as assembled:
        assemble(*parts(filters), SAMPLE)
    with pytest.raises(AdmissionError) as checked:
        check(whole(filters), SAMPLE)
    assert assembled.value.findings == checked.value.findings
    return assembled.value


def test_depth_is_counted_across_parts() -> None:
    deepest = [nested(MAX_DEPTH - 2)]
    assert_same(assemble(*parts(deepest), SAMPLE), check(whole(deepest), SAMPLE))
    assert refusal([nested(MAX_DEPTH - 1)]).findings[0].code == "depth"


def test_a_slot_may_be_as_deep_as_check_lets_it() -> None:
    scorer: Term = ["zero"]
    for _ in range(MAX_DEPTH - 2):
        scorer = ["scale", 2, scorer]
    rest = [scorer, *REST[1:]]
    assert_same(assemble(*parts([["meets_req"]], rest), SAMPLE), check(whole([["meets_req"]], rest), SAMPLE))


def test_terms_are_counted_across_parts() -> None:
    half: Term = ["and", *[["is", "no_log"]] * (MAX_NODES // 2 - 6)]
    assert_same(assemble(*parts([half, half]), SAMPLE), check(whole([half, half]), SAMPLE))
    assert refusal([half, half, ["or", *[["meets_req"]] * 16]]).findings[0].code == "nodes"


def test_bytes_are_counted_across_parts() -> None:
    names: Term = ["or", *[["provider_eq", "x" * 250]] * 500]
    assert refusal([names, names]).findings[0].code == "size"
    rest = MAX_BYTES - sum(part.used.size for part in parts([names])[0] if part.used)
    assert rest > 0
    assert_same(assemble(*parts([names]), SAMPLE), check(whole([names]), SAMPLE))


def test_parts_of_another_vocabulary_are_held_against_this_one() -> None:
    filters, slots = parts([["is", "region_eu"]])
    with pytest.raises(AdmissionError) as caught:
        assemble(filters, slots, CORE)
    assert "region_eu" in caught.value.findings[0].reason


def test_parts_of_the_older_version_are_walked_again() -> None:
    _, slots = parts([["top"]])
    keep = check(["is", "no_log"], SAMPLE, version=V1)
    assert_same(assemble([keep], slots, SAMPLE), check(whole([["is", "no_log"]]), SAMPLE))


def test_wrong_sorts_and_no_filter_are_refused_as_check_refuses_them() -> None:
    filters, slots = parts([["top"]])
    for these, those in ((filters, slots[::-1]), ([slots[0]], slots), (filters, slots[:3]), ([], slots)):
        with pytest.raises(AdmissionError) as assembled:
            assemble(these, those, SAMPLE)
        term = ["policy", ["and", *[part.source for part in these]], *[part.source for part in those]]
        with pytest.raises(AdmissionError) as checked:
            check(term, SAMPLE, version="sigma-pol/v2", sort="Policy")
        assert assembled.value.findings == checked.value.findings
