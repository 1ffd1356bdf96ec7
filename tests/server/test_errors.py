"""One recorded body for each row of the error table, and what a failed call's message says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.faults import PINNED, Faults
from tests.server_x.endpoint import HELLO, Served, policy

CLAUDE = "pin:anthropic/claude-sonnet-5"
WEATHER: dict[str, Any] = {"type": "function", "function": {"name": "weather"}}
ABORT: list[Any] = [["argmax"], ["id"], ["always", {"action": "abort"}]]
ONLY = ["and", ["provider_eq", "openai"], ["family_eq", "gpt-5.5"]]

KINDS = [
    ("auth_error", "auth_error", 401),
    ("forbidden", "auth_error", 401),
    ("rate_limit", "rate_limit", 429),
    ("server_error", "server_error", 502),
    ("overloaded", "server_error", 502),
    ("content_filter", "content_filter", 502),
    ("payment_required", "payment_required", 502),
    ("quota", "payment_required", 502),
    ("model_unavailable", "model_unavailable", 502),
    ("down", "network_error", 502),
    ("bad_response", "bad_response", 502),
    ("unknown", "unknown", 502),
    ("bad_request", "bad_request", 400),
    ("context_overflow", "context_overflow", 400),
    ("timeout", "timeout", 504),
]


@pytest.mark.parametrize(("fault", "kind", "status"), KINDS)
def test_each_kind_has_its_status_bare_when_aborted(
    endpoint: Served, faults: Faults, fault: str, kind: str, status: int
) -> None:
    faults.play(f"openai={fault}")
    answer = endpoint.chat(policy_ir=policy(ONLY, tail=ABORT), compact=True)
    assert answer.status_code == status
    body = answer.json()
    assert body["error"]["type"] == "router_error"
    assert body["error"]["code"] == kind
    assert body["error"]["message"].startswith(f"router: {kind} — openai/gpt-5.5={kind}")
    assert (body["x_router"]["provider"], body["x_router"]["served_model_id"]) == (None, None)
    assert body["x_router"]["decision_trace"]["decision_path"][0]["error_kind"] == kind


@pytest.mark.parametrize(("fault", "kind", "status"), KINDS)
def test_each_kind_is_exhausted_where_everyone_was_tried(
    endpoint: Served, faults: Faults, fault: str, kind: str, status: int
) -> None:
    faults.play(f"openai={fault}")
    answer = endpoint.chat(policy_ir=policy(ONLY), compact=True)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == f"exhausted: {kind}"
    assert error["message"].startswith(f"exhausted: {kind} — openai/gpt-5.5={kind}")


def test_a_logging_tenants_message_is_told_cut_and_another_ones_is_not(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=server_error", "azure=server_error")
    logging = endpoint.chat(tenant="acme-eu", model=PINNED, compact=True).json()["error"]["message"]
    nobody = endpoint.chat(model=PINNED, compact=True).json()["error"]["message"]
    assert '=server_error(500) "emulated: ' in logging  # whose word is no key, and is not taken out as one
    assert "=server_error(500)" in nobody
    assert '"' not in nobody


AUDIO = {"type": "input_audio", "input_audio": {"data": "SECRET", "format": "wav"}}


@pytest.mark.parametrize(("asked", "why", "words"), [
    ({}, "local_no_messages", "`messages` is missing or empty"),
    ({"messages": []}, "local_no_messages", "send at least one message"),
    ({"messages": [{"role": "user", "content": [AUDIO]}]}, "local_part", "send text (with `text`) or image_url"),
    ({**HELLO, "tools": [WEATHER], "tool_choice": "zz"}, "local_tool_choice", "auto, none, required"),
])  # fmt: skip
def test_a_request_that_cannot_be_said_tells_why_and_nothing_of_itself(
    endpoint: Served, asked: dict[str, Any], why: str, words: str
) -> None:
    answer = endpoint.post("/v1/chat/completions", {**asked, "model": CLAUDE, "compact": True})
    body = answer.json()
    assert (answer.status_code, body["error"]["type"]) == (400, "router_error")
    assert words in body["error"]["message"]
    path = body["x_router"]["decision_trace"]["decision_path"]
    assert {entry["detail"] for entry in path if entry.get("error_kind") == "bad_request"} == {why}
    endpoint.stored()
    trace = endpoint.get(f"/x/traces/{body['x_router']['trace_id']}")
    assert why in trace.text
    assert "SECRET" not in answer.text + trace.text


def test_a_fallback_is_in_the_path_and_the_answer_is_the_next_ones(endpoint: Served, faults: Faults) -> None:
    faults.play("alibaba=rate_limit")
    told = endpoint.chat(policy_ir=policy(["or", ["provider_eq", "alibaba"], ["provider_eq", "mistral"]]), compact=True)
    path = told.json()["x_router"]["decision_trace"]["decision_path"]
    assert path[0]["error_kind"] == "rate_limit"
    assert path[0]["http_status"] == 429
    assert told.json()["x_router"]["provider"] == path[-1]["provider_id"]


def test_where_nobody_can_be_called_every_one_is_listed_with_its_time(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=auth_error")
    tail: list[Any] = [["argmax"], ["id"], ["always", {"action": "disable_provider"}]]
    term = policy(ONLY, tail=tail)
    assert endpoint.chat(policy_ir=term, compact=True).status_code == 401
    held = endpoint.chat(policy_ir=term, compact=True)
    assert held.status_code == 503
    assert held.json()["error"]["code"] == "exhausted: no_candidates"
    assert "openai/gpt-5.5" in held.json()["error"]["message"]
    assert int(held.headers["retry-after"]) > 200


def test_where_the_filter_leaves_out_who_is_out_the_caller_hears_when_they_are_back(
    endpoint: Served, faults: Faults
) -> None:
    """The sample's own default filter has `not breaker_open`, and nobody whom a filter rejects is called."""
    term = policy(["and", ONLY, ["not", ["is", "breaker_open"]]])
    faults.play("openai=rate_limit:200s")
    assert endpoint.chat(policy_ir=term, compact=True).status_code == 429
    faults.none()
    for _ in range(2):
        held = endpoint.chat(policy_ir=term, compact=True)
        assert (held.status_code, held.json()["error"]["code"]) == (503, "no_candidates")
        assert "openai/gpt-5.5" in held.json()["error"]["message"]
        assert int(held.headers["retry-after"]) > 150
        assert "x-should-retry" not in held.headers
        assert held.json()["x_router"]["decision_trace"]["decision_path"] == []


