"""Predicates as masks over the whole pool, and the sieve that gives every candidate its conforming reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from workbench.engine.columnar.columns import Mask
from workbench.engine.columnar.view import View
from workbench.engine.decision import Codes
from workbench.engine.reference.predicates import RELATIONS, level, needs
from workbench.engine.values import number, same, text
from workbench.language.signature import V1

Term = list[Any]
_BYTE: Final = 255
"""Most checks that codes of one byte can tell apart, the survivors being one more."""

Check = tuple[Mask, str]
"""Where it holds, and the reason where it does not."""


def holds(term: Term, view: View) -> Mask:
    """Where the predicate holds. The mask may be a kept one: do not write to it."""
    key = view.key(term)
    if key is None:
        return MASKS[term[0]](term, view)
    kept = view.columns.kept(key)
    return view.columns.keep(key, MASKS[term[0]](term, view)) if kept is None else kept


def sift(term: Term, view: View) -> tuple[Codes, tuple[str, ...], Mask]:
    """Per candidate how many checks in a row held; the checks' reasons; the mask of the survivors.

    A code is the place of the first check that failed, which is the conforming reason; `len(reasons)` is a survivor.
    """
    checks = list(_checks(term, view))
    alive = checks[0][0].copy() if checks else _top(term, view)
    step = alive.view(np.uint8)
    codes: Codes = step.copy() if len(checks) <= _BYTE else step.astype(np.uint16)
    for mask, _ in checks[1:]:
        np.logical_and(alive, mask, alive)
        np.add(codes, step, codes)
    if not checks:
        codes[:] = 0
    return codes, tuple([reason for _, reason in checks]), alive


def _checks(term: Term, view: View) -> Iterator[Check]:
    """What is tried one after the other: the children of an `and`, and of the request's requirements each one."""
    for child in term[1:] if term[0] == "and" else (term,):
        if child[0] == "meets_req":
            yield from requirements(view)
        elif child[0] != "top":
            yield holds(child, view), REASONS[child[0]](child)


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
}
"""The conforming reasons of what may stand on its own in a filter; `and` has none, and `meets_req` several."""
