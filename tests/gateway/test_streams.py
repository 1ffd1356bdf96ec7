"""Streams from bytes: whatever the pieces they come in, the same events; caps; and what each protocol's events say."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.faults import A_BLOCK, A_START, A_TEXT, AWS_TEXT, a, g
from tests.gateway.wire import DONE, ROLE, USAGE, WORD, aws, choice, data, finish, text
from workbench.gateway.codecs import CODECS
from workbench.gateway.codecs.assembly import Assembly
from workbench.gateway.codecs.aws import AwsStream
from workbench.gateway.codecs.neutral import Flawed, Reply, ToolCall, Usage, clean, parse_json
from workbench.gateway.codecs.sse import MOST_EVENT_BYTES, Sse, SseParser, SseStream


def events(parser: SseParser, *pieces: bytes) -> list[Sse]:
    found = [event for piece in pieces for event in parser.feed(piece)]
    return [*found, *parser.close()]


def pieces_of(raw: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes cut at these places."""
    places = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    return [raw[left:right] for left, right in pairwise(places)]


LINES = st.lists(
    st.sampled_from(
        [b"data: one", b"data:two", b"data", b"data: \xe2\x80\xa8", b": note", b"event: e", b"", b"id: 7", b""]
    ),
    max_size=12,
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(LINES, st.lists(ENDS, min_size=12, max_size=12), st.lists(st.integers(0, 300), max_size=20), st.booleans())
def test_events_do_not_depend_on_the_pieces(lines: list[bytes], ends: list[bytes], cuts: list[int], bom: bool) -> None:
    raw = (b"\xef\xbb\xbf" if bom else b"") + b"".join(line + end for line, end in zip(lines, ends, strict=False))
    expected = oracle(raw)
    assert events(SseParser(), *pieces_of(raw, cuts)) == expected
    assert events(SseParser(), *(raw[place : place + 1] for place in range(len(raw)))) == expected


def oracle(raw: bytes) -> list[Sse]:
    """The same by the letter of the standard, on the whole text; the last event counts without its blank line."""
    written = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found: list[Sse] = []
    name, kept = b"", list[bytes]()
    for line in [*written.split(b"\n"), b""]:
        if not line:
            if kept:
                found.append(Sse(name, b"\n".join(kept)))
            name, kept = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            kept.append(value)
        elif field == b"event":
            name = value
    return found


@pytest.mark.parametrize(
    ("parser", "piece"),
    [
        (SseParser(), b"data: " + b"x" * 100 + b"\n"),
        (SseParser(), b"0123456789"),
        (SseParser(most_events=5), b"data: x\n\n"),
    ],
    ids=["data", "one line", "events"],
)
def test_the_caps_hold(parser: SseParser, piece: bytes) -> None:
    def flood() -> None:
        for _ in range(2 * MOST_EVENT_BYTES // len(piece)):
            list(parser.feed(piece))

    with pytest.raises(Flawed) as caught:
        flood()
    assert caught.value.symptom == "too_large"


def assembled(kind: str, raw: bytes, cuts: list[int] | None = None) -> Reply:
    """The reply that a stream gives."""
    codec = CODECS[kind]
    stream = SseStream(codec.reader()) if codec.framing == "sse" else AwsStream(codec.reader())
    assembly = Assembly()
    for piece in pieces_of(raw, cuts or []):
        for event in stream.feed(piece):
            assembly.add(event)
    for event in stream.close():
        assembly.add(event)
    return assembly.reply()


def tool(index: int, arguments: str, name: str | None = None) -> dict[str, Any]:
    call: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if name is not None:
        call |= {"id": f"call-{index}", "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [call]}


OPENAI = b"".join([
    ROLE, text("a"), text("b"), choice(tool(0, '{"x"', "f")), choice(tool(1, "{}", "g")), choice(tool(0, ":1}")),
    finish("tool_calls"), data({"choices": [], "usage": USAGE}), DONE, text("never read"),
])  # fmt: skip
ANTHROPIC = b"".join([
    a("message_start", message={"model": "served-1", "usage": {"input_tokens": 5, "cache_read_input_tokens": 2}}),
    a("ping"), A_BLOCK, a("content_block_delta", index=0, delta={"type": "text_delta", "text": "ab"}),
    a("content_block_stop", index=0),
    a("content_block_start", index=1, content_block={"type": "tool_use", "id": "call-0", "name": "f", "input": {}}),
    a("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"x"'}),
    a("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": ":1}"}),
    a("content_block_start", index=2, content_block={"type": "tool_use", "id": "call-1", "name": "g", "input": {}}),
    a("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": "{}"}),
    a("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 3}), a("message_stop"), A_TEXT,
])  # fmt: skip
GEMINI = b"".join([
    g([{"text": "thinking", "thought": True}]), g([{"text": "a"}]), g([{"text": "b"}]),
    g([{"functionCall": {"id": "call-0", "name": "f", "args": {"x": 1}}}]),
    data({
        "candidates": [
            {"content": {"parts": [{"functionCall": {"id": "call-1", "name": "g"}}]}, "finishReason": "STOP"}
        ],
        "usageMetadata": {
            "promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 1, "cachedContentTokenCount": 2,
        },
    }),
])  # fmt: skip
BEDROCK = b"".join([
    aws("messageStart", {"role": "assistant"}), AWS_TEXT,
    aws("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "call-0", "name": "f"}}}),
    aws("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"x"'}}}),
    aws("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": ":1}"}}}),
    aws("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "call-1", "name": "g"}}}),
    aws("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{}"}}}),
    aws("messageStop", {"stopReason": "tool_use"}),
    aws("metadata", {"usage": {"inputTokens": 5, "outputTokens": 3, "cacheReadInputTokens": 2}}),
])  # fmt: skip
CALLS = (ToolCall("call-0", "f", '{"x":1}'), ToolCall("call-1", "g", "{}"))


