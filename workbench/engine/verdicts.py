"""What one offer shows to one predicate, beside what the predicate needs: short plain strings, for people.

Decides nothing by itself: the verdict is the reference evaluator's. An unknown fact reads `unknown`, never 0 and never
no. The strings may hold names from outside; whoever displays them sanitises them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.engine.context import Context
from workbench.engine.pool import Pool, declared
from workbench.engine.reference import scene_of
from workbench.engine.reference.fields import (
    Candidate,
    Scene,
    averages,
    bool_field,
    family,
    provider,
    served_by,
    stated_flag,
    stated_number,
)
from workbench.engine.reference.predicates import REQUIREMENTS, needs, verdict
from workbench.engine.values import flag, number, record, text
from workbench.language.admission import Admitted
from workbench.language.signature import V1
from workbench.language.vocabulary import Vocabulary

UNKNOWN: Final = "unknown"

SIGNS: Final = {"lt": "<", "le": "<=", "eq": "=", "ne": "!=", "ge": ">=", "gt": ">"}
_OPPOSITE: Final = {"lt": "ge", "le": "gt", "eq": "ne", "ne": "eq", "ge": "lt", "gt": "le"}

Term = list[Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One predicate's verdict on one offer."""

    passed: bool
    reason: str | None
    """The conforming reason where it failed (LANGUAGE.md 6.1)."""
    subject: str
    """What is looked at: a field, a category, `provider`; empty where there is more than one."""
    observed: str
    """What the offer shows: `33`, `global`, `yes`, `unknown`."""
    needed: str
    """What the predicate needs: `<= 30 USD per million tokens`, `eu`, `yes`."""
    children: tuple[Verdict, ...] = ()


def observe(predicate: Admitted, index: int, pool: Pool, context: Context) -> Verdict:
    """The verdict of an admitted predicate on one offer of the pool, with those of its parts."""
    scene = scene_of(predicate, pool, context)
    return _observe(predicate.normal, pool.candidates[index], scene)


def plain(value: float) -> str:
    """A number as people write it, exactly."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _observe(term: Term, candidate: Candidate, scene: Scene) -> Verdict:
    reason = verdict(term, candidate, scene)
    children = _children(term, candidate, scene)
    if term[0] in {"and", "or", "meets_req"}:
        subject, observed, needed = _joined(children, " or " if term[0] == "or" else " and ")
    elif term[0] == "not":
        subject, observed, needed = children[0].subject, children[0].observed, _negated(term[1], children[0], scene)
    else:
        subject, observed, needed = _LEAVES[term[0]](term, candidate, scene)
    return Verdict(reason is None, reason, subject, observed, needed, children)


def _children(term: Term, candidate: Candidate, scene: Scene) -> tuple[Verdict, ...]:
    if term[0] in {"and", "or", "not"}:
        return tuple([_observe(child, candidate, scene) for child in term[1:]])
    return _requirements(candidate, scene) if term[0] == "meets_req" else ()


def _joined(children: Sequence[Verdict], word: str) -> tuple[str, str, str]:
    """Subject, observed and needed of several together; the subjects are named where they differ."""
    if not children:
        return "requirements", "none", "none"
    subjects = {child.subject for child in children}
    if len(subjects) == 1 and "" not in subjects:
        wanted = tuple(dict.fromkeys(child.needed for child in children))
        together = "one of " + ", ".join(wanted) if word == " or " and len(wanted) > 1 else word.join(wanted)
        return subjects.pop(), children[0].observed, together
    observed = "; ".join(dict.fromkeys(_named(child, child.observed) for child in children))
    return "", observed, word.join(dict.fromkeys(_named(child, child.needed) for child in children))


def _named(child: Verdict, words: str) -> str:
    return f"{child.subject} {words}".strip()


def _negated(term: Term, child: Verdict, scene: Scene) -> str:
    if term[0] == "cmp":
        return _needed(term[1], _OPPOSITE[term[2]], term[3], scene.vocabulary)
    if child.needed == "yes":
        return "no"
    if child.needed.startswith("one of "):
        return "none of " + child.needed.removeprefix("one of ")
    return f"not ({child.needed})" if child.children else f"not {child.needed}"


def _needed(name: str, relation: str, bound: float, vocabulary: Vocabulary) -> str:
    return f"{SIGNS[relation]} {plain(float(bound))} {declared(vocabulary, name).unit}".rstrip()


def _yes(value: bool | None) -> str:
    return UNKNOWN if value is None else "yes" if value else "no"


def _shown(value: str | None) -> str:
    return UNKNOWN if value is None else value


def _top(_term: Term, _candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "", "anything", "anything"


def _bot(_term: Term, _candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "", "anything", "nothing passes"


def _cmp(term: Term, candidate: Candidate, scene: Scene) -> tuple[str, str, str]:
    _, name, relation, bound = term
    return name, number_shown(name, candidate, scene), _needed(name, relation, bound, scene.vocabulary)


def number_shown(name: str, candidate: Candidate, scene: Scene) -> str:
    """A number field of one candidate; `unknown` where neither candidate nor state has it."""
    value = stated_number(name, candidate, scene)
    return UNKNOWN if value is None else plain(value)


def _is(term: Term, candidate: Candidate, scene: Scene) -> tuple[str, str, str]:
    name = term[1]
    known = declared(scene.vocabulary, name)
    if known.category is not None:
        return known.category, category_shown(known.category, candidate, scene), str(known.value)
    return name, _yes(stated_flag(name, candidate, scene)), "yes"


def category_shown(name: str, candidate: Candidate, scene: Scene) -> str:
    """The values of a category that a candidate has, `unknown` where it has none."""
    category = scene.vocabulary.categories[name]
    held = [value for value in category.values if bool_field(category.field_name(value), candidate, scene)]
    return ", ".join(held) or UNKNOWN


def _tier_eq(term: Term, candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "tier", _shown(text(candidate.get("tier"))), term[1]


def _min_tier(term: Term, candidate: Candidate, scene: Scene) -> tuple[str, str, str]:
    highest = scene.vocabulary.tiers[-1:] == (term[1],)
    return "tier", _shown(text(candidate.get("tier"))), term[1] if highest else f"{term[1]} or higher"


def _family_eq(term: Term, candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "model", _shown(family(candidate)), term[1]


def _provider_eq(term: Term, candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "provider", _shown(provider(candidate)), term[1]


def _served_by_eq(term: Term, candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return "served by", _shown(served_by(candidate)), term[1]


def _has_cap(term: Term, candidate: Candidate, _scene: Scene) -> tuple[str, str, str]:
    return term[1], _yes(flag(record(candidate.get("capabilities")).get(term[1]))), "yes"


def _scope(_term: Term, candidate: Candidate, scene: Scene) -> tuple[str, str, str]:
    own, wanted = candidate.get("scope"), scene.context.request.get("scope")
    return "scope", "none" if own is None else str(own), "none" if wanted is None else f"none or {wanted}"


def _requirements(candidate: Candidate, scene: Scene) -> tuple[Verdict, ...]:
    """The request's own requirements one by one, in the order in which they are tried; those it lacks are left out."""
    found: list[Verdict] = []
    for need in needs(scene.context):
        held = flag(record(candidate.get("capabilities")).get(f"supports_{need}"))
        reason = None if held else f"missing_capability:{need}"
        found.append(Verdict(reason is None, reason, f"supports_{need}", _yes(held), "yes"))
    for name, fails in REQUIREMENTS:
        shown = _REQUIRED[name](candidate, scene)
        if shown is not None:
            failed = fails(candidate, scene)
            found.append(Verdict(not failed, name if failed else None, *shown))
    return tuple(found)


