"""Editing a rulebook: another value each time, and only the rule that changed is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.rulebook.books import NAMES, book, compiled, filters, tenant
from workbench.errors import CompileError, RulebookError
from workbench.language.vocabulary import CORE
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.rule import MAX_CLAUSES, Rule, RuleClause
from workbench.rulebook.rulebook import reordered, under, with_clause_text, with_rule, without_rule

BOOK = book("[[rule]]\nid = 'a'\nfilters = ['dpa', 'no_log']\n[[rule]]\nid = 'b'\nfilter = 'region = eu'")
WHO = tenant(BOOK, "")


def test_another_text_gives_another_rulebook_and_leaves_the_first() -> None:
    changed = with_rule(BOOK, with_clause_text(BOOK.by_id["a"], "filter", 2, "context >= 5"))
    assert filters(compiled(changed, WHO))["a.2"] == "context >= 5"
    assert filters(compiled(BOOK, WHO))["a.2"] == "no_log"
    assert changed.sha256 != BOOK.sha256


def test_only_the_changed_rule_is_read_again() -> None:
    changed = with_rule(BOOK, with_clause_text(BOOK.by_id["a"], "filter", 1, "context >= 5"))
    kept = [new is old for new, old in zip(changed.plans, BOOK.plans, strict=True)]
    assert kept == [True, False, True]


def test_half_typed_text_is_an_error_with_its_column() -> None:
    with pytest.raises(RulebookError) as caught:
        with_rule(BOOK, with_clause_text(BOOK.by_id["b"], "filter", 1, "region = "))
    (finding,) = caught.value.findings
    assert finding.place.column == len("region = ")
    assert finding.place.line == BOOK.by_id["b"].line


def test_rules_can_be_added_taken_out_and_moved() -> None:
    rule = Rule("c", "C", "", (RuleClause("filter", "context > 1"),))
    assert [r.id for r in with_rule(BOOK, rule).rules] == ["a", "b", "c"]
    assert [r.id for r in with_rule(BOOK, rule, at=0).rules] == ["c", "a", "b"]
    assert [r.id for r in without_rule(BOOK, "a").rules] == ["b"]
    assert without_rule(BOOK, "default").default_rule == BOOK.default_rule
    moved = reordered(BOOK, ["b", "a"])
    assert list(filters(compiled(moved, WHO)))[3:] == ["b", "a", "a.2"]
    with pytest.raises(ValueError, match="same rules"):
        reordered(BOOK, ["a"])


def test_order_is_shown_and_decides_nothing() -> None:
    assert compiled(reordered(BOOK, ["b", "a"]), WHO).policy.identity == compiled(BOOK, WHO).policy.identity


def test_the_defaults_are_edited_like_a_rule() -> None:
    changed = with_rule(BOOK, with_clause_text(BOOK.default_rule, "rank", 1, "bench_intelligence"))
    assert changed.defaults["rank"] == "bench_intelligence"
    assert compiled(changed, WHO).slots["rank"].shown == "bench_intelligence"


def test_a_rule_that_parses_nowhere_else_does_not_get_in_by_editing() -> None:
    for rule in (
        Rule("A B", "", "", (RuleClause("filter", "dpa"),)),
        Rule("c", "", "", (RuleClause("filter", "dpa"),) * (MAX_CLAUSES + 1)),
        Rule("c", "", "", (RuleClause("filter", "x" * 20_000),)),
        Rule("c", "", "plam = free", (RuleClause("filter", "dpa"),)),
    ):
        with pytest.raises(RulebookError):
            with_rule(BOOK, rule)


def test_the_hash_is_of_what_the_rulebook_says() -> None:
    spaced = book(
        "# a comment\n[[rule]]\nid='a'\nfilters=['dpa','no_log']\n\n[[rule]]\nid = 'b'\nfilter = 'region = eu'"
    )
    assert spaced.sha256 == BOOK.sha256
    assert with_rule(BOOK, replace(BOOK.by_id["a"], note="x")).sha256 != BOOK.sha256
    assert with_rule(BOOK, BOOK.by_id["a"]).sha256 == BOOK.sha256


def test_another_catalogs_names_are_read_anew_or_refused() -> None:
    more = NAMES.extend(tiers=("low", "high"))
    assert compile_policy(WHO, BOOK, more).policy == compiled(BOOK, WHO).policy
    assert under(BOOK, more).vocabulary is more
    with pytest.raises(CompileError) as caught:
        compile_policy(WHO, BOOK, CORE)
    assert len(caught.value.findings) == 2
