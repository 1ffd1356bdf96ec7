"""What an emulated provider answers: made from the request alone, the same each time, labelled as emulated.

A token is counted as one word of the answer with the space behind it, and four characters of the prompt; a picture
counts 256. That is an estimate that anybody can check, and no provider's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.instances import instance

Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]

LETTERS_PER_TOKEN: Final = 4
TOKENS_PER_IMAGE: Final = 256
ECHO: Final = 80
CREATED: Final = 1_767_225_600
"""The time that answers bear: one moment, so that the same request has the same bytes."""

_PIECE: Final = re.compile(r"\s*\S+\s*")
_JSON_PIECE: Final = 4
_FILLER: Final = "and "


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a tool."""

    id: str
    name: str
    arguments: str

    @property
    def document(self) -> Any:
        """The arguments as a value."""
        return json.loads(self.arguments)


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer."""

    id: str
    pieces: tuple[str, ...]
    """The text, a token each."""
    calls: tuple[Called, ...]
    finish: Finish
    tokens_in: int
    counted: bool = True
    """Whether it tells its usage."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def tokens_out(self) -> int:
        """Tokens of the answer."""
        return len(self.pieces) + sum(-(-len(call.arguments) // LETTERS_PER_TOKEN) for call in self.calls)


def said_to(asked: Asked, *, tokens: int = 0) -> Said:
    """The answer to a request; a text of at least `tokens` tokens where that is asked for."""
    name = blake2b(repr(asked).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
    tokens_in = -(-asked.letters // LETTERS_PER_TOKEN) + TOKENS_PER_IMAGE * asked.images
    if asked.tool is not None:
        made = instance({"type": "object", **asked.tool.parameters})
        arguments = json.dumps(made if isinstance(made, dict) else {})
        return Said(name, (), (Called(f"call_{name}", asked.tool.name, arguments),), "tool_calls", tokens_in)
    pieces = _json(asked) if asked.json_wanted else _text(asked, tokens)
    finish: Finish = "stop"
    if asked.max_tokens is not None and len(pieces) > asked.max_tokens:
        pieces, finish = pieces[: asked.max_tokens], "length"
    return Said(name, pieces, (), finish, tokens_in)


def _text(asked: Asked, tokens: int) -> tuple[str, ...]:
    said = asked.prompt.encode("utf-8", "replace").decode()  # half a character cannot be said again
    echo = " ".join(said[: ECHO * 2].split())
    echo = echo if len(echo) <= ECHO else f"{echo[: ECHO - 1]}…"
    seen = f" and {asked.images} picture{'s' if asked.images > 1 else ''}" if asked.images else ""
    answer = (
        f"[emulated] {asked.place.provider}/{asked.model} was asked: “{echo}”{seen}. "
        "No model wrote this: a local server imitates the provider."
    )
    for stop in asked.stops:
        answer = answer.partition(stop)[0]
    pieces = _PIECE.findall(answer) or [answer]
    if len(pieces) < tokens:
        pieces[-1] += " "
        pieces += [_FILLER] * (tokens - len(pieces) - 1)
        pieces.append("done.")
    return tuple(pieces)


def _json(asked: Asked) -> tuple[str, ...]:
    if asked.schema is not None:
        made = instance(asked.schema)
    else:
        echo = asked.prompt.encode("utf-8", "replace").decode()[:ECHO]
        made = {"emulated": True, "provider": asked.place.provider, "model": asked.model, "asked": echo}
    written = json.dumps(made)
    return tuple(written[at : at + _JSON_PIECE] for at in range(0, len(written), _JSON_PIECE))