_Shown = tuple[str, str, str] | None
"""Subject, observed and needed of one requirement; None where the request does not make it."""


def _least(key: str, subject: str, own: Callable[[Candidate, Scene], object]) -> Callable[[Candidate, Scene], _Shown]:
    def shown(candidate: Candidate, scene: Scene) -> _Shown:
        least, value = number(scene.context.requirements.get(key)), number(own(candidate, scene))
        if least is None:
            return None
        return subject, UNKNOWN if value is None else plain(value), f">= {plain(least)}"

    return shown


def _equal(key: str, subject: str) -> Callable[[Candidate, Scene], _Shown]:
    def shown(candidate: Candidate, scene: Scene) -> _Shown:
        wanted = text(scene.context.requirements.get(key))
        return None if wanted is None else (subject, _shown(text(candidate.get(key))), wanted)

    return shown


def _private(value: str, needed: str) -> Callable[[Candidate, Scene], _Shown]:
    def shown(candidate: Candidate, scene: Scene) -> _Shown:
        if scene.context.requirements.get("privacy") != value:
            return None
        tee, quiet = flag(candidate.get("has_tee")), flag(candidate.get("no_log"))
        observed = f"no_log {_yes(quiet)}, has_tee {_yes(tee)}" if value == "no_log" else f"has_tee {_yes(tee)}"
        return "privacy", observed, needed

    return shown


def _context(candidate: Candidate, _scene: Scene) -> object:
    return record(candidate.get("capabilities")).get("context")


def _quality(candidate: Candidate, _scene: Scene) -> object:
    return candidate.get("quality_hint")


def _speed(candidate: Candidate, scene: Scene) -> object:
    return averages(candidate, scene).get("ema_tok_s") if scene.version == V1 else candidate.get("tok_s")


_REQUIRED: Final[dict[str, Callable[[Candidate, Scene], _Shown]]] = {
    "min_context": _least("min_context", "context", _context),
    "model_family": _equal("model_family", "model"),
    "tier": _equal("tier", "tier"),
    "tee_required": _private("tee_required", "has_tee"),
    "no_log": _private("no_log", "no_log or has_tee"),
    "min_quality": _least("min_quality", "quality_hint", _quality),
    "min_tok_s": _least("min_tok_s", "tok_s", _speed),
}

_LEAVES: Final[dict[str, Callable[[Term, Candidate, Scene], tuple[str, str, str]]]] = {
    "top": _top,
    "bot": _bot,
    "is": _is,
    "cmp": _cmp,
    "tier_eq": _tier_eq,
    "min_tier": _min_tier,
    "family_eq": _family_eq,
    "provider_eq": _provider_eq,
    "served_by_eq": _served_by_eq,
    "has_cap": _has_cap,
    "scope_matches": _scope,
}