def r(kind: str, **told: object) -> bytes:
    return f"event: {kind}\n".encode() + data({"type": kind, **told})


RESPONSES = b"".join([
    r("response.created", response={"model": "served-1", "status": "in_progress"}),
    r("response.output_item.added", output_index=0, item={"type": "reasoning"}),
    r("response.output_item.added", output_index=1, item={"type": "message", "content": []}),
    r("response.output_text.delta", output_index=1, delta="a"), r("response.output_text.delta", delta="b"),
    r("response.output_item.added", output_index=2, item={"type": "function_call", "call_id": "call-0", "name": "f"}),
    r("response.function_call_arguments.delta", output_index=2, delta='{"x"'),
    r("response.function_call_arguments.delta", output_index=2, delta=":1}"),
    r("response.output_item.added", output_index=3, item={"type": "function_call", "call_id": "call-1", "name": "g"}),
    r("response.function_call_arguments.delta", output_index=3, delta="{}"),
    r("response.completed", response={
        "status": "completed",
        "usage": {"input_tokens": 7, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}},
    }),
])  # fmt: skip
STREAMS = {
    "openai_responses": (RESPONSES, "ab", Usage(7, 3, 4)),
    "openai_compatible": (OPENAI, "ab", Usage(7, 3, 4)),
    "anthropic": (ANTHROPIC, "ab", Usage(7, 3, 2)),
    "gemini": (GEMINI, "ab", Usage(7, 3, 2, 1)),
    "bedrock": (BEDROCK, WORD, Usage(7, 3, 2)),
}


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 5000), max_size=12))
def test_every_protocol_says_the_same(kind: str, cuts: list[int]) -> None:
    raw, said, usage = STREAMS[kind]
    reply = assembled(kind, raw, cuts)
    assert reply.text == said
    assert [(call.id, call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [
        (call.id, call.name, json.loads(call.arguments)) for call in CALLS
    ]
    assert reply.finish_reason == "tool_calls"
    assert reply.usage == usage
    assert reply.warnings == ()


PLAIN: dict[str, dict[str, Any]] = {
    "openai_compatible": {
        "model": "served-1",
        "choices": [{
            "message": {
                "content": "ab", "tool_calls": [{"id": "call-0", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "tool_calls",
        }],
        "usage": USAGE,
    },
    "openai_responses": {
        "status": "completed",
        "model": "served-1",
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": "ab"}]},
            {"type": "function_call", "call_id": "call-0", "name": "f", "arguments": "{}"},
        ],
        "usage": {"input_tokens": 7, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}},
    },
    "anthropic": {
        "model": "served-1",
        "content": [{"type": "text", "text": "ab"}, {"type": "tool_use", "id": "call-0", "name": "f", "input": {}}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 3},
    },
    "gemini": {
        "candidates": [{
            "content": {"parts": [{"text": "ab"}, {"functionCall": {"id": "call-0", "name": "f", "args": {}}}]},
            "finishReason": "STOP",
        }],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "cachedContentTokenCount": 4},
    },
    "bedrock": {
        "output": {"message": {"content": [
            {"text": "ab"}, {"toolUse": {"toolUseId": "call-0", "name": "f", "input": {}}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 3, "cacheReadInputTokens": 4, "outputTokens": 3},
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", PLAIN)
def test_every_protocol_says_the_same_whole(kind: str) -> None:
    reply = CODECS[kind].reply(PLAIN[kind])
    assert reply.text == "ab"
    assert reply.tool_calls == (ToolCall("call-0", "f", "{}"),)
    assert reply.finish_reason == "tool_calls"
    assert reply.usage is not None
    assert (reply.usage.tokens_in, reply.usage.tokens_out, reply.usage.tokens_cached) == (7, 3, 4)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([
            "choices", "message", "delta", "content", "tool_calls", "function", "usage", "error", "type", "index",
            "candidates", "parts", "text", "functionCall", "finish_reason", "finishReason", "usageMetadata", "output",
            "content_block", "stop_reason", "prompt_tokens", "name", "arguments", "code", "message_start", "toolUse",
            "contentBlockDelta", "contentBlockStart", "start", "metadata", "messageStop", "promptFeedback",
        ]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(sorted(STREAMS)), JUNK)
def test_no_document_breaks_a_codec(kind: str, document: Any) -> None:
    """Whatever a provider sends is an answer or a flaw, and never another exception."""
    codec = CODECS[kind]
    with suppress(Flawed):
        codec.reply(document)
    if isinstance(document, dict):
        with suppress(Flawed):
            list(codec.reader().read(cast("dict[str, Any]", document)))


@given(st.binary(max_size=200))
def test_no_bytes_break_a_stream(raw: bytes) -> None:
    for kind in STREAMS:
        codec = CODECS[kind]
        for stream in (SseStream(codec.reader()), AwsStream(codec.reader())):
            with suppress(Flawed):
                list(stream.feed(raw))
                list(stream.close())


@given(st.text(st.characters(codec=None), max_size=30))
def test_clean_text_can_be_written(raw: str) -> None:
    mended = clean(raw)
    mended.encode("utf-8")
    assert len(mended) <= len(raw)
    assert clean(mended) == mended


def test_json_of_providers_is_bounded() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]
    assert parse_json(b'"' + b"[" * 100_000 + b'"') == "[" * 100_000
    assert parse_json(b"[" + b"[]," * 5000 + b"1]")[-1] == 1
    for bad in (b"[" * 65 + b"]" * 65, b"9" * 5000, b"\xff", b"{", b""):
        with pytest.raises(Flawed):
            parse_json(bad)


def test_a_stream_begins_where_the_start_says() -> None:
    """A text that stands in the block's own start is not lost."""
    start = a("content_block_start", index=0, content_block={"type": "text", "text": "a"})
    raw = A_START + start + a("message_delta", delta={"stop_reason": "end_turn"}) + a("message_stop")
    assert assembled("anthropic", raw).text == "a"
