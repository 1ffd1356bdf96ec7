"""The fault matrix as data: what a provider sends, and what the attempt must be called. Rows as they are numbered."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any, Literal

from tests.gateway.server import Io, Script
from tests.gateway.wire import (
    DONE,
    ROLE,
    WORD,
    aws,
    choice,
    completion,
    data,
    error,
    finish,
    head,
    http,
    js,
    stream,
    text,
)

Mode = Literal["plain", "stream"]
BOTH: tuple[Mode, ...] = ("plain", "stream")
PLAIN: tuple[Mode, ...] = ("plain",)
STREAM: tuple[Mode, ...] = ("stream",)


@dataclass(frozen=True)
class Fault:
    """One way to fail. `reason` None: it is no failure, and `warning` says what was odd."""

    name: str
    """The row's number, then what it is."""
    script: Script
    reason: str | None
    detail: str | None = None
    modes: tuple[Mode, ...] = BOTH
    kind: str = "openai_compatible"
    committed: bool = False
    retry_ms: float | None = None
    warning: str | None = None
    text: str = WORD
    """The answer, where there is one."""

    @property
    def silent(self) -> bool:
        """Whether only a clock ends it."""
        return self.detail in {"read_timeout", "first_token_timeout", "idle", "deadline"} or "silence" in self.name


def anthropic(status: int, kind: str, message: str = "", *headers: str) -> bytes:
    told = {"type": "error", "error": {"type": kind, "message": f"{message} {WORD}"}, "request_id": "r"}
    return js(status, told, *headers)


def gemini(status: int, word: str, message: str = "", details: list[Any] | None = None) -> bytes:
    told = {"code": status, "message": f"{message} {WORD}", "status": word, "details": details or []}
    return js(status, {"error": told})


async def silent(io: Io) -> None:
    await io.until_gone()


async def reset(io: Io) -> None:
    io.reset()


async def closed(io: Io) -> None:
    """Closes without a byte."""


def then_silent(start: bytes) -> Script:
    async def script(io: Io) -> None:
        await io.send(start)
        await io.until_gone()

    return script


def then_closed(start: bytes) -> Script:
    async def script(io: Io) -> None:
        await io.send(start)

    return script


def then_reset(start: bytes) -> Script:
    async def script(io: Io) -> None:
        await io.send(start)
        await io.send(b"")
        io.reset()

    return script


def then_drip(start: bytes, drop: bytes) -> Script:
    async def script(io: Io) -> None:
        await io.send(start)
        await io.drip(drop)

    return script


def flood(start: bytes, piece: bytes, times: int) -> Script:
    async def script(io: Io) -> None:
        await io.send(start)
        for _ in range(times):
            await io.send(piece)

    return script


SSE = head(200, "content-type: text/event-stream", "connection: close")
JSON_HEAD = head(200, "content-type: application/json", "connection: close")
HTML = b"<!doctype html><html><body>nothing here</body></html>"
CHUNKED = head(200, "content-type: text/event-stream", "transfer-encoding: chunked")


def chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def bomb() -> bytes:
    return gzip.compress(b"0" * 50_000_000)


RETRY_INFO = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}]
KEY_INFO = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]

CONNECTION = (
    Fault("3 reset", reset, "network_error", "reset"),
    Fault("3 closed before headers", closed, "network_error", "no_response"),
    Fault("6 no headers", silent, "timeout", "read_timeout"),
    Fault("7 slow first token", then_silent(SSE + ROLE), "timeout", "first_token_timeout", STREAM),
    Fault("8 keep-alive for ever", then_drip(SSE, b": keep-alive\n\n"), "timeout", "first_token_timeout", STREAM),
    Fault("29 body never comes", then_silent(JSON_HEAD), "timeout", "read_timeout", PLAIN),
    Fault("41 slow drip of a body", then_drip(JSON_HEAD, b" "), "timeout", "deadline", PLAIN),
    Fault("49 chunked garbage", head(200, "transfer-encoding: chunked") + b"zz\r\nxx", "network_error", "protocol"),
    Fault(
        "49 two lengths", head(200, "content-length: 5", "content-length: 6") + b"12345", "network_error", "protocol"
    ),
    Fault("49 negative length", head(200, "content-length: -5"), "network_error", "protocol"),
    Fault("49 headers of 2 MB", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2_000_000, "network_error", "protocol"),
    Fault("49 HTTP/0.9", b"<html>hello</html>\r\n\r\n", "network_error", "protocol"),
)

