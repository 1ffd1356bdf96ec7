"""The five protocols as an emulated provider writes them: whole answers, streams in pieces, errors in its own shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.asked import Protocol as Spoken
from workbench.server.emulator.dialects.anthropic import Anthropic
from workbench.server.emulator.dialects.bedrock import Bedrock
from workbench.server.emulator.dialects.gemini import Gemini
from workbench.server.emulator.dialects.openai import OpenAi
from workbench.server.emulator.dialects.responses import Responses
from workbench.server.emulator.refusals import Refusal
from workbench.server.emulator.said import Said


class Dialect(Protocol):
    """How one answer is written in one protocol."""

    @property
    def asked(self) -> Asked:
        """The request."""
        ...

    @property
    def said(self) -> Said:
        """The answer."""
        ...

    @property
    def media(self) -> str:
        """The content type of its streams."""
        ...

    def whole(self) -> dict[str, Any]:
        """A plain answer."""
        ...

    def opening(self) -> bytes:
        """What comes before the first word; may be empty."""
        ...

    def piece(self, words: str) -> bytes:
        """A piece of the text."""
        ...

    def calls(self) -> bytes:
        """All tool calls."""
        ...

    def closing(self) -> bytes:
        """Why it ended, the usage, the end marker."""
        ...

    def alive(self) -> bytes:
        """A sign of life that says nothing."""
        ...

    def broken(self) -> bytes:
        """An event that cannot be read."""
        ...

    def error(self, refusal: Refusal) -> dict[str, Any]:
        """The body of an error."""
        ...

    def error_event(self, refusal: Refusal) -> bytes:
        """An error in the middle of a stream."""
        ...


DIALECTS: Final[Mapping[Spoken, Callable[[Asked, Said], Dialect]]] = {
    "openai": OpenAi,
    "responses": Responses,
    "anthropic": Anthropic,
    "gemini": Gemini,
    "bedrock": Bedrock,
}


def dialect_of(asked: Asked, said: Said) -> Dialect:
    """The answer in the protocol that its request speaks."""
    return DIALECTS[asked.place.protocol](asked, said)
