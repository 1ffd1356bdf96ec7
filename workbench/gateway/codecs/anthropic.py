"""The Messages protocol of Anthropic, also as Vertex AI serves it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

from workbench.engine.values import number, record, text
from workbench.gateway.codecs.assembly import judged
from workbench.gateway.codecs.content import (
    JSON_INSTRUCTION,
    SYSTEM,
    Choice,
    Image,
    calls_of,
    choice_of,
    json_mode_of,
    parts_of,
    system_of,
    text_of,
    turns,
)
from workbench.gateway.codecs.extras import cache_of
from workbench.gateway.codecs.neutral import (
    Delta,
    Document,
    FinishReason,
    FinishSeen,
    Flawed,
    HttpRequest,
    ModelSeen,
    Reply,
    StreamEvent,
    Thinking,
    ToolCall,
    clean,
)
from workbench.gateway.codecs.openai import refuse_error, usage_from
from workbench.gateway.codecs.parts import (
    Counted,
    ToolPlaces,
    a_list,
    a_record,
    counts,
    described,
    joined,
    piece,
    tool_call,
)
from workbench.gateway.codecs.route import (
    Route,
    body_of,
    headers_of,
    messages_of,
    sampling,
    stops_of,
    tools_of,
)

VERSION: Final = "2026-10-21"
SAMPLING_VERSION: Final = "2023-06-01"
"""The last version that takes `temperature`, `top_p` and `top_k`; later ones answer them with 400."""
VERTEX_VERSION: Final = "vertex-2023-10-16"
DEFAULT_MAX_TOKENS: Final = 4096
"""The protocol demands a limit; this one where the request has none."""

_SAMPLED: Final = ("temperature", "top_p", "top_k")
_UNMARKED: Final[dict[str, Any]] = {}
_DROPPED: Final = ("seed", "presence_penalty", "frequency_penalty", "repetition_penalty")

FINISH: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}


class AnthropicCodec:
    """Messages; with `vertex` at the addresses of Vertex AI."""

    framing: Literal["sse", "aws"] = "sse"

    def __init__(self, *, vertex: bool = False) -> None:
        self._vertex = vertex

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of `route` with what the neutral request holds; raises `LocalFault`."""
        numbers = sampling(request)
        body: dict[str, Any] = {} if self._vertex else {"model": route.model}
        body["max_tokens"] = int(numbers.get("max_tokens", DEFAULT_MAX_TOKENS))
        warnings = [f"dropped:{name}" for name in _DROPPED if name in numbers]
        sampled = {name: numbers[name] for name in _SAMPLED if name in numbers}
        if sampled.get("temperature", 0) > 1:
            sampled["temperature"] = 1
            warnings.append("clamped:temperature")
        told = messages_of(request)
        said, messages = system_of(told)
        mode = json_mode_of(request)
        instruction = ""
        if mode is not None and mode.schema is None:
            instruction = JSON_INSTRUCTION
            warnings.append("json_mode_by_instruction")
        elif mode is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": mode.schema}}
        if system := _system(told, said, instruction):
            body["system"] = system
        body["messages"] = turns(messages, _blocks)
        body.update(_tools(request))
        body.update(sampled)
        if stops := stops_of(request):
            body["stop_sequences"] = stops
        if stream:
            body["stream"] = True
        body.update(route.fixed)
        version = SAMPLING_VERSION if sampled else VERSION
        if self._vertex:
            body["anthropic_version"] = VERTEX_VERSION
        return HttpRequest(
            method="POST",
            url=self._url(route, stream),
            headers=(*headers_of(stream=stream), *(() if self._vertex else (("anthropic-version", version),))),
            body=body_of(body),
            provider=route.provider,
            model=route.model,
            key_name=route.key_name,
            key_header="authorization" if self._vertex else "x-api-key",
            key_prefix="Bearer " if self._vertex else "",
            stream=stream,
            warnings=tuple(warnings),
        )

    def _url(self, route: Route, stream: bool) -> str:
        if self._vertex:
            verb = "streamRawPredict" if stream else "rawPredict"
            return route.url(f"/publishers/anthropic/models/{route.model_in_path}:{verb}")
        return route.url("/messages" if route.base_url.endswith("/v1") else "/v1/messages")

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        body = a_record(document)
        refuse_error(body)
        content = a_list(body.get("content"))
        finish = finish_of(body.get("stop_reason"))
        texts: list[str] = []
        calls: list[ToolCall] = []
        for block in map(a_record, content):
            if block.get("type") == "text":
                texts.append(text(block.get("text")) or "")
            elif block.get("type") == "tool_use":
                arguments = json.dumps(block.get("input", {}), ensure_ascii=True)
                calls.append(tool_call(block.get("id"), block.get("name"), arguments))
        usage, warnings = usage_of(body.get("usage"))
        said, marred = joined(texts)
        model = text(body.get("model"))
        return judged(Reply(said, tuple(calls), finish or "stop", usage, model, (*warnings, *marred)))

    def reader(self) -> AnthropicReader:
        """A reader for one stream."""
        return AnthropicReader()


