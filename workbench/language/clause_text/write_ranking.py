"""Predicates and scorers as text. What is written is read back as a term of the same normal form.

Each writer is a generator that yields the sub-terms whose text it needs and returns its own text and how tightly that
binds; `written` drives them without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple, cast

from workbench.language.clause_text.spelling import SIGNS, SUBJECTS, name_text, number_text, word_text
from workbench.language.vocabulary import Vocabulary

Term = list[Any]

LOOSE: Final = 0
"""`or`; a gated score."""
MIDDLE: Final = 1
"""`and`; `cheapest by ...`."""
TIGHT: Final = 2
"""`not`; a sum."""
FACTOR: Final = 3
"""A product."""
ATOM: Final = 4


class Written(NamedTuple):
    """A text and how tightly it binds."""

    text: str
    binds: int
    call: str | None = None
    """Another spelling, for where the first would need parentheses: `normalize(x)` for `highest by x`."""

    def inside(self, binds: int) -> str:
        """The text where something that binds this tightly stands, in parentheses where it must be."""
        if self.binds >= binds:
            return self.text
        return self.call or f"({self.text})"

    @property
    def argument(self) -> str:
        """The text between parentheses or commas."""
        return self.call or self.text


Writing = Generator[Term, Written, Written]
Writer = Callable[[Term, Vocabulary], Writing]

_NAMES: Final = {op: subject for subject, op in SUBJECTS.items()}
_CAPABILITY_PREFIX: Final = "supports_"
_MONEY: Final = ("USD", "EUR", "$")


def written(term: Term, vocabulary: Vocabulary, writers: dict[str, Writer]) -> Written:
    """The text of `term`, by the writer of each operation."""
    stack: list[Writing] = [writers[term[0]](term, vocabulary)]
    result: Written | None = None
    while stack:
        try:
            wanted = next(stack[-1]) if result is None else stack[-1].send(result)
        except StopIteration as done:
            stack.pop()
            result = done.value
        else:
            stack.append(writers[wanted[0]](wanted, vocabulary))
            result = None
    if result is None:
        raise AssertionError("a writer returned nothing")
    return result


# ---- predicates


def _plain(term: Term) -> Term:
    """A term without the `and`, `or` and `add` around it that join nothing."""
    while term[0] in ("and", "or", "add") and len(term) == 2:
        term = term[1]
    return term


def spliced(term: Term) -> list[Term]:
    """The children of `and`, `or`, `add` with those of nested ones in their place, as the normal form has them."""
    found: list[Term] = []
    work: list[Term] = [term]
    while work:
        part = _plain(work.pop())
        if part[0] == term[0]:
            work.extend(reversed(part[1:]))
        else:
            found.append(part)
    return found


def _equality(term: Term, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Subject and value, as text, where the term says that one equals the other."""
    if term[0] in _NAMES:
        return _NAMES[term[0]], name_text(term[1])
    if term[0] == "is":
        field = vocabulary.fields.get(term[1])
        if field is not None and field.category and field.value is not None and field.category in vocabulary.categories:
            return name_text(field.category), name_text(field.value)
    return None


def _choice(term: Term, vocabulary: Vocabulary) -> tuple[str, list[str]] | None:
    """Subject and values, as text, where the term says that the subject is one of them."""
    parts = [_equality(part, vocabulary) for part in spliced(term)]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or len({subject for subject, _ in found}) != 1:
        return None
    return found[0][0], [value for _, value in found]


def alone(text: Callable[[Term, Vocabulary], str]) -> Writer:
    """The writer of an operation without sub-terms."""

    def write(term: Term, vocabulary: Vocabulary) -> Writing:
        yield from ()
        return Written(text(term, vocabulary), ATOM)

    return write


def word(word: str) -> Writer:
    return alone(lambda _term, _vocabulary: word)


def _compare(term: Term, vocabulary: Vocabulary, sign: str, listed: str) -> Written | None:
    """An equality, or a choice among several, with its sign; None where the term is neither."""
    if term[0] == "or":
        choice = _choice(term, vocabulary)
        if choice is None:
            return None
        subject, values = choice
        if len(values) == 1:
            return Written(f"{subject} {sign} {values[0]}", ATOM)
        return Written(f"{subject} {listed} [{', '.join(values)}]", ATOM)
    equality = _equality(term, vocabulary)
    return Written(f"{equality[0]} {sign} {equality[1]}", ATOM) if equality else None


def _or(term: Term, vocabulary: Vocabulary) -> Writing:
    short = _compare(term, vocabulary, "=", "in")
    if short is not None:
        return short
    return (yield from _joined(term, " or ", MIDDLE, LOOSE))