STATUS = (
    Fault("10 generic", error(400, "no"), "bad_request", "invalid_request"),
    Fault("11 OpenAI", error(400, "x", "context_length_exceeded"), "context_overflow", "context"),
    Fault(
        "11 Anthropic", anthropic(400, "invalid_request_error", "prompt is too long: 1 > 0"), "context_overflow",
        "context", kind="anthropic",
    ),
    Fault(
        "11 Gemini", gemini(400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens"),
        "context_overflow", "context", kind="gemini",
    ),
    Fault("11 llama.cpp", js(400, {"error": {"code": 400, "message": "x", "type": "exceed_context_size_error"}}),
          "context_overflow", "context"),
    Fault("12 Azure", error(400, "filtered", "content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
          "content_filter", "input_filtered"),
    Fault("13 Gemini's key", gemini(400, "INVALID_ARGUMENT", "API key not valid.", KEY_INFO), "auth_error",
          "key_invalid", kind="gemini"),
    Fault("14 Anthropic's credit", anthropic(400, "invalid_request_error", "Your credit balance is too low"),
          "payment_required", "credit", kind="anthropic"),
    Fault("15 unauthorized", error(401, "Incorrect API key"), "auth_error", "key_rejected"),
    Fault("16 payment", error(402, "pay"), "payment_required", "credit"),
    Fault("16 payment, come back", error(402, "pay", None, "retry-after: 2"), "rate_limit", "rate", retry_ms=2000),
    Fault("17 forbidden", error(403, "no"), "auth_error", "forbidden"),
    Fault("18 moderated", error(403, "flagged", 403, metadata={"reasons": ["x"], "flagged_input": WORD}),
          "content_filter", "input_filtered"),
    Fault("19 model", error(404, "no such model", "model_not_found"), "model_unavailable", "model_missing"),
    Fault("19 Ollama", js(404, {"error": f"model not found {WORD}"}), "model_unavailable", "model_missing"),
    Fault("20 wrong address", http(404, HTML, kind="text/html"), "model_unavailable", "not_an_api"),
    Fault("21 timeout", error(408), "timeout", "upstream_timeout"),
    Fault("21 gateway timeout", http(504, HTML, kind="text/html"), "timeout", "upstream_timeout"),
    Fault("22 conflict", anthropic(409, "conflict_error"), "server_error", "conflict", kind="anthropic"),
    Fault("23 too large", anthropic(413, "request_too_large"), "context_overflow", "request_bytes", kind="anthropic"),
    Fault("24 media type", error(415), "bad_request", "invalid_request"),
    Fault("24 unprocessable", js(422, {"detail": [{"msg": WORD}]}), "bad_request", "invalid_request"),
    Fault("25 Bedrock's model", js(424, {"message": WORD}, "x-amzn-errortype: ModelErrorException"), "server_error",
          "model_error", kind="bedrock"),
    Fault("26 seconds", error(429, "x", None, "retry-after: 7"), "rate_limit", "rate", retry_ms=7000),
    Fault("26 milliseconds", error(429, "x", None, "retry-after: 9", "retry-after-ms: 120"), "rate_limit", "rate",
          retry_ms=120),
    Fault("26 too long", error(429, "x", None, "retry-after: 99999"), "rate_limit", "rate", retry_ms=300_000),
    Fault("26 a past date", error(429, "x", None, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"), "rate_limit", "rate"),
    Fault("26 a far date", error(429, "x", None, "retry-after: Wed, 21 Oct 2093 07:28:00 GMT"), "rate_limit", "rate",
          retry_ms=300_000),
    Fault("26 negative", error(429, "x", None, "retry-after: -3"), "rate_limit", "rate"),
    Fault("26 infinite", error(429, "x", None, "retry-after: 1e309"), "rate_limit", "rate"),
    Fault("26 garbage", error(429, "x", None, "retry-after: soon"), "rate_limit", "rate"),
    Fault("27 quota", error(429, "x", "insufficient_quota"), "payment_required", "quota"),
    Fault("27 balance", error(429, "x", "credit_balance_exhausted"), "payment_required", "quota"),
    Fault("27 limit", anthropic(429, "rate_limit_error", "you have reached your spend limit"), "payment_required",
          "quota", kind="anthropic"),
    Fault("28 Gemini", gemini(429, "RESOURCE_EXHAUSTED", "check your plan and billing details", RETRY_INFO),
          "rate_limit", "rate", kind="gemini", retry_ms=3500),
    Fault("28 Gemini in a list", http(429, b"[" + json.dumps({"error": {"details": RETRY_INFO}}).encode() + b"]"),
          "rate_limit", "rate", kind="gemini", retry_ms=3500),
    Fault("29 internal", error(500), "server_error", "upstream_5xx"),
    Fault("29 bad gateway", http(502, HTML, kind="text/html"), "server_error", "upstream_5xx"),
    Fault("29 520", http(520, b""), "server_error", "upstream_5xx"),
    Fault("29 broken JSON", http(500, b"{{{{"), "server_error", "upstream_5xx"),
    Fault("29 endless body, then silence", then_drip(head(500, "content-type: text/plain"), b"x"),
          "server_error", "upstream_5xx"),
    Fault("30 unavailable", gemini(503, "UNAVAILABLE"), "server_error", "overloaded", kind="gemini"),
    Fault("30 no route", error(503, "No available provider"), "model_unavailable", "no_route"),
    Fault("31 overloaded", anthropic(529, "overloaded_error", "x", "retry-after: 4"), "server_error", "overloaded",
          kind="anthropic", retry_ms=4000),
    Fault("32 redirect 301", http(301, b"", "location: http://127.0.0.1:9/"), "bad_response", "redirect_refused"),
    Fault("32 redirect 307", http(307, b"", "location: http://127.0.0.1:9/"), "bad_response", "redirect_refused"),
    Fault("32 redirect 308", http(308, b"", "location: /v2"), "bad_response", "redirect_refused"),
    Fault("48 huge error", flood(head(500, "connection: close"), b"x" * 65536, 64), "bad_response", "too_large"),
    Fault("48 packed error", http(401, bomb(), "content-encoding: gzip"), "auth_error", "key_rejected"),
)  # fmt: skip

NOTHING: list[Any] = []
DEEP = b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BIG = b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":' + b"9" * 5000 + b"}}"

BODY = (
    Fault("33 malformed", http(200, b'{"choices": [{"mess'), "bad_response", "json"),
    Fault("33 short", then_closed(head(200, "content-length: 900") + b'{"choices": ['),
          "network_error", "short_body", PLAIN),
    Fault("33 empty", http(200, b""), "bad_response", "json"),
    Fault("33 HTML", http(200, HTML, kind="text/html"), "bad_response", "content_type"),
    Fault("34 a list", js(200, [1, 2]), "bad_response", "shape"),
    Fault("34 null", http(200, b"null"), "bad_response", "shape"),
    Fault("34 choices of strings", js(200, {"choices": ["x"]}), "bad_response", "shape"),
    Fault("34 choices an object", js(200, {"choices": {"0": {}}}), "bad_response", "shape"),
    Fault("34 no choices", js(200, {"id": "x"}), "bad_response", "shape"),
    Fault("34 message a list", js(200, {"choices": [{"message": NOTHING}]}), "bad_response", "shape"),
    Fault("34 content a number", js(200, completion(5)), "bad_response", "shape"),
    Fault("34 usage a list", js(200, completion(usage=[1])), "bad_response", "shape"),
    Fault("34 tool calls an object", js(200, completion(None, tool_calls={"a": 1})), "bad_response", "shape"),
    Fault("34 Anthropic", js(200, {"content": "text", "stop_reason": "end_turn"}), "bad_response", "shape", PLAIN,
          kind="anthropic"),
    Fault("34 Gemini", js(200, {"candidates": [{"content": {"parts": WORD}}]}), "bad_response", "shape",
          kind="gemini"),
    Fault("34 Bedrock", js(200, {"output": NOTHING}), "bad_response", "shape", PLAIN, kind="bedrock"),
    Fault("34 chunk", stream(data({"choices": "x"})), "bad_response", "shape", STREAM),
    Fault("34 delta", stream(choice("x")), "bad_response", "shape", STREAM),
    Fault("35 deep", http(200, DEEP), "bad_response", "json"),
    Fault("35 a number of 5,000 digits", http(200, BIG), "bad_response", "json"),
    Fault("35 not UTF-8", http(200, b'{"choices": "\xff\xfe"}'), "bad_response", "json"),
    Fault("36 error in a body", js(200, {"error": {"code": 429, "message": WORD}}), "rate_limit", "embedded:429"),
    Fault("36 error by word", js(200, {"error": {"type": "overloaded_error", "message": WORD}}), "server_error",
          "embedded:overloaded_error"),
    Fault("36 a code that is text", js(200, {"error": {"code": f"x {WORD}", "message": WORD}}), "server_error",
          "embedded:other"),
    Fault("36 choice", js(200, completion("", reason="error")), "server_error", "embedded:error"),
    Fault("36 choice with its error",
          js(200, {"choices": [{"message": {"content": ""}, "finish_reason": "error", "error": {"code": 502}}]}),
          "server_error", "embedded:502"),
    Fault("37 no choice", js(200, {"choices": NOTHING}), "bad_response", "empty"),
    Fault("37 no content", js(200, completion("")), "bad_response", "empty"),
    Fault("37 null content", js(200, completion(None)), "bad_response", "empty"),
    Fault("37 cut at once", js(200, completion("", reason="length")), "bad_response", "empty_length"),
    Fault("37 empty stream", stream(ROLE, finish(), DONE), "bad_response", "empty", STREAM),
    Fault("37 stream cut at once", stream(ROLE, finish("length"), DONE), "bad_response", "empty_length", STREAM),
    Fault("37 Gemini", js(200, {"candidates": NOTHING}), "bad_response", "empty", PLAIN, kind="gemini"),
    Fault("44 filtered", js(200, completion("", reason="content_filter")), "content_filter", "output_filtered"),
    Fault("44 filtered with text", js(200, completion(reason="content_filter")), "content_filter", "output_filtered"),
    Fault("44 first chunk", stream(choice({}, "content_filter"), DONE), "content_filter", "output_filtered", STREAM),
    Fault("44 Gemini", js(200, {"candidates": [{"finishReason": "SAFETY"}]}), "content_filter", "output_filtered",
          kind="gemini"),
    Fault("45 refusal", js(200, completion(None, refusal=f"I will not {WORD}")), "content_filter", "refusal"),
    Fault("45 refused stream", stream(ROLE, choice({"refusal": f"no {WORD}"}), DONE), "content_filter", "refusal",
          STREAM),
    *(
        Fault(f"45 {word}", js(200, {"candidates": [{"finishReason": word}]}), "content_filter", "refusal",
              kind="gemini")
        for word in ("RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII")
    ),
    Fault("45 Gemini's prompt", js(200, {"promptFeedback": {"blockReason": "SAFETY"}}), "content_filter",
          "input_filtered", kind="gemini"),
    Fault("45 Anthropic", js(200, {"content": NOTHING, "stop_reason": "refusal"}), "content_filter", "refusal",
          kind="anthropic"),
    Fault("48 packed", http(200, bomb(), "content-encoding: gzip"), "bad_response", "encoding_refused"),
    Fault("48 badly packed", http(200, b"junk", "content-encoding: br"), "bad_response", "encoding_refused"),
    Fault("48 huge by its length", head(200, "content-length: 20000000") + b"{", "bad_response", "too_large"),
)  # fmt: skip

BAD = b"data: {broken\n\n"


def a(kind: str, **told: object) -> bytes:
    return f"event: {kind}\n".encode() + data({"type": kind, **told})


A_START = a("message_start", message={"model": "served-1", "usage": {"input_tokens": 5}})
A_BLOCK = a("content_block_start", index=0, content_block={"type": "text", "text": ""})
A_TEXT = a("content_block_delta", index=0, delta={"type": "text_delta", "text": WORD})


def g(parts: list[Any], reason: str | None = None) -> bytes:
    ended = {"finishReason": reason} if reason else {}
    return data({"candidates": [{"content": {"parts": parts}, **ended}], "modelVersion": "served-1"})


def tool(index: object = 0, arguments: str = '{"a":1}', **extra: object) -> dict[str, Any]:
    call = {"index": index, "id": "call-1", "function": {"name": "f", "arguments": arguments}, **extra}
    return {"tool_calls": [call]}


AWS = head(200, "content-type: application/vnd.amazon.eventstream", "connection: close")
AWS_TEXT = aws("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": WORD}})
CUT_BODY = CHUNKED + chunk(ROLE)
CUT_TEXT = CUT_BODY + chunk(text())
CUT_TOOL = CUT_BODY + chunk(choice(tool()))

