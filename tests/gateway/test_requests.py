"""What goes out: the catalog's own row whatever the request says, and bodies that the providers' own types accept."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
from anthropic.types import Message, message_create_params
from google.genai import types as google
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.gateway.calls import candidate
from workbench.catalog import load_catalog, packaged_catalogs
from workbench.engine.context import Context
from workbench.engine.transform import transform
from workbench.gateway.codecs import CODECS, request_of
from workbench.gateway.codecs.neutral import LocalFault, Usage
from workbench.gateway.codecs.route import Route, origin_of
from workbench.gateway.codecs.unsaid import SENTENCES, Unsaid
from workbench.language.admission import check
from workbench.language.runnable import REQUEST_PARAMETERS
from workbench.language.vocabulary import CORE
from workbench.server.chat.failures import MESSAGE_CUT

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "the weather of a town",
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Bern"}'}}
TALK: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": PIXEL}]},
    {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    {"role": "user", "content": "And now?"},
]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
REQUESTS: dict[str, dict[str, Any]] = {
    "short": {"messages": [{"role": "user", "content": "hi"}]},
    "talk with tools": {"messages": TALK, "tools": [TOOL], "tool_choice": "auto", "max_tokens": 100, "stop": "END"},
    "a tool by name": {
        "messages": TALK,
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
    },
    "any tool": {"messages": TALK, "tools": [TOOL], "tool_choice": "required"},
    "no tool": {"messages": TALK, "tools": [TOOL], "tool_choice": "none"},
    "JSON": {"messages": TALK, "response_format": {"type": "json_object"}},
    "a schema": {
        "messages": TALK,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
    },
    "numbers": {
        "messages": TALK,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "repetition_penalty": 1.1,
    },
}
CASES = pytest.mark.parametrize("name", REQUESTS)


def body(kind: str, name: str, *, stream: bool = False, **extra: object) -> dict[str, Any]:
    made = request_of(candidate(0, "https://x.example/v1", kind, **extra), REQUESTS[name], stream=stream)
    return json.loads(made.body)


MESSAGES: TypeAdapter[Any] = TypeAdapter(message_create_params.MessageCreateParamsStreaming)
WHOLE: TypeAdapter[Any] = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)
SAMPLED = {"temperature", "top_p", "top_k"}


@CASES
@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_own_types_accept_the_body(name: str, stream: bool) -> None:
    sent = body("anthropic", name, stream=stream, request={"inference_geo": "us"})
    known = set(message_create_params.MessageCreateParamsStreaming.__annotations__) | set(
        message_create_params.MessageCreateParamsBase.__annotations__
    )
    assert not sent.keys() - known - SAMPLED
    (MESSAGES if stream else WHOLE).validate_python(sent, strict=False)
    roles = [turn["role"] for turn in sent["messages"]]
    assert roles[0] == "user"
    assert all(left != right for left, right in pairwise(roles))
    assert sent["inference_geo"] == "us"


def test_sampling_goes_out_under_the_version_that_takes_it() -> None:
    def version(name: str) -> str:
        made = request_of(candidate(0, "https://x.example", "anthropic"), REQUESTS[name])
        return dict(made.headers)["anthropic-version"]

    assert version("short") == "2026-10-21"
    assert version("numbers") == "2023-06-01"


@CASES
@pytest.mark.parametrize("stream", [False, True])
def test_googles_own_types_accept_the_body(name: str, stream: bool) -> None:
    sent = body("gemini", name, stream=stream)
    for content in [*sent["contents"], *([sent["systemInstruction"]] if "systemInstruction" in sent else [])]:
        assert google.Content.model_validate(content).parts
    for declared in sent.get("tools", []):
        google.Tool.model_validate(declared)
    if "toolConfig" in sent:
        google.ToolConfig.model_validate(sent["toolConfig"])
    settings = sent.get("generationConfig", {})
    parsed = google.GenerationConfig.model_validate(settings)
    assert parsed.model_dump(by_alias=True, exclude_none=True).keys() == settings.keys()
    assert not sent.keys() - {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}


def test_the_answers_of_the_sdks_types_are_read() -> None:
    message = Message.model_validate({
        "id": "m", "type": "message", "role": "assistant", "model": "served-1", "stop_sequence": None,
        "content": [
            {"type": "text", "text": "hi ", "citations": None},
            {"type": "tool_use", "id": "t", "name": "weather", "input": {"town": "Bern"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 2},
    })  # fmt: skip
    said = CODECS["anthropic"].reply(json.loads(message.model_dump_json()))
    assert (said.text, said.finish_reason, said.model) == ("hi ", "tool_calls", "served-1")
    assert [(call.name, json.loads(call.arguments)) for call in said.tool_calls] == [("weather", {"town": "Bern"})]
    assert said.usage == Usage(7, 3, 2)
    reply = CODECS["gemini"].reply(
        json.loads(
            google.GenerateContentResponse.model_validate(
                {
                    "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
                    "usageMetadata": {
                        "promptTokenCount": 5,
                        "candidatesTokenCount": 3,
                        "thoughtsTokenCount": 4,
                        "cachedContentTokenCount": 2,
                    },
                    "modelVersion": "served-1",
                }
            ).model_dump_json(by_alias=True, exclude_none=True)
        )
    )
    assert reply.text == "hi"
    assert reply.usage == Usage(5, 7, 2, 4)


NAMES = st.sampled_from([*REQUEST_PARAMETERS, "temperature"])
HOSTILE = st.dictionaries(
    st.sampled_from([
        "base_url", "api_base", "api_key", "headers", "extra_headers", "extra_body", "proxy", "url", "model",
        "provider", "auth", "auth_env", "served_model_id", "api_kind", "_filters", "requirements", "images",
        "__class__", "",
        "stream", "stream_options", "n", "key", "anthropic_version", "system", "contents", "inference_geo",
    ]),
    st.sampled_from(["https://evil.example", "evil", {"authorization": "x"}, ["x"], 7, True]),
)  # fmt: skip
CATALOG = load_catalog(packaged_catalogs()["2026-11"])
CALLABLE = [row for row in CATALOG.candidates if "base_url" in row and row["api_kind"] in CODECS]


@st.composite
def changes(draw: st.DrawFn) -> list[Any]:
    """Transforms that are runnable here."""
    steps: list[Any] = []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(NAMES)
        number = draw(st.floats(-1e308, 1e308))
        kind = draw(st.sampled_from(["set_param", "clamp_param", "inject_seed", "jitter"]))
        steps.append({
            "set_param": ["set_param", name, number],
            "clamp_param": ["clamp_param", name, *sorted((number, draw(st.floats(-1e308, 1e308))))],
            "inject_seed": ["inject_seed", name],
            "jitter": ["jitter", name, abs(number)],
        }[kind])  # fmt: skip
    return ["seq", *steps, ["id"]]


@given(st.sampled_from(CALLABLE), HOSTILE, changes(), st.booleans())
def test_a_call_goes_where_the_catalog_says(
    row: dict[str, Any], extra: dict[str, Any], steps: list[Any], stream: bool
) -> None:
    asked = {"messages": TALK[:1] + TALK[4:], "temperature": 0.3, **extra}
    context = Context(asked, seed=11)
    wanted = transform(asked, check(steps, CORE), row, context, CORE)
    made = request_of(row, wanted, stream=stream)
    base, url = urlsplit(str(row["base_url"])), urlsplit(made.url)
    assert (url.scheme, url.netloc) == (base.scheme, base.netloc)
    assert made.url == request_of(row, REQUESTS["short"], stream=stream).url
    assert (made.provider, made.model) == (row["provider_id"], row["served_model_id"])
    assert made.key_name == row.get("auth_env")
    assert origin_of(made.url) == Route.of(row).origin
    sent = json.loads(made.body)
    assert sent.get("model", made.model) == made.model
    written = made.body.decode()
    assert "evil" not in written
    judge_numbers(sent, row)


def judge_numbers(sent: dict[str, Any], row: dict[str, Any]) -> None:
    assert not sent.keys() & {"timeout_ms", "first_token_timeout_ms", "n", "system_prompt"}
    assert sent.get("inference_geo") == row.get("request", {}).get("inference_geo")
    settings = {**sent, **sent.get("generationConfig", {}), **sent.get("inferenceConfig", {})}
    if "temperature" in settings:
        assert 0 <= settings["temperature"] <= 2
    for name in ("max_tokens", "max_completion_tokens", "maxOutputTokens", "maxTokens"):
        if name in settings:
            assert 1 <= settings[name] <= 1_000_000


def test_every_offer_with_an_address_can_be_asked() -> None:
    assert {row["api_kind"] for row in CATALOG.candidates} <= set(CODECS)
    for row in CALLABLE:
        request_of(row, REQUESTS["short"])


def turn(*parts: dict[str, Any], **message: Any) -> dict[str, Any]:
    """A conversation with one message more: of a user in parts, or as it is given."""
    return {"messages": [TALK[1], {"role": "user", "content": list(parts), **message}]}


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


UNSAYABLE: list[tuple[Unsaid, dict[str, Any]]] = [
    ("local_role", turn(role="wizard", content="x")),
    ("local_role", turn(role="function", name="f", content="x")),
    ("local_content", turn(role="user", content=5)),
    ("local_picture", turn(picture("file:///etc/passwd"))),
    ("local_picture", turn(picture("http://10.0.0.1/x.png"))),
    ("local_part", turn({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}})),
    ("local_part", turn({"type": "file", "file": {"file_id": "f"}})),
    ("local_part", turn({"type": "refusal", "refusal": "no"})),
    ("local_part", turn({"type": "text"})),
    ("local_part", turn({"type": "txt", "text": "x"})),
    ("local_tool_call", turn(role="assistant", tool_calls=[{"function": {"name": "f", "arguments": "{broken"}}])),
    ("local_tool_choice", {"messages": TALK, "tools": [TOOL], "tool_choice": "zz"}),
    ("local_tool_choice", {"messages": TALK, "tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}),
    ("local_tool", {"messages": TALK, "tools": [{"type": "function", "function": {}}]}),
    ("local_response_format", {"messages": TALK, "response_format": {"type": "json_schema"}}),
    ("local_no_messages", {"messages": []}),
    ("local_no_messages", {}),
    ("local_no_turn", {"messages": TALK[:1]}),
    ("local_no_turn", {"messages": [{"role": "user"}]}),
    ("local_no_turn", {"messages": [{"role": "user", "content": []}, {"role": "assistant", "content": ""}]}),
    ("local_value", turn(role="assistant", tool_calls=[{"function": {"name": "f", "arguments": "[NaN]"}}])),
]


@pytest.mark.parametrize("kind", ["anthropic", "gemini", "bedrock"])
@pytest.mark.parametrize(("why", "asked"), UNSAYABLE, ids=repr)
def test_what_a_protocol_cannot_say_is_refused_with_a_reason(kind: str, why: Unsaid, asked: dict[str, Any]) -> None:
    with pytest.raises(LocalFault) as caught:
        request_of(candidate(0, "https://x.example", kind), asked)
    assert (caught.value.reason, caught.value.detail) == ("bad_request", why)
    assert why in SENTENCES


def test_each_reason_has_a_sentence_that_is_told_whole() -> None:
    assert set(SENTENCES) == set(get_args(Unsaid))
    assert max(map(len, SENTENCES.values())) <= MESSAGE_CUT


@CASES
def test_a_response_is_not_stored_on_the_other_side(name: str) -> None:
    sent = body("openai_responses", name)
    assert sent["store"] is False
    assert "previous_response_id" not in sent
    kinds = {item.get("type", "message") for item in sent["input"]}
    assert kinds <= {"message", "function_call", "function_call_output"}
    assert ("function_call" in kinds) == (REQUESTS[name]["messages"] is TALK)
