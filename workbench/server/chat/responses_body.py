"""The Responses API's body said as a chat call, and an answer said in its shape. Speaks to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from workbench.gateway.codecs.neutral import Reply, Usage
from workbench.server.chat.answering import Told
from workbench.server.chat.parameters import bad_message, message_fault, short_text, whole
from workbench.server.errors import Refused, invalid, said
from workbench.traces.parts.words import random_hex

_REFUSED: Final[Mapping[str, str]] = {
    "previous_response_id": "no conversation is kept here; send the turns as `input`",
    "conversation": "no conversation is kept here; send the turns as `input`",
    "prompt": "no prompt templates are kept here",
    "flow_ir": "a flow is a chat completion's",
    "messages": "it is a chat completion's; send the turns as `input`",
    "max_tool_calls": "tools are called by the client",
    "top_logprobs": "answers here carry no log probabilities",
}
_PARTS: Final = {"input_text": "text", "output_text": "text", "text": "text", "input_image": "image_url"}


def chat_body(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The chat call that a Responses body asks for, and what of it was left out. Raises `Refused`."""
    _agreed(body)
    made: dict[str, Any] = {}
    warnings: list[str] = []
    for name, value in body.items():
        if value is None and (name in _REFUSED or name in _TAKEN):
            continue
        if name in _REFUSED:
            raise invalid(f"unsupported parameter `{name}`: {_REFUSED[name]}", param=name, code="unsupported_parameter")
        take = _TAKEN.get(name)
        if take is not None:
            take(value, made, warnings)
        elif value is not None or name not in made:
            made[name] = value  # the same name in both, or one that `read_call` refuses in its own words
    asked = _messages(body.get("input"), warnings)
    if not asked:
        raise invalid("`input` has to say something", param="input", code="missing")
    made["messages"] = [*_instructions(body.get("instructions")), *asked]
    return made, tuple(warnings)


_ONE_THING: Final = (
    ("max_output_tokens", "max_tokens", "max_completion_tokens"),
    ("reasoning.effort", "reasoning_effort"),
    ("text.format", "response_format"),
    ("text.verbosity", "verbosity"),
)
"""Names of a Responses call and of a chat completion that mean the same."""


def _agreed(body: Mapping[str, Any]) -> None:
    """Raises `Refused` for what is said under two names, and differs: neither may win by its place."""
    for names in _ONE_THING:
        told = {name: value for name in names if (value := _at(body, name)) is not None}
        values = list(told.values())
        if any(value != values[0] for value in values[1:]):
            listed = " and ".join(f"`{name}`" for name in told)
            raise invalid(f"{listed} are one thing, and differ; give one", param=next(iter(told)))


def _at(body: Mapping[str, Any], name: str) -> Any:
    outer, dot, inner = name.partition(".")
    value: Any = body.get(outer)
    return cast("dict[str, Any]", value).get(inner) if dot and isinstance(value, dict) else None if dot else value


def _wrong(name: str, wanted: str) -> Refused:
    return invalid(f"`{name}` must be {wanted}", param=name, code="invalid_type")


