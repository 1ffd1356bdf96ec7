"""`/x/compile`, `/x/explain`, templates and traces: whose policy, where from, and who may see what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server_x.endpoint import Served, policy, served

FACTS = {"plan": "free", "region": "eu", "data_class": "public", "dpa_signed": False, "vip_support": False,
         "no_log": False}  # fmt: skip


def test_compile_gives_the_policy_and_the_source_of_each_clause(endpoint: Served) -> None:
    found = endpoint.post("/x/compile", {"tenant": "acme-eu"}).json()
    assert found["tenant"] == "acme-eu"
    assert found["policy_ir"][0] == "policy"
    residency = next(source for source in found["sources"] if source["rule"] == "eu-residency")
    assert (residency["clause"], residency["facts"]) == ("region = eu", {"region": "eu"})
    assert {source["slot"] for source in found["sources"]} == {"filter", "rank", "select", "transform", "fallback"}
    assert {row["reason"] for row in found["fallback"]} >= {"rate_limit", "timeout"}


def test_the_same_state_gives_the_same_policy_as_the_tenants_file(endpoint: Served) -> None:
    facts = {"plan": "business", "region": "eu", "data_class": "internal", "dpa_signed": True, "vip_support": False,
             "no_log": False}  # fmt: skip
    workload = {"tokens_in": 20000, "tokens_out": 1000, "runs_per_month": 12000}
    stated = endpoint.post("/x/compile", {"tenant_state": {"facts": facts, "workload": workload}}).json()
    assert stated["fingerprint"] == endpoint.post("/x/compile", {"tenant": "acme-eu"}).json()["fingerprint"]


def test_a_state_may_be_its_facts_alone(endpoint: Served) -> None:
    found = endpoint.post("/x/compile", {"tenant_state": FACTS}).json()
    assert (found["tenant"], found["no_log"]) == ("request", False)


@pytest.mark.parametrize("stated", [None, "no", 0])
def test_no_log_fails_closed(endpoint: Served, stated: Any) -> None:
    facts = {name: value for name, value in FACTS.items() if name != "no_log"}
    found = endpoint.post(
        "/x/compile", {"tenant_state": facts if stated is None else {**facts, "no_log": stated}}
    ).json()
    assert found["no_log"] is True
    assert any("no_log" in warning["reason"] for warning in found["warnings"])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({**FACTS, "plam": "free"}, "unknown field `plam`"),
        ({**FACTS, "plan": "gold"}, "plan"),
        ({name: value for name, value in FACTS.items() if name != "region"}, "region"),
    ],
)
def test_a_state_that_gives_no_policy_is_refused_with_its_findings(
    endpoint: Served, state: dict[str, Any], words: str
) -> None:
    answer = endpoint.post("/x/compile", {"tenant_state": state})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["code"] == "invalid_tenant_state"
    assert any(words in each["reason"] for each in error["errors"])


@pytest.mark.parametrize("body", [{}, {"tenant_state": []}, {"tenant": 3}])
def test_without_a_tenant_nothing_is_compiled(endpoint: Served, body: dict[str, Any]) -> None:
    assert endpoint.post("/x/compile", body).status_code == 422


def test_explain_says_every_clause_of_an_offer(endpoint: Served) -> None:
    found = endpoint.post("/x/explain", {"tenant": "acme-eu", "offer": "azure/gpt-5.5@global"}).json()
    (why,) = found["offers"]
    assert (why["verdict"], why["reason"]) == ("rejected", "is:region_eu")
    assert [(rule["rule"], rule["observed"], rule["needed"]) for rule in why["rules"]] == [
        ("eu-residency", "global", "eu")
    ]
    assert any(check["passed"] for check in why["checks"])
    several = endpoint.post("/x/explain", {"policy_ir": policy(["top"]), "offer": "gpt-5.5"}).json()
    assert len(several["offers"]) > 3
    assert endpoint.post("/x/explain", {"tenant": "acme-eu", "offer": "gpt-9"}).status_code == 404
    assert endpoint.post("/x/explain", {"tenant": "acme-eu"}).status_code == 422


UPSTREAM = ("cheapest-family", "smart-value", "agent", "default")
NEEDS: dict[str, dict[str, Any]] = {
    "cheapest-family": {"family": "gpt-5.6-luna"}, "enterprise": {"approved_providers": ["azure", "mistral"]},
}  # fmt: skip


def test_the_public_templates_come_first_with_their_defaults(endpoint: Served) -> None:
    rows = endpoint.get("/x/policy/templates").json()["templates"]
    assert tuple(row["id"] for row in rows)[:4] == UPSTREAM
    assert {row["id"] for row in rows[4:]} == {"free", "enterprise", "eu", "regulated", "vip"}
    by_id = {row["id"]: row for row in rows}
    assert by_id["cheapest-family"]["required"] == ["family"]
    assert by_id["agent"]["defaults"] == {
        "top_n": 10, "top_k": 8, "min_context": 128000, "reliability_floor": 0.8, "max_price_in": 15,
        "max_price_out": 30, "first_token_timeout_ms": 10000, "attempt_timeout_ms": 22000,
        "provider_order": [["openai_codex"], ["antseed"], ["bedrock", "bedrock_market"],
                           ["openrouter", "openrouter_market"]],
    }  # fmt: skip
    assert by_id["default"]["defaults"]["cost_weight"] == 0.75


@pytest.mark.parametrize("name", [*UPSTREAM, "free", "enterprise", "eu", "regulated", "vip"])
def test_a_template_gives_a_policy_that_runs_and_leaves_somebody(endpoint: Served, name: str) -> None:
    found = endpoint.post(f"/x/policy/templates/{name}", NEEDS.get(name, {})).json()
    assert found["admission"]["ok"]
    assert found["intent"]["template"] == name
    ranked = endpoint.post("/x/rank", {"policy_ir": found["policy_ir"]}).json()["ranked"]
    if name != "cheapest-family":
        assert ranked
    if name == "eu":
        assert {row["region"] for row in ranked} == {"eu"}
    if name == "enterprise":
        assert {row["provider"] for row in ranked} <= {"azure", "mistral"}
    if name == "vip":
        assert len(ranked) == 5
        assert all(row["quality"] >= 0.6 for row in ranked)


def test_a_template_takes_no_body_at_all(endpoint: Served) -> None:
    assert endpoint.post("/x/policy/templates/smart-value", b"").json()["intent"]["top_n"] == 5


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("zz", {}, "unknown policy template 'zz'; expected one of cheapest-family, smart-value, agent, default"),
        ("smart-value", {"foo": 1}, "smart-value: unknown option(s): foo"),
        ("smart-value", {"reliability_floor": 2}, "reliability_floor must be between 0 and 1"),
        ("smart-value", {"top_n": 1.5}, "top_n must be a positive integer"),
        ("smart-value", {"max_price_in": True}, "max_price_in must be a finite number"),
        ("cheapest-family", {}, "cheapest-family requires family"),
        ("default", {"provider_order": [["a"], ["a"]]}, "provider_order contains duplicate provider 'a'"),
    ],
)
def test_a_template_refuses_what_it_does_not_take(
    endpoint: Served, name: str, options: dict[str, Any], message: str
) -> None:
    answer = endpoint.post(f"/x/policy/templates/{name}", options)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_policy_template"
    assert answer.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("regulated", {"region": "mars"}, ["no offer of the catalog has the region `mars`"]),
        ("enterprise", {"approved_providers": ["azzure", "mistral"]},
         ["no offer of the catalog has the provider `azzure`: did you mean `azure`?"]),
        ("cheapest-family", {"family": "gpt-55"},
         ["no offer of the catalog has the model `gpt-55`: did you mean `gpt-5.5`?"]),
        ("default", {"provider_order": [["azzure"], "mistral"]},
         ["no offer of the catalog has the provider `azzure`: did you mean `azure`?"]),
        ("default", {}, []),
        ("enterprise", {"approved_providers": ["azure"]}, []),
    ],
)  # fmt: skip
def test_a_template_is_told_what_the_catalog_does_not_have(
    endpoint: Served, name: str, options: dict[str, Any], said: list[str]
) -> None:
    found = endpoint.post(f"/x/policy/templates/{name}", options).json()["warnings"]
    assert found[:-1] == said
    assert "`prefer`" in found[-1]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("eu", {"quality_flor": 0.6}, "eu: unknown option(s): quality_flor; did you mean `quality_floor`?"),
        ("vip", {"zz": 1}, "vip: unknown option(s): zz; known: quality_floor, "),
        ("regulted", {}, "did you mean `regulated`?"),
    ],
)
def test_a_template_tells_what_was_meant(endpoint: Served, name: str, options: dict[str, Any], said: str) -> None:
    assert said in endpoint.post(f"/x/policy/templates/{name}", options).json()["error"]["message"]


def test_provider_order_prefers_and_excludes_nobody(endpoint: Served) -> None:
    options = {"family": "gpt-5.5", "provider_strategy": "ordered", "provider_order": [["azure"]],
               "max_price_in": 100, "max_price_out": 100}  # fmt: skip
    term = endpoint.post("/x/policy/templates/cheapest-family", options).json()["policy_ir"]
    ranked = [row["provider"] for row in endpoint.post("/x/rank", {"policy_ir": term}).json()["ranked"]]
    azure = ranked.count("azure")
    assert ranked[:azure] == ["azure"] * azure
    assert len(set(ranked)) > 1


def test_a_trace_is_there_for_whoever_may_speak_for_its_tenant(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made:
        mine, others = made.token(tenants=("acme-eu",)), made.token("two", tenants=("ladle-free",))
        trace_id = made.chat(mine).json()["x_router"]["trace_id"]
        path = f"/x/traces/{trace_id}"
        seen = made.get(path, authorization=f"Bearer {mine}")
        assert (seen.status_code, seen.json()["tenant"]) == (200, "acme-eu")
        foreign = made.get(path, authorization=f"Bearer {others}")
        unknown = made.get(f"{path[:-6]}aaaaaa", authorization=f"Bearer {others}")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
        assert foreign.headers.items() == unknown.headers.items()
        for odd in ("1;DROP TABLE", "%00", "a" * 10_240, "..", "%2e%2e", "'"):
            assert made.get(f"/x/traces/{odd}").status_code == 404
