"""How a rejection is worded: the closed list of codes, the user's words made safe to show, suggestions, paths.

A `Refusal` travels inside the language only; `finding` turns it into what callers see.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

from workbench.boundary.sanitiser import confusable, one_line
from workbench.errors import Finding, Place
from workbench.language.signature import MAX_NODES, Op

Code = Literal[
    "action", "arity", "chain", "count", "depth", "envelope", "field", "flow", "name", "nodes", "null", "number",
    "op", "recipe", "relation", "scalar", "shape", "size", "sort", "string", "surrogate", "tier", "value",
]  # fmt: skip
CODES: Final[tuple[str, ...]] = get_args(Code)
"""Every code that an admission finding can carry."""

_SHOWN: Final = 80
_SUGGEST_UP_TO: Final = 64
"""A longer name is no slip of the finger, and comparing it costs time."""


class Refusal(Exception):
    """One reason to refuse, raised where it is found; the steps to that place are added on the way out."""

    def __init__(self, code: Code, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.code: Code = code
        self.reason = reason
        self.hint = hint
        self.trail: list[str] = []
        """Innermost step first."""

    def at(self, step: str) -> Refusal:
        """The same refusal, one step further from the root."""
        self.trail.append(step)
        return self

    def finding(self) -> Finding:
        """What the caller sees."""
        path = "$" + "".join(reversed(self.trail))
        return Finding(self.reason, self.code, Place(path=path), self.hint)


def shown(text: str, limit: int = _SHOWN) -> str:
    """The user's word in single quotes, cut, with nothing in it that a terminal could act on."""
    return f"'{one_line(text, limit=limit)}'"


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "a record"
        case _:
            return f"a Python {type(value).__name__}"[:_SHOWN]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known name, or None."""
    if len(name) > _SUGGEST_UP_TO:
        return None
    known = tuple(known)
    double = None if name.isascii() else confusable(name, known)
    if double is not None:
        return f"it looks like '{double}', but has other letters"
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.65)
    return f"did you mean '{by_folded[near[0]]}'?" if near else None


def null() -> Refusal:
    """A null is never a value in a term: a host that dropped it would lose a clause."""
    return Refusal("null", "null is not allowed in a term")


def no_term(term: Any, sort: str | None) -> Refusal:
    """Something stands where a term should."""
    if term is None:
        return null()
    wanted = f"a {sort} term" if sort else "a term"
    found = "an empty list" if type(term) is list else kind_of(term)
    return Refusal("shape", f"expected {wanted} [op, ...], got {found}")


def miscounted(op: Op, kinds: tuple[str, ...], items: list[Any]) -> Refusal:
    """An operation, `items[0]`, with the wrong number of arguments; a null among them is said first."""
    given = len(items) - 1
    for index, arg in enumerate(items[: MAX_NODES + 1]):
        if arg is None:
            return null().at(f".{op.name}[{index}]")
    if op.variadic:
        return Refusal("arity", f"{op.name} takes at least 1 argument(s), got 0")
    form = f"[{', '.join([op.name, *kinds])}]"
    return Refusal("arity", f"{op.name} takes {len(kinds)} argument(s), got {given}", f"write {form}")