def _nothing(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    """Read elsewhere."""
    del value, made, warnings


def _max_tokens(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    del warnings
    made["max_tokens"] = whole("max_output_tokens", value)


def _format(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    if not isinstance(value, dict):
        raise _wrong("text", "an object")
    told = cast("dict[str, Any]", value)
    if told.get("verbosity") is not None:
        made["verbosity"] = short_text("text.verbosity", told["verbosity"])
    wanted: Any = told.get("format")
    if wanted is None:
        return
    if not isinstance(wanted, dict):
        raise _wrong("text.format", "an object")
    shape = cast("dict[str, Any]", wanted)
    if shape.get("type") == "json_schema":
        inner = {name: item for name, item in shape.items() if name != "type"}
        made["response_format"] = {"type": "json_schema", "json_schema": inner}
    elif shape.get("type") != "text":
        made["response_format"] = shape
    del warnings


def _reasoning(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    if not isinstance(value, dict):
        raise _wrong("reasoning", "an object")
    told = cast("dict[str, Any]", value)
    if told.get("effort") is not None:
        made["reasoning_effort"] = short_text("reasoning.effort", told["effort"])
    warnings.extend(f"dropped:reasoning.{name}"[:80] for name in sorted(told) if name != "effort" and told[name])


def _tools(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    if not isinstance(value, list):
        raise _wrong("tools", "a list")
    kept: list[dict[str, Any]] = []
    for place, tool in enumerate(cast("list[Any]", value)):
        told = cast("dict[str, Any]", tool) if isinstance(tool, dict) else {}
        if told.get("type") == "function":
            if not isinstance(told.get("name"), str):
                raise _wrong(f"tools[{place}]", "a function with a name")
            kept.append({"type": "function", "function": {k: v for k, v in told.items() if k != "type"}})
        else:
            warnings.append(said(f"dropped:tool:{str(told.get('type'))[:40]}"))
    if kept:
        made["tools"] = kept


def _choice(value: object, made: dict[str, Any], warnings: list[str]) -> None:
    del warnings
    if isinstance(value, dict) and "name" in value:
        made["tool_choice"] = {"type": "function", "function": {"name": cast("dict[str, Any]", value)["name"]}}
    else:
        made["tool_choice"] = value


def _ignored(name: str) -> Callable[[object, dict[str, Any], list[str]], None]:
    def tell(value: object, made: dict[str, Any], warnings: list[str]) -> None:
        del made
        if value:
            warnings.append(f"dropped:{name}")

    return tell


_TAKEN: Final[Mapping[str, Callable[[object, dict[str, Any], list[str]], None]]] = {
    "input": _nothing,
    "instructions": _nothing,
    "max_output_tokens": _max_tokens,
    "text": _format,
    "reasoning": _reasoning,
    "tools": _tools,
    "tool_choice": _choice,
    "include": _ignored("include"),
    "truncation": _ignored("truncation"),
}
TAKEN: Final = tuple(_TAKEN)
REFUSED: Final = tuple(_REFUSED)


def _instructions(value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, str):
        raise _wrong("instructions", "a string")
    return [{"role": "system", "content": value}] if value else []


def _messages(value: object, warnings: list[str]) -> list[dict[str, Any]]:
    if value is None:
        return []
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        raise _wrong("input", "a string, or a list of items")
    made: list[dict[str, Any]] = []
    for place, item in enumerate(cast("list[Any]", value)):
        if not isinstance(item, dict):
            raise _wrong(f"input[{place}]", "an object")
        _item(place, cast("dict[str, Any]", item), made, warnings)
    return made


def _item(place: int, item: dict[str, Any], made: list[dict[str, Any]], warnings: list[str]) -> None:
    kind = item.get("type", "message")
    if kind == "message":
        fault = message_fault(item)
        if fault is not None:
            raise bad_message(f"input[{place}]", fault)
        made.append({"role": item["role"], "content": _content(place, item.get("content"))})
    elif kind == "function_call":
        for name in ("call_id", "name", "arguments"):
            _needed(place, item, name)
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        if made and made[-1]["role"] == "assistant" and "tool_calls" in made[-1]:
            made[-1]["tool_calls"].append(call)
        else:
            made.append({"role": "assistant", "content": "", "tool_calls": [call]})
    elif kind == "function_call_output":
        _needed(place, item, "call_id")
        if item.get("output") is None:
            raise bad_message(f"input[{place}]", "needs an `output`")
        output = _content(place, item.get("output"), "output")
        made.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
    elif kind == "reasoning":
        warnings.append("dropped:reasoning")
    else:
        raise invalid(f"`input[{place}]` is of a type that is not taken here", param=f"input[{place}]")


def _needed(place: int, item: dict[str, Any], name: str) -> None:
    if not isinstance(item.get(name), str):
        raise bad_message(f"input[{place}]", f"needs a `{name}` that is a string")


def _content(place: int, content: object, key: str = "content") -> Any:
    """A message's content, or a tool's output, with its parts as a chat completion has them. Raises `Refused`."""
    where = f"input[{place}].{key}"
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise bad_message(where, "must be a string or a list of parts")
    return [_part(f"{where}[{number}]", part) for number, part in enumerate(cast("list[Any]", content))]


def _part(where: str, part: object) -> dict[str, Any]:
    told = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    kind = _PARTS.get(str(told.get("type")))
    if kind is None:
        raise bad_message(where, "is of a type that is not taken here; send `input_text` or `input_image`")
    if kind == "text":
        if not isinstance(told.get("text"), str):
            raise bad_message(where, "needs a `text` that is a string")
        return {"type": "text", "text": told["text"]}
    if not isinstance(told.get("image_url"), str):
        raise bad_message(where, "is a picture without `image_url`; files are not kept here")
    detail = {} if told.get("detail") is None else {"detail": told["detail"]}
    return {"type": "image_url", "image_url": {"url": told["image_url"], **detail}}


def frame(body: Mapping[str, Any], identifier: str, model: str, told: Told, status: str) -> dict[str, Any]:
    """A response without its output."""
    return {
        "id": identifier,
        "object": "response",
        "created_at": told.began_ms // 1000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "temperature": body.get("temperature"),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p"),
        "usage": None,
    }


def text_item(identifier: str, text: str) -> dict[str, Any]:
    """A message of the output."""
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": identifier, "status": "completed", "role": "assistant", "content": [part]}


def call_items(reply: Reply) -> list[dict[str, Any]]:
    """The function calls of the output."""
    return [
        {
            "type": "function_call", "id": f"fc_{random_hex()}", "call_id": call.id, "name": call.name,
            "arguments": call.arguments, "status": "completed",
        }
        for call in reply.tool_calls
    ]  # fmt: skip


def usage_json(usage: Usage) -> dict[str, Any]:
    """Counts in the words of the Responses API."""
    tokens_in, tokens_out = usage.tokens_in or 0, usage.tokens_out or 0
    return {
        "input_tokens": tokens_in,
        "input_tokens_details": {"cached_tokens": usage.tokens_cached or 0},
        "output_tokens": tokens_out,
        "output_tokens_details": {"reasoning_tokens": usage.tokens_reasoning or 0},
        "total_tokens": tokens_in + tokens_out,
    }
