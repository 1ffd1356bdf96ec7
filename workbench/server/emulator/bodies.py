"""The bodies of the five protocols, read to the one neutral request. Lenient: what is not understood is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from workbench.engine.values import items, record, text
from workbench.gateway.codecs.content import JSON_INSTRUCTION
from workbench.server.emulator.asked import (
    MOST_NAME,
    Asked,
    Heard,
    NotAsked,
    Place,
    Protocol,
    Tool,
    count_of,
    tool_of,
    wanted_tool,
    words_of,
)

_PICTURES: Final = frozenset(
    ("image", "image_url", "input_image", "inlineData", "fileData", "inline_data", "file_data")
)

_GEMINI_SCHEMAS: Final = ("parametersJsonSchema", "parameters_json_schema")
"""Its API takes both spellings, and its own SDK writes the second."""


def asked_of(place: Place, body: bytes) -> Asked:
    """The request; raises `NotAsked` for a body that is no such request."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAsked("the body is no JSON") from None
    if not isinstance(document, dict):
        raise NotAsked("the body is no JSON object")
    told = cast("dict[str, Any]", document)
    model = place.model or text(told.get("model"))
    if not model or len(model) > MOST_NAME:
        raise NotAsked("the request names no model")
    return _READERS[place.protocol](place, model, told)


def _listen(heard: Heard, content: object, *, user: bool) -> None:
    """One message's content: a text, or parts of which some are texts and some are pictures."""
    if isinstance(content, str):
        heard.hear(content, user=user)
        return
    for raw in items(content):
        part = record(raw)
        said = text(part.get("text"))
        if said is not None:
            heard.hear(said, user=user)
        elif part.get("type") in _PICTURES or _PICTURES & part.keys():
            heard.images += 1
        elif _is_result(part):
            heard.answers_tool = True
            heard.letters += len(json.dumps(raw))


