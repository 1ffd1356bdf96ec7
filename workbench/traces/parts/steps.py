"""The log of a call in closed words, from the fallback machine's events; the provider's own words apart from it.

A candidate is named by its place in the catalog, found by walking the decision's order as the machine does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, cast

from workbench.boundary.sanitiser import one_line
from workbench.boundary.sealed import sealed
from workbench.engine.values import flag, number
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.words import (
    ACTIONS,
    BLOCKS,
    EVENTS,
    ActionName,
    Block,
    Detail,
    EventName,
    Kind,
    detail_of,
    kind_of,
)

MESSAGE_LIMIT: Final = 300
DETAIL_LIMIT: Final = 80


@sealed
class QuietStep:
    """One event, in closed words and numbers. Times in milliseconds."""

    event: EventName
    index: int
    """The candidate's place in the catalog."""
    attempt: int | None = None
    error_kind: Kind | None = None
    detail: Detail | None = None
    http_status: int | None = None
    reason: Block | Kind | None = None
    """Why a candidate was skipped, or its provider disabled."""
    action: ActionName | None = None
    suppressed: bool = False
    """Whether the plan's action was not taken because the answer had begun."""
    committed: bool = False
    cancelled: bool = False
    latency_ms: float | None = None
    first_token_ms: float | None = None
    retry_after_ms: float | None = None
    backoff_ms: float | None = None
    bytes_in: float | None = None


@sealed
class Step:
    """One event with the provider's own words, for a tenant whose text may be kept."""

    quiet: QuietStep
    detail: str | None = None
    """The detail as it came, with its code."""
    message: str | None = None
    """The provider's words: one line, at most 300 characters."""


def steps_of(path: Sequence[Mapping[str, Any]], order: Sequence[int], catalog: KeptCatalog) -> tuple[Step, ...]:
    """The machine's log (`Finished.path`) as steps; `order` is the decision's."""
    return tuple(_steps(path, order, catalog))


def _steps(path: Sequence[Mapping[str, Any]], order: Sequence[int], catalog: KeptCatalog) -> Iterator[Step]:
    at = -1
    for event in path:
        name = event.get("event")
        if name not in EVENTS:
            continue
        if name == "skipped" or (name == "attempted" and event.get("attempt", 1) == 1):
            at = _forward(event, order, at, catalog)
        index = order[at] if 0 <= at < len(order) else -1
        detail, message = event.get("detail"), event.get("error_message")
        yield Step(
            _quiet(cast("EventName", name), index, event),
            None if detail is None else one_line(str(detail), limit=DETAIL_LIMIT),
            None if message is None else one_line(str(message), limit=MESSAGE_LIMIT),
        )


def _forward(event: Mapping[str, Any], order: Sequence[int], at: int, catalog: KeptCatalog) -> int:
    """Where in the order the candidate is that the event is about: the next of its route; the last probe wraps."""
    route = event.get("provider_id"), event.get("model_family")
    for place in chain(range(at + 1, len(order)), range(min(at + 1, len(order)))):
        candidate = catalog.candidates[order[place]]
        if (candidate.get("provider_id"), candidate.get("model_family")) == route:
            return place
    return at


def _quiet(name: EventName, index: int, event: Mapping[str, Any]) -> QuietStep:
    known = {key: _READ[key](value) for key, value in event.items() if key in _READ}
    if "action_suppressed" in event:
        known["suppressed"] = event["action_suppressed"] == "committed"
    return QuietStep(name, index, **known)


def _whole(value: object) -> int | None:
    found = _finite(value)
    return None if found is None else int(found)


def _finite(value: object) -> float | None:
    if value is None:
        return None
    found = number(value)
    return None if found is None or found in (float("inf"), float("-inf")) else found


def _true(value: object) -> bool:
    return flag(value) is True


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "attempt": _whole,
    "error_kind": kind_of,
    "detail": detail_of,
    "http_status": _whole,
    "reason": lambda reason: reason if reason in BLOCKS else kind_of(reason),
    "action": lambda action: action if action in ACTIONS else None,
    "committed": _true,
    "cancelled": _true,
    "latency_ms": _finite,
    "first_token_ms": _finite,
    "retry_after_ms": _finite,
    "backoff_ms": _finite,
    "bytes_in": _finite,
}
"""How the fields of a step are read that an event has under the same name."""
