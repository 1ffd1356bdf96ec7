"""From tenant and rulebook to a policy with its sources: composition, conflicts, overrides, the envelope."""

from __future__ import annotations

import pytest

from tests.rulebook.books import NAMES, book, compiled, filters, only, tenant
from workbench.errors import CompileError
from workbench.language.admission import check
from workbench.rulebook.compile import compile_policy

RANKED = """
[[rule]]
id = "cheap"
when = "plan = free"
rank = "cheapest by price_out"
[[rule]]
id = "good"
title = "Good models"
when = "dpa_signed"
rank = "bench_intelligence"
"""
BOTH = 'plan = "free"\ndpa_signed = true'


def test_a_policy_is_the_clauses_in_order_and_the_slots() -> None:
    rulebook = book('[[rule]]\nid = "r"\nfilters = ["dpa", "region = eu"]\nselect = "top 3"')
    policy = compiled(rulebook, tenant(rulebook, "")).policy
    assert policy.source == [
        "policy",
        [
            "and",
            ["meets_req"],
            ["and", ["not", ["is", "disabled"]], ["not", ["is", "breaker_open"]]],
            ["and", ["cmp", "price_in", "lt", 1000], ["cmp", "price_out", "lt", 1000]],
            ["is", "dpa"],
            ["is", "region_eu"],
        ],
        ["neg", ["normalize", ["add", ["scale", 1000, ["field", "price_in"]], ["scale", 500, ["field", "price_out"]]]]],
        ["top_k", 3, ["argmax"]],
        ["id"],
        ["always", {"action": "next_candidate"}],
    ]


def test_every_clause_names_its_source() -> None:
    rulebook = book('[[rule]]\nid = "r"\ntitle = "Why"\nfilters = ["dpa", "region = eu"]\nselect = "top 3"')
    result = compiled(rulebook, tenant(rulebook, "", "[[override]]\nfilter = 'context > 5'\nnote = 'because'"))
    assert [(c.id, c.rule_id, c.rule_title, c.origin) for c in result.clauses] == [
        ("default", "default", "Default", "default"),
        ("default.2", "default", "Default", "default"),
        ("default.3", "default", "Default", "default"),
        ("r", "r", "Why", "rule"),
        ("r.2", "r", "Why", "rule"),
        ("own-1", None, "This tenant only", "own"),
    ]
    assert result.clauses[-1].note == "because"
    assert {slot: clause.id for slot, clause in result.slots.items()} == {
        "rank": "default.rank", "select": "r.select", "transform": "default.transform", "fallback": "default.fallback",
    }  # fmt: skip


def test_every_clause_in_force_is_admitted_and_reads_back() -> None:
    rulebook = book('[[rule]]\nid = "r"\nfilter = ["not", ["in", "provider", ["a", "b"]]]')
    for clause in compiled(rulebook, tenant(rulebook, "")).clauses:
        assert clause.term is not None
        again = book(f"[[rule]]\nid = 'x'\nfilter = '{clause.shown}'")
        assert next(c for c in compiled(again, tenant(again, "")).clauses if c.rule_id == "x").term == clause.term


def test_the_requests_requirements_hold_whatever_the_defaults_say() -> None:
    rulebook = book("", head='[defaults]\nfilters = ["dpa"]')
    assert filters(compiled(rulebook, tenant(rulebook, ""))) == {"default.meets-req": "meets_req", "default": "dpa"}


def test_the_requests_requirements_survive_an_override() -> None:
    rulebook = book("")
    who = tenant(rulebook, "", '[[override]]\nrule = "default"\noff = true')
    assert "default.meets-req" in filters(compiled(rulebook, who))


# ---- slots


def test_two_rules_that_set_one_slot_are_an_error_that_names_both() -> None:
    rulebook = book(RANKED)
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, BOTH))
    finding = only(caught.value, "slot_conflict")
    assert all(word in finding.reason for word in ("`cheap`", "`good`", "`rank`", "`acme`"))
    assert finding.hint is not None
    assert "overrides = true" in finding.hint


