"""generateContent of Gemini, as it is written, at Google's own API and at Vertex AI."""

from __future__ import annotations

from typing import Any, Final

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.dialects.answered import Answered
from workbench.server.emulator.dialects.text import event
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import Said

_FINISH: Final = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
}


class Gemini(Answered):
    """Each chunk a whole response of its own."""

    @property
    def media(self) -> str:
        """The content type of its streams."""
        return "text/event-stream"

    def whole(self) -> dict[str, Any]:
        """A response."""
        parts = [{"text": self.said.text}] if self.said.pieces else []
        return _response(self.asked, self.said, [*parts, *_calls(self.said)], ended=True)

    def opening(self) -> bytes:
        """Nothing: the first chunk holds the first words."""
        return b""

    def piece(self, words: str) -> bytes:
        """A chunk of text."""
        return event(_response(self.asked, self.said, [{"text": words}]))

    def calls(self) -> bytes:
        """All calls in a chunk."""
        return event(_response(self.asked, self.said, _calls(self.said)))

    def closing(self) -> bytes:
        """The reason and the count."""
        return event(_response(self.asked, self.said, [], ended=True))

    def alive(self) -> bytes:
        """A comment."""
        return b": alive\n\n"

    def broken(self) -> bytes:
        """Half a document."""
        return b'data: {"candidates":\n\n'

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """An error."""
        return {"error": {"code": refusal.status, "message": refusal.message, "status": refusal.gemini}}

    def error_event(self, refusal: Refusal) -> bytes:
        """An error for a chunk."""
        return event(self.error(refusal))


def _response(asked: Asked, said: Said, parts: list[dict[str, Any]], *, ended: bool = False) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0}
    if parts or not ended:
        candidate["content"] = {"role": "model", "parts": parts}
    if ended:
        candidate["finishReason"] = _FINISH[said.finish]
    found: dict[str, Any] = {"candidates": [candidate], "modelVersion": asked.model, "responseId": said.id}
    if ended and said.counted:
        found["usageMetadata"] = {
            "promptTokenCount": said.tokens_in,
            "candidatesTokenCount": said.tokens_out,
            "totalTokenCount": said.tokens_in + said.tokens_out,
        }
    return found


def _calls(said: Said) -> list[dict[str, Any]]:
    return [{"functionCall": {"id": call.id, "name": call.name, "args": call.document}} for call in said.calls]
