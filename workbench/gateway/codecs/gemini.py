"""The generateContent protocol of Gemini, at Google's own API and at Vertex AI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from workbench.engine.values import record, text
from workbench.gateway.codecs.assembly import judged
from workbench.gateway.codecs.content import (
    Image,
    calls_of,
    choice_of,
    json_mode_of,
    parts_of,
    system_of,
    text_of,
)
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
from workbench.gateway.codecs.openai import refuse_error, usage_from
from workbench.gateway.codecs.parts import Counted, a_list, a_record, counts, described, piece
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

_NUMBERS: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
FINISH: Final[Mapping[str, FinishReason]] = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"}
FILTERED: Final = frozenset((
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED",
))  # fmt: skip
BROKEN: Final = frozenset(("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"))


class GeminiCodec:
    """generateContent and streamGenerateContent."""

    framing: Literal["sse", "aws"] = "sse"

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of `route` with what the neutral request holds; raises `LocalFault`."""
        vertex = route.provider == "google-vertex"
        numbers = sampling(request)
        system, messages = system_of(messages_of(request))
        body: dict[str, Any] = {"contents": _turns(messages)}
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        settings: dict[str, Any] = {theirs: numbers[ours] for ours, theirs in _NUMBERS.items() if ours in numbers}
        if stops := stops_of(request):
            settings["stopSequences"] = stops
        mode = json_mode_of(request)
        if mode is not None:
            settings["responseMimeType"] = "application/json"
            if mode.schema is not None:
                settings["responseJsonSchema"] = mode.schema
        if settings:
            body["generationConfig"] = settings
        body.update(_tools(request))
        prefix = "/publishers/google/models/" if vertex else "/models/"
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return HttpRequest(
            method="POST",
            url=route.url(f"{prefix}{route.model_in_path}:{verb}"),
            headers=headers_of(stream=stream),
            body=body_of(body),
            provider=route.provider,
            model=route.model,
            key_name=route.key_name,
            key_header="authorization" if vertex else "x-goog-api-key",
            key_prefix="Bearer " if vertex else "",
            stream=stream,
            warnings=("dropped:repetition_penalty",) if "repetition_penalty" in numbers else (),
        )

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        reader = GeminiReader()
        texts: list[str] = []
        calls: list[ToolCall] = []
        usage: Usage | None = None
        model: str | None = None
        finish: FinishReason | None = None
        warnings: list[str] = []
        for event in reader.read(a_record(document), whole_answer=True):
            match event:
                case Delta(said):
                    texts.append(said)
                case ToolDelta(index, call_id, name, arguments):
                    calls.append(ToolCall(call_id or f"call_{index}", name or "", arguments))
                case UsageSeen(counted):
                    usage = counted
                case ModelSeen(named):
                    model = named
                case FinishSeen(reason):
                    finish = reason
                case Warned(word):
                    warnings.append(word)
                case Thinking():
                    pass
        return judged(Reply("".join(texts), tuple(calls), finish or "stop", usage, model, tuple(warnings)))

    def reader(self) -> GeminiReader:
        """A reader for one stream."""
        return GeminiReader()


