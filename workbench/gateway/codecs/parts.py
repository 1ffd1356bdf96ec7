"""What the protocols whose answers come in blocks read alike: records, pieces of text, counts, calls of tools.

Owns what stands in every one of them; where it stands is each codec's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from workbench.engine.values import text
from workbench.gateway.codecs.neutral import (
    Delta,
    Flawed,
    StreamEvent,
    ToolCall,
    ToolDelta,
    Usage,
    UsageSeen,
    Warned,
    clean,
)

Counted = tuple[Usage | None, tuple[str, ...]]
"""A usage, and what was off about it."""


def a_record(value: object) -> dict[str, Any]:
    """The value as a record; raises `Flawed` for anything else."""
    if not isinstance(value, dict):
        raise Flawed("shape")
    return cast("dict[str, Any]", value)


def a_list(value: object) -> list[Any]:
    """The value as a list; raises `Flawed` for anything else."""
    if not isinstance(value, list):
        raise Flawed("shape")
    return cast("list[Any]", value)


def joined(texts: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The text of a whole answer, and a warning where something in it was no text."""
    whole = "".join(texts)
    mended = clean(whole)
    return mended, () if mended == whole else ("lone_surrogate",)


def piece(said: str) -> Iterator[StreamEvent]:
    """A piece of text, behind a warning where something in it was no text."""
    mended = clean(said)
    if mended != said:
        yield Warned("lone_surrogate")
    if mended:
        yield Delta(mended)


def counts(found: Counted) -> Iterator[StreamEvent]:
    """A usage that was read, behind what was off about it."""
    usage, warnings = found
    for word in warnings:
        yield Warned(word)
    yield UsageSeen(usage)


def tool_call(call_id: object, name: object, arguments: str) -> ToolCall:
    """One call of a tool; raises `Flawed` where it has no name."""
    called = text(name)
    if called is None:
        raise Flawed("shape")
    return ToolCall(clean(text(call_id) or ""), clean(called), arguments)


class ToolPlaces:
    """The calls of tools in one stream, by the place that the protocol gives each of them."""

    def __init__(self, key: str) -> None:
        self._key = key
        """What the place is called."""
        self._known: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._known)

    def begun(self, told: Mapping[str, Any], call_id: object, name: object) -> ToolDelta:
        """A call begins."""
        index = self._known.setdefault(self._place(told), len(self._known))
        return ToolDelta(index, text(call_id), text(name), "")

    def more(self, told: Mapping[str, Any], arguments: object) -> ToolDelta:
        """More of a call's arguments; raises `Flawed` for a call that never began."""
        index = self._known.get(self._place(told))
        if index is None:
            raise Flawed("tool_shape")
        return ToolDelta(index, None, None, clean(text(arguments) or ""))

    def _place(self, told: Mapping[str, Any]) -> int:
        place = told.get(self._key)
        if isinstance(place, bool) or not isinstance(place, int):
            raise Flawed("tool_shape")
        return place


def described(function: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's name, and what it is for where that is said."""
    about = {"description": function["description"]} if text(function.get("description")) else {}
    return {"name": function["name"], **about}