STREAMS = (
    Fault("38 cut before output", CUT_BODY, "network_error", "cut", STREAM),
    Fault("38 reset before output", then_reset(CUT_BODY), "network_error", "cut", STREAM),
    Fault("38 cut after output", CUT_TEXT, "stream_interrupted", "cut", STREAM, committed=True),
    Fault("39 clean end without output", stream(ROLE), "bad_response", "eof_without_done", STREAM),
    Fault("39 clean end after output", stream(ROLE, text()), "stream_interrupted", "eof_without_done", STREAM,
          committed=True),
    Fault("39 HTTP/1.0", b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + text(), "stream_interrupted",
          "eof_without_done", STREAM, committed=True),
    Fault("39 Anthropic", stream(A_START, A_BLOCK, A_TEXT), "stream_interrupted", "eof_without_done", STREAM,
          kind="anthropic", committed=True),
    Fault("39 Gemini", stream(g([{"text": WORD}])), "stream_interrupted", "eof_without_done", STREAM, kind="gemini",
          committed=True),
    Fault("39 Bedrock", AWS + AWS_TEXT + AWS_TEXT[:9], "stream_interrupted", "eof_without_done", STREAM,
          kind="bedrock", committed=True),
    Fault("40 error before output", stream(ROLE, data({"error": {"code": "rate_limit_exceeded", "message": WORD}})),
          "rate_limit", "embedded:rate_limit_exceeded", STREAM),
    Fault("40 error after output", stream(text(), data({"error": {"code": 502, "message": WORD}})),
          "stream_interrupted", "embedded:502", STREAM, committed=True),
    Fault("40 Anthropic before", stream(A_START, a("error", error={"type": "overloaded_error", "message": WORD})),
          "server_error", "embedded:overloaded_error", STREAM, kind="anthropic"),
    Fault("40 Anthropic after", stream(A_START, A_BLOCK, A_TEXT, a("error", error={"type": "overloaded_error"})),
          "stream_interrupted", "embedded:overloaded_error", STREAM, kind="anthropic", committed=True),
    Fault("40 Gemini", stream(data({"error": {"code": 503, "status": "UNAVAILABLE", "message": WORD}})),
          "server_error", "embedded:503", STREAM, kind="gemini"),
    Fault("40 Bedrock", AWS + aws("throttlingException", {"message": WORD}, "exception"), "rate_limit",
          "embedded:throttlingexception", STREAM, kind="bedrock"),
    Fault("40 Bedrock after", AWS + AWS_TEXT + aws("modelStreamErrorException", {"message": WORD}, "exception"),
          "stream_interrupted", "embedded:modelstreamerrorexception", STREAM, kind="bedrock", committed=True),
    Fault("41 stall", then_silent(SSE + text()), "stream_interrupted", "idle", STREAM, committed=True),
    Fault("41 drip", then_drip(SSE + text(), text(".")), "stream_interrupted", "deadline", STREAM, committed=True),
    Fault("41 keep-alive after output", then_drip(SSE + text(), b": still here\n\n"), "stream_interrupted", "deadline",
          STREAM, committed=True),
    Fault("42 one bad event", stream(BAD, text(), finish(), DONE), None, modes=STREAM, warning="sse_bad_event"),
    Fault("42 four bad events", stream(BAD, BAD, BAD, BAD, text(), DONE), "stream_interrupted", "sse_bad_event",
          STREAM),
    Fault("42 four bad events after output", stream(text(), BAD, BAD, BAD, BAD, DONE), "stream_interrupted",
          "sse_bad_event", STREAM, committed=True),
    Fault("43 data in several lines", stream(text().replace(b'"choices":', b'\ndata: "choices":'), finish(), DONE),
          None, modes=STREAM),
    Fault("43 U+2028", stream("data: {\"choices\":[{\"delta\":{\"content\":\"a\u2028b\"}}]}\n\n".encode(), finish(),
          DONE), None, modes=STREAM, text="a\u2028b"),
    Fault("43 CRLF", stream(text().replace(b"\n", b"\r\n"), finish().replace(b"\n", b"\r"), DONE), None, modes=STREAM),
    Fault("43 a list", stream(data([1, 2]), text(), finish(), DONE), None, modes=STREAM, warning="sse_ignored"),
    Fault("43 byte order mark", stream(b"\xef\xbb\xbf", text(), finish(), DONE), None, modes=STREAM),
    Fault("44 filtered after text", stream(text(), choice({}, "content_filter"), DONE), "content_filter",
          "output_filtered", STREAM, committed=True),
    Fault("44 Bedrock after text", AWS + AWS_TEXT + aws("messageStop", {"stopReason": "guardrail_intervened"}),
          "content_filter", "output_filtered", STREAM, kind="bedrock", committed=True),
    Fault("45 Anthropic after text",
          stream(A_START, A_BLOCK, A_TEXT, a("message_delta", delta={"stop_reason": "refusal"})), "content_filter",
          "refusal", STREAM, kind="anthropic", committed=True),
    Fault("46 complete", stream(ROLE, choice(tool(arguments='{"a":')), choice(tool(arguments="1}")),
          finish("tool_calls"), DONE), None, modes=STREAM, text=""),
    Fault("46 cut", CUT_TOOL, "stream_interrupted", "tool_cut", STREAM, committed=True),
    Fault("46 ended early", stream(choice(tool())), "stream_interrupted", "tool_cut", STREAM, committed=True),
    Fault("46 index a text", stream(choice(tool("0")), DONE), "bad_response", "tool_shape", STREAM),
    Fault("46 index a fraction", stream(choice(tool(0.5)), DONE), "bad_response", "tool_shape", STREAM),
    Fault("46 arguments not JSON", stream(choice(tool(arguments="{a")), finish("tool_calls"), DONE), None,
          modes=STREAM, warning="tool_arguments", text=""),
    Fault("46 arguments not JSON, whole", js(200, completion(None, reason="tool_calls",
          tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "{a"}}])), None, modes=PLAIN,
          warning="tool_arguments", text=""),
    Fault("47 not streamed", js(200, completion()), None, modes=STREAM, warning="not_streamed"),
    Fault("47 not streamed, labelled so", http(200, json.dumps(completion()), kind="text/event-stream"), None,
          modes=STREAM, warning="not_streamed"),
    Fault("48 an event of more than 1 MiB", flood(SSE + b"data: ", b"x" * 65536, 17), "bad_response", "too_large",
          STREAM),
    Fault("49 broken AWS message", AWS + b"\x00" * 64, "network_error", "protocol", STREAM, kind="bedrock"),
    Fault("49 AWS message with a wrong sum", AWS + AWS_TEXT[:-1] + b"\x00", "network_error", "protocol", STREAM,
          kind="bedrock"),
)  # fmt: skip


