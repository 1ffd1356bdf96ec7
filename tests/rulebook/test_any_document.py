"""Whatever a document holds, reading it ends in a value or in findings with their places; nothing else is raised."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rulebook.books import NAMES, book
from workbench.boundary.sanitiser import one_line
from workbench.errors import CompileError, RulebookError, TenantError, WorkbenchError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.rulebook import parse_rulebook
from workbench.rulebook.tenant import parse_tenant

BOOK = book(
    "[[rule]]\nid = 'a'\nwhen = 'plan = free'\nfilter = 'region = $region'\nrank = 'price_in'\n"
    "[[rule]]\nid = 'b'\nwhen = 'dpa_signed'\nfilter = 'provider in $approved_providers'\nrank = 'price_out'"
)

WORDS = (
    "plan", "region", "free", "eu", "dpa_signed", "seats", "approved_providers", "no_log", "kind", "values", "choice",
    "flag", "list", "number", "id", "a", "b", "title", "when", "filter", "filters", "rank", "select", "transform",
    "fallback", "overrides", "enabled", "text", "rule", "index", "slot", "off", "note", "default", "min", "max",
    "price_in", "no_log and dpa", "plan = free", "best first", "top 3 by price_in", "otherwise: next", "unchanged",
    "tokens_in", "runs_per_month", "is", "cmp", "in", "provider", "$approved_providers", "$region", "ge", "", "\x1b[2J",
)  # fmt: skip

LEAVES = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(WORDS), st.text(max_size=5), st.booleans(), st.none(), st.integers(-3, 9),
    st.floats(), st.just(10**400), st.just(date(2026, 11, 22)),
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=12,
)  # fmt: skip


def tables(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with these keys, some of them, and now and then another one."""
    return st.one_of(
        st.fixed_dictionaries({}, optional=dict.fromkeys(keys, VALUES)),
        st.dictionaries(st.sampled_from((*keys, "odd")), VALUES, max_size=6),
    )


RULES = tables(
    "id", "title", "when", "filter", "filters", "rank", "select", "transform", "fallback", "overrides", "enabled"
)
FIELDS = tables("kind", "values", "meaning", "of", "default", "min", "max")
RULEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "id": VALUES,
        "title": VALUES,
        "benchmarks": VALUES,
        "defaults": st.one_of(VALUES, tables("filter", "filters", "rank", "select", "transform", "fallback")),
        "tenant": st.one_of(VALUES, st.dictionaries(st.sampled_from(WORDS), FIELDS, max_size=4)),
        "rule": st.one_of(VALUES, st.lists(RULES, max_size=4)),
    },
)
OVERRIDES = tables("id", "rule", "index", "slot", "text", "off", "note", "filter", "rank", "select")
FACTS = tables("plan", "region", "dpa_signed", "seats", "contact", "approved_providers", "blocked_providers", "no_log")
TENANTS = st.fixed_dictionaries(
    {},
    optional={
        "id": VALUES,
        "title": VALUES,
        "facts": st.one_of(FACTS, FACTS, VALUES),
        "workload": st.one_of(VALUES, tables("tokens_in", "tokens_out", "runs_per_month")),
        "override": st.one_of(VALUES, st.lists(OVERRIDES, max_size=3)),
    },
)


def judge(error: WorkbenchError) -> None:
    """A refusal has findings, each with its source, and none with a control character."""
    assert error.findings
    assert all(finding.place.source == "any" for finding in error.findings)
    assert all(one_line(finding.reason) == finding.reason for finding in error.findings)


@settings(max_examples=150)
@given(RULEBOOKS)
def test_any_rulebook_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        made = parse_rulebook(document, source="any", text=None, vocabulary=NAMES)
    except RulebookError as error:
        judge(error)
        return
    assert len(made.sha256) == 64


@settings(max_examples=150)
@given(TENANTS)
def test_any_tenant_is_read_and_compiled_or_refused(document: dict[str, Any]) -> None:
    try:
        who = parse_tenant(document, source="any", text=None, schema=BOOK.schema, file_id="any")
    except TenantError as error:
        judge(error)
        return
    facts = document.get("facts")
    denied = isinstance(facts, dict) and facts.get("no_log") is False  # pyright: ignore[reportUnknownMemberType]
    assert who.no_log is not denied
    try:
        made = compile_policy(who, BOOK, NAMES)
    except CompileError as error:
        judge(error)
        return
    assert made.policy.sort == "Policy"
    guarded = any(
        clause.term is not None and clause.shown in ("no_log", "no_log or has_tee") for clause in made.clauses
    )
    assert guarded or denied or any(clause.shown == "has_tee" for clause in made.clauses)
