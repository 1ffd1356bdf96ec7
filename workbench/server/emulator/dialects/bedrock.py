"""Converse of Amazon Bedrock, as it is written: JSON plain, AWS's event messages streamed."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

from workbench.server.emulator.dialects.answered import Answered
from workbench.server.emulator.dialects.text import js
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import Said

_FINISH: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "guardrail_intervened",
    "refusal": "refusal",
}


class Bedrock(Answered):
    """Messages with a length, headers and sums; the usage last."""

    @property
    def media(self) -> str:
        """The content type of its streams."""
        return "application/vnd.amazon.eventstream"

    def whole(self) -> dict[str, Any]:
        """A response."""
        content: list[dict[str, Any]] = [{"text": self.said.text}] if self.said.pieces else []
        content += (
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.document}} for call in self.said.calls
        )
        message = {"role": "assistant", "content": content}
        usage = {"usage": _usage(self.said)} if self.said.counted else {}
        stop = _FINISH[self.said.finish]
        return {"output": {"message": message}, "stopReason": stop, **usage, "metrics": {"latencyMs": 1}}

    def opening(self) -> bytes:
        """That it begins."""
        return message_of("messageStart", {"role": "assistant"})

    def piece(self, words: str) -> bytes:
        """A delta of text."""
        return message_of("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": words}})

    def calls(self) -> bytes:
        """A block for each call."""
        found: list[bytes] = []
        for index, call in enumerate(self.said.calls):
            start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
            delta = {"toolUse": {"input": call.arguments}}
            found += (
                message_of("contentBlockStart", {"contentBlockIndex": index, "start": start}),
                message_of("contentBlockDelta", {"contentBlockIndex": index, "delta": delta}),
                message_of("contentBlockStop", {"contentBlockIndex": index}),
            )
        return b"".join(found)

    def closing(self) -> bytes:
        """The block's end, the reason, the count."""
        told = b"" if self.said.calls else message_of("contentBlockStop", {"contentBlockIndex": 0})
        usage = {"usage": _usage(self.said)} if self.said.counted else {}
        stop = message_of("messageStop", {"stopReason": _FINISH[self.said.finish]})
        return told + stop + message_of("metadata", {**usage, "metrics": {"latencyMs": 1}})

    def alive(self) -> bytes:
        """The beginning once more: this protocol has no comment."""
        return message_of("messageStart", {"role": "assistant"})

    def broken(self) -> bytes:
        """A message whose document is half a one."""
        return _message("event", "contentBlockDelta", b'{"delta":')

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """An error; the exception's name stands in a header."""
        return {"message": refusal.message}

    def error_event(self, refusal: Refusal) -> bytes:
        """An exception for a message."""
        name = refusal.aws[0].lower() + refusal.aws[1:]
        return _message("exception", name, js({"message": refusal.message}))


def message_of(kind: str, document: Any) -> bytes:
    """One event message."""
    return _message("event", kind, js(document))


def _message(sort: str, kind: str, payload: bytes) -> bytes:
    name = ":event-type" if sort == "event" else ":exception-type"
    headers = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in ((":message-type", sort), (name, kind), (":content-type", "application/json"))
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    begun = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return begun + struct.pack(">I", zlib.crc32(begun))


def _usage(said: Said) -> dict[str, Any]:
    return {
        "inputTokens": said.tokens_in,
        "outputTokens": said.tokens_out,
        "totalTokens": said.tokens_in + said.tokens_out,
    }
