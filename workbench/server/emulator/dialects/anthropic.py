"""Messages of Anthropic, as they are written, at its own API and at Vertex AI."""

from __future__ import annotations

from typing import Any, Final

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.dialects.answered import Answered
from workbench.server.emulator.dialects.text import event
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import Said

_FINISH: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
}


class Anthropic(Answered):
    """Blocks, each begun and ended; the usage in two halves."""

    @property
    def media(self) -> str:
        """The content type of its streams."""
        return "text/event-stream"

    def whole(self) -> dict[str, Any]:
        """A message."""
        content: list[dict[str, Any]] = [{"type": "text", "text": self.said.text}] if self.said.pieces else []
        content += (_call(call.id, call.name, call.document) for call in self.said.calls)
        usage = {"usage": _usage(self.said)} if self.said.counted else {}
        return {**_begun(self.asked, self.said), "content": content, "stop_reason": _FINISH[self.said.finish], **usage}

    def opening(self) -> bytes:
        """The message, and its block of text."""
        usage = {"usage": {**_usage(self.said), "output_tokens": 0}} if self.said.counted else {}
        told = _event("message_start", message={**_begun(self.asked, self.said), "content": [], **usage})
        if self.said.calls:
            return told
        return told + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})

    def piece(self, words: str) -> bytes:
        """A delta of text."""
        return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})

    def calls(self) -> bytes:
        """A block for each call."""
        found: list[bytes] = []
        for index, call in enumerate(self.said.calls):
            delta = {"type": "input_json_delta", "partial_json": call.arguments}
            found += (
                _event("content_block_start", index=index, content_block=_call(call.id, call.name, {})),
                _event("content_block_delta", index=index, delta=delta),
                _event("content_block_stop", index=index),
            )
        return b"".join(found)

    def closing(self) -> bytes:
        """The block's end, the reason with the count, the message's end."""
        told = b"" if self.said.calls else _event("content_block_stop", index=0)
        delta = {"stop_reason": _FINISH[self.said.finish], "stop_sequence": None}
        usage = {"usage": {"output_tokens": self.said.tokens_out}} if self.said.counted else {}
        return told + _event("message_delta", delta=delta, **usage) + _event("message_stop")

    def alive(self) -> bytes:
        """A ping."""
        return _event("ping")

    def broken(self) -> bytes:
        """Half a document."""
        return b'event: ping\ndata: {"type":\n\n'

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """An error."""
        told = {"type": refusal.anthropic, "message": refusal.message}
        return {"type": "error", "error": told, "request_id": "req_emulated"}

    def error_event(self, refusal: Refusal) -> bytes:
        """The event `error`."""
        return event(self.error(refusal), "error")


def _begun(asked: Asked, said: Said) -> dict[str, Any]:
    return {
        "id": f"msg_{said.id}", "type": "message", "role": "assistant", "model": asked.model, "stop_reason": None,
        "stop_sequence": None,
    }  # fmt: skip


def _event(kind: str, **told: Any) -> bytes:
    return event({"type": kind, **told}, kind)


def _call(call_id: str, name: str, value: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": value}


def _usage(said: Said) -> dict[str, Any]:
    return {
        "input_tokens": said.tokens_in,
        "output_tokens": said.tokens_out,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    }
