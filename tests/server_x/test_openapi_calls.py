"""The OpenAPI document and the endpoint agree about what a call takes: every name, null, and what an answer holds."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from tests.server_x.endpoint import HELLO, Served, policy
from workbench.server.chat.parameters import DONE_ANYWAY, OURS, SENT, UNSUPPORTED
from workbench.server.chat.responses_body import REFUSED, TAKEN
from workbench.server.x.openapi.document import document

TERM = policy(["top"])
NODE = {"kind": "llm", "system": "", "inputs": ["i"], "policy": TERM}
FLOW = ["flow", {"i": {"kind": "input"}, "a": NODE, "o": {"kind": "output", "inputs": ["a"]}}]
CHAT: dict[str, Any] = {
    "messages": HELLO["messages"], "temperature": 0.5, "top_p": 0.9, "top_k": 5, "seed": 7, "max_tokens": 20,
    "max_completion_tokens": 20, "presence_penalty": 0.1, "frequency_penalty": 0.1, "repetition_penalty": 1.1,
    "timeout_ms": 9_000, "first_token_timeout_ms": 9_000, "stop": ["x"], "user": "u", "tools": [
        {"type": "function", "function": {"name": "f"}}], "tool_choice": "auto", "parallel_tool_calls": True,
    "response_format": {"type": "text"}, "logit_bias": {"1": 1}, "metadata": {}, "prediction": {},
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "reasoning_effort": "low", "safety_identifier": "s",
    "service_tier": "auto", "verbosity": "low", "model": "profile:default", "stream": False, "stream_options": {},
    "policy_ir": TERM, "flow_ir": FLOW, "session": "s", "tenant": "acme-eu", "tenant_state": {
        "plan": "free", "region": "eu", "data_class": "public", "dpa_signed": False, "vip_support": False},
    "requirements": {"min_context": 1000, "tier": None}, "scope": "s", "caller": "c", "compact": True, "n": 1,
}  # fmt: skip
ALIKE = {name: CHAT[name] for name in CHAT if name not in {"messages", "flow_ir", "tools"}}
RESPONSES: dict[str, Any] = {
    "input": "hello", "instructions": "be brief", "max_output_tokens": 20, "text": {"format": {"type": "text"}},
    "reasoning": {"effort": "low"}, "tools": [{"type": "function", "name": "f"}], "tool_choice": "auto",
    "include": [], "truncation": "auto",
}  # fmt: skip
PATHS = {"ChatRequest": "/v1/chat/completions", "ResponsesRequest": "/v1/responses", "RankRequest": "/x/rank"}
WHOLE: dict[str, dict[str, Any]] = {
    "ChatRequest": HELLO, "ResponsesRequest": {"input": "hello"}, "RankRequest": {"policy_ir": TERM},
}  # fmt: skip


def fits(name: str, value: Any) -> bool:
    """Whether a value is as a schema of the document has it."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema_rs.validator_for(schema).is_valid(value)


def agree(endpoint: Served, shape: str, **more: Any) -> int:
    """The status of a request that both take, or that neither does."""
    body = {**WHOLE[shape], **more}
    status = endpoint.post(PATHS[shape], body).status_code
    assert fits(shape, body) == (status not in (400, 422)), (more, status)
    return status


def test_the_examples_are_all_there_is() -> None:
    assert CHAT.keys() == {*SENT, *OURS}
    assert RESPONSES.keys() == set(TAKEN)


@pytest.mark.parametrize("name", CHAT)
def test_a_chat_completion_takes_what_the_document_says(endpoint: Served, name: str) -> None:
    assert agree(endpoint, "ChatRequest", **{name: CHAT[name]}) == 200
    if name != "messages":  # nothing to answer
        assert agree(endpoint, "ChatRequest", **{name: None}) == 200


@pytest.mark.parametrize("name", [*RESPONSES, *ALIKE])
def test_a_response_takes_what_the_document_says(endpoint: Served, name: str) -> None:
    assert agree(endpoint, "ResponsesRequest", **{name: (RESPONSES | ALIKE)[name]}) == 200
    if name != "input":
        assert agree(endpoint, "ResponsesRequest", **{name: None}) == 200


@pytest.mark.parametrize("name", [*DONE_ANYWAY, *UNSUPPORTED])
def test_what_asks_for_what_is_done_anyway_is_in_the_document(endpoint: Served, name: str) -> None:
    for value in (None, *DONE_ANYWAY.get(name, ())):
        assert agree(endpoint, "ChatRequest", **{name: value}) == 200
    assert agree(endpoint, "ChatRequest", **{name: ["something", "else"]}) == 400


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_the_other_protocol_has_may_be_null(endpoint: Served, name: str) -> None:
    assert agree(endpoint, "ResponsesRequest", **{name: None}) == 200
    assert agree(endpoint, "ResponsesRequest", **{name: "x"}) == 400


@pytest.mark.parametrize("shape", WHOLE)
@pytest.mark.parametrize("name", ["tennant", "base_url", "api_key", "zz"])
def test_a_name_that_nobody_has_is_in_neither(endpoint: Served, shape: str, name: str) -> None:
    assert agree(endpoint, shape, **{name: None}) == agree(endpoint, shape, **{name: "x"}) == 400


@pytest.mark.parametrize("name", document()["components"]["schemas"]["RankRequest"]["properties"])
def test_a_ranking_takes_null_for_what_nobody_says(endpoint: Served, name: str) -> None:
    tenant = {} if name == "tenant" else {"tenant": "acme-eu"}
    answer = endpoint.post("/x/rank", {"policy_ir": TERM, **tenant, name: None})
    assert (fits("RankRequest", {"policy_ir": TERM, **tenant, name: None}), answer.status_code) == (True, 200)


@pytest.mark.parametrize(
    ("pin", "status"),
    [
        ({"provider": "mistral", "model": "glm-5.3"}, 200),
        ({"provider_id": "mistral", "model_family": "glm-5.3"}, 200),
        ({"provider": "mistral"}, 400),
        ({"model": "glm-5.3", "provider": ""}, 400),
    ],
)
def test_a_pin_has_the_public_hosts_names_too(endpoint: Served, pin: dict[str, str], status: int) -> None:
    assert agree(endpoint, "RankRequest", pin=pin) == status
    assert agree(endpoint, "ChatRequest", requirements={"pin": pin}) == status


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/{profile}/v1/chat/completions", "/v1/responses"])
def test_the_header_that_names_a_session_is_in_the_document(path: str) -> None:
    headers = [known["name"] for known in document()["paths"][path]["post"]["parameters"] if known["in"] == "header"]
    assert headers == ["X-Unhardcoded-Session"]


@pytest.mark.parametrize(
    "body",
    [{}, {"tenant": "acme-eu"}, {"compact": True, "session": "s"}, {"flow_ir": FLOW}, {"policy_ir": policy(["bot"])},
     {"model": "pin:openai/none"}, {"temperature": "x"}],
)  # fmt: skip
def test_answers_and_refusals_are_as_described(endpoint: Served, body: dict[str, Any]) -> None:
    answer = endpoint.chat(**body)
    assert fits("ChatCompletion" if answer.status_code == 200 else "Error", answer.json())
    if "flow_ir" not in body:
        answer = endpoint.post("/v1/responses", {"input": "hello", **body})
        assert fits("Response" if answer.status_code == 200 else "Error", answer.json())
    told = answer.json().get("x_router")
    if told is not None:
        assert not fits("Router", {**told, "cost_basis": "estimated"})
        assert not fits("Router", {**told, "decision_trace": []})
