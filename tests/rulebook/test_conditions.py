"""`when`: whom a rule applies to, and that a missing fact is never read as "no"."""

from __future__ import annotations

import pytest

from tests.rulebook.books import book, compiled, filters, only, tenant
from workbench.errors import CompileError
from workbench.rulebook.condition import read_condition

FULL = 'plan = "free"\nregion = "eu"\ndpa_signed = true\nseats = 10\napproved_providers = ["a", "b"]'


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ("", True),
        ("plan = free", True),
        ("plan != free", False),
        ("plan in [enterprise, vip]", False),
        ("plan not in [enterprise, vip]", True),
        ("dpa_signed", True),
        ("not dpa_signed", False),
        ("seats >= 10", True),
        ("seats > 10", False),
        ("seats < 10", False),
        ("seats <= 10", True),
        ("seats = 10", True),
        ("seats != 10", False),
        ("approved_providers_count = 2", True),
        ("approved_providers_count > 2", False),
        ("tokens_in = 1000 and tokens_out = 500", True),
        ("plan = free and (region = us or dpa_signed)", True),
        ("not (plan = free and region = eu)", False),
        ("no_log", False),
        ('["and", ["is", "plan_free"], ["is", "region_eu"]]', True),
        ('["eq", "plan", "vip"]', False),
        ('["top"]', True),
        ('["bot"]', False),
    ],
)
def test_a_condition_is_asked_of_the_tenants_own_fields(when: str, applies: bool) -> None:
    rulebook = book(f"[[rule]]\nid = 'r'\nwhen = '{when}'\nfilter = 'no_log'")
    assert ("r" in filters(compiled(rulebook, tenant(rulebook, FULL)))) is applies


@pytest.mark.parametrize(
    ("when", "facts", "lacks"),
    [
        ("plan = free", "", ["plan"]),
        ("not dpa_signed", "", ["dpa_signed"]),
        ("plan != free", "", ["plan"]),
        ("plan = free or region = eu", 'plan = "free"', ["region"]),
        ("plan = free and region = eu", 'plan = "vip"', ["region"]),
        ("plan = free or region = eu", "", ["plan", "region"]),
        ("not not dpa_signed", "", ["dpa_signed"]),
        ("plan = free or top", "", ["plan"]),
        ("plan = free and bot", "", ["plan"]),
        ("approved_providers_count = 0", "", ["approved_providers"]),
        ("runs_per_month > 5", "", ["runs_per_month"]),
    ],
)
def test_a_field_that_is_named_must_be_known_even_where_it_would_not_decide(
    when: str, facts: str, lacks: list[str]
) -> None:
    rulebook = book(f'[[rule]]\nid = "strict"\nwhen = "{when}"\nfilter = "no_log"')
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, facts))
    assert len(caught.value.findings) == len(lacks)
    for finding, name in zip(caught.value.findings, lacks, strict=True):
        assert finding.code == "missing_fact"
        assert all(f"`{word}`" in finding.reason for word in ("acme", "strict", name))
        assert finding.hint is not None
        assert name in finding.hint


def test_a_value_in_a_clause_is_needed_only_where_its_rule_applies() -> None:
    rulebook = book('[[rule]]\nid = "r"\nwhen = "plan = enterprise"\nfilter = "provider in $approved_providers"')
    assert "r" not in filters(compiled(rulebook, tenant(rulebook, 'plan = "free"')))
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, 'plan = "enterprise"'))
    finding = only(caught.value, "missing_fact")
    assert "`approved_providers`" in finding.reason
    assert "provider in $approved_providers" in finding.reason
    assert finding.place.line == 2  # the [facts] that lack it


def test_every_missing_fact_of_every_rule_is_told_at_once() -> None:
    rules = "\n".join(
        f'[[rule]]\nid = "r{n}"\nwhen = "{when}"\nfilter = "no_log"'
        for n, when in enumerate(["plan = free", "region = eu", "dpa_signed"])
    )
    rulebook = book(rules)
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, ""))
    assert len(caught.value.findings) == 3


def test_a_rule_that_is_switched_off_needs_nothing() -> None:
    rulebook = book('[[rule]]\nid = "r"\nenabled = false\nwhen = "plan = free"\nfilter = "region = $region"')
    assert "r" not in filters(compiled(rulebook, tenant(rulebook, "")))
    shown = [c for c in compiled(rulebook, tenant(rulebook, 'plan = "free"')).clauses if c.rule_id == "r"]
    assert [(clause.enabled, clause.term) for clause in shown] == [(False, None)]


def test_the_facts_behind_a_clause_are_those_of_when_and_of_the_text() -> None:
    rulebook = book('[[rule]]\nid = "r"\nwhen = "plan = vip and seats > 3"\nfilter = "region = $region"')
    result = compiled(rulebook, tenant(rulebook, 'plan = "vip"\nseats = 4\nregion = "eu"\ndpa_signed = true'))
    clause = next(c for c in result.clauses if c.id == "r")
    assert clause.facts == (("plan", "vip"), ("seats", 4), ("region", "eu"))


def test_fields_are_listed_once_in_order_of_appearance() -> None:
    schema = book("").schema
    assert read_condition("seats > 1 or plan = vip or seats < 0", schema).fields == ("seats", "plan")


@pytest.mark.parametrize(("value", "code"), [("global", "eu"), ("eu", None)])
def test_a_value_that_the_catalog_does_not_know_is_an_error_for_that_tenant(value: str, code: str | None) -> None:
    fields = '[tenant.home]\nkind = "choice"\nvalues = ["eu", "mars"]'
    rulebook = book('[[rule]]\nid = "r"\nfilter = "region = $home"', fields=fields)
    assert filters(compiled(rulebook, tenant(rulebook, 'home = "eu"')))["r"] == "region = eu"
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, 'home = "mars"'))
    finding = caught.value.findings[0]
    assert "rule `r`" in finding.reason
    assert finding.place.line == 4


def test_a_value_that_no_tenant_could_have_is_an_error_of_the_rulebook() -> None:
    with pytest.raises(Exception, match="mars"):
        book(
            '[[rule]]\nid = "r"\nfilter = "region = $home"',
            fields='[tenant.home]\nkind = "choice"\nvalues = ["mars", "venus"]',
        )
