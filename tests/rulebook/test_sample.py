"""The sample workspace tells the story it is there for, with the catalog that ships."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.rulebook.sample import FOLDER, catalog, pool, rulebook, tenants
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.lint import check_benchmarks, check_names, idle_rules
from workbench.rulebook.rulebook import Rulebook, with_clause_text, with_rule

IDS = (
    "acme-eu",
    "alba-clinic",
    "brueckwald",
    "corvane-bank",
    "halvorsen",
    "ladle-free",
    "lumenor-vip",
    "quillfern-trial",
)


def outcome(tenant_id: str, book: Rulebook | None = None) -> Decision:
    compiled = compile_policy(tenants()[tenant_id], book or rulebook(), catalog().vocabulary)
    return decide(compiled.policy, pool())


def winner(tenant_id: str, book: Rulebook | None = None) -> dict[str, Any] | None:
    order = outcome(tenant_id, book).order
    return catalog().candidates[order[0]] if order else None


def floor(value: float) -> Rulebook:
    rule = rulebook().by_id["vip-floor"]
    return with_rule(rulebook(), with_clause_text(rule, "filter", 1, f"bench_intelligence >= {value}"))


def test_there_are_exactly_the_eight_tenants_and_nothing_to_warn_of() -> None:
    assert tuple(sorted(tenants())) == IDS
    for tenant_id, who in tenants().items():
        assert who.findings == ()
        assert compile_policy(who, rulebook(), catalog().vocabulary).findings == (), tenant_id
    assert check_benchmarks(rulebook(), catalog().benchmark_versions) == ()
    assert check_names(tenants().values(), rulebook(), catalog().values) == ()
    assert idle_rules(tuple(tenants().values()), rulebook()) == ()


def test_each_sentence_is_one_rule_and_the_json_spellings_stand_in_it() -> None:
    rules = {rule["id"]: rule for rule in tomllib.loads((FOLDER / "rulebook.toml").read_text())["rule"]}
    assert rules["free-floor"]["filter"] == ["cmp", "bench_intelligence", "ge", 0.2]
    assert rules["standard-floor"]["filter"] == ["cmp", "bench_intelligence", "ge", 0.5]
    assert rules["eu-residency"]["filter"] == ["eq", "region", "eu"]
    assert ["is", "no_log"] in rules["sensitive-data"]["filters"]
    assert rules["enterprise-approved"]["filter"] == "provider in $approved_providers"
    assert rules["vip-floor"]["filter"] == "bench_intelligence >= 0.6"


def test_who_wins_differs_and_is_believable() -> None:
    free, vip, eu = winner("ladle-free"), winner("lumenor-vip"), winner("acme-eu")
    assert free is not None
    assert vip is not None
    assert eu is not None
    assert free["price_in"] * 10 < vip["price_in"]
    assert free["bench_intelligence"] < 0.5
    assert vip["bench_intelligence"] >= 0.6
    assert eu["region"] == "eu"
    names = [(w["provider_id"], w["served_model_id"]) for who in IDS if (w := winner(who)) is not None]
    assert len(set(names)) == len(names) == 7


def test_the_rules_leave_nobody_for_the_clinic_though_each_leaves_someone() -> None:
    assert outcome("alba-clinic").order == ()
    compiled = compile_policy(tenants()["alba-clinic"], rulebook(), catalog().vocabulary)
    for clause in compiled.clauses:
        assert clause.term is not None
        alone = rulebook().reader.policy((clause.term,), tuple(c.term for c in compiled.slots.values() if c.term), None)
        assert decide(alone, pool()).order, clause.id


def test_why_gpt_5_5_is_not_chosen_for_the_eu_tenant() -> None:
    decision = outcome("acme-eu")
    offers = [n for n, offer in enumerate(catalog().candidates) if offer["model_family"] == "gpt-5.5"]
    rejected = {r.index: r.reason for r in decision.rejected}
    elsewhere = [n for n in offers if n in rejected]
    inside = [n for n in offers if n in decision.order]
    assert len(elsewhere) >= 5
    assert all(catalog().candidates[n]["region"] != "eu" for n in elsewhere)
    assert {catalog().candidates[n]["region"] for n in inside} == {"eu"}
    first = winner("acme-eu")
    assert first is not None
    assert all(catalog().candidates[n]["price_in"] > 10 * first["price_in"] for n in inside)


def test_raising_the_vip_floor_in_small_steps_moves_the_vip_and_another_tenant() -> None:
    now = {who: winner(who) for who in IDS}
    moved = {who for who in IDS if winner(who, floor(0.61)) != now[who]}
    assert moved == {"lumenor-vip", "halvorsen"}
    touched = {
        who
        for who in IDS
        if any(
            c.rule_id == "vip-floor" for c in compile_policy(tenants()[who], rulebook(), catalog().vocabulary).clauses
        )
    }
    assert touched == {"lumenor-vip", "halvorsen", "brueckwald"}
    assert winner("lumenor-vip", floor(0.56)) != now["lumenor-vip"]
    assert winner("brueckwald", floor(0.57)) != now["brueckwald"]
    assert winner("lumenor-vip", floor(0.64)) is None


@pytest.mark.parametrize("who", ["corvane-bank", "brueckwald"])
def test_a_no_log_tenant_reaches_only_offers_that_keep_nothing(who: str) -> None:
    reached = [catalog().candidates[n] for n in outcome(who).order]
    assert reached
    assert all(offer["no_log"] is True for offer in reached)


def test_offers_without_a_price_do_not_flatten_the_ranking_by_cost() -> None:
    decision = outcome("ladle-free")
    who = tenants()["ladle-free"].workload
    costs = [
        who.tokens_in * catalog().candidates[n]["price_in"] + who.tokens_out * catalog().candidates[n]["price_out"]
        for n in decision.order
    ]
    assert costs == sorted(costs)
    assert len(set(decision.scores)) > len(decision.scores) // 3
