"""Predicates as masks over the whole pool, and the sieve that gives every candidate its conforming reason."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.engine.columnar.columns import Coded, Columns
from workbench.engine.columnar.memory import Mask
from workbench.engine.columnar.view import View, frozen, swayed_by
from workbench.engine.decision import Codes
from workbench.engine.reference.predicates import RELATIONS, level, needs
from workbench.engine.values import number, same, text
from workbench.language.signature import V1, Version

Term = list[Any]
_BYTE: Final = 255
"""Most checks that codes of one byte can tell apart, the survivors being one more."""

Check = tuple[Mask, str]
"""Where it holds, and the reason where it does not."""


def holds(term: Term, view: View) -> Mask:
    """Where the predicate holds. The mask may be a kept one: do not write to it."""
    key = view.key(term)
    if key is None:
        return _mask(term, view)
    kept = view.columns.memory.kept(key)
    return view.columns.memory.keep(key, _mask(term, view)) if kept is None else kept


@dataclass(frozen=True, slots=True)
class Step:
    """One child of a filter, with all that can be known of it before a pool or a context is met."""

    term: Term
    reason: str
    """Its conforming reason; `meets_req` has several, and brings its own."""
    key: Hashable
    swayed_by: frozenset[str]


def plan(term: Term, version: Version) -> tuple[Step, ...]:
    """What a filter tries one after the other."""
    children = term[1:] if term[0] == "and" else [term]
    return tuple(
        Step(child, REASONS[child[0]](child), (version, frozen(child)), swayed_by(child))
        for child in children
        if child[0] != "top"
    )


def sift(steps: Sequence[Step], view: View) -> tuple[Codes, tuple[str, ...], Mask]:
    """Per candidate how many checks in a row held; the checks' reasons; the mask of the survivors.

    A code is the place of the first check that failed, which is the conforming reason; `len(reasons)` is a survivor.
    """
    checks = list(_checks(steps, view))
    if not checks:
        return np.zeros(view.columns.size, dtype=np.uint8), (), _top([], view)
    alive = checks[0][0].copy()
    step = alive.view(np.uint8)
    codes: Codes = step.copy() if len(checks) <= _BYTE else step.astype(np.uint16)
    for mask, _ in checks[1:]:
        np.logical_and(alive, mask, alive)
        np.add(codes, step, codes)
    return codes, tuple([reason for _, reason in checks]), alive


def _checks(steps: Sequence[Step], view: View) -> Iterator[Check]:
    for step in steps:
        if step.term[0] == "meets_req":
            yield from requirements(view)
        elif view.live.isdisjoint(step.swayed_by):
            kept = view.columns.memory.kept(step.key)
            yield view.columns.memory.keep(step.key, _mask(step.term, view)) if kept is None else kept, step.reason
        else:
            yield _mask(step.term, view), step.reason


def _mask(term: Term, view: View) -> Mask:
    return MASKS[term[0]](term, view)


def requirements(view: View) -> Iterator[Check]:
    """The request's requirements in the order in which they are tried; those it does not make are left out."""
    columns = view.columns
    wanted = view.context.requirements
    for need in needs(view.context):
        yield columns.capability(f"supports_{need}"), f"missing_capability:{need}"
    if not wanted:
        return
    if (least := number(wanted.get("min_context"))) is not None:
        yield columns.or_zero("context") >= least, "min_context"
    if (family := text(wanted.get("model_family"))) is not None:
        yield columns.family().equal(family), "model_family"
    if (tier := text(wanted.get("tier"))) is not None:
        yield columns.tier().equal(tier), "tier"
    if wanted.get("privacy") == "tee_required":
        yield columns.holds("has_tee"), "tee_required"
    if wanted.get("privacy") == "no_log":
        yield columns.holds("no_log") | columns.holds("has_tee"), "no_log"
    if (least := number(wanted.get("min_quality"))) is not None:
        yield columns.or_zero("quality_hint") >= least, "min_quality"
    if (least := number(wanted.get("min_tok_s"))) is not None:
        speed = view.averages("ema_tok_s") if view.version == V1 else columns.or_zero("tok_s")
        yield speed >= least, "min_tok_s"


