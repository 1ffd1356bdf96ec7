"""What a request to an emulated provider asks for, whichever protocol it speaks: read from its path and its body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import unquote

from workbench.engine.values import items, number, record, text

Protocol = Literal["openai", "responses", "anthropic", "gemini", "bedrock"]

MOST_NAME: Final = 512

_PREFIX: Final = re.compile(r"/p/([^/]{1,128})(/.*)")
_MODEL: Final = re.compile(r"/models/([^/]+):(generateContent|streamGenerateContent|rawPredict|streamRawPredict)\Z")
_CONVERSE: Final = re.compile(r"/model/([^/]+)/(converse|converse-stream)\Z")
_SUFFIXES: Final[tuple[tuple[str, Protocol], ...]] = (
    ("/chat/completions", "openai"),
    ("/responses", "responses"),
    ("/messages", "anthropic"),
)
_WHOSE: Final[Mapping[Protocol, str]] = {
    "openai": "openai",
    "responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "amazon-bedrock",
}
"""The provider whose protocol it is, where the path names none."""


class NotAsked(Exception):
    """A body that no provider would take; says why, without a word of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says."""

    provider: str
    protocol: Protocol
    model: str | None = None
    """Where the path names it; else the body does."""
    stream: bool | None = None
    """Where the path says it; else the body does."""
    as_list: bool = False
    """Gemini without `alt=sse`: a stream is one JSON list."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as its answer depends on it."""

    place: Place
    model: str
    stream: bool
    prompt: str
    """The last words of the user."""
    letters: int
    """Characters of text in the whole conversation."""
    images: int = 0
    max_tokens: int | None = None
    stops: tuple[str, ...] = ()
    tool: Tool | None = None
    """The one to call, where the request demands a call or its prompt asks for one."""
    json_wanted: bool = False
    schema: Mapping[str, Any] | None = None
    counts: bool = True
    """Whether a stream tells its usage: OpenAI's does where it is asked to."""


def place_of(target: str) -> Place | None:
    """What the target of a request names; None where no protocol has such a path."""
    path, _, query = target.partition("?")
    matched = _PREFIX.fullmatch(path)
    provider, rest = (unquote(matched[1]), matched[2]) if matched else (None, path)
    if found := _MODEL.search(rest):
        protocol: Protocol = "anthropic" if found[2].endswith("Predict") else "gemini"
        stream = found[2].startswith("stream")
        as_list = protocol == "gemini" and stream and "alt=sse" not in query.split("&")
        return Place(provider or _WHOSE[protocol], protocol, unquote(found[1]), stream, as_list)
    if found := _CONVERSE.search(rest):
        return Place(provider or _WHOSE["bedrock"], "bedrock", unquote(found[1]), found[2] == "converse-stream")
    for suffix, protocol in _SUFFIXES:
        if rest.endswith(suffix):
            return Place(provider or _WHOSE[protocol], protocol)
    return None


@dataclass(slots=True)
class Heard:
    """The conversation, gathered."""

    last: str = ""
    letters: int = 0
    images: int = 0
    answers_tool: bool = False
    """Whether its last word is a tool's."""

    def hear(self, words: str, *, user: bool) -> None:
        """One text."""
        self.letters += len(words)
        if user:
            self.last = words


def wanted_tool(tools: list[Tool], heard: Heard, *, demanded: bool, name: str | None) -> Tool | None:
    """The tool to call: the one that is named, the first where a call is demanded or asked for in words."""
    if name is not None:
        return next((tool for tool in tools if tool.name == name), None)
    said = heard.last.casefold()
    if not tools or not (demanded or ("call the tool" in said and not heard.answers_tool)):
        return None
    return next((tool for tool in tools if tool.name.casefold() in said), tools[0])


def count_of(value: object) -> int | None:
    """A limit of tokens; None where there is none."""
    known = number(value)
    return None if known is None or not 1 <= known < 2**53 else int(known)


def words_of(value: object) -> tuple[str, ...]:
    """Stop sequences: one or several."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(word for word in items(value) if isinstance(word, str) and word)


def tool_of(told: Mapping[str, Any], schema: str) -> Tool:
    """A function by its name and the schema under this key."""
    return Tool(text(told.get("name")) or "tool", record(told.get(schema)))
