"""What a policy's ranking reads, and which way each field pushes: the proof that a flip can be searched by halves.

Between two neighbouring bounds every predicate over one field is constant, and what is left of the scorer is a sum of
parts that each rise or fall with the field. A share of a range (`normalize`) keeps the order of two offers when one of
them moves, so their difference too only rises or only falls. A share inside a sum inside a share does not promise it.

An offer that moves while two others are compared changes their difference by stretching the range, one way between the
lowest and the highest of the rest; that holds for one range over the field alone, and a range that is the whole ranking
keeps every order (`steady`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from workbench.language.admission import Admitted

Term = list[Any]

_V1_SCORES: Final = frozenset(("quality", "speed", "cost", "free_credit", "partner"))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a policy looks at one number field of an offer."""

    direction: int | None
    """1 where a larger value scores higher, -1 lower, 0 not at all; None where it may do both."""
    bounds: tuple[float, ...]
    """Where predicates over it change, ascending: in filter, gates and preferences."""


def read_by_ranking(policy: Admitted) -> tuple[str, ...]:
    """The number fields that scorer and selector look at, in name order."""
    scorer, selector = policy.slot("rank").normal, policy.slot("select").normal
    if decides_by(policy) == "score":
        return tuple(sorted({*_fields(scorer), *_compared(scorer), *_compared(selector)}))
    return tuple(sorted(set(_compared(selector))))


def decides_by(policy: Admitted) -> str:
    """What orders the survivors: `score`, `chance` (a sample), `chain`, or `order` (the catalog's)."""
    selector = policy.slot("select").normal
    while selector[0] in {"top_k", "prefer"}:
        selector = selector[2]
    return {"argmax": "score", "sample": "chance", "chain": "chain"}.get(selector[0], "order")


def shape_of(policy: Admitted, field: str) -> Shape:
    """How the policy looks at `field`."""
    parts = [policy.slot(name).normal for name in ("filter", "rank", "select")]
    bounds = {float(term[3]) for part in parts for term in _comparisons(part) if term[1] == field}
    return Shape(_direction(parts[1], field, shared=False), tuple(sorted(bounds)))


def steady(policy: Admitted, field: str) -> bool:
    """Whether an offer's `field` stretches at most one range, by its own value, in which other offers are compared."""
    ranges = [inner for inner in _ranges(policy.slot("rank").normal) if field in {*_fields(inner), *_compared(inner)}]
    return not ranges or (len(ranges) == 1 and (_alone(ranges[0]) or _whole(policy.slot("rank").normal)))


def _ranges(term: Term) -> Iterator[Term]:
    if term[0] == "normalize":
        yield term[1]
    for part in term[1:]:
        if isinstance(part, list) and part and isinstance(part[0], str):
            yield from _ranges(part)  # pyright: ignore[reportUnknownArgumentType]


def _whole(term: Term) -> bool:
    """Whether a scorer is one range, turned or stretched: however wide it is, it orders as what it ranges over."""
    while term[0] in {"neg", "scale"}:
        term = term[-1]
    return term[0] == "normalize"


def _alone(term: Term) -> bool:
    """Whether a scorer is one field, turned, stretched or held between two numbers."""
    if term[0] in {"neg", "scale", "clamp"}:
        return _alone(term[-1])
    return term[0] == "field"


def _direction(term: Term, field: str, *, shared: bool) -> int | None:
    """Which way `field` pushes the score while no predicate changes; `shared`: inside a share of a range."""
    op = term[0]
    if op == "field":
        return 1 if term[1] == field else 0
    if op in {"lit", "zero"}:
        return 0
    if op in _V1_SCORES:
        return None
    if op == "add":
        return _together([_direction(part, field, shared=shared) for part in term[1:]])
    if op == "scale":
        inner = _direction(term[2], field, shared=shared)
        return None if inner is None else inner * (1 if term[1] > 0 else -1)
    inner = _direction(term[_INNER[op]], field, shared=shared or op == "normalize")
    if op == "normalize" and shared and inner != 0:
        return None
    return -inner if op == "neg" and inner is not None else inner


_INNER: Final = {"neg": 1, "normalize": 1, "gate": 2, "clamp": 3}
"""Where the scorer inside each operation stands."""


def _together(directions: list[int | None]) -> int | None:
    if any(one is None for one in directions):
        return None
    signs = {one for one in directions if one}
    return None if len(signs) > 1 else next(iter(signs), 0)


def _fields(term: Term) -> Iterator[str]:
    if term[0] == "field":
        yield term[1]
    for part in term[1:]:
        if isinstance(part, list):
            yield from _fields(part)  # pyright: ignore[reportUnknownArgumentType]


def _comparisons(term: Any) -> Iterator[Term]:
    if term[0] == "cmp":
        yield term
        return
    for part in term[1:]:
        if isinstance(part, list) and part and isinstance(part[0], str):
            yield from _comparisons(part)  # pyright: ignore[reportUnknownArgumentType]


def _compared(term: Term) -> Iterator[str]:
    yield from (found[1] for found in _comparisons(term))
