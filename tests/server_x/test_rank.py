"""`/x/rank`, `/x/fields`, `/v1/models`: shapes and refusals as clients of the public host know them, and ours."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.server_x.endpoint import CHEAP, HELLO, TAIL, Served, policy, served

KEYS = {"provider", "model_family", "served_model_id", "tier", "discovery", "price_in", "price_out", "quality", "score"}


def test_a_ranking_has_the_known_shape(endpoint: Served) -> None:
    answer = endpoint.post("/x/rank", {"policy_ir": policy(["cmp", "price_in", "le", 0.1])})
    found = answer.json()
    assert answer.status_code == 200
    assert found["rank_source"] == "router"
    assert abs(found["ts"] - time.time()) < 60
    assert found["ranked"]
    assert all(row.keys() >= KEYS and row["discovery"] == "static" for row in found["ranked"])
    assert all(row["price_in"] <= 0.1 for row in found["ranked"])
    scores = [row["score"] for row in found["ranked"]]
    assert scores == sorted(scores, reverse=True)
    assert {row["reason"] for row in found["rejected"]} == {"cmp:price_in:le"}
    assert len(found["ranked"]) + len(found["rejected"]) == found["population"]


def test_a_rejection_names_rule_observed_and_needed(endpoint: Served) -> None:
    body = {"policy_ir": policy(["and", ["is", "region_eu"], ["cmp", "price_in", "le", 1]])}
    rejected = endpoint.post("/x/rank", body).json()["rejected"]
    row = next(row for row in rejected if row["region"] == "us" and len(row["rules"]) == 2)
    assert row["reason"] == "cmp:price_in:le"  # the first child in normal-form order
    assert {(rule["rule"], rule["clause"]) for rule in row["rules"]} == {
        ("policy", "price_in <= 1"), ("policy", "region = eu"),
    }  # fmt: skip
    region = next(rule for rule in row["rules"] if rule["clause"] == "region = eu")
    assert (region["observed"], region["needed"]) == ("us", "eu")


def test_nobody_left_is_an_answer(endpoint: Served) -> None:
    answer = endpoint.post("/x/rank", {"policy_ir": policy(["bot"])})
    assert answer.status_code == 200
    assert answer.json()["ranked"] == []


def test_a_score_that_json_has_no_number_for_is_null(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as fresh:  # where nothing was measured yet
        found = fresh.post("/x/rank", {"policy_ir": policy(["top"], ["field", "latency_ms"])})
    assert found.status_code == 200
    assert {row["score"] for row in found.json()["ranked"]} == {None}


MESSAGES: list[tuple[Any, str]] = [
    (["frobnicate"], "$: unknown op 'frobnicate'"),
    (["policy", ["top"]], "$: policy takes 5 argument(s), got 1"),
    (["top"], "expected a Policy term, got Pred"),
    (policy(["is", "eu"]), "$.policy[1].is[1]: undeclared field 'eu'"),
    (policy(["tier_eq", "gold"]), "$.policy[1].tier_eq[1]: unknown tier 'gold'"),
    (
        policy(["top"], None, [["top_k", 0, ["argmax"]], *TAIL[1:]]),
        "$.policy[3].top_k[1]: expected a positive integer (Count >= 1)",
    ),
]


@pytest.mark.parametrize(("term", "message"), MESSAGES)
def test_a_policy_is_refused_in_the_known_words(endpoint: Served, term: Any, message: str) -> None:
    answer = endpoint.post("/x/rank", {"policy_ir": term})
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["message"] == f"policy_ir rejected at admission: {message}"
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_policy")


def test_a_custom_transform_that_nobody_registered_is_refused(endpoint: Served) -> None:
    answer = endpoint.post("/x/rank", {"policy_ir": policy(["top"], None, [["argmax"], ["custom", "zap"], TAIL[2]])})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_policy"


@pytest.mark.parametrize(
    ("body", "kind", "loc"),
    [
        (b"x", "json_invalid", ["body"]),
        (b"", "json_invalid", ["body"]),
        (b"[]", "dict_type", ["body"]),
        (b"null", "dict_type", ["body"]),
        (b"{}", "missing", ["body", "policy_ir"]),
        (b'{"policy_ir": "x"}', "list_type", ["body", "policy_ir"]),
        (b'{"policy_ir": {}}', "list_type", ["body", "policy_ir"]),
        (b'{"policy_ir": null}', "list_type", ["body", "policy_ir"]),
    ],
)
def test_a_body_without_its_shape_is_422_with_both_bodies(
    endpoint: Served, body: bytes, kind: str, loc: list[str]
) -> None:
    answer = endpoint.post("/x/rank", body)
    found = answer.json()
    assert answer.status_code == 422
    assert (found["detail"][0]["type"], found["detail"][0]["loc"]) == (kind, loc)
    assert found["error"]["code"] == "invalid_request"


def test_a_profile_is_ranked_by_get(endpoint: Served) -> None:
    found = endpoint.get("/x/rank?profile=default&context=32000").json()
    assert next(iter(found)) == "profile"
    assert found["profile"] == "default"
    assert found["ranked"]
    unknown = endpoint.get("/x/rank?profile=zz")
    assert unknown.status_code == 400
    assert unknown.json() == {
        "error": {"message": "rank failed: unknown profile: zz", "type": "router_error", "code": "rank"}
    }
    assert endpoint.get("/x/rank").status_code == 422
    assert endpoint.get("/x/rank?profile=default&context=x").status_code == 422


def test_context_has_no_effect_unless_it_is_asked_for(endpoint: Served) -> None:
    asked = {"policy_ir": policy(["meets_req"]), "context": 500_000}
    free, held = (endpoint.post("/x/rank", body).json() for body in (asked, {**asked, "enforce_context": True}))
    assert len(free["ranked"]) == free["population"]
    assert "no effect" in free["warnings"][0]
    assert 0 < len(held["ranked"]) < free["population"]
    assert {row["reason"] for row in held["rejected"]} == {"min_context"}


def test_requirements_act_through_meets_req_alone(endpoint: Served) -> None:
    wanted = {"requirements": {"model_family": "gpt-5.5"}}
    acting = endpoint.post("/x/rank", {"policy_ir": policy(["meets_req"]), **wanted}).json()
    idle = endpoint.post("/x/rank", {"policy_ir": policy(["top"]), **wanted}).json()
    assert {row["model_family"] for row in acting["ranked"]} == {"gpt-5.5"}
    assert len(idle["ranked"]) == idle["population"]
    assert "meets_req" in idle["warnings"][0]


def test_a_pin_acts_always_and_the_filter_holds_for_it(endpoint: Served) -> None:
    pin = {"requirements": {"pin": {"provider": "azure", "model": "gpt-5.5"}}}
    found = endpoint.post("/x/rank", {"policy_ir": policy(["is", "region_eu"]), **pin}).json()
    assert {(row["provider"], row["model_family"], row["region"]) for row in found["ranked"]} == {
        ("azure", "gpt-5.5", "eu")
    }
    own = [row for row in found["rejected"] if (row["provider"], row["model_family"]) == ("azure", "gpt-5.5")]
    assert {row["region"] for row in own} == {"us", "global"}
    assert {rule["rule"] for row in own for rule in row["rules"]} == {"policy"}
    gone = {"requirements": {"pin": {"provider": "zz", "model": "q"}}}
    missing = endpoint.post("/x/rank", {"policy_ir": policy(["top"]), **gone}).json()
    assert missing["ranked"] == []
    assert missing["rejected"] == [{"reason": "pin_not_found", "pin": {"provider": "zz", "model": "q"}}]
    assert endpoint.post("/x/rank", {"policy_ir": policy(["top"]), "requirements": {"pin": "x"}}).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"regoin": "eu"}, {"privacy": "nolog"}, {"privacy": True}, {"min_context": "200000"}, {"min_context": True},
        {"needs": "tools"}, {"needs": [3]}, {"model_family": 5}, {"tier": []}, {"pin": "a/b"},
        {"pin": {"provider": "a"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_requirement_that_would_be_ignored_is_refused(endpoint: Served, wrong: dict[str, Any]) -> None:
    for path, body in (("/x/rank", {"policy_ir": policy(["meets_req"])}), ("/v1/chat/completions", HELLO)):
        answer = endpoint.post(path, {**body, "requirements": wrong})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_requirements")


@pytest.mark.parametrize(
    ("path", "body", "meant"),
    [
        ("/x/rank", {"policy_ir": policy(["top"]), "tennant": "acme-eu"}, "tenant"),
        ("/x/rank", {"tenant": "acme-eu", "min_qualty": 0.9}, "min_quality"),
        ("/x/rank?profile=default", {"tenant": "acme-eu"}, "in the body"),
        ("/x/compile", {"tenant": "acme-eu", "tenant_sate": "x"}, "tenant_state"),
        ("/x/explain", {"tenant": "acme-eu", "offer": "gpt-5.5", "requirement": "x"}, "requirements"),
        ("/x/policy/normalize", {"policy_ir": policy(["top"]), "admit": True}, "policy_ir"),
        ("/x/policy/normalize?admitt=1", {"policy_ir": policy(["top"])}, "admit"),
        ("/x/flow/normalize", {"flow_ir": ["flow", "x"], "flow": "x"}, "flow_ir"),
    ],
    ids=str,
)
def test_a_key_that_nothing_would_read_is_refused(
    endpoint: Served, path: str, body: dict[str, Any], meant: str
) -> None:
    answer = endpoint.post(path, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unsupported_parameter")
    assert meant in error["message"].partition(": ")[2]


def test_a_pin_among_the_requirements_acts_on_a_call(endpoint: Served) -> None:
    pin = {"pin": {"provider": "mistral", "model": "glm-5.3"}}
    found = endpoint.chat(tenant="acme-eu", requirements=pin).json()["x_router"]
    assert (found["provider"], found["model_family"]) == ("mistral", "glm-5.3")
    nobody = endpoint.chat(tenant="acme-eu", requirements={"pin": {"provider": "zz", "model": "q"}})
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (503, "no_candidates")


def test_a_tenant_is_ranked_by_its_rules(endpoint: Served) -> None:
    found = endpoint.post("/x/rank", {"tenant": "acme-eu"}).json()
    assert {row["region"] for row in found["ranked"]} == {"eu"}
    rules = {rule["rule"] for row in found["rejected"] for rule in row["rules"]}
    assert "eu-residency" in rules
    assert endpoint.post("/x/rank", {"tenant": "zz"}).json()["error"]["code"] == "tenant_not_found"


def test_a_policy_for_a_tenant_stays_inside_its_filter(endpoint: Served) -> None:
    found = endpoint.post("/x/rank", {"tenant": "acme-eu", "policy_ir": policy(["top"])}).json()
    alone = endpoint.post("/x/rank", {"tenant": "acme-eu"}).json()
    assert {row["offer"] for row in found["ranked"]} == {row["offer"] for row in alone["ranked"]}


def test_the_envelope_narrows_and_is_named(emulator: str, tmp_path: Path) -> None:
    root = workspace(tmp_path, 'envelope = "region = eu"')
    with served(tmp_path, emulator, root=root) as narrow:
        found = narrow.post("/x/rank", {"policy_ir": policy(["cmp", "price_in", "le", 1])}).json()
        assert {row["region"] for row in found["ranked"]} == {"eu"}
        assert {rule["rule"] for row in found["rejected"] for rule in row["rules"]} == {"envelope", "policy"}
        wider = narrow.post("/x/rank", {"policy_ir": policy(["or", ["top"], ["is", "region_us"]])}).json()
        assert {row["region"] for row in wider["ranked"]} == {"eu"}


def workspace(folder: Path, line: str) -> Path:
    """A small workspace whose settings have one line more."""
    import shutil

    from workbench.session.workspace import sample_root

    root = folder / "workspace"
    shutil.copytree(sample_root(), root)
    settings = root / "workbench.toml"
    settings.write_text(f"{line}\n{settings.read_text()}")
    return root


def test_fields_have_four_keys_and_ours_beside_them(endpoint: Served) -> None:
    rows = endpoint.get("/x/fields").json()["fields"]
    core = [row["name"] for row in rows if row["core"]]
    assert core == [
        "price_in", "price_out", "latency_ms", "tok_s", "success_rate", "credits", "context", "has_tee", "no_log",
        "breaker_open", "disabled",
    ]  # fmt: skip
    assert [row["name"] for row in rows][: len(core)] == core
    assert all(row["sort"] in {"Num", "Bool"} and row["group"] in {"provider", "model", "route"} for row in rows)
    region = next(row for row in rows if row["name"] == "region_eu")
    assert (region["category"], region["value"]) == ("region", "eu")


def test_models_are_profiles_then_families_in_one_order(endpoint: Served) -> None:
    found = endpoint.get("/v1/models").json()
    names = [row["id"] for row in found["data"]]
    assert names[0] == "profile:default"
    assert names == [*[n for n in names if n.startswith("profile:")], *sorted(n for n in names if n.startswith("fam"))]
    assert endpoint.get("/v1/models/family:gpt-5.5").json()["id"] == "family:gpt-5.5"
    assert endpoint.get("/v1/models/gpt-4o").status_code == 404


def test_health_says_that_it_is_up(endpoint: Served) -> None:
    assert endpoint.get("/healthz").json() == {"ok": True, "initialized": True}


def test_cheap_is_as_the_policy_says(endpoint: Served) -> None:
    rows = endpoint.post("/x/rank", {"policy_ir": policy(["cmp", "price_in", "le", 9], CHEAP)}).json()["ranked"]
    prices = [row["price_in"] for row in rows]
    assert prices == sorted(prices)


@pytest.mark.parametrize(("key", "hint"), [("region", "of any region"), ("modle", "`model`")])
def test_a_key_that_is_none_of_a_pins_is_refused(endpoint: Served, key: str, hint: str) -> None:
    wanted = {"pin": {"provider": "openai", "model": "gpt-5.5", key: "eu"}}
    for answer in (endpoint.chat(requirements=wanted), endpoint.post("/x/rank", {"tenant": "acme-eu", **wanted})):
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "invalid_requirements"
        assert f"`{key}`" in answer.json()["error"]["message"]
        assert hint in answer.json()["error"]["message"]


def test_a_pin_that_says_two_things_is_malformed(endpoint: Served) -> None:
    wanted = {"pin": {"provider": "openai", "provider_id": "azure", "model": "gpt-5.5"}}
    assert endpoint.chat(requirements=wanted).status_code == 400


@pytest.mark.parametrize(("need", "meant"), [("tool", "`tools`"), ("Vision", "`vision`"), ("wings", "known: vision")])
def test_a_need_that_nobody_knows_is_warned_of(endpoint: Served, need: str, meant: str) -> None:
    wanted = {"needs": [need, "tools"]}
    for told in (
        endpoint.chat(compact=True, requirements=wanted).json()["x_router"],
        endpoint.post("/x/rank", {"tenant": "acme-eu", "requirements": wanted}).json(),
    ):
        [warning] = [warning for warning in told["warnings"] if "need" in warning]
        assert f"`{need}`" in warning
        assert meant in warning


@pytest.mark.parametrize(
    "odd",
    [{"seed": "x"}, {"seed": True}, {"scope": ["a"]}, {"scope": {"a": 1}}, {"enforce_context": 1},
     {"enforce_context": "true", "context": 5}],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_and_not_left_aside(endpoint: Served, odd: dict[str, Any]) -> None:
    for path, more in (("/x/rank", {}), ("/x/explain", {"offer": "gpt-5.5"})):
        answer = endpoint.post(path, {"policy_ir": policy(["top"]), **more, **odd})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", next(iter(odd))])


def test_under_a_pin_everybody_else_is_rejected_as_a_call_has_it(endpoint: Served) -> None:
    pin = {"provider": "mistral", "model": "glm-5.3"}
    asked: dict[str, Any] = {"policy_ir": policy(["top"]), "requirements": {"pin": pin}}
    found = endpoint.post("/x/rank", asked).json()
    assert len(found["rejected"]) + len(found["ranked"]) == found["population"]
    assert {rule["rule"] for row in found["rejected"] for rule in row["rules"]} == {"request"}
    told = endpoint.chat(**asked).json()["x_router"]["decision_trace"]["rejected"]
    assert told == found["rejected"]


def nested(levels: int, inner: list[Any]) -> list[Any]:
    """A filter so deep that nothing of it goes away in its normal form; its root is an `or`."""
    for level in range(levels):
        inner = ["or" if (levels - level) % 2 else "and", inner, ["is", "no_log"]]
    return inner


def test_a_deep_place_does_not_push_out_the_reason(endpoint: Served) -> None:
    error = endpoint.post("/x/rank", {"policy_ir": policy(nested(60, ["is", "eu_only"]))}).json()["error"]
    assert error["message"].startswith("policy_ir rejected at admission: $.policy[1].or[1].and[1]")
    assert error["message"].endswith("[1].is[1]: undeclared field 'eu_only'")
    assert error["errors"][0]["path"] == "$.policy[1]" + ".or[1].and[1]" * 30 + ".is[1]"


def test_a_policy_too_deep_inside_a_tenants_filter_is_refused_in_the_public_hosts_words(endpoint: Served) -> None:
    deep = {"policy_ir": policy(nested(62, ["is", "no_log"]))}
    assert endpoint.post("/x/rank", deep).status_code == 200
    answer = endpoint.post("/x/rank", {**deep, "tenant": "acme-eu"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_policy")
    assert error["message"].startswith("policy_ir rejected at admission: ")
    assert "deeper than" in error["message"]