def _is_result(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "tool_result" or "toolResult" in part or "functionResponse" in part


def _hear_all(messages: object, content: str) -> Heard:
    heard = Heard()
    told = items(messages)
    if not told:
        raise NotAsked("the request has no messages")
    for raw in told:
        message = record(raw)
        heard.answers_tool = message.get("role") == "tool" or message.get("type") == "function_call_output"
        role = message.get("role", "user")
        _listen(heard, message.get(content), user=role == "user")
    return heard


def _openai(place: Place, model: str, body: Mapping[str, Any]) -> Asked:
    heard = _hear_all(body.get("messages"), "content")
    tools = [tool_of(record(record(tool).get("function")), "parameters") for tool in items(body.get("tools"))]
    choice = body.get("tool_choice")
    named = text(record(record(choice).get("function")).get("name"))
    form = record(body.get("response_format"))
    stream = body.get("stream") is True
    option = record(body.get("stream_options")).get("include_usage")
    return Asked(
        place, model, stream, heard.last, heard.letters, heard.images,
        count_of(body.get("max_completion_tokens") or body.get("max_tokens")),
        words_of(body.get("stop")),
        wanted_tool(tools, heard, demanded=choice in ("required", "any"), name=named),
        form.get("type") in ("json_object", "json_schema"),
        record(record(form.get("json_schema")).get("schema")) or None,
        option is True or place.provider == "mistral",
    )  # fmt: skip


def _responses(place: Place, model: str, body: Mapping[str, Any]) -> Asked:
    given = body.get("input")
    heard = _hear_all([{"role": "user", "content": given}] if isinstance(given, str) else given, "content")
    heard.letters += len(text(body.get("instructions")) or "")
    tools = [tool_of(record(tool), "parameters") for tool in items(body.get("tools"))]
    choice = body.get("tool_choice")
    form = record(record(body.get("text")).get("format"))
    return Asked(
        place, model, body.get("stream") is True, heard.last, heard.letters, heard.images,
        count_of(body.get("max_output_tokens")),
        (),
        wanted_tool(tools, heard, demanded=choice == "required", name=text(record(choice).get("name"))),
        form.get("type") in ("json_object", "json_schema"),
        record(form.get("schema")) or None,
    )  # fmt: skip


def _anthropic(place: Place, model: str, body: Mapping[str, Any]) -> Asked:
    heard = _hear_all(body.get("messages"), "content")
    system = _system(body.get("system"), heard)
    tools = [tool_of(record(tool), "input_schema") for tool in items(body.get("tools"))]
    choice = record(body.get("tool_choice"))
    schema = record(record(record(body.get("output_config")).get("format")).get("schema")) or None
    stream = place.stream if place.stream is not None else body.get("stream") is True
    return Asked(
        place, model, stream, heard.last, heard.letters, heard.images,
        count_of(body.get("max_tokens")),
        words_of(body.get("stop_sequences")),
        wanted_tool(tools, heard, demanded=choice.get("type") == "any", name=text(choice.get("name"))),
        schema is not None or JSON_INSTRUCTION in system,
        schema,
    )  # fmt: skip


def _gemini(place: Place, model: str, body: Mapping[str, Any]) -> Asked:
    heard = _hear_all(body.get("contents"), "parts")
    _system(record(body.get("systemInstruction")).get("parts"), heard)
    settings = record(body.get("generationConfig"))
    tools = [
        tool_of(record(told), next((key for key in _GEMINI_SCHEMAS if key in record(told)), "parameters"))
        for group in items(body.get("tools"))
        for told in items(record(group).get("functionDeclarations"))
    ]
    config = record(record(body.get("toolConfig")).get("functionCallingConfig"))
    allowed = items(config.get("allowedFunctionNames"))
    name = str(allowed[0]) if allowed and config.get("mode") == "ANY" else None
    schema = record(settings.get("responseJsonSchema")) or record(settings.get("responseSchema")) or None
    return Asked(
        place, model, place.stream is True, heard.last, heard.letters, heard.images,
        count_of(settings.get("maxOutputTokens")),
        words_of(settings.get("stopSequences")),
        wanted_tool(tools, heard, demanded=config.get("mode") == "ANY", name=name),
        settings.get("responseMimeType") == "application/json",
        schema,
    )  # fmt: skip


def _bedrock(place: Place, model: str, body: Mapping[str, Any]) -> Asked:
    heard = _hear_all(body.get("messages"), "content")
    system = _system(body.get("system"), heard)
    settings = record(body.get("inferenceConfig"))
    config = record(body.get("toolConfig"))
    tools = [
        Tool(text(spec.get("name")) or "tool", record(record(spec.get("inputSchema")).get("json")))
        for spec in (record(record(tool).get("toolSpec")) for tool in items(config.get("tools")))
    ]
    choice = record(config.get("toolChoice"))
    return Asked(
        place, model, place.stream is True, heard.last, heard.letters, heard.images,
        count_of(settings.get("maxTokens")),
        words_of(settings.get("stopSequences")),
        wanted_tool(tools, heard, demanded="any" in choice, name=text(record(choice.get("tool")).get("name"))),
        JSON_INSTRUCTION in system,
        _schema_in(system),
    )  # fmt: skip


def _system(given: object, heard: Heard) -> str:
    """The system's words, counted and not taken for the user's."""
    parts = [given] if isinstance(given, str) else [text(record(part).get("text")) or "" for part in items(given)]
    said = "\n".join(parts)
    heard.letters += len(said)
    return said


def _schema_in(system: str) -> Mapping[str, Any] | None:
    """The JSON schema that the workbench writes into a system prompt where a protocol has no place for it."""
    _, marker, rest = system.partition(f"{JSON_INSTRUCTION} It has to match this JSON schema: ")
    if not marker:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(rest)
    except (ValueError, RecursionError):
        return None
    return record(found) or None


_READERS: Final[Mapping[Protocol, Callable[[Place, str, Mapping[str, Any]], Asked]]] = {
    "openai": _openai,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "bedrock": _bedrock,
}