def _top(_term: Term, view: View) -> Mask:
    return np.ones(view.columns.size, dtype=np.bool_)


def _bot(_term: Term, view: View) -> Mask:
    return np.zeros(view.columns.size, dtype=np.bool_)


def _and(term: Term, view: View) -> Mask:
    mask = holds(term[1], view).copy()
    for child in term[2:]:
        np.logical_and(mask, holds(child, view), out=mask)
    return mask


def _or(term: Term, view: View) -> Mask:
    named = _NAMED.get(term[1][0])
    if named is not None and all(child[0] == term[1][0] for child in term[2:]):
        return named(view.columns).among([child[1] for child in term[1:]])  # a list of names: one look at the column
    mask = holds(term[1], view).copy()
    for child in term[2:]:
        np.logical_or(mask, holds(child, view), out=mask)
    return mask


def _not(term: Term, view: View) -> Mask:
    return np.logical_not(holds(term[1], view))


def _is(term: Term, view: View) -> Mask:
    return view.flags(term[1]).view()


def _cmp(term: Term, view: View) -> Mask:
    return RELATIONS[term[2]](view.numbers(term[1]), float(term[3]))


def _tier_eq(term: Term, view: View) -> Mask:
    tiers = view.tiers()
    return tiers.where([_tier(tier) == term[1] for tier in tiers.values])


def _min_tier(term: Term, view: View) -> Mask:
    order, tiers = view.columns.vocabulary.tiers, view.tiers()
    least = level(term[1], order)
    return tiers.where([level(_tier(tier), order) >= least for tier in tiers.values])


def _tier(stated: str | None) -> str:
    return "fallback" if stated is None else stated


def _family_eq(term: Term, view: View) -> Mask:
    return view.columns.family().equal(term[1])


def _provider_eq(term: Term, view: View) -> Mask:
    return view.columns.provider().equal(term[1])


def _served_by_eq(term: Term, view: View) -> Mask:
    return view.columns.served_by().equal(term[1])


def _has_cap(term: Term, view: View) -> Mask:
    return view.columns.capability(term[1]).view()


def _meets_req(_term: Term, view: View) -> Mask:
    mask = np.ones(view.columns.size, dtype=np.bool_)
    for check, _ in requirements(view):
        np.logical_and(mask, check, out=mask)
    return mask


def _scope_matches(_term: Term, view: View) -> Mask:
    scopes = view.columns.scope()
    wanted = view.context.request.get("scope")
    return scopes.where([scope is None or same(scope[1], wanted) for scope in scopes.values])


_NAMED: Final[dict[str, Callable[[Columns], Coded]]] = {
    "provider_eq": Columns.provider,
    "family_eq": Columns.family,
    "served_by_eq": Columns.served_by,
}

MASKS: Final[dict[str, Callable[[Term, View], Mask]]] = {
    "top": _top,
    "bot": _bot,
    "and": _and,
    "or": _or,
    "not": _not,
    "is": _is,
    "cmp": _cmp,
    "tier_eq": _tier_eq,
    "min_tier": _min_tier,
    "family_eq": _family_eq,
    "provider_eq": _provider_eq,
    "served_by_eq": _served_by_eq,
    "has_cap": _has_cap,
    "meets_req": _meets_req,
    "scope_matches": _scope_matches,
}

REASONS: Final[dict[str, Callable[[Term], str]]] = {
    "bot": lambda _: "bot",
    "or": lambda _: "or",
    "not": lambda _: "not",
    "is": lambda term: f"is:{term[1]}",
    "cmp": lambda term: f"cmp:{term[1]}:{term[2]}",
    "tier_eq": lambda _: "tier",
    "min_tier": lambda _: "min_tier",
    "family_eq": lambda _: "model_family",
    "provider_eq": lambda _: "provider_id",
    "served_by_eq": lambda _: "served_by",
    "has_cap": lambda term: f"missing_capability:{term[1]}",
    "scope_matches": lambda _: "scope",
    "meets_req": lambda _: "",
}
"""The conforming reasons of what may stand on its own in a filter; `meets_req` brings its own."""
