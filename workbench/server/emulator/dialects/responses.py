"""Responses, as they are written."""

from __future__ import annotations

from typing import Any

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.dialects.answered import Answered
from workbench.server.emulator.dialects.openai import error_of
from workbench.server.emulator.dialects.text import event
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import CREATED, Said


class Responses(Answered):
    """Named events; the last one holds the whole response again."""

    @property
    def media(self) -> str:
        """The content type of its streams."""
        return "text/event-stream"

    def whole(self) -> dict[str, Any]:
        """A response."""
        cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(self.said.finish)
        found: dict[str, Any] = {
            **_begun(self.asked, self.said),
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": cut} if cut else None,
            "output": [*_message(self.said), *_calls(self.said)],
        }
        if self.said.counted:
            found["usage"] = _usage(self.said)
        return found

    def opening(self) -> bytes:
        """That it begins, and with what."""
        begun: dict[str, Any] = {**_begun(self.asked, self.said), "status": "in_progress", "output": []}
        told = _event("response.created", response=begun)
        if self.said.calls:
            return told
        item: dict[str, Any] = {
            "id": f"msg_{self.said.id}",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        told += _event("response.output_item.added", output_index=0, item=item)
        part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
        return told + _event("response.content_part.added", **_place(self.said), part=part)

    def piece(self, words: str) -> bytes:
        """A delta of text."""
        return _event("response.output_text.delta", **_place(self.said), delta=words)

    def calls(self) -> bytes:
        """Each call: added, its arguments, done."""
        found: list[bytes] = []
        for index, item in enumerate(_calls(self.said)):
            place = {"output_index": index, "item_id": item["id"]}
            empty = {**item, "arguments": "", "status": "in_progress"}
            found += (
                _event("response.output_item.added", output_index=index, item=empty),
                _event("response.function_call_arguments.delta", **place, delta=item["arguments"]),
                _event(
                    "response.function_call_arguments.done", **place, arguments=item["arguments"], name=item["name"]
                ),
                _event("response.output_item.done", output_index=index, item=item),
            )
        return b"".join(found)

    def closing(self) -> bytes:
        """What was begun ends; then the whole response."""
        told = b""
        if self.said.finish == "refusal":
            told += _event("response.refusal.delta", **_place(self.said), delta="emulated: no")
        elif self.said.pieces:
            (item,) = _message(self.said)
            told += _event("response.output_text.done", **_place(self.said), text=self.said.text)
            told += _event("response.content_part.done", **_place(self.said), part=item["content"][0])
            told += _event("response.output_item.done", output_index=0, item=item)
        body = self.whole()
        kind = "response.incomplete" if body["status"] == "incomplete" else "response.completed"
        return told + _event(kind, response=body)

    def alive(self) -> bytes:
        """A comment."""
        return b": alive\n\n"

    def broken(self) -> bytes:
        """Half a document."""
        return b'data: {"type":\n\n'

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """An error."""
        return error_of(refusal)

    def error_event(self, refusal: Refusal) -> bytes:
        """The event `error`."""
        return _event("error", code=refusal.openai, message=refusal.message, param=None)


def _begun(asked: Asked, said: Said) -> dict[str, Any]:
    return {
        "id": f"resp_{said.id}", "object": "response", "created_at": CREATED, "model": asked.model, "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
        "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
    }  # fmt: skip


def _event(kind: str, **told: Any) -> bytes:
    return event({"type": kind, "sequence_number": 0, **told}, kind)


def _place(said: Said) -> dict[str, Any]:
    return {"item_id": f"msg_{said.id}", "output_index": 0, "content_index": 0, "logprobs": []}


def _message(said: Said) -> list[dict[str, Any]]:
    part: dict[str, Any] = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    if said.finish == "refusal":
        part = {"type": "refusal", "refusal": "emulated: no"}
    elif not said.pieces:
        return []
    return [
        {"id": f"msg_{said.id}", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    ]  # fmt: skip


def _calls(said: Said) -> list[dict[str, Any]]:
    return [
        {
            "id": f"fc_{call.id}", "type": "function_call", "call_id": call.id, "name": call.name,
            "arguments": call.arguments, "status": "completed",
        }
        for call in said.calls
    ]  # fmt: skip


def _usage(said: Said) -> dict[str, Any]:
    return {
        "input_tokens": said.tokens_in,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.tokens_out,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.tokens_in + said.tokens_out,
    }
