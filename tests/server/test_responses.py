"""`POST /v1/responses`, plain and streaming."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.server.faults import PINNED, Faults
from tests.server_x.endpoint import Served, policy
from workbench.server.chat.responses_body import chat_body

TOOL: dict[str, Any] = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


def ask(endpoint: Served, **body: Any) -> Any:
    return endpoint.post("/v1/responses", {"input": "hello", "compact": True, **body})


def events(endpoint: Served, **body: Any) -> list[dict[str, Any]]:
    answer = ask(endpoint, stream=True, **body)
    assert answer.status_code == 200, answer.text
    found = [json.loads(part.partition("data: ")[2]) for part in answer.text.split("\n\n") if "data: " in part]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert all(f"event: {event['type']}\n" in answer.text for event in found)
    return found


@pytest.mark.parametrize(("item", "told"), [
    ({"type": "function_call_output", "output": "x"}, "`call_id`"),
    ({"type": "function_call_output", "call_id": "c"}, "`output`"),
    ({"type": "function_call", "name": "f", "arguments": "{}"}, "`call_id`"),
    ({"type": "function_call", "call_id": "c", "arguments": "{}"}, "`name`"),
    ({"type": "function_call", "call_id": "c", "name": "f"}, "`arguments`"),
])  # fmt: skip
def test_an_item_that_lacks_what_it_needs_is_refused_by_its_place(
    endpoint: Served, item: dict[str, Any], told: str
) -> None:
    answer = endpoint.post("/v1/responses", {"input": [{"role": "user", "content": "x"}, item]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_message", "input[1]")
    assert told in error["message"]


def test_an_answer_is_a_response(endpoint: Served) -> None:
    body = ask(endpoint, model="profile:default", instructions="be brief", tenant="acme-eu").json()
    assert body["id"].startswith("resp_")
    assert (body["object"], body["status"], body["error"]) == ("response", "completed", None)
    message = body["output"][0]
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert message["content"][0]["type"] == "output_text"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert body["x_router"]["provider"]


def test_turns_tools_and_their_results_go_through(endpoint: Served) -> None:
    turns = [
        {"role": "user", "content": [{"type": "input_text", "text": "weather?"}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    ]
    body = ask(endpoint, input=turns, tools=[TOOL, {"type": "web_search"}], tool_choice="required").json()
    call = body["output"][0]
    assert (call["type"], call["name"]) == ("function_call", "weather")
    assert "dropped:tool:web_search" in body["x_router"]["warnings"]


def test_a_stream_has_its_events_in_order(endpoint: Served) -> None:
    found = events(endpoint)
    kinds = list(dict.fromkeys(event["type"] for event in found))
    assert kinds == [
        "response.created", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    said = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    assert found[-1]["response"]["output"][0]["content"][0]["text"] == said
    assert found[-1]["response"]["x_router"]["provider"]


def test_a_streamed_tool_call(endpoint: Served) -> None:
    found = events(endpoint, tools=[TOOL], tool_choice="required")
    assert any(event["type"] == "response.function_call_arguments.done" for event in found)
    assert found[-1]["response"]["output"][0]["type"] == "function_call"


def test_a_failure_before_a_word_is_plain_and_after_it_an_event(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=rate_limit")
    assert ask(endpoint, model=PINNED, stream=True).status_code == 429
    endpoint.tell(lambda process: process.host.health.reset())
    assert ask(endpoint, model=PINNED).json()["error"]["code"] == "exhausted: rate_limit"
    endpoint.tell(lambda process: process.host.health.reset())
    faults.play("openai=eof_after:3")
    found = events(endpoint, policy_ir=policy(["provider_eq", "openai"]))
    assert found[-1]["type"] == "response.failed"
    assert found[-1]["response"]["status"] == "failed"
    assert "stream_interrupted" in found[-1]["response"]["error"]["message"]


@pytest.mark.parametrize("body", [
    {"previous_response_id": "resp_1"}, {"conversation": "c"}, {"prompt": {}}, {"input": 5}, {"input": [5]},
    {"input": [{"type": "computer_call"}]}, {"instructions": 5}, {"tools": "x"}, {"text": 5}, {"reasoning": 5},
    {"max_output_tokens": -1}, {"temperature": False}, {"store": True}, {"background": True}, {"frobnicate": 1},
    {"base_url": "http://x"}, {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
])  # fmt: skip
def test_what_cannot_be_kept_is_refused(endpoint: Served, body: dict[str, Any]) -> None:
    answer = ask(endpoint, **body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


def test_a_chat_completions_messages_are_not_dropped_beside_input(endpoint: Served) -> None:
    answer = endpoint.post("/v1/responses", {"input": "hi", "messages": [{"role": "user", "content": "x"}]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages")


def test_a_tools_output_of_parts_is_said_as_chat_completions_say_it() -> None:
    rain = [{"type": "input_text", "text": "rain"}, {"type": "output_text", "text": "wind"}]
    made, _ = chat_body({"input": [{"type": "function_call_output", "call_id": "c1", "output": rain}]})
    assert made["messages"] == [
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "text", "text": "rain"}, {"type": "text", "text": "wind"}],
        }
    ]


TWICE: list[dict[str, Any]] = [
    {"max_output_tokens": 5, "max_tokens": 50},
    {"max_output_tokens": 5, "max_completion_tokens": 50},
    {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
    {"text": {"verbosity": "low"}, "verbosity": "high"},
    {"text": {"format": {"type": "text"}}, "response_format": {"type": "json_object"}},
]


@pytest.mark.parametrize("body", TWICE)
def test_what_is_said_under_two_names_and_differs_is_refused_in_any_order(
    endpoint: Served, body: dict[str, Any]
) -> None:
    for asked in (body, dict(reversed(body.items()))):
        answer = ask(endpoint, **asked)
        assert answer.status_code == 400
        assert "are one thing, and differ" in answer.json()["error"]["message"]


def test_a_limit_that_is_said_twice_alike_holds_and_null_lifts_none() -> None:
    for other in (5, None):
        for asked in ({"max_output_tokens": 5, "max_tokens": other}, {"max_tokens": other, "max_output_tokens": 5}):
            assert chat_body({"input": "hello", **asked})[0]["max_tokens"] == 5


@pytest.mark.parametrize(("body", "param"), [
    ({"max_output_tokens": 0}, "max_output_tokens"),
    ({"input": [{"role": "nobody", "content": "x"}], "instructions": "be brief"}, "input[0]"),
    ({"input": [{"role": "user", "content": 5}]}, "input[0]"),
    ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0]"),
    ({"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "zz"}]}]}, "input[0].output[0]"),
    ({"reasoning": {"effort": 5}}, "reasoning.effort"),
    ({"text": {"verbosity": 5}}, "text.verbosity"),
    ({"tools": [{"type": "web_search"}, {"type": "function"}]}, "tools[1]"),
])  # fmt: skip
def test_a_refusal_names_the_place_that_the_caller_wrote(endpoint: Served, body: dict[str, Any], param: str) -> None:
    answer = ask(endpoint, **body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert f"`{param}`" in answer.json()["error"]["message"]
