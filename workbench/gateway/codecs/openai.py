"""The chat completions protocol, as OpenAI, Azure, Mistral, Groq, vLLM, Ollama and most others speak it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from workbench.engine.values import number, record, text
from workbench.gateway.codecs.assembly import judged
from workbench.gateway.codecs.extras import chat_extras
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
    ToolDelta,
    Usage,
    UsageSeen,
    Warned,
    clean,
)
from workbench.gateway.codecs.parts import a_record
from workbench.gateway.codecs.route import Route, body_of, headers_of, messages_of, sampling, stops_of

PASSED: Final = ("tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "user")
"""What goes out as it came, beside the messages and the numbers."""
_PASSED: Final = frozenset(PASSED)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider's requests differ from the common form."""

    max_tokens: str = "max_tokens"
    seed: str = "seed"
    usage_option: bool = True
    """Whether usage in a stream has to be asked for with `stream_options`."""
    drops: frozenset[str] = frozenset()
    """Parameters that it answers with an error."""
    key_header: str = "authorization"
    key_prefix: str = "Bearer "


_STRICT: Final = frozenset(("top_k", "repetition_penalty"))
COMMON: Final = Dialect()
DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": Dialect(max_tokens="max_completion_tokens", drops=_STRICT),
    "azure": Dialect(max_tokens="max_completion_tokens", drops=_STRICT, key_header="api-key", key_prefix=""),
    "mistral": Dialect(seed="random_seed", usage_option=False, drops=_STRICT | {"user"}),
    "groq": Dialect(drops=_STRICT),
    "cerebras": Dialect(drops=_STRICT),
    "xai": Dialect(drops=_STRICT),
    "deepseek": Dialect(drops=_STRICT | {"seed"}),
    "cohere": Dialect(drops=_STRICT | {"parallel_tool_calls", "user"}),
    "amazon-bedrock": Dialect(max_tokens="max_completion_tokens", drops=_STRICT),
}
"""By provider. A provider without an entry takes the common form."""

SUFFIX: Final[Mapping[str, str]] = {"google-vertex": "/endpoints/openapi/chat/completions"}

FINISH: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "error": "error",
}


