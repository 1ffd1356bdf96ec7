"""The Converse protocol of Amazon Bedrock, with its bearer token: one shape for every model that it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from workbench.engine.values import number, record, text
from workbench.gateway.codecs.assembly import judged
from workbench.gateway.codecs.content import (
    JSON_INSTRUCTION,
    Image,
    calls_of,
    choice_of,
    json_mode_of,
    parts_of,
    system_of,
    text_of,
    turns,
)
from workbench.gateway.codecs.neutral import (
    Document,
    FinishReason,
    FinishSeen,
    Flawed,
    HttpRequest,
    Reply,
    StreamEvent,
    Thinking,
    ToolCall,
)
from workbench.gateway.codecs.openai import usage_from
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
from workbench.gateway.codecs.unsaid import unsaid

_NUMBERS: Final = {"temperature": "temperature", "top_p": "topP", "max_tokens": "maxTokens"}
_DROPPED: Final = ("top_k", "seed", "presence_penalty", "frequency_penalty", "repetition_penalty")
FINISH: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}
FILTERED: Final = frozenset(("guardrail_intervened", "content_filtered"))


class BedrockCodec:
    """Converse and ConverseStream."""

    framing: Literal["sse", "aws"] = "aws"

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of `route` with what the neutral request holds; raises `LocalFault`."""
        numbers = sampling(request)
        warnings = [f"dropped:{name}" for name in _DROPPED if name in numbers]
        system, messages = system_of(messages_of(request))
        mode = json_mode_of(request)
        if mode is not None:
            said = JSON_INSTRUCTION
            if mode.schema is not None:
                said += f" It has to match this JSON schema: {json.dumps(mode.schema)}"
            system = f"{system}\n\n{said}" if system else said
            warnings.append("json_mode_by_instruction")
        body: dict[str, Any] = {"messages": turns(messages, _blocks)}
        if system:
            body["system"] = [{"text": system}]
        settings: dict[str, Any] = {theirs: numbers[ours] for ours, theirs in _NUMBERS.items() if ours in numbers}
        if settings.get("temperature", 0) > 1:
            settings["temperature"] = 1
            warnings.append("clamped:temperature")
        if stops := stops_of(request):
            settings["stopSequences"] = stops
        if settings:
            body["inferenceConfig"] = settings
        body.update(_tools(request))
        verb = "converse-stream" if stream else "converse"
        return HttpRequest(
            method="POST",
            url=route.url(f"/model/{route.model_in_path}/{verb}"),
            headers=headers_of(stream=stream, accept="application/vnd.amazon.eventstream"),
            body=body_of(body),
            provider=route.provider,
            model=route.model,
            key_name=route.key_name,
            stream=stream,
            warnings=tuple(warnings),
        )

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        body = a_record(document)
        content = a_list(record(record(body.get("output")).get("message")).get("content"))
        finish = finish_of(body.get("stopReason"))
        texts: list[str] = []
        calls: list[ToolCall] = []
        for block in map(record, content):
            if words := text(block.get("text")):
                texts.append(words)
            elif (tool := block.get("toolUse")) is not None:
                calls.append(_call(record(tool)))
        usage, warnings = usage_of(body.get("usage"))
        said, marred = joined(texts)
        return judged(Reply(said, tuple(calls), finish or "stop", usage, None, (*warnings, *marred)))

    def reader(self) -> BedrockReader:
        """A reader for one stream."""
        return BedrockReader()


class BedrockReader:
    """The events of one stream, each under its type's name. The metadata with the usage come last."""

    def __init__(self) -> None:
        self.ended = False
        self._tools = ToolPlaces("contentBlockIndex")

    def read(self, document: Document) -> Iterator[StreamEvent]:
        """The events of one message."""
        for kind, raw in document.items():
            told = record(raw)
            if kind == "contentBlockStart":
                tool = record(record(told.get("start")).get("toolUse"))
                if tool:
                    yield self._tools.begun(told, tool.get("toolUseId"), tool.get("name"))
            elif kind == "contentBlockDelta":
                yield from self._delta(told)
            elif kind == "messageStop":
                finish = finish_of(told.get("stopReason"))
                if finish is not None:
                    yield FinishSeen(finish)
            elif kind == "metadata":
                yield from counts(usage_of(told.get("usage")))
                self.ended = True

    def _delta(self, told: Mapping[str, Any]) -> Iterator[StreamEvent]:
        said = a_record(told.get("delta"))
        if words := text(said.get("text")):
            yield from piece(words)
        elif (tool := said.get("toolUse")) is not None:
            yield self._tools.more(told, record(tool).get("input"))
        elif said.get("reasoningContent") is not None:
            yield Thinking(1)


def finish_of(word: object) -> FinishReason | None:
    """Why it stopped; raises `Flawed` where a filter did it."""
    if word in FILTERED:
        raise Flawed("output_filtered")
    if word == "refusal":
        raise Flawed("refusal")
    return None if word is None else FINISH.get(str(word), "other")


def usage_of(found: object) -> Counted:
    """The counts; what was read from or written to the cache is part of the prompt."""
    if found is None:
        return None, ()
    told = a_record(found)
    read = told.get("cacheReadInputTokens")
    parts = [told.get("inputTokens"), read, told.get("cacheWriteInputTokens")]
    known = [number(value) for value in parts if value is not None]
    tokens_in = None if None in known or not known else sum(value for value in known if value is not None)
    return usage_from(tokens_in, told.get("outputTokens"), read)


def _call(tool: Mapping[str, Any]) -> ToolCall:
    return tool_call(tool.get("toolUseId"), tool.get("name"), json.dumps(tool.get("input", {}), ensure_ascii=True))


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    if message["role"] == "tool":
        result = {"toolUseId": str(message.get("tool_call_id", ""))}
        return [{"toolResult": {**result, "content": [{"text": text_of(message.get("content"))}]}}]
    blocks = [_block(part) for part in parts_of(message.get("content"))]
    calls = calls_of(message)
    return blocks + [{"toolUse": {"toolUseId": c.id, "name": c.name, "input": c.arguments}} for c in calls]


def _block(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"text": part}
    if part.data is None or part.media is None:
        raise unsaid("local_picture_address")  # Converse takes no picture by its address
    return {"image": {"format": part.media.partition("/")[2], "source": {"bytes": part.data}}}


def _tools(request: Mapping[str, Any]) -> dict[str, Any]:
    specs = [
        {
            "toolSpec": {
                **described(function),
                "inputSchema": {"json": {"type": "object", **record(function.get("parameters"))}},
            }
        }
        for function in tools_of(request)
    ]
    wanted = choice_of(request)
    if not specs or (wanted is not None and wanted.mode == "none"):
        return {}  # Converse knows no way to forbid the tools that it is told of
    config: dict[str, Any] = {"tools": specs}
    if wanted is not None and wanted.name is not None:
        config["toolChoice"] = {"tool": {"name": wanted.name}}
    elif wanted is not None:
        config["toolChoice"] = {"any": {}} if wanted.mode == "required" else {"auto": {}}
    return {"toolConfig": config}
