"""`POST /v1/chat/completions`: who decides, what comes back, what goes out, what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from tests.server.faults import WEATHER, Faults
from tests.server_x.endpoint import HELLO, Served, policy, served
from workbench.server.emulator import Running
from workbench.server.host import Options

EVERYONE = policy(["top"])


def router(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()["x_router"]


def test_an_answer_has_the_public_hosts_shape(endpoint: Served) -> None:
    body = endpoint.chat(tenant="acme-eu").json()
    assert body.keys() == {"id", "object", "created", "model", "choices", "usage", "x_router"}
    assert body["id"].startswith("chatcmpl-")
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["choices"][0]["message"]["role"] == "assistant"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    told = body["x_router"]
    assert body["model"] == told["served_model_id"]
    assert told.keys() >= {
        "provider", "model_family", "served_model_id", "served_by", "price_in", "price_out", "cost_usd", "cost_basis",
        "tokens_cached", "policy_fingerprint", "decision_trace", "compact",
    }  # fmt: skip
    trace = told["decision_trace"]
    assert trace.keys() == {
        "ranked", "ranked_total", "rejected", "decision_path", "started_at_ms", "total_latency_ms",
        "policy_fingerprint", "policy_term",
    }  # fmt: skip
    assert len(trace["ranked"]) == 10
    assert trace["ranked"][0].keys() >= {"provider_id", "model_family", "tier", "score"}
    assert trace["decision_path"][0].items() >= {"event": "attempted", "attempt": 1}.items()
    assert trace["policy_term"][0] == "policy"
    assert "session_acc" not in told


def test_every_rejection_names_its_rule_with_what_it_saw_and_needs(endpoint: Served) -> None:
    rejected = router(endpoint.chat(tenant="acme-eu"))["decision_trace"]["rejected"]
    assert len(rejected) > 500
    assert all(row["reason"] and row["rules"] for row in rejected)
    sg = next(row for row in rejected if row["region"] == "sg")
    assert {"rule": "eu-residency", "clause": "region = eu", "observed": "sg", "needed": "eu"}.items() <= next(
        rule for rule in sg["rules"] if rule["rule"] == "eu-residency"
    ).items()


def test_a_compact_answer_counts_the_rejected_by_reason(endpoint: Served) -> None:
    whole = router(endpoint.chat(tenant="acme-eu"))["decision_trace"]["rejected"]
    trace = router(endpoint.chat(tenant="acme-eu", compact=True))["decision_trace"]
    assert trace["rejected"] == []
    assert trace["rejected_total"] == len(whole) == sum(row["count"] for row in trace["rejected_by"])
    rules = Counter(rule for row in whole for rule in {rule["rule"] for rule in row["rules"]})
    assert {row["rule"]: row["count"] for row in trace["rejected_rules"]} == rules


def test_an_empty_model_and_a_profile_by_name_or_path_are_the_same(endpoint: Served) -> None:
    prints = {
        router(endpoint.chat(compact=True, **model))["policy_fingerprint"]
        for model in ({}, {"model": ""}, {"model": "profile:"}, {"model": "profile:default"}, {"model": None})
    }
    in_path = endpoint.post("/default/v1/chat/completions", {**HELLO, "model": "policy:x", "compact": True})
    assert prints == {router(in_path)["policy_fingerprint"]}


def test_a_family_is_enforced(endpoint: Served) -> None:
    trace = router(endpoint.chat(model="family:gpt-5.5"))["decision_trace"]
    assert {row["model_family"] for row in trace["ranked"]} == {"gpt-5.5"}
    other = next(row for row in trace["rejected"] if row["reason"] == "model_family")
    assert any(rule["rule"] == "request" and rule["clause"] == "model = gpt-5.5" for rule in other["rules"])


def test_a_pin_is_that_pair_and_the_filter_holds_for_it(endpoint: Served) -> None:
    trace = router(endpoint.chat(model="pin:openai/gpt-5.5"))["decision_trace"]
    assert {(row["provider_id"], row["model_family"]) for row in trace["ranked"]} == {("openai", "gpt-5.5")}
    forbidden = endpoint.chat(model="pin:alibaba/deepseek-v4-flash-0731", tenant="acme-eu")
    assert forbidden.status_code == 503
    assert forbidden.json()["error"]["code"] == "no_candidates"
    rows = forbidden.json()["x_router"]["decision_trace"]["rejected"]
    pinned = [row for row in rows if (row["provider"], row["model"]) == ("alibaba", "deepseek-v4-flash-0731")]
    assert any(rule["rule"] == "eu-residency" for row in pinned for rule in row["rules"])


def test_a_policy_of_the_calls_own_wins_over_the_model(endpoint: Served) -> None:
    only = policy(["provider_eq", "mistral"])
    for model in ("policy:mine", "gpt-4o", "pin:openai/gpt-5.5", "profile:zz", ""):
        told = router(endpoint.chat(model=model, policy_ir=only, compact=True))
        assert told["provider"] == "mistral"
    assert router(endpoint.post("/zz/v1/chat/completions", {**HELLO, "policy_ir": only, "compact": True}))


def test_a_policy_for_a_tenant_stays_inside_the_tenants(endpoint: Served) -> None:
    own = router(endpoint.chat(tenant="acme-eu", compact=True))["decision_trace"]
    wide = router(endpoint.chat(tenant="acme-eu", policy_ir=EVERYONE))["decision_trace"]
    assert wide["ranked_total"] <= own["ranked_total"]
    assert {row["region"] for row in wide["ranked"]} == {"eu"}
    assert any(rule["rule"] == "eu-residency" for row in wide["rejected"] for rule in row["rules"])
    outside = endpoint.chat(tenant="acme-eu", policy_ir=policy(["provider_eq", "alibaba"]))
    assert outside.status_code == 503


def test_a_tenant_state_is_compiled_on_the_spot(endpoint: Served) -> None:
    facts = {
        "plan": "business",
        "region": "eu",
        "data_class": "internal",
        "dpa_signed": True,
        "vip_support": False,
        "no_log": False,
    }
    told = router(endpoint.chat(tenant_state={"id": "visitor", "facts": facts}, compact=True))
    assert {row["region"] for row in told["decision_trace"]["ranked"]} == {"eu"}
    lacking = endpoint.chat(tenant_state={"plan": "business"})
    assert lacking.status_code == 400
    assert lacking.json()["error"]["code"] == "invalid_tenant_state"
    assert "region" in lacking.text


def test_a_session_is_added_up_by_body_or_header(endpoint: Served) -> None:
    first = router(endpoint.chat(session="s-1", compact=True))["session_acc"]
    second = router(endpoint.chat(session="s-1", compact=True))["session_acc"]
    assert (first["calls"], second["calls"]) == (1, 2)
    assert second["tokens_in"] == 2 * first["tokens_in"]
    headed = endpoint.post("/v1/chat/completions", {**HELLO, "compact": True}, **{"X-Unhardcoded-Session": "s-1"})
    assert router(headed)["session_acc"]["calls"] == 3
    both = {**HELLO, "compact": True, "session": "s-2"}
    assert (
        router(endpoint.post("/v1/chat/completions", both, **{"X-Unhardcoded-Session": "s-1"}))["session_acc"]["calls"]
        == 1
    )
    assert router(endpoint.chat(session="s-1", tenant="acme-eu", compact=True))["session_acc"]["calls"] == 1


def test_no_usage_is_no_usage(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=no_usage")
    body = endpoint.chat(model="pin:openai/gpt-5.5", compact=True).json()
    assert "usage" not in body
    assert (body["x_router"]["cost_usd"], body["x_router"]["cost_basis"]) == (None, None)


def test_tool_calls_come_with_an_empty_content(endpoint: Served) -> None:
    choice = endpoint.chat(tools=WEATHER, tool_choice="required", compact=True).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == ""
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"


def test_what_a_call_needs_counts_as_a_requirement(endpoint: Served) -> None:
    trace = router(endpoint.chat(requirements={"min_context": 900_000}))["decision_trace"]
    assert any(row["reason"] == "min_context" for row in trace["rejected"])
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]
    seen = endpoint.chat(messages=[{"role": "user", "content": picture}])
    assert any(row["reason"] == "missing_capability:vision" for row in router(seen)["decision_trace"]["rejected"])


def test_a_parameter_that_a_protocol_does_not_take_is_named(endpoint: Served) -> None:
    told = router(endpoint.chat(model="pin:anthropic/claude-sonnet-5", seed=7, verbosity="low", compact=True))
    assert {"dropped:seed", "dropped:verbosity"} <= set(told["warnings"])


@pytest.mark.parametrize("body", [
    {"n": 2}, {"n": 1_000_000}, {"n": True}, {"logprobs": True}, {"top_logprobs": 3}, {"store": True},
    {"audio": {"voice": "x"}}, {"modalities": ["audio"]}, {"functions": []}, {"function_call": "auto"},
    {"web_search_options": {}}, {"temprature": 1}, {"frobnicate": 1}, {"base_url": "http://evil"}, {"api_key": "k"},
    {"headers": {}}, {"extra_headers": {}}, {"proxy": "x"}, {"timeout": 3}, {"base_url": None},
])  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_a_reason(endpoint: Served, body: dict[str, Any]) -> None:
    answer = endpoint.chat(**body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "unsupported_parameter"
    assert error["param"] == next(iter(body))


@pytest.mark.parametrize("body", [
    {"n": 1}, {"n": None}, {"logprobs": False}, {"store": False}, {"modalities": ["text"]}, {"stop": None},
    {"stream_options": {"include_usage": True}}, {"caller": "somebody"},
])  # fmt: skip
def test_what_asks_for_what_is_done_anyway_is_taken(endpoint: Served, body: dict[str, Any]) -> None:
    assert endpoint.chat(compact=True, **body).status_code == 200


@pytest.mark.parametrize("body", [
    {"temperature": False}, {"temperature": "0"}, {"temperature": 1e308}, {"temperature": -0.1}, {"top_p": 1.5},
    {"max_tokens": -1}, {"max_tokens": 0}, {"max_tokens": 1e18}, {"max_tokens": 1.5}, {"max_tokens": "5"},
    {"seed": 1.5}, {"seed": True}, {"stop": 3}, {"stop": ["a", 1]}, {"stop": ["x"] * 17}, {"user": 5}, {"stream": 1},
    {"stream": "true"}, {"compact": "yes"}, {"stream": 0}, {"stream": ""}, {"stream": []}, {"compact": 0},
    {"compact": {}}, {"stream_options": 0}, {"stream_options": []}, {"stream_options": ""},
    {"tools": {}}, {"tools": [1]}, {"tools": [{"type": "function"}]},
    {"response_format": []}, {"messages": "hi"}, {"messages": [1]}, {"messages": [{"role": "__init__"}]},
    {"messages": [{"content": "x"}]}, {"messages": [{"role": "user", "content": 5}]},
    {"messages": [{"role": "user", "content": [["x"]]}]}, {"messages": [{"role": "user", "content": "x"}] * 5_000},
    {"model": 5}, {"model": "x" * 600}, {"session": []}, {"tenant": "acme-eu", "tenant_state": {}},
])  # fmt: skip
def test_a_value_of_the_wrong_kind_is_refused(endpoint: Served, body: dict[str, Any]) -> None:
    answer = endpoint.chat(**body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_empty_body_is_a_call_without_messages(endpoint: Served) -> None:
    answer = endpoint.post("/v1/chat/completions", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert answer.json()["error"]["type"] == "router_error"


def test_an_unknown_model_is_refused_and_lenient_says_what_it_did(
    endpoint: Served, emulation: Running, tmp_path: Path
) -> None:
    strict = endpoint.chat(model="gpt-4o")
    assert (strict.status_code, strict.json()["error"]["code"]) == (404, "model_not_found")
    with served(tmp_path, emulation.url, options=Options(lenient=True)) as lenient:
        for who, decided in (
            ({}, "the default profile decided"),
            ({"tenant": "acme-eu"}, "the tenant's policy decided"),
        ):
            [warning] = router(lenient.chat(model="gpt-4o", compact=True, **who))["warnings"]
            assert "gpt-4o" in warning
            assert decided in warning


def test_policy_states_whose_decisions_are_equal_share_their_bytes(endpoint: Served) -> None:
    first = router(endpoint.chat(tenant="acme-eu"))["decision_trace"]["rejected"]
    kept = _shown(endpoint)
    assert router(endpoint.chat(tenant="acme-eu"))["decision_trace"]["rejected"] == first
    assert _shown(endpoint) == kept


def _shown(endpoint: Served) -> int:
    state = endpoint.process.host.state
    assert state is not None
    return len(state.shown)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_null_leaves_a_known_name_unset_and_excuses_no_other(path: str, endpoint: Served) -> None:
    asked = HELLO if path.endswith("completions") else {"input": "hello"}
    assert endpoint.post(path, {**asked, "temperature": None, "store": None}).status_code == 200
    for name in ("", "tempratur", "base_url"):
        refused = endpoint.post(path, {**asked, name: None})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unsupported_parameter")


def test_a_name_that_nobody_has_gets_the_one_that_was_meant(endpoint: Served) -> None:
    for model, meant in (("gpt-5.5", "family:gpt-5.5"), ("gpt-5.55", "family:gpt-5.5"), ("defualt", "profile:default")):
        message = endpoint.chat(model=model).json()["error"]["message"]
        assert f"did you mean `{meant}`?" in message
    assert "see /v1/models" in endpoint.chat(model="zzzzzzzz").json()["error"]["message"]
    assert "did you mean `acme-eu`?" in endpoint.chat(tenant="acme-e").json()["error"]["message"]


def test_two_limits_of_tokens_that_differ_are_refused(endpoint: Served) -> None:
    refused = endpoint.chat(max_tokens=3, max_completion_tokens=8)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "max_tokens")
    assert endpoint.chat(max_tokens=8, max_completion_tokens=8).status_code == 200


def test_a_client_is_told_not_to_repeat_what_stays_the_same(endpoint: Served) -> None:
    nobody = endpoint.chat(policy_ir=policy(["bot"]))
    assert (nobody.status_code, nobody.headers["x-should-retry"]) == (503, "false")
    unknown = endpoint.chat(model="profile:nope")
    assert (unknown.status_code, unknown.headers["x-should-retry"]) == (502, "false")
    assert "x-should-retry" not in endpoint.chat().headers


def test_a_limit_of_tokens_is_refused_under_its_own_name(endpoint: Served) -> None:
    error = endpoint.chat(max_completion_tokens=0).json()["error"]
    assert (error["code"], error["param"]) == ("out_of_range", "max_completion_tokens")


PINNED = "pin:azure/gpt-5.5"


def test_what_is_outvoted_is_warned_of(endpoint: Served) -> None:
    path = "/default/v1/chat/completions"
    told = router(endpoint.post(path, {**HELLO, "model": PINNED, "compact": True}))
    assert told["warnings"] == [f"`model` `{PINNED}` had no effect: the profile in the path decides"]
    for label in ("gpt-4o", "profile:default", ""):
        assert "warnings" not in router(endpoint.post(path, {**HELLO, "model": label, "compact": True}))
    only = policy(["provider_eq", "mistral"])
    told = router(endpoint.post(path, {**HELLO, "model": PINNED, "policy_ir": only, "compact": True}))
    assert told["warnings"] == [
        f"`model` `{PINNED}` had no effect: `policy_ir` decides",
        "the profile `default` in the path had no effect: `policy_ir` decides",
    ]
    assert "warnings" not in router(endpoint.chat(model="policy:mine", policy_ir=only, compact=True))


@pytest.mark.parametrize("model", [PINNED, "family:glm-5.3", "pin:openai/gpt-5.5-mini"])
def test_two_pins_that_differ_are_refused(endpoint: Served, model: str) -> None:
    answer = endpoint.chat(model=model, requirements={"pin": {"provider": "openai", "model": "gpt-5.5"}})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_requirements", "requirements")
    assert model in error["message"]


def test_a_pin_that_is_said_twice_alike_holds(endpoint: Served) -> None:
    for model in ("pin:openai/gpt-5.5", "family:gpt-5.5"):
        answer = endpoint.chat(
            model=model, compact=True, requirements={"pin": {"provider": "openai", "model": "gpt-5.5"}}
        )
        assert router(answer)["provider"] == "openai"


@pytest.mark.parametrize(("model", "told"), [
    ("family:gpt-55", "there is no model family `gpt-55` here: did you mean `gpt-5.5`?"),
    ("pin:azzure/gpt-5.5", "there is no provider `azzure` here: did you mean `azure`?"),
    ("pin:azure/gpt-55", "there is no model family `gpt-55` here: did you mean `gpt-5.5`?"),
    ("pin:anthropic/gpt-5.5", "`anthropic` offers no `gpt-5.5` here"),
    ("family:zzzzzzzz", "see /v1/models"),
])  # fmt: skip
def test_a_family_or_a_pin_that_nobody_has_gets_the_name_that_was_meant(
    endpoint: Served, model: str, told: str
) -> None:
    answer = endpoint.chat(model=model)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_candidates")
    assert told in answer.json()["error"]["message"]


def test_a_profile_that_nobody_has_gets_the_name_that_was_meant(endpoint: Served) -> None:
    answer = endpoint.chat(model="profile:defualt")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "unknown profile: defualt")
    assert answer.json()["error"]["message"] == "router: unknown profile: defualt — did you mean `profile:default`?"


def test_a_limit_for_the_first_word_where_nothing_is_streamed_is_said_to_have_no_effect(endpoint: Served) -> None:
    node = {"kind": "llm", "system": "", "inputs": ["i"], "policy": EVERYONE}
    flow = ["flow", {"i": {"kind": "input"}, "a": node, "o": {"kind": "output", "inputs": ["a"]}}]
    bodies: list[dict[str, Any]] = [{}, {"flow_ir": flow}]
    for body in bodies:
        told = router(endpoint.chat(first_token_timeout_ms=900, compact=True, **body))
        assert [word for word in told["warnings"] if "first_token_timeout_ms" in word and "`timeout_ms`" in word]
    assert "no effect" not in endpoint.chat(first_token_timeout_ms=900, compact=True, stream=True).text


def times(value: Any) -> list[Any]:
    """Every figure in milliseconds, however deep."""
    if isinstance(value, list):
        return [each for item in cast("list[Any]", value) for each in times(item)]
    if not isinstance(value, dict):
        return []
    found = cast("dict[str, Any]", value)
    own = [item for name, item in found.items() if name.endswith("_ms")]
    return [*own, *(each for item in found.values() for each in times(item))]


def test_times_are_whole_milliseconds(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=rate_limit:2s")
    again = {"action": "retry_same", "attempts": 1, "backoff_ms": 5, "then_action": "next_candidate"}
    term = policy(["provider_eq", "openai"], tail=[["top_k", 1, ["argmax"]], ["id"], ["always", again]])
    node = {"kind": "llm", "system": "", "inputs": ["i"], "policy": EVERYONE}
    flow = ["flow", {"i": {"kind": "input"}, "a": node, "o": {"kind": "output", "inputs": ["a"]}}]
    bodies: list[dict[str, Any]] = [{"tenant": "acme-eu"}, {"policy_ir": term}, {"flow_ir": flow}]
    for body in bodies:
        found = times(endpoint.chat(compact=True, **body).json()["x_router"]["decision_trace"])
        assert len(found) >= 3
        assert {type(each) for each in found} == {int}
