"""Chat completions, as they are written."""

from __future__ import annotations

from typing import Any

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.dialects.answered import Answered
from workbench.server.emulator.dialects.text import event
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import CREATED, Said


def error_of(refusal: Refusal) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    told = {"message": refusal.message, "type": refusal.anthropic, "param": None, "code": refusal.openai}
    return {"error": told}


class OpenAi(Answered):
    """One chunk for each piece."""

    @property
    def media(self) -> str:
        """The content type of its streams."""
        return "text/event-stream"

    def whole(self) -> dict[str, Any]:
        """A chat completion."""
        message: dict[str, Any] = {"role": "assistant", "content": self.said.text or None, "refusal": None}
        if self.said.finish == "refusal":
            message = {"role": "assistant", "content": None, "refusal": self.said.text or "emulated: no"}
        if self.said.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.said.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(self.said)}
        found = {**_head(self.asked, self.said), "object": "chat.completion", "choices": [choice]}
        return {**found, "usage": _usage(self.said)} if self.said.counted else found

    def opening(self) -> bytes:
        """The chunk that names the role."""
        return _chunk(self.asked, self.said, {"role": "assistant", "content": ""})

    def piece(self, words: str) -> bytes:
        """A chunk of text."""
        return _chunk(self.asked, self.said, {"content": words})

    def calls(self) -> bytes:
        """Each call in two chunks: its name, its arguments."""
        found: list[bytes] = []
        for index, call in enumerate(self.said.calls):
            begun = {
                "index": index,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": ""},
            }
            rest = {"index": index, "function": {"arguments": call.arguments}}
            found += (_chunk(self.asked, self.said, {"tool_calls": [each]}) for each in (begun, rest))
        return b"".join(found)

    def closing(self) -> bytes:
        """The finish, the usage where it was asked for, the end marker."""
        refused = _chunk(self.asked, self.said, {"refusal": "emulated: no"}) if self.said.finish == "refusal" else b""
        end = refused + _chunk(self.asked, self.said, {}, _finish(self.said))
        if self.asked.counts and self.said.counted:
            end += event({**_head(self.asked, self.said), "choices": [], "usage": _usage(self.said)})
        return end + b"data: [DONE]\n\n"

    def alive(self) -> bytes:
        """A comment."""
        return b": alive\n\n"

    def broken(self) -> bytes:
        """Half a document."""
        return b'data: {"choices":\n\n'

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """An error."""
        return error_of(refusal)

    def error_event(self, refusal: Refusal) -> bytes:
        """An error for a chunk."""
        return event(error_of(refusal))


def _finish(said: Said) -> str:
    return "stop" if said.finish == "refusal" else said.finish


def _head(asked: Asked, said: Said) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{said.id}", "object": "chat.completion.chunk", "created": CREATED, "model": asked.model,
    }  # fmt: skip


def _chunk(asked: Asked, said: Said, delta: dict[str, Any], finish: str | None = None) -> bytes:
    return event({**_head(asked, said), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _usage(said: Said) -> dict[str, Any]:
    return {
        "prompt_tokens": said.tokens_in,
        "completion_tokens": said.tokens_out,
        "total_tokens": said.tokens_in + said.tokens_out,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
