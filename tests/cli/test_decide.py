"""rank, explain, compile and tenants: what they say about the sample."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.cli.command import call as run
from tests.cli.command import lines

OFFER = {"provider", "model_family", "served_model_id", "region", "price_in", "price_out", "cost_per_run"}


def test_tenants_have_facts_winner_and_mark() -> None:
    ran = run("tenants", "--json")
    assert ran.code == 0
    rows = {row["id"]: row for row in ran.json["tenants"]}
    assert len(rows) == 8
    assert list(rows) == sorted(rows)
    nobody = rows["alba-clinic"]
    assert (nobody["winner"], nobody["cost_per_run"], nobody["survivors"], nobody["mark"]) == (None, None, 0, "nobody")
    eu = rows["acme-eu"]
    assert (eu["plan"], eu["region"], eu["no_log"]) == ("business", "eu", False)
    assert eu["winner_offer"]["region"] == "eu"
    assert eu["winner"].startswith(eu["winner_offer"]["provider"] + "/")
    assert 0 < eu["cost_per_run"] < 1
    assert 1 <= eu["providers"] <= eu["survivors"]
    assert rows["brueckwald"]["mark"] == "one provider"


def test_tenants_are_sorted_by_a_column_and_unknowns_come_last() -> None:
    rows = run("tenants", "--json", "--sort", "cost_per_run").json["tenants"]
    costs = [row["cost_per_run"] for row in rows]
    assert costs[-1] is None
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known)
    assert [row["plan"] for row in run("tenants", "--json", "--sort", "plan").json["tenants"]] == sorted(
        row["plan"] for row in rows
    )


def test_rank_has_everyone_once_in_the_order_they_are_tried() -> None:
    ran = run("rank", "lumenor-vip", "--json")
    assert ran.code == 0
    body = ran.json
    ranked, rejected = body["ranked"], body["rejected"]
    assert set(ranked[0]) >= OFFER
    assert [row["place"] for row in ranked] == list(range(1, len(ranked) + 1))
    assert [row["score"] for row in ranked] == sorted((row["score"] for row in ranked), reverse=True)
    assert body["survivors"] + len(rejected) == body["population"] == body["catalog"]["offers"]
    names = [row["offer"] for row in [*ranked, *rejected]]
    assert len(set(names)) == len(names)
    first = ranked[0]
    workload = 6000 * first["price_in"] + 1500 * first["price_out"]
    assert math.isclose(first["cost_per_run"], workload / 1e6)
    tenants = {row["id"]: row for row in run("tenants", "--json").json["tenants"]}
    assert tenants["lumenor-vip"]["winner"] == first["offer"]


def test_each_rejected_offer_has_every_rule_against_it() -> None:
    for row in run("rank", "acme-eu", "--json").json["rejected"]:
        assert set(row) > {"provider", "model_family", "region", "reason", "rules"}
        assert row["rules"]
        for rule in row["rules"]:
            assert {"rule", "clause", "observed", "needed"} <= set(rule)
        if row["region"] == "us":
            [against] = [rule for rule in row["rules"] if rule["rule"] == "eu-residency"]
            assert (against["observed"], against["needed"]) == ("us", "eu")


def test_nobody_left_is_exit_3_with_the_reasons() -> None:
    ran = run("rank", "alba-clinic")
    assert ran.code == 3
    assert "alba-clinic" in ran.err
    assert len(lines(ran.err)) == 1
    assert "health-records" in ran.out
    body = run("rank", "alba-clinic", "--json")
    assert body.code == 3
    assert body.json["ranked"] == []
    assert len(body.json["rejected"]) == body.json["population"]


def test_limit_cuts_the_ranked_and_says_how_many_there_are() -> None:
    body = run("rank", "ladle-free", "--json", "--limit", "3").json
    assert (len(body["ranked"]), body["ranked_total"]) == (3, body["survivors"])
    table = run("rank", "ladle-free", "--limit", "3")
    assert f"… and {body['ranked_total'] - 3} more" in table.out
    everyone = run("rank", "ladle-free", "--limit", "0")
    assert len(lines(everyone.out)) == body["ranked_total"] + 2


def test_rejected_offers_are_listed_on_request() -> None:
    assert "openai/gpt-5.5@us" not in run("rank", "acme-eu").out
    [line] = [line for line in lines(run("rank", "acme-eu", "--rejected").out) if line.startswith("openai/gpt-5.5@us ")]
    assert "eu-residency: us, needs eu" in line


def test_explain_says_why_a_model_is_not_chosen() -> None:
    body = run("explain", "acme-eu", "gpt-5.5", "--json").json
    assert len(body["offers"]) > 1
    for offer in body["offers"]:
        assert offer["model_family"] == "gpt-5.5"
        if offer["region"] == "eu":
            assert offer["verdict"] in {"winner", "ranked"}
            assert offer["behind"] >= 0
        else:
            assert offer["verdict"] == "rejected"
            assert "eu-residency" in [rule["rule"] for rule in offer["rules"]]
    table = run("explain", "acme-eu", "gpt-5.5")
    assert table.code == 0
    assert "eu-residency: us, needs eu" in table.out


def test_explain_of_one_offer_shows_every_clause_and_the_score() -> None:
    winner = run("rank", "acme-eu", "--json", "--limit", "1").json["ranked"][0]
    [one] = run("explain", "acme-eu", winner["offer"], "--json").json["offers"]
    assert (one["place"], one["behind"], one["verdict"], one["rules"]) == (1, 0, "winner", [])
    assert all(check["passed"] for check in one["checks"])
    assert math.isclose(sum(part["contribution"] for part in one["score_parts"]), one["score"])
    compiled = run("compile", "acme-eu", "--explain", "--json").json
    filters = [clause["id"] for clause in compiled["clauses"] if clause["slot"] == "filter"]
    assert [check["clause_id"] for check in one["checks"]] == filters
    [residency] = [check for check in one["checks"] if check["rule"] == "eu-residency"]
    assert residency["facts"] == {"region": "eu"}
    text = run("explain", "acme-eu", winner["offer"]).out
    assert "the winner, 1 of " in text
    assert "score part" in text


def test_an_offer_that_is_ambiguous_or_unknown_names_the_choices() -> None:
    several = run("explain", "acme-eu", "azure/gpt-5.")
    assert several.code == 2
    assert "azure/gpt-5.1-codex@eu" in several.err
    assert len(lines(several.err)) == 1
    served = run("catalog", "facts", "azure/gpt-5.5")
    assert served.code == 2
    assert "azure/gpt-5.5@eu" in served.err
    assert "azure/gpt-5.5@us" in served.err
    assert "gpt-5.5-pro" not in served.err
    unknown = run("explain", "acme-eu", "opnai/gpt-5.5@eu")
    assert unknown.code == 2
    assert "did you mean `openai/gpt-5.5@eu`" in unknown.err
    told = run("explain", "acme-eu", "zzzz", "--json")
    assert told.error["findings"][0]["code"] == "offer_unknown"


def test_a_served_model_explains_its_own_regions_and_no_other_model() -> None:
    offers = run("explain", "acme-eu", "azure/gpt-5.5", "--json").json["offers"]
    assert {"eu", "us"} <= {offer["region"] for offer in offers}
    assert {offer["offer"].partition("@")[0] for offer in offers} == {"azure/gpt-5.5"}


def test_compile_gives_the_normal_form_that_its_identity_names() -> None:
    from workbench.language.admission import check
    from workbench.session.workspace import open_workspace, sample_root

    ran = run("compile", "halvorsen")
    term = json.loads(ran.out)
    vocabulary = open_workspace(sample_root()).state.vocabulary
    admitted = check(term, vocabulary, version="sigma-pol/v2", sort="Policy")
    assert admitted.normal == term
    body = run("compile", "halvorsen", "--json").json
    assert body["policy_ir"] == term
    assert (body["version"], body["fingerprint"], body["identity"]) == (
        "sigma-pol/v2", admitted.fingerprint, admitted.identity,
    )  # fmt: skip


def test_compile_explain_leads_from_clause_to_rule_to_fact() -> None:
    clauses = {clause["id"]: clause for clause in run("compile", "halvorsen", "--explain", "--json").json["clauses"]}
    approved = clauses["enterprise-approved"]
    assert approved["rule"] == "enterprise-approved"
    assert approved["text"] == "provider in $approved_providers"
    assert approved["facts"]["plan"] == "enterprise"
    assert approved["facts"]["approved_providers"]
    assert all(name in approved["clause"] for name in approved["facts"]["approved_providers"])
    assert {"rank", "select", "transform", "fallback"} <= {clause["slot"] for clause in clauses.values()}
    text = run("compile", "halvorsen", "--explain").out
    assert "approved_providers = " in text


POLICY = ["policy", ["eq", "region", "eu"], ["neg", ["field", "price_out"]], ["top_k", 2, ["argmax"]], ["id"],
          ["always", {"action": "abort"}]]  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("by", ["file", "stdin"])
def test_rank_by_a_policy_of_ones_own(tmp_path: Path, wrapped: bool, by: str) -> None:
    text = json.dumps({"version": "sigma-pol/v2", "policy_ir": POLICY} if wrapped else POLICY)
    path = tmp_path / "policy.json"
    path.write_text(text)
    words = ["rank", "acme-eu", "--json", "--policy", "-" if by == "stdin" else str(path)]
    body = run(*words, stdin=text if by == "stdin" else "").json
    assert (body["ranked_total"], len(body["ranked"])) == (2, 2)
    assert body["survivors"] > 2
    assert {row["region"] for row in body["ranked"]} == {"eu"}
    assert {rule["clause"] for row in body["rejected"] for rule in row["rules"]} == {"region = eu"}
    assert body["warnings"] == []


def test_a_policy_whose_fingerprint_is_another_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"fingerprint": "1-2", "policy_ir": POLICY}))
    ran = run("rank", "acme-eu", "--policy", path)
    assert ran.code == 0
    assert "warning" in ran.err
    [warning] = run("rank", "acme-eu", "--policy", path, "--json").json["warnings"]
    assert warning["code"] == "fingerprint"


TAIL = '["id"],["always",{"action":"abort"}]]'


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        (f'["policy",["is","no_lo"],["zero"],["argmax"],{TAIL}', "$.policy[1].is[1]", "no_log"),
        (f'["policy",["top"],["zero"],["argmx"],{TAIL}', "$.policy[3]", "argmax"),
        ('{"policy": []}', None, "policy_ir"),
        ("[1,", None, None),
        ("", None, None),
        ('["policy",NaN]', None, None),
    ],
)  # fmt: skip
def test_a_policy_that_is_none_is_told_with_its_place(text: str, path: str | None, hint: str | None) -> None:
    ran = run("rank", "acme-eu", "--policy", "-", "--json", stdin=text)
    assert ran.code == 1
    assert ran.out == ""
    finding = ran.error["findings"][0]
    assert finding["source"] == "<stdin>"
    if path is not None:
        assert finding["path"] == path
    if hint is not None:
        assert hint in finding["hint"]


def test_every_finding_of_a_policy_is_told_at_once() -> None:
    wrong = [["and", ["is", "no_lo"], ["cmp", "price_inn", "le", 1]], ["field", "nope"]]
    text = json.dumps(["policy", *wrong, *POLICY[3:]])
    ran = run("rank", "acme-eu", "--policy", "-", stdin=text)
    assert ran.code == 1
    assert len(lines(ran.err)) == 3


# -- unknown prices -------------------------------------------------------------------------------------------------


def unpriced(workspace: Path, rank: str | None = None) -> Path:
    """The workspace without the clause on known prices, which lets offers without a price survive."""
    path = workspace / "rulebook.toml"
    text = "".join(line for line in path.read_text().splitlines(keepends=True) if '"price_in < 1000' not in line)
    if rank is not None:
        text = text.replace("cheapest by $tokens_in * price_in + $tokens_out * price_out", rank)
    path.write_text(text)
    return workspace


def test_the_template_ranks_by_known_prices(workspace: Path) -> None:
    for tenant in ("acme", "nordwind", "globex"):
        body = run("rank", tenant, "--json", cwd=workspace).json
        costs = [row["cost_per_run"] for row in body["ranked"]]
        assert costs == sorted(costs)
        assert len({row["score"] for row in body["ranked"]}) > 1
        assert body["warnings"] == []


def test_the_envelope_is_called_so_wherever_it_turns_an_offer_away(workspace: Path) -> None:
    settings = workspace / "workbench.toml"
    settings.write_text('envelope = "provider != openai"\n' + settings.read_text())
    rejected = run("rank", "acme", "--json", cwd=workspace).json["rejected"]
    rules = {row["offer"]: row["rules"] for row in rejected if row["provider"] == "openai"}
    assert rules
    assert all(found[0]["rule"] == found[0]["clause_id"] == "envelope" for found in rules.values())
    offer = next(iter(rules))
    [told] = run("explain", "acme", offer, "--json", cwd=workspace).json["offers"]
    assert [check["rule"] for check in told["checks"] if check["clause_id"] == "envelope"] == ["envelope"]
    for ran in (run("rank", "acme", "--rejected", cwd=workspace), run("explain", "acme", offer, cwd=workspace)):
        assert any("envelope" in line for line in lines(ran.out))


@pytest.mark.parametrize(
    ("rank", "says"),
    [
        (None, "have no known price, which makes `cheapest by"),
        ("0.5 * (cheapest by price_out) + bench_intelligence", "have no known price, which makes"),
        ("price_out", "have no known price, so their score is not finite"),
        ("lowest by retention_days", "have an infinite retention_days, which makes"),
    ],
)
def test_survivors_at_infinity_that_spoil_a_ranking_are_told(workspace: Path, rank: str | None, says: str) -> None:
    folder = unpriced(workspace, rank)
    [told] = [line for line in lines(run("check", cwd=folder).out) if "acme" in line]
    assert says in told
    ranked = run("rank", "acme", cwd=folder)
    assert says in ranked.err
    [warning] = run("rank", "acme", "--json", cwd=folder).json["warnings"]
    hint = warning["hint"].removeprefix("add `").removesuffix("`")
    assert run("edit", "acme", "--add", hint, "--save", cwd=folder).code == 0
    assert run("rank", "acme", cwd=folder).err == ""


@pytest.mark.parametrize("rank", ["highest by bench_intelligence", "cheapest by (price_out where price_out < 1000)"])
def test_a_ranking_that_unknown_prices_do_not_touch_is_left_in_peace(workspace: Path, rank: str) -> None:
    assert run("rank", "acme", cwd=unpriced(workspace, rank)).err == ""


def test_an_order_without_scores_is_left_in_peace(workspace: Path) -> None:
    folder = unpriced(workspace)
    path = folder / "rulebook.toml"
    path.write_text(path.read_text().replace('select = "best first"', 'select = "keep order"'))
    assert run("rank", "acme", cwd=folder).err == ""