def test_no_conflict_where_one_of_them_does_not_apply() -> None:
    rulebook = book(RANKED)
    result = compiled(rulebook, tenant(rulebook, 'plan = "vip"\ndpa_signed = true'))
    assert result.slots["rank"].rule_id == "good"


def test_the_rule_that_is_marked_wins_and_says_what_it_replaced() -> None:
    rulebook = book(RANKED + "overrides = true")
    clause = compiled(rulebook, tenant(rulebook, BOTH)).slots["rank"]
    assert (clause.rule_id, clause.replaced_text) == ("good", "cheapest by price_out")


def test_two_marked_rules_are_an_error_too() -> None:
    rulebook = book(RANKED.replace("when =", "overrides = true\nwhen ="))
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, BOTH))
    only(caught.value, "slot_conflict")


def test_a_rule_or_clause_that_is_off_sets_nothing() -> None:
    for off in ("enabled = false", ""):
        rank = 'rank = "bench_intelligence"'
        rules = RANKED.replace(rank, f"{rank}\n{off}" if off else 'rank = { text = "price_in", enabled = false }')
        rulebook = book(rules)
        assert compiled(rulebook, tenant(rulebook, BOTH)).slots["rank"].rule_id == "cheap"


def test_a_selection_may_bring_its_ranking() -> None:
    rulebook = book('[[rule]]\nid = "r"\nselect = "top 3 by bench_intelligence"')
    result = compiled(rulebook, tenant(rulebook, ""))
    assert result.policy.slot("rank") == check(["field", "bench_intelligence"], NAMES)
    assert result.policy.slot("select") == check(["top_k", 3, ["argmax"]], NAMES)
    assert result.slots["rank"].id == "r.select.rank"


def test_a_ranking_that_a_selection_brings_conflicts_like_any_other() -> None:
    rulebook = book(RANKED + '[[rule]]\nid = "r"\nselect = "top 3 by bench_intelligence"')
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, 'plan = "free"\ndpa_signed = false'))
    assert "`r`" in only(caught.value, "slot_conflict").reason


# ---- overrides

FLOOR = (
    '[[rule]]\nid = "floor"\nwhen = "plan = vip"\nfilters = ["bench_intelligence >= 0.6", "dpa"]\nrank = "price_in"\n'
)


def test_an_override_stands_in_for_a_rules_clause() -> None:
    rulebook = book(FLOOR)
    who = tenant(rulebook, 'plan = "vip"', '[[override]]\nrule = "floor"\ntext = "bench_intelligence >= 0.7"')
    clause = next(c for c in compiled(rulebook, who).clauses if c.id == "floor")
    assert (clause.shown, clause.origin, clause.replaced_text) == (
        "bench_intelligence >= 0.7", "override", "bench_intelligence >= 0.6",
    )  # fmt: skip
    assert clause.facts == (("plan", "vip"),)


def test_an_override_may_name_the_second_clause_or_a_slot() -> None:
    rulebook = book(FLOOR)
    rest = '[[override]]\nrule = "floor"\nindex = 2\noff = true\n[[override]]\nrule = "floor"\nrank = "price_out"'
    result = compiled(rulebook, tenant(rulebook, 'plan = "vip"', rest))
    off = next(c for c in result.clauses if c.id == "floor.2")
    assert (off.enabled, off.term, off.origin, off.text) == (False, None, "override", "dpa")
    assert "floor.2" not in filters(result)
    assert result.slots["rank"].shown == "price_out"


