"""The smallest change to one clause with which it would admit a given offer, as a new term.

Walks the clause's normal form: of an `and` every failing part must change, of an `or` one part is enough, a `not` turns
the question round. A list of names grows or shrinks by the offer's own; a comparison moves to the offer's exact value.
Refuses to touch what only a request can satisfy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.engine.context import Context
from workbench.engine.pool import Pool, declared
from workbench.engine.reference import scene_of
from workbench.engine.reference.fields import Candidate, Scene, family, provider, served_by
from workbench.engine.reference.fields import number_field as number_of
from workbench.engine.reference.predicates import level, tier, verdict
from workbench.errors import AdmissionError
from workbench.language.admission import Admitted, Term, check

Kind = Literal["threshold", "member", "dropped"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a clause that must say something else."""

    kind: Kind
    """A comparison's number, a name in a list, or a part that can only be left out."""
    before: Term
    after: Term
    """`top` or `bot` where the part is left out."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A clause changed as little as admits the offer."""

    term: Admitted
    """The whole clause after the change; `top` where nothing of it is left."""
    parts: tuple[Part, ...]
    """What changed, in the order of the normal form."""


_Fix = tuple[Term, tuple[Part, ...]]
"""A term after its change, and what changed."""

_NAMES: Final = {"provider_eq": provider, "family_eq": family, "served_by_eq": served_by}
_REQUEST: Final = frozenset(("meets_req", "scope_matches"))
_TOP: Final[Term] = ["top"]
_BOT: Final[Term] = ["bot"]


def repair(clause: Admitted, index: int, pool: Pool, context: Context) -> Repair | None:
    """The least change of `clause` with which the offer at `index` passes it; None where the request alone decides.

    A clause that the offer passes already comes back as it is, with no parts.
    """
    scene = scene_of(clause, pool, context)
    fixed = _fix(clause.normal, True, pool.candidates[index], scene)
    if fixed is None:
        return None
    try:
        return Repair(check(fixed[0], pool.vocabulary, version=clause.version, sort="Pred"), fixed[1])
    except AdmissionError:  # a clause that is as deep, or as long, as one may be
        return None


def _fix(term: Term, wanted: bool, candidate: Candidate, scene: Scene) -> _Fix | None:
    if (verdict(term, candidate, scene) is None) is wanted:
        return term, ()
    op = term[0]
    if op == "not":
        inner = _fix(term[1], not wanted, candidate, scene)
        return None if inner is None else (["not", inner[0]], inner[1])
    if op in {"and", "or"}:
        every = (op == "and") is wanted
        return _fix_every(term, wanted, candidate, scene) if every else _fix_one(term, wanted, candidate, scene)
    if op in _REQUEST:
        return None
    return _fix_leaf(term, wanted, candidate, scene)


def _fix_every(term: Term, wanted: bool, candidate: Candidate, scene: Scene) -> _Fix | None:
    children: list[Term] = []
    parts: tuple[Part, ...] = ()
    for child in term[1:]:
        fixed = _fix(child, wanted, candidate, scene)
        if fixed is None:
            return None
        if fixed[0] not in (_TOP, _BOT) or not fixed[1]:
            children.append(fixed[0])
        parts += fixed[1]
    if not children:
        return (_TOP if wanted else _BOT), parts
    return (children[0] if len(children) == 1 else [term[0], *children]), parts


def _fix_one(term: Term, wanted: bool, candidate: Candidate, scene: Scene) -> _Fix | None:
    """The cheapest part to change; of equal ones a name added to a list, then the one that comes first."""
    best: tuple[int, int, _Fix] | None = None
    for place, child in enumerate(term[1:], 1):
        fixed = _fix(child, wanted, candidate, scene)
        if fixed is None:
            continue
        merged = _merged(term, place, fixed[0])
        rank = (len(fixed[1]), _dearness(fixed[1]), (merged, fixed[1]))
        if best is None or rank[:2] < best[:2]:
            best = rank
    return None if best is None else best[2]


def _merged(term: Term, place: int, changed: Term) -> Term:
    """The `or` (or `and`) with one child changed; a list that grew stays one list."""
    children = list(term[1:])
    if changed[0] == term[0]:
        children[place - 1 : place] = changed[1:]
    else:
        children[place - 1] = changed
    return [term[0], *children]


_DEARNESS: Final[dict[Kind, int]] = {"member": 0, "threshold": 1, "dropped": 2}


def _dearness(parts: tuple[Part, ...]) -> int:
    return max((_DEARNESS[part.kind] for part in parts), default=0)


def _fix_leaf(term: Term, wanted: bool, candidate: Candidate, scene: Scene) -> _Fix:
    op = term[0]
    if op == "cmp":
        bound = _bound(term[2], wanted, number_of(term[1], candidate, scene))
        if bound is None:
            return _dropped(term, wanted)
        changed = [*term[:3], bound]
        return changed, (Part("threshold", term, changed),)
    own = _own(term, candidate, scene)
    if wanted and own is not None:
        return ["or", term, own], (Part("member", term, own),)
    if op == "min_tier":
        return _fix_tier(term, wanted, candidate, scene)
    if not wanted and (own is not None or op == "tier_eq"):
        return _BOT, (Part("member", term, _BOT),)
    return _dropped(term, wanted)


def _dropped(term: Term, wanted: bool) -> _Fix:
    nothing = _TOP if wanted else _BOT
    return nothing, (Part("dropped", term, nothing),)


def _own(term: Term, candidate: Candidate, scene: Scene) -> Term | None:
    """The leaf that names what the offer has where `term` names another: its provider, its region, ..."""
    op = term[0]
    if op in _NAMES:
        name = _NAMES[op](candidate)
        return None if name is None else [op, name]
    if op == "tier_eq":
        return [op, tier(candidate)] if tier(candidate) in scene.vocabulary.tiers else None
    if op == "is":
        category = declared(scene.vocabulary, term[1]).category
        return None if category is None else next(_categories(category, candidate, scene), None)
    return None


def _categories(category: str, candidate: Candidate, scene: Scene) -> Iterator[Term]:
    known = scene.vocabulary.categories[category]
    for value in known.values:
        leaf = ["is", known.field_name(value)]
        if verdict(leaf, candidate, scene) is None:
            yield leaf


def _fix_tier(term: Term, wanted: bool, candidate: Candidate, scene: Scene) -> _Fix:
    order = scene.vocabulary.tiers
    at = level(tier(candidate), order)
    names = [name for name in order if (level(name, order) <= at) is wanted]
    if not names:
        return _dropped(term, wanted)
    changed = ["min_tier", names[-1] if wanted else names[0]]
    return changed, (Part("threshold", term, changed),)


def _bound(relation: str, wanted: bool, value: float) -> float | int | None:
    """The bound nearest to the present one with which `value relation bound` is `wanted`; None where there is none."""
    effective = relation if wanted else _OPPOSITE[relation]
    if effective in {"le", "ge", "eq"}:
        bound = value
    elif effective == "lt":
        bound = math.nextafter(value, math.inf)
    elif effective == "gt":
        bound = math.nextafter(value, -math.inf)
    else:
        return None
    if not math.isfinite(bound):
        return None
    return int(bound) if bound.is_integer() and abs(bound) < 2**53 else bound


_OPPOSITE: Final = {"lt": "ge", "le": "gt", "eq": "ne", "ne": "eq", "ge": "lt", "gt": "le"}


def leaves(term: Any) -> Iterator[Term]:
    """Every part of a predicate that is no connective."""
    if term[0] in {"and", "or", "not"}:
        for child in term[1:]:
            yield from leaves(child)
    else:
        yield term