def _joined(term: Term, between: str, part_binds: int, binds: int) -> Writing:
    parts = spliced(term)
    if len(parts) == 1:
        return (yield parts[0])
    texts: list[str] = []
    for part in parts:
        child = yield part
        texts.append(child.inside(part_binds))
    return Written(between.join(texts), binds)


def _and(term: Term, _vocabulary: Vocabulary) -> Writing:
    return (yield from _joined(term, " and ", TIGHT, MIDDLE))


def _not(term: Term, vocabulary: Vocabulary) -> Writing:
    inner = _plain(term[1])
    if inner[0] == "min_tier":
        return Written(f"tier < {name_text(inner[1])}", ATOM)
    short = _compare(inner, vocabulary, "!=", "not in")
    if short is not None:
        return short
    child = yield inner
    return Written(f"not {f'({child.text})' if inner[0] == 'cmp' else child.inside(TIGHT)}", TIGHT)


def _is(term: Term, vocabulary: Vocabulary) -> str:
    equality = _equality(term, vocabulary)
    return " = ".join(equality) if equality else name_text(term[1])


def _cmp(term: Term, _vocabulary: Vocabulary) -> str:
    return f"{name_text(term[1])} {SIGNS[term[2]]} {number_text(term[3])}"


def _has_cap(term: Term, _vocabulary: Vocabulary) -> str:
    name: str = term[1]
    rest = name.removeprefix(_CAPABILITY_PREFIX)
    return f"supports {word_text(rest)}" if rest and rest != name else f"has capability {word_text(name)}"


# ---- scorers


def _about_money(term: Term, vocabulary: Vocabulary) -> bool:
    """Whether the score is one of prices, so that its lowest is the cheapest."""
    work: list[Term] = [term]
    while work:
        part = work.pop()
        if part[0] == "field":
            field = vocabulary.fields.get(part[1])
            return field is not None and field.unit.startswith(_MONEY)
        work.extend(cast("Term", child) for child in part[1:] if isinstance(child, list))
    return False


def _add(term: Term, _vocabulary: Vocabulary) -> Writing:
    return (yield from _joined(term, " + ", FACTOR, TIGHT))


def _scale(term: Term, _vocabulary: Vocabulary) -> Writing:
    child = yield term[2]
    return Written(f"{number_text(term[1])} * {child.inside(FACTOR)}", FACTOR)


def _gate(term: Term, _vocabulary: Vocabulary) -> Writing:
    predicate = yield term[1]
    score = yield term[2]
    return Written(f"{score.inside(MIDDLE)} if {predicate.text} else 0", LOOSE)


def _neg(term: Term, vocabulary: Vocabulary) -> Writing:
    inner = _plain(term[1])
    if inner[0] != "normalize":
        child = yield inner
        return Written(f"1 - {child.inside(FACTOR)}", TIGHT)
    child = yield inner[1]
    word = "cheapest" if _about_money(inner, vocabulary) else "lowest"
    return Written(f"{word} by {child.inside(TIGHT)}", MIDDLE, f"(1 - normalize({child.argument}))")


def _normalize(term: Term, _vocabulary: Vocabulary) -> Writing:
    child = yield term[1]
    return Written(f"highest by {child.inside(TIGHT)}", MIDDLE, f"normalize({child.argument})")


def _clamp(term: Term, _vocabulary: Vocabulary) -> Writing:
    child = yield term[3]
    return Written(f"clamp({child.argument}, {number_text(term[1])}, {number_text(term[2])})", ATOM)


PRED_WRITERS: Final[dict[str, Writer]] = {
    "top": word("always"),
    "bot": word("never"),
    "meets_req": word("meets_req"),
    "scope_matches": word("scope_matches"),
    "and": _and,
    "or": _or,
    "not": _not,
    "is": alone(_is),
    "cmp": alone(_cmp),
    "min_tier": alone(lambda term, _vocabulary: f"tier >= {name_text(term[1])}"),
    "has_cap": alone(_has_cap),
    **dict.fromkeys(_NAMES, alone(_is)),
}
SCORER_WRITERS: Final[dict[str, Writer]] = {
    **PRED_WRITERS,
    "zero": word("zero"),
    "field": alone(lambda term, _vocabulary: name_text(term[1])),
    "lit": alone(lambda term, _vocabulary: number_text(term[1])),
    "add": _add,
    "scale": _scale,
    "gate": _gate,
    "neg": _neg,
    "normalize": _normalize,
    "clamp": _clamp,
    **{name: word(f"composite {name}") for name in ("quality", "speed", "cost", "free_credit", "partner")},
}
