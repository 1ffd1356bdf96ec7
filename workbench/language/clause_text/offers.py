"""What there is to offer: fields, values, operators and keywords, each with a line of meaning.

Where each may stand is `completion.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from workbench.language.clause_text.spelling import PHRASES, SUBJECTS, name_text, word_text
from workbench.language.signature import FAIL_REASONS, OPS
from workbench.language.vocabulary import UNKNOWN, Field, Vocabulary

Values = Mapping[str, Sequence[str]]


class Offer(NamedTuple):
    """Something to insert, what to show for it, and what it means."""

    text: str
    label: str
    detail: str = ""


_DETAILS: Final = {
    "_AND": "both hold",
    "_OR": "one of them holds",
    "_NOT": "the opposite",
    "IN": "one of a list",
    "NOT_IN": "none of a list",
    "IS": "equals",
    "IS_NOT": "differs from",
    "SUPPORTS": "a capability, as in `supports tools`",
    "HAS_CAPABILITY": "a capability by its whole name",
    "_IF": "0 where the clause fails; drops nobody",
    "_ELSE": "`else 0`",
    "CHEAPEST_BY": "the lowest scores highest",
    "HIGHEST_BY": "min-max over the survivors",
    "NORMALIZE": "min-max over the survivors",
    "CLAMP": "held between two numbers",
    "COMPOSITE": "a score of sigma-pol/v1",
    "PREFER": "those that match first",
    "TOP": "the first of the order",
    "BEST_FIRST": "by score",
    "KEEP_ORDER": "the order of the catalog",
    "SAMPLE": "a seeded draw, weighted by rank",
    "CHAIN": "a fixed list",
    "ON": "what happens on one kind of failure",
    "OTHERWISE": "what happens on every other failure",
    "RETRY": "the same offer again",
    "NEXT": "the next offer",
    "STOP": "give up",
    "DISABLE_PROVIDER": "no more of this provider for a while",
    "SAME_MODEL_ELSEWHERE": "the next offer of this model",
    "AFTER": "wait before it",
    "OPEN_BREAKER": "leave the provider alone for a time",
    "SET": "set a request parameter",
    "SEED_AS": "set a parameter to the seed",
    "JITTER": "move a parameter by a seeded amount",
    "FILTER_TEXT": "a directive on text, for the host",
    "FILTER_IMAGE": "a directive on images, for the host",
    "CUSTOM": "a transform that the host registered",
    "WHEN": "only where the clause holds",
    "UNCHANGED": "the request as it is",
}
_INSERTED: Final = {"NORMALIZE": "normalize(", "CLAMP": "clamp("}
_OPERATOR_DETAILS: Final = {
    "=": "equals", "!=": "differs from", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
    "in": "is one of a list", "not in": "is none of a list",
}  # fmt: skip
_PARAMETERS: Final = ("temperature", "top_p", "max_tokens", "seed")


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _field_detail(field: Field) -> str:
    sort = "number" if field.sort == "Num" else "yes or no"
    return _joined(sort, field.unit, field.meaning)


def subjects(vocabulary: Vocabulary, *, condition: bool) -> Iterator[Offer]:
    """Everything a comparison or a clause may begin with."""
    for category in vocabulary.categories.values():
        yield Offer(name_text(category.name), category.name, _joined("one of a few", category.meaning))
    if not condition:
        meanings = {"provider": "who serves it", "model": "the model family", "served_by": "the executed route"}
        for subject in SUBJECTS:
            yield Offer(subject, subject, f"name · {meanings.get(subject, ', '.join(vocabulary.tiers))}")
    for field in vocabulary.fields.values():
        if field.category is None:
            yield Offer(name_text(field.name), field.name, _field_detail(field))
    for word in ("always", "never") if condition else ("meets_req", "scope_matches", "always", "never"):
        op = {"always": "top", "never": "bot"}.get(word, word)
        yield Offer(word, word, OPS[op].meaning)


def numbers(vocabulary: Vocabulary) -> Iterator[Offer]:
    """The number fields."""
    for name in vocabulary.of_sort("Num"):
        yield Offer(name_text(name), name, _field_detail(vocabulary.fields[name]))


def names(known: Iterable[str], detail: str = "") -> Iterator[Offer]:
    """Values that are names."""
    for name in known:
        yield Offer(name_text(name), name, "not known for the offer" if name == UNKNOWN else detail)


def operators(signs: Iterable[str]) -> Iterator[Offer]:
    """Operators, with what they say."""
    for sign in signs:
        yield Offer(sign, sign, _OPERATOR_DETAILS[sign])


def keywords(terminals: Iterable[str]) -> Iterator[Offer]:
    """The keywords among the terminals of the grammar, in the order of the table."""
    wanted = set(terminals)
    for name, phrase in PHRASES.items():
        if name in wanted:
            yield Offer(_INSERTED.get(name, phrase), phrase, _DETAILS.get(name, ""))


def bindings(known: Iterable[str]) -> Iterator[Offer]:
    """`$names` of a tenant's facts."""
    for name in known:
        yield Offer(f"${name}", f"${name}", "the tenant's own value")


def words(after: str, values: Values) -> Iterator[Offer]:
    """Names that are neither fields nor values, by the keyword before them."""
    if after in ("supports", "has capability"):
        for name in values.get("capability", ()):
            rest = name.removeprefix("supports_")
            if after != "supports":
                yield Offer(word_text(name), name, "a capability")
            elif rest != name and rest:
                yield Offer(word_text(rest), rest, "a capability")
    elif after == "composite":
        yield from (Offer(op.name, op.name, op.meaning) for op in OPS.values() if op.meaning.startswith("v1 composite"))
    elif after in ("set", "seed as", "clamp", "jitter"):
        yield from (Offer(name, name, "a request parameter") for name in _PARAMETERS)


def reasons() -> Iterator[Offer]:
    """The failures that a plan may name."""
    yield from (Offer(reason, reason, "a failure") for reason in FAIL_REASONS)


def units() -> Iterator[Offer]:
    """Units of a wait."""
    yield from (
        Offer(unit, unit, meaning) for unit, meaning in (("ms", "milliseconds"), ("s", "seconds"), ("min", "minutes"))
    )
