"""Laws of admission and normal form over arbitrary well-typed terms (RELIABILITY R3)."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.strategies import SAMPLE, policies, rearranged, terms
from workbench.language.admission import check, find
from workbench.language.encoding import encode, fingerprint, identity
from workbench.language.lowering import lower
from workbench.language.normal_form import normalize
from workbench.language.signature import SORTS, V1, V2, Version

CASES: list[tuple[Version, str]] = [
    *[(V2, sort) for sort in sorted(SORTS - {"Evidence"})],
    *[(V1, sort) for sort in ("Pred", "Scorer", "Evidence", "Policy")],
]
ANY_TERM: st.SearchStrategy[tuple[Version, list[Any]]] = st.one_of(
    [st.tuples(st.just(version), terms(sort, SAMPLE, version)) for version, sort in CASES]
)
PAIR = st.one_of([st.tuples(terms(s, depth=2), terms(s, depth=2)) for s in ("Pred", "Scorer", "Xform", "FailPlan")])


@pytest.mark.parametrize(("version", "sort"), CASES)
def test_every_well_typed_term_is_admitted(version: Version, sort: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(terms(sort, SAMPLE, version))
    def admitted(term: list[Any]) -> None:
        before = copy.deepcopy(term)
        found = check(term, SAMPLE, version=version)
        assert found.sort == sort
        assert find(term, SAMPLE, version=version) == ()
        assert term == before

    admitted()


@settings(max_examples=scaled(400, 10_000), deadline=None)
@given(ANY_TERM)
def test_normal_form_is_admissible_and_stays_what_it_is(case: tuple[Version, list[Any]]) -> None:
    version, term = case
    first = check(term, SAMPLE, version=version)
    again = check(first.normal, SAMPLE, version=version)
    assert again.normal == first.normal
    assert again.source == first.normal
    assert again.encoding == first.encoding
    assert again == first
    assert hash(again) == hash(first)


@settings(max_examples=scaled(400, 10_000), deadline=None)
@given(ANY_TERM)
def test_the_one_walk_agrees_with_the_functions_apart(case: tuple[Version, list[Any]]) -> None:
    version, term = case
    admitted = check(term, SAMPLE, version=version)
    assert normalize(admitted.source, version) == admitted.normal
    assert f"{version}:{encode(admitted.normal)}" == admitted.encoding
    assert fingerprint(admitted.encoding.encode()) == admitted.fingerprint
    assert identity(admitted.encoding.encode()) == admitted.identity


@settings(max_examples=scaled(400, 10_000), deadline=None)
@given(st.data())
def test_order_and_nesting_of_children_do_not_matter(data: st.DataObject) -> None:
    case: tuple[Version, list[Any]] = data.draw(ANY_TERM)
    version, term = case
    other = data.draw(rearranged(term))
    assert check(other, SAMPLE, version=version).encoding == check(term, SAMPLE, version=version).encoding


def _exact(value: Any) -> Any:
    """A value under which two parameters are equal only if a policy cannot tell them apart."""
    if isinstance(value, dict):
        record = cast("dict[str, Any]", value)
        return ("record", sorted((key, _exact(record[key])) for key in record)) if record else []
    if isinstance(value, list):
        return [_exact(item) for item in cast("list[Any]", value)]
    if isinstance(value, (bool, str)):
        return (type(value).__name__, value)
    return float(value) + 0.0


@settings(max_examples=scaled(600, 10_000), deadline=None)
@given(PAIR)
def test_distinct_normal_forms_have_distinct_encodings(pair: tuple[list[Any], list[Any]]) -> None:
    one, other = (check(term, SAMPLE) for term in pair)
    assert (_exact(one.normal) == _exact(other.normal)) == (one.encoding == other.encoding)


@settings(max_examples=150, deadline=None)
@given(policies())
def test_a_slot_is_what_its_own_term_is_admitted_as(term: list[Any]) -> None:
    policy = check(term, SAMPLE)
    for place, name in enumerate(("filter", "rank", "select", "transform", "fallback"), 1):
        slot = policy.slot(name)
        alone = check(term[place], SAMPLE)
        assert slot == alone
        assert (slot.sort, slot.normal, slot.source) == (alone.sort, alone.normal, alone.source)
        assert policy.normal[place] == slot.normal


@settings(max_examples=150, deadline=None)
@given(ANY_TERM)
def test_lowering_leaves_plain_terms_alone(case: tuple[Version, list[Any]]) -> None:
    _, term = case
    assert lower(term, SAMPLE) == term
