"""A policy that is remembered is the one that would be compiled now."""

from __future__ import annotations

from dataclasses import replace

from tests.rulebook.sample import catalog, rulebook, tenants
from workbench.language.admission import check
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.rulebook import without_rule


def test_the_same_objects_give_the_same_policy() -> None:
    tenant = tenants()["brueckwald"]
    first = compile_policy(tenant, rulebook(), catalog().vocabulary)
    assert compile_policy(tenant, rulebook(), catalog().vocabulary) is first
    twin = replace(tenant)
    assert twin is not tenant
    again = compile_policy(twin, rulebook(), catalog().vocabulary)
    assert again is not first
    assert again == first


def test_a_changed_fact_another_envelope_and_an_edited_rulebook_are_compiled_anew() -> None:
    tenant, vocabulary = tenants()["brueckwald"], catalog().vocabulary
    first = compile_policy(tenant, rulebook(), vocabulary)
    moved = replace(tenant, facts={**tenant.facts, "region": "us"})
    assert compile_policy(moved, rulebook(), vocabulary).policy != first.policy
    envelope = check(["is", "dpa"], vocabulary, sort="Pred")
    inside = compile_policy(tenant, rulebook(), vocabulary, envelope=envelope)
    assert inside.policy != first.policy
    assert compile_policy(tenant, rulebook(), vocabulary) == first
    edited = without_rule(rulebook(), "eu-residency")
    assert edited.compiled == {}
    assert compile_policy(tenant, edited, vocabulary).policy != first.policy
    assert compile_policy(tenant, rulebook(), vocabulary) == first
