"""Rules: their three JSON spellings, their shapes, and what is wrong with them, at its place and with a way out."""

from __future__ import annotations

import pytest

from tests.rulebook.books import FIELDS, NAMES, book, compiled, filters, only, tenant
from workbench.errors import RulebookError
from workbench.language.admission import check


@pytest.mark.parametrize(
    ("written", "term"),
    [
        (
            '["in", "provider", ["openai", "anthropic"]]',
            ["or", ["provider_eq", "openai"], ["provider_eq", "anthropic"]],
        ),
        ('["not_in", "provider", ["deepseek"]]', ["not", ["provider_eq", "deepseek"]]),
        ('["eq", "region", "eu"]', ["is", "region_eu"]),
        ('["ne", "region", "cn"]', ["not", ["is", "region_cn"]]),
        ('["cmp", "bench_intelligence", "ge", 0.5]', ["cmp", "bench_intelligence", "ge", 0.5]),
        ('["is", "no_log"]', ["is", "no_log"]),
        ('"provider in [openai, anthropic]"', ["or", ["provider_eq", "openai"], ["provider_eq", "anthropic"]]),
        ('"region = eu"', ["is", "region_eu"]),
        ('\'["is", "no_log"]\'', ["is", "no_log"]),
        ('{ text = "no_log" }', ["is", "no_log"]),
        ('{ text = ["is", "no_log"], enabled = true }', ["is", "no_log"]),
    ],
)
def test_a_filter_may_be_text_or_a_term(written: str, term: list[object]) -> None:
    rulebook = book(f'[[rule]]\nid = "one"\nfilter = {written}')
    clause = next(c for c in compiled(rulebook, tenant(rulebook, "")).clauses if c.rule_id == "one")
    assert clause.term == check(term, NAMES, sort="Pred")


@pytest.mark.parametrize(
    ("written", "facts", "shown"),
    [
        ('["in", "provider", "$approved_providers"]', 'approved_providers = ["b", "a"]', "provider in [b, a]"),
        ('"provider in $approved_providers"', 'approved_providers = ["a"]', "provider = a"),
        ('"region = $region"', 'region = "eu"', "region = eu"),
        ('["eq", "region", "$region"]', 'region = "us"', "region = us"),
        ('"context >= $seats"', "seats = 5", "context >= 5"),
        ('["cmp", "context", "ge", "$tokens_in"]', "", "context >= 1000"),
    ],
)
def test_a_name_stands_for_the_tenants_value(written: str, facts: str, shown: str) -> None:
    rulebook = book(f'[[rule]]\nid = "one"\nfilter = {written}')
    assert filters(compiled(rulebook, tenant(rulebook, facts)))["one"] == shown


RULE = '[[rule]]\nid = "r"\n'


@pytest.mark.parametrize(
    ("rule", "code", "at", "hint"),
    [
        ('[[rule]]\nfilter = "no_log"', "id", 1, "add id"),
        ('[[rule]]\nid = "R 1"\nfilter = "no_log"', "id", 2, "small letters"),
        ('[[rule]]\nid = "default"\nfilter = "no_log"', "id", 2, "taken"),
        ('[[rule]]\nid = "own-1"\nfilter = "no_log"', "id", 2, "taken"),
        ('[[rule]]\nid = "envelope"\nfilter = "no_log"', "id", 2, "taken"),
        ('[[rule]]\nid = "a.b"\nfilter = "no_log"', "id", 2, None),
        (RULE, "empty_rule", 1, "add filter"),
        (RULE + 'fliter = "no_log"', "unknown_key", 3, "filter"),
        (RULE + "filter = true", "type", 3, "clause text"),
        (RULE + 'filter = "  "', "empty_clause", 3, None),
        (RULE + 'filters = "no_log"', "type", 3, "`filter`"),
        (RULE + 'filter = "no_log"\nfilters = ["no_log"]', "both", 4, "`filters`"),
        (RULE + 'filters = [\n"no_log",\n7]', "type", 5, None),
        (RULE + "filter = { text = 'no_log', on = true }", "unknown_key", 3, None),
        (RULE + "filter = [2026-11-22]", "term", 3, None),
        (RULE + 'filter = "no_log"\nenabled = "yes"', "type", 4, None),
        (RULE + 'filter = "no_log"\noverrides = 1', "type", 4, None),
        (RULE + 'filter = "no_log"\ntitle = 1', "type", 4, None),
        (RULE + 'filter = "no_log"\n' + RULE + 'filter = "no_log"', "duplicate", 5, "another id"),
        (f'{RULE}filter = "{"x" * 20_000}"', "limit", 3, None),
    ],
)
def test_a_rule_of_another_shape_is_refused_at_its_line(rule: str, code: str, at: int, hint: str | None) -> None:
    with pytest.raises(RulebookError) as caught:
        book(rule)
    found = [finding for finding in caught.value.findings if finding.code == code]
    assert found, str(caught.value)
    assert found[0].place.line == at + FIELDS.count("\n") + 2
    assert hint is None or (found[0].hint is not None and hint in found[0].hint)


