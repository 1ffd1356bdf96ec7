"""What a caller asked for reaches the provider, is named in a warning, or is refused: never dropped in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.calls import candidate
from tests.server_x.endpoint import Served, policy, served
from workbench.gateway.codecs import CODECS, request_of
from workbench.gateway.codecs.extras import unplaced
from workbench.gateway.codecs.neutral import LocalFault
from workbench.server.emulator import Emulator, running
from workbench.server.emulator.wire import Request, Script

HELLO: dict[str, Any] = {"role": "user", "content": "hi"}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"town": {"type": "string"}}, "additionalProperties": False}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
STRICT: dict[str, Any] = {"type": "function", "function": {**TOOL["function"], "strict": True}}
FOREIGN = ("anthropic", "vertex_anthropic", "gemini", "bedrock")
"""The protocols that are not OpenAI's."""


def sent(kind: str, **request: Any) -> dict[str, Any]:
    """The body that goes out."""
    asked = {"messages": [HELLO], **request}
    return json.loads(request_of(candidate(0, "https://x.example/v1", kind), asked).body)


def picture(detail: str | None = None) -> dict[str, Any]:
    """A part of a message."""
    said = {"url": PIXEL} if detail is None else {"url": PIXEL, "detail": detail}
    return {"type": "image_url", "image_url": said}


@pytest.mark.parametrize("kind", ["anthropic", "vertex_anthropic"])
@pytest.mark.parametrize(
    ("wanted", "choice"),
    [
        ({}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "auto"}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": "required"}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"tool_choice": "none"}, {"type": "none"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        ),
    ],
    ids=["nothing", "auto", "required", "none", "name"],
)
def test_one_tool_at_a_time_reaches_anthropic(kind: str, wanted: dict[str, Any], choice: dict[str, Any]) -> None:
    assert sent(kind, tools=[TOOL], parallel_tool_calls=False, **wanted)["tool_choice"] == choice
    assert "disable_parallel_tool_use" not in json.dumps(sent(kind, tools=[TOOL], parallel_tool_calls=True, **wanted))
    assert "tool_choice" not in sent(kind, parallel_tool_calls=False)


def test_responses_are_told_which_function_is_strict() -> None:
    loose = {"type": "function", "function": {**TOOL["function"], "name": "loose", "strict": False}}
    unsaid = {"type": "function", "function": {**TOOL["function"], "name": "unsaid"}}
    tools = sent("openai_responses", tools=[STRICT, loose, unsaid])["tools"]
    assert [(tool["name"], tool["strict"]) for tool in tools] == [
        ("weather", True), ("loose", False), ("unsaid", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"name": "town", "strict": True}, {"name": "town", "strict": True}),
        ({"name": "town", "strict": False}, {"name": "town", "strict": False}),
        ({"name": "town"}, {"name": "town"}),
        ({}, {"name": "answer"}),
    ],
    ids=["strict", "loose", "unsaid", "nameless"],
)
def test_responses_are_told_the_name_and_the_strictness_of_a_schema(said: dict[str, Any], told: dict[str, Any]) -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": SCHEMA, **said}}
    found = sent("openai_responses", response_format=wanted)["text"]["format"]
    assert found == {"type": "json_schema", "schema": SCHEMA, **told}


def test_responses_are_told_how_closely_to_look() -> None:
    for detail in ("high", "low", None):
        message = {"role": "user", "content": [{"type": "text", "text": "what?"}, picture(detail)]}
        (item,) = sent("openai_responses", messages=[message])["input"]
        assert item["content"][1] == {
            "type": "input_image", "image_url": PIXEL, **({} if detail is None else {"detail": detail}),
        }  # fmt: skip