class OpenAiCodec:
    """Chat completions."""

    framing: Literal["sse", "aws"] = "sse"

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of `route` with what the neutral request holds; raises `LocalFault`."""
        dialect = DIALECTS.get(route.provider, COMMON)
        wanted: dict[str, Any] = {}
        if not _PASSED.isdisjoint(request):
            wanted = {name: request[name] for name in PASSED if request.get(name) is not None}
        wanted.update(sampling(request))
        extras, unplaced = chat_extras(request, route.provider)
        wanted.update(extras)
        dropped = () if dialect.drops.isdisjoint(wanted) else sorted(dialect.drops & wanted.keys())
        body: dict[str, Any] = {"model": route.model, "messages": messages_of(request)}
        for name, value in wanted.items():
            if name not in dropped:
                own = dialect.max_tokens if name == "max_tokens" else dialect.seed if name == "seed" else name
                body[own] = value
        if "stop" in body:
            body["stop"] = stops_of(request)
        if stream:
            body["stream"] = True
            if dialect.usage_option:
                body["stream_options"] = {"include_usage": True}
        body.update(route.fixed)
        return HttpRequest(
            method="POST",
            url=route.url(SUFFIX.get(route.provider, "/chat/completions")),
            headers=headers_of(stream=stream),
            body=body_of(body),
            provider=route.provider,
            model=route.model,
            key_name=route.key_name,
            key_header=dialect.key_header,
            key_prefix=dialect.key_prefix,
            stream=stream,
            warnings=(*(f"dropped:{name}" for name in dropped), *unplaced),
        )

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        body = a_record(document)
        refuse_error(body)
        choice = _first_choice(body)
        if choice is None:
            raise Flawed("empty")
        message = choice.get("message")
        if not isinstance(message, dict):
            raise Flawed("shape")
        said = cast("dict[str, Any]", message)
        if text(said.get("refusal")):
            raise Flawed("refusal")
        usage, warnings = usage_of(body.get("usage"))
        content, marred = _content(said.get("content"))
        if marred:
            warnings = (*warnings, "lone_surrogate")
        asked = said.get("tool_calls")
        calls = () if asked is None else tuple(_call(place, call) for place, call in enumerate(_list(asked)))
        finish = _finish(choice) or ("tool_calls" if calls else "stop")
        return judged(Reply(content, calls, finish, usage, text(body.get("model")), warnings))

    def reader(self) -> OpenAiReader:
        """A reader for one stream."""
        return OpenAiReader()


class OpenAiReader:
    """The chunks of one stream."""

    ended = False  # the marker `[DONE]` is the stream's own

    def __init__(self) -> None:
        self._named = False
        self._finished = False

    def read(self, document: Document) -> Iterator[StreamEvent]:
        """The events of one chunk."""
        refuse_error(document)
        if not self._named and (model := text(document.get("model"))):
            self._named = True
            yield ModelSeen(model)
        choice = _first_choice(document, streamed=True)
        finish: FinishReason | None = None
        if choice is not None:
            delta = choice.get("delta")
            if delta is not None and not isinstance(delta, dict):
                raise Flawed("shape")
            if delta:
                yield from self._delta(cast("dict[str, Any]", delta))
            finish = _finish(choice)
        yield from self._usage(document, choice)
        if finish == "content_filter":
            raise Flawed("output_filtered")
        if finish is not None:
            self._finished = True
            yield FinishSeen(finish)

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if text(delta.get("refusal")):
            raise Flawed("refusal")
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            yield Thinking(len(reasoning))
        raw = delta.get("content")
        if raw:
            content, marred = _content(raw)
            if marred:
                yield Warned("lone_surrogate")
            if content:
                yield Delta(content)
            elif not isinstance(raw, str):
                yield Thinking(1)
        calls = delta.get("tool_calls")
        if calls:
            for place, call in enumerate(_list(calls)):
                yield _tool_delta(place, call)

    def _usage(self, document: Document, choice: Mapping[str, Any] | None) -> Iterator[StreamEvent]:
        found = document.get("usage") or record(document.get("x_groq")).get("usage")
        if not found and choice is not None:
            found = choice.get("usage")
        if not found:
            return
        if not isinstance(found, dict) and self._finished:
            yield Warned("usage_shape")
            return
        usage, warnings = usage_of(cast("object", found))
        for word in warnings:
            yield Warned(word)
        yield UsageSeen(usage)


def refuse_error(body: Document) -> None:
    """Raises the error that a body with status 200 carries, if it does."""
    error = body.get("error")
    if not error:
        return
    told = record(error)
    code = told.get("code") if told.get("code") is not None else told.get("type") or told.get("status")
    message = text(told.get("message")) or (error if isinstance(error, str) else "")
    raise Flawed("embedded", code=None if code is None else str(code), message=message, body=body)


def _first_choice(body: Document, *, streamed: bool = False) -> Mapping[str, Any] | None:
    choices = body.get("choices")
    if choices is None and streamed:
        return None
    if not isinstance(choices, list):
        raise Flawed("shape")
    if not choices:
        return None
    first: object = cast("list[Any]", choices)[0]
    if not isinstance(first, dict):
        raise Flawed("shape")
    return cast("dict[str, Any]", first)


def _finish(choice: Mapping[str, Any]) -> FinishReason | None:
    word = choice.get("finish_reason")
    if word is None or word == "":
        return None
    finish: FinishReason = FINISH.get(word, "other") if isinstance(word, str) else "other"
    if finish == "error":
        told = record(choice.get("error"))
        code = told.get("code")
        raise Flawed(
            "embedded",
            code="error" if code is None else str(code),
            message=text(told.get("message")) or "",
            body={"error": told},
        )
    return finish


def _content(content: object) -> tuple[str, bool]:
    """The text of a content, plain or in parts, and whether it was mended."""
    if content is None:
        return "", False
    if isinstance(content, str):
        said = clean(content)
        return said, said is not content and said != content
    if not isinstance(content, list):
        raise Flawed("shape")
    parts = [text(record(part).get("text")) or "" for part in cast("list[Any]", content)]
    joined = "".join(parts)
    said = clean(joined)
    return said, said != joined


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Flawed("shape")
    return cast("list[Any]", value)


def _arguments(value: object) -> str:
    if value is None:
        return ""
    return clean(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


def _call(place: int, call: object) -> ToolCall:
    function = record(record(call).get("function"))
    name = text(function.get("name"))
    if name is None:
        raise Flawed("shape")
    return ToolCall(
        clean(text(record(call).get("id")) or f"call_{place}"), clean(name), _arguments(function.get("arguments"))
    )


def _tool_delta(place: int, call: object) -> ToolDelta:
    told = record(call)
    index = told.get("index", place)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < 256:
        raise Flawed("tool_shape")
    function = record(told.get("function"))
    call_id, name = text(told.get("id")), text(function.get("name"))
    return ToolDelta(index, call_id and clean(call_id), name and clean(name), _arguments(function.get("arguments")))


def usage_of(found: object) -> tuple[Usage | None, tuple[str, ...]]:
    """The counts of a usage record; a list is no usage at all, and a number that is none makes all of it unknown."""
    if found is None:
        return None, ()
    if not isinstance(found, dict):
        raise Flawed("shape")
    told = cast("dict[str, Any]", found)
    cached = record(told.get("prompt_tokens_details")).get("cached_tokens")
    if cached is None:
        cached = told.get("prompt_cache_hit_tokens", told.get("cached_tokens"))
    return usage_from(
        told.get("prompt_tokens"),
        told.get("completion_tokens"),
        cached,
        record(told.get("completion_tokens_details")).get("reasoning_tokens"),
        told.get("cost"),
    )


def usage_from(
    tokens_in: object, tokens_out: object, cached: object = None, reasoning: object = None, cost: object = None
) -> tuple[Usage | None, tuple[str, ...]]:
    """A usage of four counts and maybe a cost; one that is no count makes all of it unknown, with a warning."""
    counts: list[int | None] = []
    for value in (tokens_in, tokens_out, cached, reasoning):
        if value is not None and not _is_count(value):
            return None, ("usage_numbers",)
        counts.append(None if value is None else int(cast("float", value)))
    price = number(cost)
    usd = price if price is not None and 0 <= price < float("inf") else None
    return Usage(*counts, cost_usd=usd), ()


def _is_count(value: object) -> bool:
    if type(value) is int:
        return 0 <= value < 2**53
    known = number(value)
    return known is not None and 0 <= known < 2**53
