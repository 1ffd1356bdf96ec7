"""What is allowed and probably not meant: each warning where it belongs, and silence where it does not."""

from __future__ import annotations

import pytest

from tests.rulebook.books import book, compiled, tenant
from workbench.rulebook.lint import check_benchmarks, check_names, idle_rules

QUIET = [
    "region = eu",
    "region in [eu, us]",
    "region not in [cn, unknown]",
    "region != cn and not region_unknown",
    "no_log",
    "region = unknown",
    "not region_unknown",
    "region = eu or dpa",
    "dpa and not trains_on_data",
]
LOUD = [
    "region != cn",
    "region not in [cn, us]",
    "not region_cn",
    "region != cn and dpa",
    "not (region = cn or no_log)",
    "region != cn or no_log and region = us",
]


@pytest.mark.parametrize("clause", QUIET)
def test_a_clause_that_settles_the_unknown_is_quiet(clause: str) -> None:
    rulebook = book(f"[[rule]]\nid = 'r'\nfilter = '{clause}'")
    assert compiled(rulebook, tenant(rulebook, "")).findings == ()


@pytest.mark.parametrize("clause", LOUD)
def test_a_clause_that_refuses_a_value_and_lets_the_unknown_pass_is_told(clause: str) -> None:
    rulebook = book(f"[[rule]]\nid = 'r'\nfilter = '{clause}'")
    (finding,) = compiled(rulebook, tenant(rulebook, "")).findings
    assert (finding.code, finding.severity) == ("unknown_passes", "warning")
    assert "rule `r`" in finding.reason
    assert finding.hint is not None
    assert "region_unknown" in finding.hint


def test_another_clause_that_refuses_the_unknown_settles_it() -> None:
    rulebook = book("[[rule]]\nid = 'r'\nfilters = ['region != cn', 'region in [eu, global]']")
    assert compiled(rulebook, tenant(rulebook, "")).findings == ()


def test_an_empty_list_of_approved_providers_admits_nobody_and_says_so() -> None:
    rulebook = book("[[rule]]\nid = 'r'\nfilter = 'provider in $approved_providers'")
    result = compiled(rulebook, tenant(rulebook, "approved_providers = []"))
    (finding,) = result.findings
    assert finding.code == "admits_nobody"
    assert "because approved_providers is empty" in finding.reason
    assert next(c for c in result.clauses if c.id == "r").term is not None


def test_an_empty_list_of_blocked_providers_restricts_nothing_and_says_so() -> None:
    rulebook = book("[[rule]]\nid = 'r'\nfilter = 'provider not in $blocked_providers'")
    (finding,) = compiled(rulebook, tenant(rulebook, "blocked_providers = []")).findings
    assert finding.code == "no_effect"


def test_benchmarks_of_another_version_are_told() -> None:
    rulebook = book("", head='[benchmarks]\nbench_intelligence = "AA 4.1"')
    assert check_benchmarks(rulebook, {"bench_intelligence": "AA 4.1"}) == ()
    (finding,) = check_benchmarks(rulebook, {"bench_intelligence": "AA 4.0"})
    assert "AA 4.1" in finding.reason
    assert "AA 4.0" in finding.reason
    assert len(check_benchmarks(rulebook, {})) == 1


def test_names_that_no_offer_has_are_told_with_a_suggestion() -> None:
    rulebook = book("")
    who = tenant(rulebook, 'blocked_providers = ["deepseek", "deepsek"]\ncontact = "nobody"')
    (finding,) = check_names([who], rulebook, {"provider": ["openai", "deepseek"]})
    assert "`deepsek`" in finding.reason
    assert finding.hint is not None
    assert "deepseek" in finding.hint
    assert finding.place.line == 4


def test_rules_that_apply_to_nobody_are_told() -> None:
    rulebook = book(
        "[[rule]]\nid = 'a'\nwhen = 'plan = free'\nfilter = 'dpa'\n"
        "[[rule]]\nid = 'b'\nwhen = 'plan = vip'\nfilter = 'dpa'\n"
        "[[rule]]\nid = 'c'\nwhen = 'plan = vip'\nfilter = 'dpa'\nenabled = false"
    )
    assert [f.place.path for f in idle_rules([tenant(rulebook, 'plan = "free"')], rulebook)] == ["b"]
    assert idle_rules([], rulebook) == ()