class AnthropicReader:
    """The events of one stream. The usage comes in two halves."""

    def __init__(self) -> None:
        self.ended = False
        self._usage: dict[str, Any] = {}
        self._tools = ToolPlaces("index")

    def read(self, document: Document) -> Iterator[StreamEvent]:
        """The events of one event."""
        refuse_error(document)
        kind = document.get("type")
        if kind == "message_start":
            message = record(document.get("message"))
            if model := text(message.get("model")):
                yield ModelSeen(model)
            yield from self._count(message.get("usage"))
        elif kind == "content_block_start":
            yield from self._start(document)
        elif kind == "content_block_delta":
            yield from self._delta(document)
        elif kind == "message_delta":
            yield from self._count(document.get("usage"))
            finish = finish_of(record(document.get("delta")).get("stop_reason"))
            if finish is not None:
                yield FinishSeen(finish)
        elif kind == "message_stop":
            self.ended = True

    def _start(self, document: Document) -> Iterator[StreamEvent]:
        block = record(document.get("content_block"))
        if block.get("type") == "text" and (said := text(block.get("text"))):
            yield Delta(clean(said))
        elif block.get("type") == "tool_use":
            yield self._tools.begun(document, block.get("id"), block.get("name"))

    def _delta(self, document: Document) -> Iterator[StreamEvent]:
        told = a_record(document.get("delta"))
        kind = told.get("type")
        if kind == "text_delta" and (said := text(told.get("text"))):
            yield from piece(said)
        elif kind == "thinking_delta":
            yield Thinking(len(text(told.get("thinking")) or ""))
        elif kind == "input_json_delta":
            yield self._tools.more(document, told.get("partial_json"))

    def _count(self, found: object) -> Iterator[StreamEvent]:
        if found is None:
            return
        self._usage.update({name: value for name, value in record(found).items() if value is not None})
        yield from counts(usage_of(self._usage))


def finish_of(word: object) -> FinishReason | None:
    """Why it stopped; raises `Flawed` for a refusal."""
    if word == "refusal":
        raise Flawed("refusal")
    return None if word is None else FINISH.get(str(word), "other")


def usage_of(found: object) -> Counted:
    """The counts; what was read from or written to the cache is part of the prompt."""
    if found is None:
        return None, ()
    told = a_record(found)
    read, written = told.get("cache_read_input_tokens"), told.get("cache_creation_input_tokens")
    parts = [value for value in (told.get("input_tokens"), read, written) if value is not None]
    numbers = [number(value) for value in parts]
    tokens_in: object = None
    if numbers:
        tokens_in = "none" if None in numbers else sum(value for value in numbers if value is not None)
    thought = record(told.get("output_tokens_details")).get("thinking_tokens")
    return usage_from(tokens_in, told.get("output_tokens"), read, thought)


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    marks = _marks(message)
    if message["role"] == "tool":
        result = {"type": "tool_result", "tool_use_id": str(message.get("tool_call_id", ""))}
        mark = next((mark for mark in reversed(marks) if mark), _UNMARKED)
        return [{**result, "content": text_of(message.get("content")), **mark}]
    parts = parts_of(message.get("content"))
    blocks = [{**_block(part), **mark} for part, mark in zip(parts, marks or [_UNMARKED] * len(parts), strict=True)]
    calls = calls_of(message)
    return blocks + [{"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in calls]


def _marks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each part of a content, the member that marks it for the cache, or none; nothing for a plain text."""
    content = message.get("content")
    if not isinstance(content, list):
        return []
    caches = (cache_of(record(part)) for part in cast("list[Any]", content))
    return [{} if cache is None else {"cache_control": cache} for cache in caches]


def _system(messages: list[dict[str, Any]], whole: str, instruction: str) -> str | list[dict[str, Any]]:
    """The system texts and an instruction: one text, or a block for each part where one is marked for the cache."""
    said = [message for message in messages if message["role"] in SYSTEM]
    if not any(mark for message in said for mark in _marks(message)):
        return "\n\n".join(filter(None, (whole, instruction)))
    blocks = [block for message in said for block in _blocks(message) if block["text"]]
    return [*blocks, {"type": "text", "text": instruction}] if instruction else blocks


def _block(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part.url is not None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    return {"type": "image", "source": {"type": "base64", "media_type": part.media, "data": part.data}}


def _tools(request: Mapping[str, Any]) -> dict[str, Any]:
    tools = [
        {**described(function), "input_schema": {"type": "object", **record(function.get("parameters"))}}
        for function in tools_of(request)
    ]
    if not tools:
        return {}
    wanted = choice_of(request)
    choice = None if wanted is None else _choice(wanted)
    if request.get("parallel_tool_calls") is False:
        choice = choice or {"type": "auto"}  # what it is where nothing is said
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    return {"tools": tools, **({"tool_choice": choice} if choice is not None else {})}


def _choice(wanted: Choice) -> dict[str, Any]:
    if wanted.name is not None:
        return {"type": "tool", "name": wanted.name}
    return {"type": "any" if wanted.mode == "required" else wanted.mode}
