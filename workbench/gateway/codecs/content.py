"""What the protocols that are not OpenAI's have to be told in their own shape: texts, images, tools, JSON mode.

Reads the neutral request, which is OpenAI's shape; a content that cannot be said elsewhere is a `LocalFault`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.engine.values import items, record, text
from workbench.gateway.codecs.unsaid import unsaid

JSON_INSTRUCTION: Final = "Answer with one JSON object and nothing else."

SYSTEM: Final = frozenset(("system", "developer"))
"""The roles whose texts stand before the conversation."""

_TEXTS: Final = (None, "text", "input_text", "output_text")

_DATA_URL: Final = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,([A-Za-z0-9+/=\s]+)")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a message: its bytes in base64, or where it lies."""

    media: str | None
    data: str | None
    url: str | None
    detail: str | None = None
    """How closely it is to be looked at, where the caller says so."""


def parts_of(content: object) -> list[str | Image]:
    """The parts of a message's content in order."""
    if content is None:
        return []
    if isinstance(content, str):
        return [content] if content else []
    if not isinstance(content, list):
        raise unsaid("local_content")
    return [_part(record(part)) for part in cast("list[Any]", content)]


def text_of(content: object) -> str:
    """The content's text, where nothing but text has a place; a `LocalFault` for a picture."""
    parts = [part for part in parts_of(content) if isinstance(part, str)]
    if isinstance(content, list) and len(parts) != len(cast("list[Any]", content)):
        raise unsaid("local_picture_place")
    return "\n".join(parts)


def _part(part: Mapping[str, Any]) -> str | Image:
    said = text(part.get("text"))
    if said is not None:
        if part.get("type") not in _TEXTS:
            raise unsaid("local_part")
        return said
    source = part.get("image_url")
    url = text(source) or text(record(source).get("url"))
    if url is None:
        raise unsaid("local_picture" if "image_url" in part else "local_part")
    detail = text(record(source).get("detail"))
    if url.startswith("https://"):
        return Image(None, None, url, detail)
    match = _DATA_URL.fullmatch(url)
    if match is None:
        raise unsaid("local_picture")
    return Image(match[1], re.sub(r"\s", "", match[2]), None, detail)


@dataclass(frozen=True, slots=True)
class CallMade:
    """A tool call in the history."""

    id: str
    name: str
    arguments: dict[str, Any]


def calls_of(message: Mapping[str, Any]) -> list[CallMade]:
    """The tool calls of an assistant's message, their arguments read."""
    return [_made(record(call)) for call in items(message.get("tool_calls"))]


def _made(call: Mapping[str, Any]) -> CallMade:
    function = record(call.get("function"))
    name, raw = text(function.get("name")), function.get("arguments")
    if name is None:
        raise unsaid("local_tool_call")
    return CallMade(text(call.get("id")) or name, name, _read(raw))


def _read(raw: object) -> dict[str, Any]:
    if isinstance(raw, dict):
        return cast("dict[str, Any]", raw)
    try:
        value: object = json.loads(raw) if isinstance(raw, str) and raw else {}
    except (ValueError, RecursionError):
        raise unsaid("local_tool_call") from None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"value": value}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the request says of tools: `auto`, `none`, `required`, or the one function's `name`."""

    mode: str
    name: str | None = None


def choice_of(request: Mapping[str, Any]) -> Choice | None:
    """The tool choice; None where the request says nothing."""
    wanted = request.get("tool_choice")
    if wanted is None:
        return None
    if isinstance(wanted, str) and wanted in {"auto", "none", "required"}:
        return Choice(wanted)
    name = text(record(record(wanted).get("function")).get("name"))
    if name is None:
        raise unsaid("local_tool_choice")
    return Choice("required", name)


@dataclass(frozen=True, slots=True)
class JsonMode:
    """That the answer shall be JSON, and of which schema."""

    schema: dict[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = None
    """What the caller says of it; None: nothing."""


def json_mode_of(request: Mapping[str, Any]) -> JsonMode | None:
    """The JSON mode; None where the answer may be anything."""
    wanted = record(request.get("response_format"))
    kind = wanted.get("type")
    if kind in (None, "text"):
        return None
    if kind == "json_object":
        return JsonMode()
    told = record(wanted.get("json_schema"))
    schema, strict = record(told.get("schema")), told.get("strict")
    if kind != "json_schema" or not schema:
        raise unsaid("local_response_format")
    return JsonMode(dict(schema), text(told.get("name")) or "answer", strict if isinstance(strict, bool) else None)


def system_of(messages: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The system texts joined by a blank line, and the other messages."""
    system = [text_of(message.get("content")) for message in messages if message["role"] in SYSTEM]
    rest = [message for message in messages if message["role"] not in SYSTEM]
    if not rest:
        raise unsaid("local_no_turn")
    if any(message["role"] not in {"user", "assistant", "tool"} for message in rest):
        raise unsaid("local_role")
    return "\n\n".join(filter(None, system)), rest


def turns(
    messages: list[dict[str, Any]], blocks: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The messages as turns of user and assistant, a tool's result in the user's; `blocks` writes one message."""
    made: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        content = blocks(message)
        if made and made[-1]["role"] == role:
            made[-1]["content"] += content
        elif content:
            made.append({"role": role, "content": content})
    if not made:
        raise unsaid("local_no_turn")
    return made