@pytest.mark.parametrize("kind", CODECS)
def test_what_a_protocol_has_no_word_for_is_a_warning(kind: str) -> None:
    looked = {"messages": [{"role": "user", "content": [{"type": "text", "text": "what?"}, picture("high")]}]}
    foreign = kind in FOREIGN
    assert unplaced(kind, {"messages": [HELLO], "tools": [TOOL, STRICT]}) == (("dropped:tools.strict",) * foreign)
    assert unplaced(kind, looked) == (("dropped:image_url.detail",) * foreign)
    assert unplaced(kind, {**looked, "tools": [STRICT]}) == (
        ("dropped:tools.strict", "dropped:image_url.detail") if foreign else ()
    )
    plain = {"messages": [HELLO, {"role": "user", "content": [picture()]}], "tools": [TOOL]}
    assert unplaced(kind, plain) == ()


RESULT: list[dict[str, Any]] = [
    HELLO,
    {
        "role": "assistant", "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "rain"}, picture()]},
]  # fmt: skip
SYSTEM: list[dict[str, Any]] = [{"role": "system", "content": [{"type": "text", "text": "x"}, picture()]}, HELLO]
DEVELOPER: list[dict[str, Any]] = [{"role": "developer", "content": [picture()]}, HELLO]


@pytest.mark.parametrize("kind", [*FOREIGN, "openai_responses"])
@pytest.mark.parametrize("messages", [RESULT, SYSTEM, DEVELOPER], ids=["result", "system", "developer"])
def test_a_picture_that_has_no_place_is_refused(kind: str, messages: list[dict[str, Any]]) -> None:
    with pytest.raises(LocalFault) as caught:
        sent(kind, messages=messages)
    assert (caught.value.reason, caught.value.detail) == ("bad_request", "local_picture_place")


@pytest.mark.parametrize("kind", CODECS)
def test_several_texts_have_a_place_wherever_one_has(kind: str) -> None:
    words = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    told = json.dumps(sent(kind, messages=[{"role": "system", "content": words}, *RESULT[:2],
                                           {**RESULT[2], "content": words}]))  # fmt: skip
    assert told.count("one") == told.count("two") == 2


class Listening(Emulator):
    """Remembers the bodies that reached it."""

    bodies: list[dict[str, Any]]

    def answer(self, request: Request) -> bytes | Script:
        self.bodies.append(json.loads(request.body))
        return super().answer(request)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[dict[str, Any]]]]:
    """An endpoint, and what reaches its providers."""
    emulator = Listening()
    emulator.bodies = []
    with running(emulator) as made, served(tmp_path_factory.mktemp("heard"), made.url) as endpoint:
        yield endpoint, emulator.bodies


def looked_at(**image: Any) -> dict[str, Any]:
    """A Responses body with a picture."""
    parts = [{"type": "input_text", "text": "what?"}, {"type": "input_image", **image}]
    return {"input": [{"role": "user", "content": parts}], "compact": True}


def test_detail_comes_through_a_response(heard: tuple[Served, list[dict[str, Any]]]) -> None:
    endpoint, bodies = heard
    body = looked_at(image_url=PIXEL, detail="high")
    chat = endpoint.post("/v1/responses", {**body, "policy_ir": policy(["provider_eq", "mistral"])})
    assert (chat.status_code, chat.json()["x_router"].get("warnings")) == (200, None)
    assert bodies[-1]["messages"][0]["content"][1] == picture("high")
    theirs = ["and", ["provider_eq", "openai"], ["family_eq", "gpt-5.2-pro"]]
    assert endpoint.post("/v1/responses", {**body, "policy_ir": policy(theirs)}).status_code == 200
    assert bodies[-1]["input"][0]["content"][1] == {"type": "input_image", "image_url": PIXEL, "detail": "high"}
    foreign = endpoint.post("/v1/responses", {**body, "policy_ir": policy(["provider_eq", "anthropic"])}).json()
    assert foreign["x_router"]["warnings"] == ["dropped:image_url.detail"]