def r(kind: str, **told: object) -> bytes:
    return data({"type": kind, **told})


R_TEXT = r("response.output_text.delta", delta=WORD)
FAILED: dict[str, Any] = {"status": "failed", "error": {"code": "server_error", "message": WORD}}
LONG: dict[str, Any] = {
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": NOTHING,
}
FILTERED: dict[str, Any] = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
REFUSED: dict[str, Any] = {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": WORD}]}]}
RESPONSES = (
    Fault("34 Responses", js(200, {"output": "text"}), "bad_response", "shape", kind="openai_responses"),
    Fault("36 Responses", js(200, FAILED), "server_error", "embedded:server_error", kind="openai_responses"),
    Fault("37 Responses", js(200, LONG), "bad_response", "empty_length", kind="openai_responses"),
    Fault("38 Responses cut", CHUNKED + chunk(R_TEXT), "stream_interrupted", "cut", STREAM, kind="openai_responses",
          committed=True),
    Fault("39 Responses", stream(R_TEXT), "stream_interrupted", "eof_without_done", STREAM, kind="openai_responses",
          committed=True),
    Fault("40 Responses before", stream(r("error", code="rate_limit_exceeded", message=WORD)), "rate_limit",
          "embedded:rate_limit_exceeded", STREAM, kind="openai_responses"),
    Fault("40 Responses after", stream(R_TEXT, r("response.failed", response=FAILED)), "stream_interrupted",
          "embedded:server_error", STREAM, kind="openai_responses", committed=True),
    Fault("44 Responses", js(200, FILTERED), "content_filter", "output_filtered", kind="openai_responses"),
    Fault("45 Responses", js(200, REFUSED), "content_filter", "refusal", kind="openai_responses"),
    Fault("45 Responses refused stream", stream(r("response.refusal.delta", delta=WORD)), "content_filter", "refusal",
          STREAM, kind="openai_responses"),
)  # fmt: skip

OTHERS = (
    Fault("NaN in usage", http(200, json.dumps(completion(usage={"prompt_tokens": float("nan")}))), None, modes=PLAIN,
          warning="usage_numbers"),
    Fault("lone surrogate", http(200, b'{"choices":[{"message":{"content":"a\\ud800b"},"finish_reason":"stop"}]}'),
          None, modes=PLAIN, warning="lone_surrogate", text="a\ufffdb"),
    Fault("lone surrogate in a stream", stream(b'data: {"choices":[{"delta":{"content":"a\\udc00b"}}]}\n\n', finish(),
          DONE), None, modes=STREAM, warning="lone_surrogate", text="a\ufffdb"),
    Fault("lone surrogate, Bedrock", js(200, {"output": {"message": {"content": [{"text": "a\ud800b"}]}},
          "stopReason": "end_turn"}), None, modes=PLAIN, warning="lone_surrogate", text="a\ufffdb", kind="bedrock"),
    Fault("lone surrogate in a stream, Bedrock", AWS + aws("contentBlockDelta", {"contentBlockIndex": 0,
          "delta": {"text": "a\udc00b"}}) + aws("messageStop", {"stopReason": "end_turn"}) + aws("metadata", {}), None,
          modes=STREAM, warning="lone_surrogate", text="a\ufffdb", kind="bedrock"),
    Fault("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(completion()).encode(), None, modes=PLAIN),
    Fault("byte order mark", http(200, b"\xef\xbb\xbf" + json.dumps(completion()).encode()), None, modes=PLAIN),
    Fault("finish without the marker", stream(text(), finish()), None, modes=STREAM),
    Fault("marker without a finish", stream(text(), DONE), None, modes=STREAM),
    Fault("silence after the finish", then_silent(SSE + text() + finish()), None, modes=STREAM,
          warning="no_end_marker"),
    Fault("silence after the marker", then_silent(SSE + text() + finish() + DONE), None, modes=STREAM),
    Fault("usage a list after the finish", stream(text(), finish(), data({"choices": [], "usage": [1]}), DONE), None,
          modes=STREAM, warning="usage_shape"),
)  # fmt: skip

FAULTS = (*CONNECTION, *STATUS, *BODY, *STREAMS, *RESPONSES, *OTHERS)
CASES = [(fault, mode) for fault in FAULTS for mode in fault.modes]