class GeminiReader:
    """The chunks of one stream, each a whole response; no end marker but the finish reason."""

    ended = False

    def __init__(self) -> None:
        self._named = False
        self._calls = 0

    def read(self, document: Document, *, whole_answer: bool = False) -> Iterator[StreamEvent]:
        """The events of one chunk; of a whole answer there has to be a candidate."""
        refuse_error(document)
        if not self._named and (model := text(document.get("modelVersion"))):
            self._named = True
            yield ModelSeen(model)
        if text(record(document.get("promptFeedback")).get("blockReason")):
            raise Flawed("input_filtered")
        candidate = _candidate(document, whole_answer=whole_answer)
        finish: object = None
        if candidate is not None:
            yield from self._parts(candidate)
            finish = candidate.get("finishReason")
        if (found := document.get("usageMetadata")) is not None:
            yield from counts(_usage(found))
        if finish is not None:
            yield FinishSeen(self._finish(str(finish)))

    def _finish(self, word: str) -> FinishReason:
        if word in FILTERED:
            raise Flawed("output_filtered" if word in {"SAFETY", "MODEL_ARMOR"} else "refusal")
        if word in BROKEN:
            raise Flawed("shape")
        finish: FinishReason = FINISH.get(word, "other")
        return "tool_calls" if finish == "stop" and self._calls else finish

    def _parts(self, candidate: Mapping[str, Any]) -> Iterator[StreamEvent]:
        content = candidate.get("content")
        if content is None:
            return
        for part in a_list(a_record(content).get("parts", [])):
            yield from self._part(a_record(part))

    def _part(self, part: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if said := text(part.get("text")):
            if part.get("thought") is True:
                yield Thinking(len(said))
                return
            yield from piece(said)
        elif (call := part.get("functionCall")) is not None:
            told = record(call)
            name = text(told.get("name"))
            if name is None:
                raise Flawed("shape")
            arguments = json.dumps(told.get("args") or {}, ensure_ascii=True)
            yield ToolDelta(self._calls, text(told.get("id")), clean(name), arguments)
            self._calls += 1


def _candidate(document: Document, *, whole_answer: bool) -> Mapping[str, Any] | None:
    candidates = document.get("candidates")
    if candidates is None and not whole_answer:
        return None
    known = a_list(candidates)
    if known:
        return a_record(known[0])
    if whole_answer:
        raise Flawed("empty")
    return None


def _usage(found: object) -> Counted:
    told = a_record(found)
    said, thought = told.get("candidatesTokenCount"), told.get("thoughtsTokenCount")
    counted = [value for value in (said, thought) if isinstance(value, int | float)]
    tokens_out = sum(counted) if counted else said
    return usage_from(told.get("promptTokenCount"), tokens_out, told.get("cachedContentTokenCount"), thought)


def _turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in messages:
        role = "model" if message["role"] == "assistant" else "user"
        parts = _parts(message, names)
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        elif parts:
            turns.append({"role": role, "parts": parts})
    if not turns:
        raise unsaid("local_no_turn")
    return turns


def _parts(message: Mapping[str, Any], names: dict[str, str]) -> list[dict[str, Any]]:
    """The parts of one message; `names` remembers which call an id belongs to, for its result has to be named."""
    if message["role"] == "tool":
        call_id = str(message.get("tool_call_id", ""))
        name = names.get(call_id) or text(message.get("name")) or call_id
        return [{"functionResponse": {"name": name, "response": {"result": text_of(message.get("content"))}}}]
    parts = [_said(part) for part in parts_of(message.get("content"))]
    for call in calls_of(message):
        names[call.id] = call.name
        parts.append({"functionCall": {"name": call.name, "args": call.arguments}})
    return parts


def _said(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"text": part}
    if part.url is not None:
        return {"fileData": {"fileUri": part.url}}
    return {"inlineData": {"mimeType": part.media, "data": part.data}}


def _tools(request: Mapping[str, Any]) -> dict[str, Any]:
    declared = [
        {
            **described(function),
            **({"parametersJsonSchema": dict(shape)} if (shape := record(function.get("parameters"))) else {}),
        }
        for function in tools_of(request)
    ]
    if not declared:
        return {}
    found: dict[str, Any] = {"tools": [{"functionDeclarations": declared}]}
    wanted = choice_of(request)
    if wanted is not None:
        mode = {"auto": "AUTO", "none": "NONE", "required": "ANY"}[wanted.mode]
        config: dict[str, Any] = {"mode": mode}
        if wanted.name is not None:
            config["allowedFunctionNames"] = [wanted.name]
        found["toolConfig"] = {"functionCallingConfig": config}
    return found