@pytest.mark.parametrize(
    "image", [{"file_id": "file-1"}, {}, {"image_url": None}, {"image_url": {"url": PIXEL}}], ids=str
)
def test_a_picture_without_an_address_is_refused(
    heard: tuple[Served, list[dict[str, Any]]], image: dict[str, Any]
) -> None:
    endpoint, bodies = heard
    before = len(bodies)
    answer = endpoint.post("/v1/responses", looked_at(**image))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input[0].content[1]")
    assert "image_url" in answer.json()["error"]["message"]
    assert len(bodies) == before


def test_a_picture_in_a_tools_result_is_an_error_of_the_callers(heard: tuple[Served, list[dict[str, Any]]]) -> None:
    endpoint, bodies = heard
    before = len(bodies)
    abort = [["argmax"], ["id"], ["always", {"action": "abort"}]]
    asked = {"messages": RESULT, "compact": True, "tools": [TOOL]}
    told = endpoint.post(
        "/v1/chat/completions", {**asked, "policy_ir": policy(["provider_eq", "anthropic"], tail=abort)}
    )
    assert (told.status_code, told.json()["error"]["code"]) == (400, "bad_request")
    assert len(bodies) == before


CACHE = {"type": "ephemeral", "ttl": "1h"}
STRANGE: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": CACHE, "secret words": 1}]},
    {
        "role": "assistant", "content": "x", "name": "Ann", "refusal": "no", "reasoning_content": "hm", "audio": None,
        "annotations": [], "secret words": 1,
        "tool_calls": [
            {
                "id": "c", "type": "function", "index": 0, "extra_content": {"a": 1},
                "function": {"name": "f", "arguments": "{}"},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c", "name": "f", "content": "x"},
    HELLO,
]  # fmt: skip


@pytest.mark.parametrize("kind", [*FOREIGN, "openai_responses"])
def test_what_stands_inside_a_message_and_has_no_place_is_a_warning(kind: str) -> None:
    tools = [{**TOOL, "cache_control": CACHE}]
    found = unplaced(kind, {"messages": STRANGE, "tools": tools})
    cached = "anthropic" in kind
    assert set(found) == {
        "dropped:messages.name", "dropped:messages.refusal", "dropped:messages.reasoning_content",
        "dropped:messages.other", "dropped:content.other", "dropped:tool_calls.extra_content",
        "dropped:tools.cache_control", *([] if cached else ["dropped:content.cache_control"]),
    }  # fmt: skip
    assert len(found) == len(set(found))
    assert unplaced("openai_compatible", {"messages": STRANGE}) == ()  # which goes out as it came


def test_a_tools_result_gives_gemini_its_name() -> None:
    result = {"role": "tool", "tool_call_id": "c", "name": "f", "content": "x"}
    assert unplaced("gemini", {"messages": [HELLO, result]}) == ()
    assert unplaced("bedrock", {"messages": [HELLO, result]}) == ("dropped:messages.name",)


@pytest.mark.parametrize("kind", ["anthropic", "vertex_anthropic"])
def test_a_mark_for_the_cache_reaches_anthropic(kind: str) -> None:
    marked = {"type": "text", "text": "long", "cache_control": CACHE}
    plain = {"type": "text", "text": "short"}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": "first"},
        {"role": "developer", "content": [marked, plain]},
        {"role": "user", "content": [plain, marked]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [plain, marked]},
    ]
    body = sent(kind, messages=messages, response_format={"type": "json_object"})
    assert body["system"][:3] == [{"type": "text", "text": "first"}, marked, plain]
    assert "JSON" in body["system"][3]["text"]
    assert body["messages"][0]["content"] == [plain, marked]
    assert body["messages"][2]["content"][0]["cache_control"] == CACHE
    unmarked = [{"role": "system", "content": [plain]}, HELLO]
    assert sent(kind, messages=unmarked)["system"] == "short"


def test_a_mark_that_is_none_is_a_warning() -> None:
    odd = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": True}]}
    assert unplaced("anthropic", {"messages": [odd]}) == ("dropped:content.cache_control",)
    assert sent("anthropic", messages=[odd])["messages"][0]["content"] == [{"type": "text", "text": "hi"}]
