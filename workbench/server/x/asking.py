"""What a request asks of a decision: its requirements, a pin, and what of it has an effect under the policy at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.engine.context import Context
from workbench.language.admission import Admitted
from workbench.server.x.refusal import shapeless
from workbench.server.x.requirements import NAMES, Pin, checked, pin_of, unknown_needs


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a decision sees it."""

    context: Context
    pin: Pin | None
    warnings: tuple[str, ...]


def asked_of(body: Mapping[str, Any], policy: Admitted, state: Mapping[str, Any]) -> Asked:
    """The context of a request. Raises `Refused` for requirements that are no object, and for a malformed pin.

    `requirements`, where it says anything, replaces `{"context": ...}`. `context` by itself has no effect, as on the
    public host; `"enforce_context": true` makes `min_context` of it. Requirements act through `meets_req` alone: where
    the policy has none, a warning says so.
    """
    wanted = _requirements(body)
    warnings: list[str] = []
    size = _number(body, "context", "int_type", "integer")
    enforced = body.get("enforce_context")
    if not isinstance(enforced, bool | None):
        raise shapeless(("bool_type", ("body", "enforce_context"), "Input should be a valid boolean", None))
    if size is not None and enforced:
        wanted = {**wanted, "min_context": size}
        warnings.append(f"`context` was read as `min_context` {size:g}, because `enforce_context` is true")
    elif size is not None and "min_context" not in wanted:
        warnings.append("`context` has no effect; send `requirements.min_context`, or `enforce_context`: true")
    if not reads_requirements(policy):
        warnings += unread(wanted)
    warnings += unknown_needs(wanted)
    request: dict[str, Any] = {"requirements": wanted}
    if body.get("scope") is not None:
        request["scope"] = _scope(body["scope"])
    seed = _number(body, "seed", "float_type", "number")
    return Asked(Context(request, state, seed), pin_of(wanted), tuple(warnings))


def reads_requirements(policy: Admitted) -> bool:
    """Whether the policy has the one operation through which requirements act."""
    return "meets_req" in _operations(policy.normal)


def unread(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The warning for requirements that nothing in a policy reads; none where there is nothing to read."""
    acting = sorted(name for name, value in wanted.items() if name not in _ACTING and value is not None)
    if not acting:
        return ()
    return (f"the policy has no `meets_req`, so nothing reads {', '.join(f'`{name}`' for name in acting)}",)


_ACTING: Final = frozenset(("context", "pin"))
"""What acts without it, or never."""


def _requirements(body: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `requirements`, and those that stand beside it."""
    given = checked(body.get("requirements"))
    beside = {name: body[name] for name in NAMES if name in body and name != "context"}
    return {**checked(beside), **given}


def _number(body: Mapping[str, Any], name: str, kind: str, words: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise shapeless((kind, ("body", name), f"Input should be a valid {words}", None))
    return value


def _scope(value: object) -> str | float | bool:
    """A scope is one value, which an offer's has to equal; a list or an object equals none."""
    if not isinstance(value, str | int | float):
        raise shapeless(("string_type", ("body", "scope"), "Input should be a string, a number or a boolean", None))
    return value


def _operations(term: list[Any]) -> set[str]:
    found = {term[0]} if term and isinstance(term[0], str) else set[str]()
    for item in term[1:]:
        if isinstance(item, list):
            found |= _operations(cast("list[Any]", item))
    return found
