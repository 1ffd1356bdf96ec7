"""Predicates and their reasons (LANGUAGE.md 6.1, 6.2): each function gives None where it holds, else the reason."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from workbench.engine.context import Context
from workbench.engine.reference.fields import (
    Candidate,
    Scene,
    averages,
    bool_field,
    family,
    has_capability,
    number_field,
    provider,
    served_by,
)
from workbench.engine.values import flag, items, number, record, same, text
from workbench.language.signature import V1

Term = list[Any]
Observer = Callable[[Term, Candidate, Scene], str | None]

RELATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "lt": operator.lt, "le": operator.le, "eq": operator.eq, "ne": operator.ne, "ge": operator.ge, "gt": operator.gt,
}  # fmt: skip

NEEDS: Final = ("vision", "tools", "json_mode", "seed")
"""The needs that mean something, in the order in which a failing one is named."""


def verdict(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    """None where the predicate holds, else its conforming reason."""
    return PREDICATES[term[0]](term, candidate, scene)


def _top(_term: Term, _candidate: Candidate, _scene: Scene) -> None:
    return None


def _bot(_term: Term, _candidate: Candidate, _scene: Scene) -> str:
    return "bot"


def _and(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    for child in term[1:]:
        reason = verdict(child, candidate, scene)
        if reason is not None:
            return reason
    return None


def _or(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    return None if any(verdict(child, candidate, scene) is None for child in term[1:]) else "or"


def _not(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    return "not" if verdict(term[1], candidate, scene) is None else None


def _is(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    return None if bool_field(term[1], candidate, scene) else f"is:{term[1]}"


def _cmp(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    _, name, relation, bound = term
    holds = RELATIONS[relation](number_field(name, candidate, scene), float(bound))
    return None if holds else f"cmp:{name}:{relation}"


def _tier_eq(term: Term, candidate: Candidate, _scene: Scene) -> str | None:
    return None if tier(candidate) == term[1] else "tier"


def _min_tier(term: Term, candidate: Candidate, scene: Scene) -> str | None:
    order = scene.vocabulary.tiers
    return None if level(tier(candidate), order) >= level(term[1], order) else "min_tier"


def _family_eq(term: Term, candidate: Candidate, _scene: Scene) -> str | None:
    return None if family(candidate) == term[1] else "model_family"


def _provider_eq(term: Term, candidate: Candidate, _scene: Scene) -> str | None:
    return None if provider(candidate) == term[1] else "provider_id"


def _served_by_eq(term: Term, candidate: Candidate, _scene: Scene) -> str | None:
    return None if served_by(candidate) == term[1] else "served_by"


def _has_cap(term: Term, candidate: Candidate, _scene: Scene) -> str | None:
    return None if has_capability(candidate, term[1]) else f"missing_capability:{term[1]}"


def _scope_matches(_term: Term, candidate: Candidate, scene: Scene) -> str | None:
    scope = candidate.get("scope")
    return None if scope is None or same(scope, scene.context.request.get("scope")) else "scope"


def tier(candidate: Candidate) -> str:
    """The tier, which reads `fallback` where there is none."""
    own = text(candidate.get("tier"))
    return "fallback" if own is None else own


def level(name: str, order: tuple[str, ...]) -> int:
    """A tier's place in the order, below all where it is not in it."""
    return order.index(name) if name in order else -1


def needs(context: Context) -> tuple[str, ...]:
    """What the request needs of a model, in the order in which a failing need is named."""
    request = context.request
    wanted = {need for need in items(context.requirements.get("needs")) if isinstance(need, str)}
    if items(request.get("images")):
        wanted.add("vision")
    if items(request.get("tools")):
        wanted.add("tools")
    if record(request.get("response_format")).get("type") == "json_object":
        wanted.add("json_mode")
    return tuple(need for need in NEEDS if need in wanted)


def _meets_req(_term: Term, candidate: Candidate, scene: Scene) -> str | None:
    for need in needs(scene.context):
        if not has_capability(candidate, f"supports_{need}"):
            return f"missing_capability:{need}"
    for name, fails in REQUIREMENTS:
        if fails(candidate, scene):
            return name
    return None


def _lacks_context(candidate: Candidate, scene: Scene) -> bool:
    least = number(scene.context.requirements.get("min_context"))
    own = number(record(candidate.get("capabilities")).get("context"))
    return least is not None and least > (own or 0.0)


def _other_family(candidate: Candidate, scene: Scene) -> bool:
    wanted = text(scene.context.requirements.get("model_family"))
    return wanted is not None and wanted != family(candidate)


def _other_tier(candidate: Candidate, scene: Scene) -> bool:
    wanted = text(scene.context.requirements.get("tier"))
    return wanted is not None and wanted != text(candidate.get("tier"))


def _lacks_tee(candidate: Candidate, scene: Scene) -> bool:
    return scene.context.requirements.get("privacy") == "tee_required" and not flag(candidate.get("has_tee"))


def _may_log(candidate: Candidate, scene: Scene) -> bool:
    private = flag(candidate.get("no_log")) or flag(candidate.get("has_tee"))
    return scene.context.requirements.get("privacy") == "no_log" and not private


def _lacks_quality(candidate: Candidate, scene: Scene) -> bool:
    least = number(scene.context.requirements.get("min_quality"))
    return least is not None and least > (number(candidate.get("quality_hint")) or 0.0)


def _lacks_speed(candidate: Candidate, scene: Scene) -> bool:
    least = number(scene.context.requirements.get("min_tok_s"))
    if least is None:
        return False
    if scene.version == V1:
        measured = number(averages(candidate, scene).get("ema_tok_s"))
        return measured is None or least > measured
    return least > (number(candidate.get("tok_s")) or 0.0)


REQUIREMENTS: Final[tuple[tuple[str, Callable[[Candidate, Scene], bool]], ...]] = (
    ("min_context", _lacks_context),
    ("model_family", _other_family),
    ("tier", _other_tier),
    ("tee_required", _lacks_tee),
    ("no_log", _may_log),
    ("min_quality", _lacks_quality),
    ("min_tok_s", _lacks_speed),
)
"""The requirements after the needs, in the order in which they are tried: reason and failure."""

PREDICATES: Final[dict[str, Observer]] = {
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