def test_an_override_may_use_the_tenants_values() -> None:
    rulebook = book(FLOOR)
    rest = "[[override]]\nrule = 'floor'\ntext = 'provider in $approved_providers'"
    clause = next(
        c
        for c in compiled(rulebook, tenant(rulebook, 'plan = "vip"\napproved_providers = ["a"]', rest)).clauses
        if c.id == "floor"
    )
    assert clause.facts == (("plan", "vip"), ("approved_providers", ("a",)))
    with pytest.raises(CompileError, match="override `own-1` needs"):
        compiled(rulebook, tenant(rulebook, 'plan = "vip"', rest))


@pytest.mark.parametrize(
    ("override", "code", "hint"),
    [
        ('rule = "flor"\noff = true', "unknown_rule", "floor"),
        ('rule = "floor"\nindex = 3\noff = true', "unknown_clause", "filter, rank"),
        ('rule = "floor"\nselect = "top 3"', "unknown_clause", "filter, rank"),
        ('filter = "no_lgo"', None, "no_log"),
        ('rule = "floor"\ntext = "no_lgo"', None, "no_log"),
        ('id = "floor"\nfilter = "no_log"', "duplicate", 'rule = "floor"'),
    ],
)
def test_an_override_that_names_nothing_is_an_error(override: str, code: str | None, hint: str) -> None:
    rulebook = book(FLOOR)
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, 'plan = "vip"', f"[[override]]\n{override}"))
    (finding,) = caught.value.findings
    assert code is None or finding.code == code
    assert finding.place.source == "acme.toml"
    assert finding.place.line == 5
    assert finding.hint is not None
    assert hint in finding.hint


def test_two_overrides_of_one_clause_are_an_error() -> None:
    rulebook = book(FLOOR)
    rest = '[[override]]\nrule = "floor"\noff = true\n' * 2
    with pytest.raises(CompileError) as caught:
        compiled(rulebook, tenant(rulebook, 'plan = "vip"', rest))
    only(caught.value, "duplicate")


def test_an_override_of_a_rule_that_does_not_apply_is_a_warning() -> None:
    rulebook = book(FLOOR)
    result = compiled(rulebook, tenant(rulebook, 'plan = "free"', '[[override]]\nrule = "floor"\noff = true'))
    assert [(finding.code, finding.severity) for finding in result.findings] == [("idle_override", "warning")]


def test_an_own_clause_in_a_slot_wins_over_the_rule() -> None:
    rulebook = book(FLOOR)
    clause = compiled(rulebook, tenant(rulebook, 'plan = "vip"', '[[override]]\nrank = "price_out"')).slots["rank"]
    assert (clause.origin, clause.replaced_text) == ("own", "price_in")


def test_an_own_clause_that_is_off_keeps_its_text() -> None:
    rulebook = book("")
    who = tenant(rulebook, "", '[[override]]\nfilter = "dpa"\noff = true')
    clause = compiled(rulebook, who).clauses[-1]
    assert (clause.text, clause.enabled, clause.term) == ("dpa", False, None)


# ---- envelope


def test_an_envelope_is_added_and_is_part_of_the_identity() -> None:
    rulebook = book("")
    who = tenant(rulebook, "")
    envelope = check(["is", "region_eu"], NAMES, sort="Pred")
    inside = compile_policy(who, rulebook, NAMES, envelope=envelope)
    bare = compile_policy(who, rulebook, NAMES)
    assert inside.policy.source[1] == ["and", ["is", "region_eu"], bare.policy.source[1]]
    assert inside.policy.identity != bare.policy.identity


def test_a_policy_too_deep_for_its_envelope_is_an_error_that_says_so() -> None:
    rulebook = book(f"[[rule]]\nid = 'deep'\nfilter = '{'not (no_log or ' * 28}dpa{')' * 28}'")
    who = tenant(rulebook, "")
    compile_policy(who, rulebook, NAMES)
    deep = ["is", "dpa"]
    for _ in range(62):
        deep = ["not", deep]
    with pytest.raises(CompileError, match="envelope"):
        compile_policy(who, rulebook, NAMES, envelope=check(deep, NAMES, sort="Pred"))
