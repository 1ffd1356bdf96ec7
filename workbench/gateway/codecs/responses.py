"""The Responses protocol of OpenAI, which some of its models speak alone. Nothing is stored on the other side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, cast

from workbench.engine.values import record, text
from workbench.gateway.codecs.assembly import judged
from workbench.gateway.codecs.content import Image, choice_of, json_mode_of, parts_of, system_of, text_of
from workbench.gateway.codecs.extras import responses_extras
from workbench.gateway.codecs.neutral import (
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
from workbench.gateway.codecs.openai import COMMON, DIALECTS, refuse_error, usage_from
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
from workbench.gateway.codecs.route import Route, body_of, headers_of, messages_of, sampling, stops_of, tools_of

_NUMBERS: Final = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"}
_ENDS: Final = frozenset(("response.completed", "response.incomplete", "response.failed"))


class ResponsesCodec:
    """Responses, without a memory of the conversation on the other side."""

    framing: Literal["sse", "aws"] = "sse"

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of `route` with what the neutral request holds; raises `LocalFault`."""
        dialect = DIALECTS.get(route.provider, COMMON)
        numbers = sampling(request)
        dropped = [name for name in numbers if name not in _NUMBERS]
        if stops_of(request):
            dropped.append("stop")
        system, messages = system_of(messages_of(request))
        body: dict[str, Any] = {"model": route.model, "store": False}
        if system:
            body["instructions"] = system
        body["input"] = [item for message in messages for item in _items(message)]
        body.update({theirs: numbers[ours] for ours, theirs in _NUMBERS.items() if ours in numbers})
        body.update(_tools(request))
        body.update(responses_extras(request))
        mode = json_mode_of(request)
        if mode is not None and mode.schema is None:
            body["text"] = {"format": {"type": "json_object"}}
        elif mode is not None:
            strict = {} if mode.strict is None else {"strict": mode.strict}
            body["text"] = {"format": {"type": "json_schema", "name": mode.name, "schema": mode.schema, **strict}}
        if stream:
            body["stream"] = True
        return HttpRequest(
            method="POST",
            url=route.url("/responses"),
            headers=headers_of(stream=stream),
            body=body_of(body),
            provider=route.provider,
            model=route.model,
            key_name=route.key_name,
            key_header=dialect.key_header,
            key_prefix=dialect.key_prefix,
            stream=stream,
            warnings=tuple(f"dropped:{name}" for name in dropped),
        )

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        body = a_record(document)
        finish = _finish(body)
        output = a_list(body.get("output"))
        texts: list[str] = []
        calls: list[ToolCall] = []
        for item in map(a_record, output):
            if item.get("type") == "message":
                texts.append(_said(item))
            elif item.get("type") == "function_call":
                arguments = clean(text(item.get("arguments")) or "")
                calls.append(tool_call(item.get("call_id"), item.get("name"), arguments))
        usage, warnings = _usage(body.get("usage"))
        said, marred = joined(texts)
        if calls and finish == "stop":
            finish = "tool_calls"
        return judged(Reply(said, tuple(calls), finish, usage, text(body.get("model")), (*warnings, *marred)))

    def reader(self) -> ResponsesReader:
        """A reader for one stream."""
        return ResponsesReader()


class ResponsesReader:
    """The events of one stream."""

    def __init__(self) -> None:
        self.ended = False
        self._tools = ToolPlaces("output_index")

    def read(self, document: Document) -> Iterator[StreamEvent]:
        """The events of one event."""
        kind = document.get("type")
        if kind == "error":
            refuse_error(document if document.get("error") else {"error": document})
        elif kind == "response.created" and (model := text(record(document.get("response")).get("model"))):
            yield ModelSeen(model)
        elif kind == "response.output_text.delta":
            yield from self._text(document)
        elif kind == "response.refusal.delta":
            raise Flawed("refusal")
        elif kind == "response.output_item.added":
            yield from self._added(document)
        elif kind == "response.function_call_arguments.delta":
            yield self._tools.more(document, document.get("delta"))
        elif isinstance(kind, str) and kind in _ENDS:
            yield from self._end(record(document.get("response")))
        elif kind is None:
            refuse_error(document)

    def _text(self, document: Document) -> Iterator[StreamEvent]:
        said = document.get("delta")
        if not isinstance(said, str):
            raise Flawed("shape")
        yield from piece(said)

    def _added(self, document: Document) -> Iterator[StreamEvent]:
        item = record(document.get("item"))
        if item.get("type") == "function_call":
            yield self._tools.begun(document, item.get("call_id"), item.get("name"))
        elif item.get("type") == "reasoning":
            yield Thinking(1)

    def _end(self, response: Mapping[str, Any]) -> Iterator[StreamEvent]:
        finish = _finish(response)
        yield from counts(_usage(response.get("usage")))
        yield FinishSeen("tool_calls" if self._tools and finish == "stop" else finish)
        self.ended = True


def _finish(body: Mapping[str, Any]) -> FinishReason:
    """Why it stopped; raises `Flawed` for a failure or a filter."""
    refuse_error(body)
    status = body.get("status")
    if status == "failed":
        raise Flawed("embedded", code="error")
    if status != "incomplete":
        return "stop"
    reason = record(body.get("incomplete_details")).get("reason")
    if reason == "content_filter":
        raise Flawed("output_filtered")
    return "length" if reason == "max_output_tokens" else "other"


def _said(item: Mapping[str, Any]) -> str:
    parts = [record(part) for part in a_list(item.get("content"))]
    if any(part.get("type") == "refusal" for part in parts):
        raise Flawed("refusal")
    return "".join(text(part.get("text")) or "" for part in parts)


def _usage(found: object) -> Counted:
    if found is None:
        return None, ()
    told = a_record(found)
    return usage_from(
        told.get("input_tokens"),
        told.get("output_tokens"),
        record(told.get("input_tokens_details")).get("cached_tokens"),
        record(told.get("output_tokens_details")).get("reasoning_tokens"),
    )


def _items(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A message as items: what was said, then the calls that it made."""
    if message["role"] == "tool":
        call_id = str(message.get("tool_call_id", ""))
        return [{"type": "function_call_output", "call_id": call_id, "output": text_of(message.get("content"))}]
    said = "output_text" if message["role"] == "assistant" else "input_text"
    parts = [_part(part, said) for part in parts_of(message.get("content"))]
    items: list[dict[str, Any]] = [{"role": message["role"], "content": parts}] if parts else []
    for call in cast("list[Any]", message.get("tool_calls") or []):
        function = record(record(call).get("function"))
        items.append({
            "type": "function_call",
            "call_id": text(record(call).get("id")) or "",
            "name": text(function.get("name")) or "",
            "arguments": text(function.get("arguments")) or "{}",
        })  # fmt: skip
    return items


def _part(part: str | Image, said: str) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": said, "text": part}
    detail = {} if part.detail is None else {"detail": part.detail}
    return {"type": "input_image", "image_url": part.url or f"data:{part.media};base64,{part.data}", **detail}


def _tools(request: Mapping[str, Any]) -> dict[str, Any]:
    tools = [
        {
            "type": "function",
            **described(function),
            "parameters": dict(record(function.get("parameters"))),
            "strict": function.get("strict") is True,
        }
        for function in tools_of(request)
    ]
    if not tools:
        return {}
    found: dict[str, Any] = {"tools": tools}
    wanted = choice_of(request)
    if wanted is not None:
        found["tool_choice"] = {"type": "function", "name": wanted.name} if wanted.name else wanted.mode
    if request.get("parallel_tool_calls") is False:
        found["parallel_tool_calls"] = False
    return found
