"""Terms to clause text, for every sort. Only admitted terms can be written.

Owns how selectors, transforms, failure plans and whole policies read; predicates and scorers are in `write_ranking.py`.
What is written is read back as a term of the same normal form.
"""

from __future__ import annotations

import json
from typing import Any, Final

from workbench.language.clause_text.spelling import (
    NAME,
    name_text,
    number_text,
    quote,
    reason_text,
    wait_text,
    word_text,
)
from workbench.language.clause_text.write_ranking import (
    LOOSE,
    MIDDLE,
    SCORER_WRITERS,
    TIGHT,
    Writer,
    Writing,
    Written,
    alone,
    word,
    written,
)
from workbench.language.vocabulary import Vocabulary

Term = list[Any]

# ---- selectors


def _link(link: dict[str, str]) -> str:
    """An entry of a chain; one that is not spelled provider and model keeps its own keys."""
    if link.keys() != {"provider", "model"}:
        return _record(link)
    provider, model = link["provider"], link["model"]
    if "/" not in provider and NAME.fullmatch(provider) and NAME.fullmatch(f"{provider}/{model}"):
        return f"{provider}/{model}"
    return f"{quote(provider)}/{quote(model)}"


def _chain(term: Term, _vocabulary: Vocabulary) -> str:
    return f"chain [{', '.join(map(_link, term[1]))}]"


def _top_k(term: Term, _vocabulary: Vocabulary) -> Writing:
    head = f"top {number_text(term[1])}"
    if term[2] == ["argmax"]:
        return Written(head, TIGHT)
    inner = yield term[2]
    return Written(f"{head} of {inner.text}", LOOSE)


def _prefer(term: Term, _vocabulary: Vocabulary) -> Writing:
    predicate = yield term[1]
    inner = yield term[2]
    return Written(f"prefer {predicate.text}, then {inner.text}", LOOSE)


# ---- failure plans

_VERBS: Final = {
    "retry_same": "retry",
    "next_candidate": "next",
    "next_provider_same_model": "same model elsewhere",
    "disable_provider": "disable provider",
    "abort": "stop",
}


def _waits(backoff: float | list[float]) -> str:
    if not isinstance(backoff, list):
        return wait_text(backoff)
    listed = ", ".join(map(wait_text, backoff))
    return listed if len(backoff) > 1 else f"[{listed}]"


def _action(action: dict[str, Any]) -> str:
    """`retry 2 after 200 ms, 600 ms, then next`; what has no words of its own comes after `with`."""
    rest = dict(action)
    verb = rest.pop("action")
    text = _VERBS[verb]
    if verb == "retry_same" and "attempts" in rest:
        text += f" {number_text(rest.pop('attempts'))}"
    if "backoff_ms" in rest:
        text += f" after {_waits(rest.pop('backoff_ms'))}"
    if "then_action" in rest:
        text += f", then {_VERBS[rest.pop('then_action')]}"
    if "open_breaker_ms" in rest:
        text += f", open breaker {wait_text(rest.pop('open_breaker_ms'))}"
    if rest:
        text += ", with " + ", ".join(f"{word_text(key)} = {number_text(rest[key])}" for key in sorted(rest))
    return text


def _plan(term: Term, _vocabulary: Vocabulary) -> str:
    """One line for each reason, the outermost override of each, in the order in which they were written."""
    handled: dict[str, dict[str, Any]] = {}
    while term[0] == "override":
        handled.setdefault(term[2], term[3])
        term = term[1]
    lines = [f"on {reason_text(reason)}: {_action(action)}" for reason, action in reversed(handled.items())]
    return "\n".join([*lines, f"otherwise: {_action(term[1])}"])


# ---- transforms


def _scalar(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return name_text(value) if isinstance(value, str) else number_text(value)


def _record(record: dict[str, Any]) -> str:
    pairs = [f"{word_text(key)}: {_scalar(value)}" for key, value in record.items()]
    return f"{{{', '.join(pairs)}}}"


def _recipe(steps: list[Any]) -> str:
    return f"[{', '.join(name_text(step) if isinstance(step, str) else _record(step or {}) for step in steps)}]"


def _seq(term: Term, _vocabulary: Vocabulary) -> Writing:
    texts: list[str] = []
    for part in term[1:]:
        step = yield part
        texts.append(step.inside(TIGHT) if len(term) > 2 else step.text)
    return Written(", ".join(texts), LOOSE)


def _when(term: Term, _vocabulary: Vocabulary) -> Writing:
    predicate = yield term[1]
    step = yield term[2]
    return Written(f"when {predicate.text}: {step.inside(TIGHT)}", TIGHT)


def _clamp_param(term: Term, _vocabulary: Vocabulary) -> str:
    return f"clamp {word_text(term[1])} {number_text(term[2])}..{number_text(term[3])}"


# ---- policies


def _policy(term: Term, _vocabulary: Vocabulary) -> Writing:
    """Every slot under its name."""
    titles = ("filter", "rank", "select", "transform", "fallback")
    parts = term[1:]
    lines: list[str] = []
    if len(parts) > len(titles):
        lines.append(f"evidence: {json.dumps(parts[0], ensure_ascii=False)}")
        parts = parts[1:]
    for title, part in zip(titles, parts, strict=True):
        slot = yield part
        lines.append(f"{title}: " + slot.text.replace("\n", "\n  "))
    return Written("\n".join(lines), LOOSE)


_EVIDENCE: Final = ("ev_zero", "ev_add", "ev_scale", "decay", "from_prov")
STEP_WRITERS: Final[dict[str, Writer]] = {
    "argmax": word("best first"),
    "ordered": word("keep order"),
    "sample": alone(lambda term, _vocabulary: f"sample {number_text(term[1])}"),
    "chain": alone(_chain),
    "top_k": _top_k,
    "prefer": _prefer,
    "always": alone(_plan),
    "override": alone(_plan),
    "id": word("unchanged"),
    "seq": _seq,
    "set_param": alone(lambda term, _vocabulary: f"set {word_text(term[1])} {_scalar(term[2])}"),
    "inject_seed": alone(lambda term, _vocabulary: f"seed as {word_text(term[1])}"),
    "clamp_param": alone(_clamp_param),
    "jitter": alone(lambda term, _vocabulary: f"jitter {word_text(term[1])} by {number_text(term[2])}"),
    "filter_text": alone(lambda term, _vocabulary: f"filter text {_recipe(term[1])}"),
    "filter_image": alone(lambda term, _vocabulary: f"filter image {_recipe(term[1])}"),
    "custom": alone(lambda term, _vocabulary: f"custom {word_text(term[1])}"),
    "when": _when,
    "policy": _policy,
    **dict.fromkeys(_EVIDENCE, alone(lambda term, _vocabulary: json.dumps(term, ensure_ascii=False))),
}
"""The writer of every operation that is no predicate and no scorer. Evidence has no words and is written as JSON."""

_WRITERS: Final = {**SCORER_WRITERS, **STEP_WRITERS}


def to_text(term: Term, vocabulary: Vocabulary) -> str:
    """The clause text of an admitted term; what it is read back as has the same normal form."""
    return written(term, vocabulary, _WRITERS).text


def selection_to_text(selector: Term, scorer: Term | None, vocabulary: Vocabulary) -> str:
    """A selector with the scorer it goes by: `top 3 by cheapest by price_out`. Without a scorer the selector alone."""
    text = to_text(selector, vocabulary)
    if scorer is None:
        return text
    return f"{text} by {written(scorer, vocabulary, _WRITERS).inside(MIDDLE)}"
