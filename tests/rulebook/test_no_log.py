"""`no_log` fails closed: whatever a tenant does not clearly deny, it has (R17, R21)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rulebook.books import NAMES, book, compiled, filters, raw_tenant, tenant
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.errors import DocumentError, TenantError
from workbench.rulebook.tenant import Tenant, Workload, parse_tenant

BOOK = book('[[rule]]\nid = "floor"\nfilter = "bench_intelligence >= 0.5"')
GUARD = "default.no-log"

MISTYPED: list[Any] = ["true", "false", "", 0, 1, 0.0, None, [], [False], {}, {"no_log": False}, "no"]


@pytest.mark.parametrize("value", MISTYPED, ids=repr)
def test_a_mistyped_flag_is_no_log_with_a_warning(value: Any) -> None:
    who = parse_tenant({"facts": {"no_log": value}}, source="t", text=None, schema=BOOK.schema, file_id="t")
    assert who.no_log is True
    assert who.facts["no_log"] is True
    assert [(finding.code, finding.severity) for finding in who.findings] == [("no_log", "warning")]
    assert GUARD in filters(compiled(BOOK, who))


@pytest.mark.parametrize("text", ["", "[facts]\nplan = 'free'", "title = 'x'"])
def test_a_missing_flag_is_no_log_with_a_warning(text: str) -> None:
    who = raw_tenant(BOOK, text)
    assert who.no_log
    assert who.findings[0].severity == "warning"
    assert who.findings[0].hint is not None


def test_a_mistyped_flag_says_where() -> None:
    who = raw_tenant(BOOK, '[facts]\nplan = "free"\nno_log = "true"')
    assert who.findings[0].place.line == 3


def test_a_flag_outside_the_facts_is_refused_and_never_read() -> None:
    with pytest.raises(TenantError):
        raw_tenant(BOOK, "no_log = false")


def test_a_flag_stated_twice_is_refused() -> None:
    with pytest.raises(DocumentError):
        raw_tenant(BOOK, "[facts]\nno_log = true\nno_log = false")


def test_a_tenant_made_without_the_flag_is_no_log() -> None:
    who = Tenant("t", "t", {}, Workload(1, 1))
    assert who.no_log
    assert GUARD in filters(compiled(BOOK, who))


def test_a_tenant_that_denies_it_has_no_guard() -> None:
    assert GUARD not in filters(compiled(BOOK, tenant(BOOK, "")))


def test_the_guard_names_the_fact_behind_it() -> None:
    clause = next(c for c in compiled(BOOK, tenant(BOOK, "no_log = true")).clauses if c.id == GUARD)
    assert clause.facts == (("no_log", True),)
    assert clause.origin == "default"


@pytest.mark.parametrize(
    "override", ['rule = "default"\nindex = 2\noff = true', 'rule = "floor"\ntext = "top"', 'text = "top"']
)
def test_no_override_takes_the_guard_away(override: str) -> None:
    who = tenant(BOOK, "no_log = true", f"[[override]]\n{override}")
    assert GUARD in filters(compiled(BOOK, who))


def test_a_rule_as_strict_makes_the_guard_needless_until_it_is_switched_off() -> None:
    strict = book('[[rule]]\nid = "strict"\nfilter = "no_log"')
    assert GUARD not in filters(compiled(strict, tenant(strict, "no_log = true")))
    loosened = tenant(strict, "no_log = true", '[[override]]\nrule = "strict"\noff = true')
    assert GUARD in filters(compiled(strict, loosened))


OFFERS: list[dict[str, Any]] = [
    {"provider_id": f"p{n}", "model_family": "m", "bench_intelligence": 0.9, "price_in": 1, "price_out": 1, **facts}
    for n, facts in enumerate(
        [{}, {"no_log": None}, {"no_log": "true"}, {"no_log": 1}, {"no_log": False}, {"no_log": [True]},
         {"has_tee": None}, {"has_tee": "yes"}, {"no_log": True}, {"has_tee": True}]
    )
]  # fmt: skip


@pytest.mark.parametrize("evaluator", ["columnar", "reference"])
def test_only_offers_that_say_so_are_reached(evaluator: Any) -> None:
    policy = compiled(BOOK, tenant(BOOK, "no_log = true")).policy
    assert sorted(decide(policy, Pool(OFFERS, NAMES), evaluator=evaluator).order) == [8, 9]
