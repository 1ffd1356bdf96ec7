"""What good answers hold, in every protocol, plain and streamed, through our own gateway."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.calls import OFFERS, call, play
from workbench.catalog.load import load_catalog
from workbench.catalog.packaged import packaged_catalogs
from workbench.gateway.codecs import CODECS, request_of
from workbench.gateway.codecs.neutral import Reply
from workbench.gateway.redirected import Redirected
from workbench.server.emulator import Running
from workbench.server.emulator.asked import place_of
from workbench.server.emulator.instances import instance

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city"],
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"score": {"type": "number", "maximum": 0.5}, "tags": {"type": "array", "items": {"enum": ["x"]}}},
    "required": ["score", "tags"],
    "additionalProperties": False,
}
BOTH = pytest.mark.parametrize("stream", [False, True])
ALL = pytest.mark.parametrize("offer", OFFERS)


def asked(emulator: Running, offer: str, stream: bool, **asked: Any) -> Reply:
    play(emulator)
    made = call(emulator.url, [OFFERS[offer]], stream=stream, **asked)
    assert made.answer.outcome == "ok", made.answer
    assert made.answer.attempts[0].emulated
    assert made.answer.reply is not None
    return made.answer.reply


def test_every_protocol_that_is_spoken_here_is_tried() -> None:
    assert {row["api_kind"] for row in OFFERS.values()} == set(CODECS)


@BOTH
@ALL
def test_a_text_says_who_answered_and_what_was_asked_and_counts_it(
    emulator: Running, offer: str, stream: bool
) -> None:  # fmt: skip
    reply = asked(emulator, offer, stream, prompt="how  are\nyou? " + "x" * 200)
    row = OFFERS[offer]
    assert reply.text.startswith(
        f"[emulated] {row['provider_id']}/{row['served_model_id']} was asked: “how are you? xx"
    )
    assert "…" in reply.text
    assert reply.finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.tokens_in == 54
    assert reply.usage.tokens_out == len(reply.text.split())
    assert reply.warnings == ()
    again = asked(emulator, offer, stream, prompt="how  are\nyou? " + "x" * 200)
    assert again == reply


@BOTH
@ALL
def test_a_limit_of_tokens_cuts_the_answer(emulator: Running, offer: str, stream: bool) -> None:
    reply = asked(emulator, offer, stream, max_tokens=4)
    assert len(reply.text.split()) == 4
    assert reply.finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.tokens_out == 4


@BOTH
@ALL
@pytest.mark.parametrize(
    "how",
    [{"tool_choice": "required"}, {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
     {"prompt": "please call the tool"}],
)  # fmt: skip
def test_a_tool_is_called_where_it_is_demanded(emulator: Running, offer: str, stream: bool, how: Any) -> None:
    reply = asked(emulator, offer, stream, tools=[TOOL], **how)
    (made,) = reply.tool_calls
    assert made.name == "weather"
    assert made.id
    assert json.loads(made.arguments) == {"city": "emulated", "days": 2}
    assert reply.finish_reason == "tool_calls"
    assert reply.warnings == ()


@ALL
def test_a_tool_is_not_called_again_for_its_own_result(emulator: Running, offer: str) -> None:
    play(emulator)
    call_made = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "call the tool"},
        {"role": "assistant", "content": None, "tool_calls": [call_made]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    made = call(emulator.url, [OFFERS[offer]], tools=[TOOL], messages=messages)
    assert made.answer.reply is not None
    assert made.answer.reply.tool_calls == ()


@BOTH
@ALL
def test_json_is_json_and_fits_its_schema(emulator: Running, offer: str, stream: bool) -> None:
    free = asked(emulator, offer, stream, response_format={"type": "json_object"})
    assert json.loads(free.text)["emulated"] is True
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    assert json.loads(asked(emulator, offer, stream, response_format=form).text) == {"score": 0.5, "tags": ["x"]}


@ALL
def test_pictures_are_seen(emulator: Running, offer: str) -> None:
    play(emulator)
    content = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    made = call(emulator.url, [OFFERS[offer]], messages=[{"role": "user", "content": content}])
    assert made.answer.reply is not None
    assert "and 1 picture." in made.answer.reply.text
    assert made.answer.reply.usage is not None
    assert made.answer.reply.usage.tokens_in == 256 + 3


def test_every_offer_of_the_catalog_has_an_address_here() -> None:
    catalog = load_catalog(packaged_catalogs()["2026-11"])
    place = Redirected.to("http://127.0.0.1:8089")
    for candidate in catalog.candidates:
        for stream in (False, True):
            made = request_of(
                place.candidate(candidate), {"messages": [{"role": "user", "content": "x"}]}, stream=stream
            )  # fmt: skip
            assert made.url.startswith("http://127.0.0.1:8089/p/")
            found = place_of(made.url.removeprefix("http://127.0.0.1:8089"))
            assert found is not None, made.url
            assert found.provider == candidate["provider_id"]
            assert (found.model or json.loads(made.body)["model"]) == candidate["served_model_id"]
            assert found.stream in (None, stream)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "minLength": 10, "maxLength": 12}, "emulatedem"),
        ({"type": ["integer", "null"], "multipleOf": 5, "minimum": 7}, 10),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": 3}}}, 3),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, True),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "string", "format": "date"}}}],
          "type": "object"}, {"a": "2026-01-01"}),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [1.0, 1.0]),
        ({"type": "STRING"}, "emulated"),
        ({}, "emulated"),
    ],
)  # fmt: skip
def test_an_instance_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    assert instance(schema) == value


def test_a_schema_that_holds_itself_ends() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}}
    assert instance(node)["v"] == 1
    assert instance({"$ref": "#"}) is None