@pytest.mark.parametrize("body", [{}, {"stream": True}], ids=["plain", "stream"])
def test_of_the_waits_that_providers_ask_for_the_shortest_is_passed_on(
    endpoint: Served, faults: Faults, body: dict[str, Any]
) -> None:
    faults.play("openai=rate_limit:31s", "azure=rate_limit:12500ms")
    either = ["and", ["or", ["provider_eq", "openai"], ["provider_eq", "azure"]], ["family_eq", "gpt-5.5"]]
    answer = endpoint.chat(policy_ir=policy(either), compact=True, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "exhausted: rate_limit")
    assert answer.headers["retry-after"] == "13"


@pytest.mark.parametrize("fault", ["rate_limit", "server_error"])
def test_no_wait_is_made_up(endpoint: Served, faults: Faults, fault: str) -> None:
    faults.play(f"openai={fault}")
    assert "retry-after" not in endpoint.chat(policy_ir=policy(ONLY), compact=True).headers


def test_nobody_left_says_how_many_fell_to_which_reason(endpoint: Served) -> None:
    answer = endpoint.chat(policy_ir=policy(["bot"]), compact=True)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_candidates"
    assert "851 of 851 offers rejected" in answer.json()["error"]["message"]


CASES: list[tuple[dict[str, Any], int, str]] = [
    ({"policy_ir": ["policy", ["frobnicate"]]}, 400, "invalid_policy"),
    ({"policy_ir": policy(["is", "eu"])}, 400, "invalid_policy"),
    ({"policy_ir": policy(["top"], tail=[["argmax"], ["custom", "os.system"], ["always", {"action": "abort"}]])}, 400,
     "invalid_policy"),
    ({"policy_ir": policy(["top"], tail=[["argmax"], ["set_param", "base_url", "http://x"],
                                         ["always", {"action": "abort"}]])}, 400, "invalid_policy"),
    ({"flow_ir": ["flow", {}]}, 400, "invalid_flow"),
    ({"model": "policy:mine"}, 400, "policy_in_model_field"),
    ({"model": "profile:zz"}, 502, "unknown profile: zz"),
    ({"model": "pin:"}, 400, "invalid_model"),
    ({"model": "pin:openai"}, 400, "invalid_model"),
    ({"model": "family:"}, 400, "invalid_model"),
    ({"model": "gpt-4o"}, 404, "model_not_found"),
    ({"tenant": "nobody"}, 404, "tenant_not_found"),
    ({"policy_ir": "x"}, 422, "invalid_request"),
    ({"flow_ir": {}}, 422, "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code"), CASES)
def test_refusals_have_their_code(endpoint: Served, body: dict[str, Any], status: int, code: str) -> None:
    answer = endpoint.chat(**body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert len(answer.json()["error"]["message"]) <= 512
    if status == 422:
        assert answer.json()["detail"][0]["loc"][0] == "body"


def test_paths_and_methods_that_are_not_there(endpoint: Served) -> None:
    missing = endpoint.post("/v2/chat/completions", HELLO)
    assert (missing.status_code, missing.json()["detail"]) == (404, "Not Found")
    wrong = endpoint.get("/v1/chat/completions")
    assert (wrong.status_code, wrong.json()["detail"], wrong.headers["allow"]) == (405, "Method Not Allowed", "POST")