@pytest.mark.parametrize(
    ("rule", "at", "column", "says"),
    [
        ('filter = "bench_inteligence >= 0.5"', 3, 0, "bench_intelligence"),
        ('filter = "no_log and"', 3, 10, ""),
        ('filter = "region = ue"', 3, 9, "eu"),
        ('filter = "provider in $aproved_providers"', 3, 12, "approved_providers"),
        ('filter = ["in", "provider", "$aproved_providers"]', 3, None, "approved_providers"),
        ('filter = ["eq", "region", "ue"]', 3, None, "eu"),
        ('filter = ["cmp", "bench_intelligence", "ge", true]', 3, None, "number"),
        ('filter = ["meets_req", "no_log"]', 3, None, ""),
        ('filter = ["argmax"]', 3, None, "Pred"),
        ('filters = ["no_log", "no_lgo"]', 3, 0, "no_log"),
        ('rank = "cheapest by price_ouT"', 3, 12, "price_out"),
        ('select = "tpo 3"', 3, 0, ""),
        ('transform = "clamp max_tokens"', 3, None, ""),
        ('fallback = "on rate_limits: next"', 3, None, "rate_limit"),
        ('filter = "no_log"\nwhen = "plam = free"', 4, 0, "plan"),
        ('filter = "no_log"\nwhen = "plan = fere"', 4, 7, "free"),
        ('filter = "no_log"\nwhen = "provider = openai"', 4, 0, ""),
        ('filter = "no_log"\nwhen = "contact = x"', 4, 0, ""),
        ('filter = "no_log"\nwhen = "approved_providers"', 4, 0, "approved_providers_count"),
        ('filter = "no_log"\nwhen = "plan = $plan"', 4, None, ""),
    ],
)
def test_text_that_does_not_read_is_told_with_line_column_and_hint(
    rule: str, at: int, column: int | None, says: str
) -> None:
    with pytest.raises(RulebookError) as caught:
        book(RULE + rule)
    assert len(caught.value.findings) == 1, str(caught.value)
    finding = caught.value.findings[0]
    assert "rule `r`" in finding.reason
    assert finding.place.line == at + FIELDS.count("\n") + 2
    assert column is None or finding.place.column == column
    assert says in f"{finding.reason} {finding.hint}"


@pytest.mark.parametrize(
    ("head", "code", "hint"),
    [
        ('tittle = "x"', "unknown_key", "title"),
        ('id = "S 1"', "id", "small letters"),
        ("title = 3", "type", None),
        ("[defaults]\nfliters = []", "unknown_key", "filters"),
        ('[defaults]\nrank = "price_ouT"', None, "price_out"),
        ('[benchmarks]\nbench_inteligence = "AA 4.1"', "unknown_key", "bench_intelligence"),
        ("rule = 3", "type", "[[rule]]"),
    ],
)
def test_what_stands_around_the_rules_is_checked_too(head: str, code: str | None, hint: str | None) -> None:
    with pytest.raises(RulebookError) as caught:
        book("", head=head)
    finding = caught.value.findings[0]
    assert code is None or finding.code == code
    assert finding.place.line is not None
    assert hint is None or (finding.hint is not None and hint in finding.hint)


def test_an_empty_rulebook_is_no_rulebook() -> None:
    with pytest.raises(RulebookError, match="empty"):
        book("", fields="")


def test_a_rulebook_of_too_many_rules_is_refused() -> None:
    with pytest.raises(RulebookError) as caught:
        book("\n".join(f'[[rule]]\nid = "r{n}"\nfilter = "no_log"' for n in range(1_001)))
    assert "1001 rules are too many" in only(caught.value, "limit").reason


def test_a_rule_of_too_many_clauses_is_refused() -> None:
    with pytest.raises(RulebookError, match="65 clauses are too many"):
        book(f"{RULE}filters = {['no_log'] * 65}")
