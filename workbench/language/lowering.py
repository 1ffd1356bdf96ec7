"""The JSON spellings `in`, `not_in`, `eq` and `ne`, lowered to plain terms before admission (LANGUAGE 11).

What comes in has not been admitted: this walk is bounded like admission, and leaves whatever it does not understand
where it stands, for admission to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from workbench.errors import AdmissionError
from workbench.language.admission import Term
from workbench.language.refusal import Refusal, did_you_mean, kind_of, null, shown
from workbench.language.signature import MAX_DEPTH, MAX_NODES
from workbench.language.vocabulary import Vocabulary

NAMED: Final = {"provider": "provider_eq", "model": "family_eq", "tier": "tier_eq", "served_by": "served_by_eq"}
"""The names that an operation of their own compares."""
SPELLINGS: Final = ("in", "not_in", "eq", "ne")


class _Lowering:
    __slots__ = ("left", "vocabulary")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.left = MAX_NODES

    def lower(self, term: Any, depth: int) -> Any:
        if type(term) is not list or not term:
            return cast("Any", term)
        items = cast("Term", term)
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0 or len(items) > MAX_NODES + 1:
            return items
        op = items[0]
        if type(op) is not str:
            return items
        if op in SPELLINGS:
            return self._spelling(op, items)
        lowered: Term = [op]
        try:
            for arg in items[1:]:
                lowered.append(self.lower(arg, depth + 1))
        except Refusal as refusal:
            raise refusal.at(f".{shown(op, 40)[1:-1]}[{len(lowered)}]") from None
        return lowered

    def _spelling(self, op: str, items: Term) -> Term:
        if len(items) != 3:
            raise Refusal("arity", f"{op} takes 2 argument(s), got {len(items) - 1}")
        try:
            equals = self._equals(items[1])
        except Refusal as refusal:
            raise refusal.at(f".{op}[1]") from None
        try:
            plain = self._any_of(equals, items[2]) if op in {"in", "not_in"} else equals(items[2])
        except Refusal as refusal:
            raise refusal.at(f".{op}[2]") from None
        if op in {"in", "eq"}:
            return plain
        return ["top"] if plain == ["bot"] else ["not", plain]

    def _any_of(self, equals: Callable[[Any], Term], values: Any) -> Term:
        if type(values) is not list:
            raise null() if values is None else Refusal("value", f"expected a list of names, got {kind_of(values)}")
        names = cast("list[Any]", values)
        if len(names) > MAX_NODES:
            raise Refusal("nodes", f"more than {MAX_NODES} sub-terms")
        choices: list[Term] = []
        for index, value in enumerate(names, 1):
            try:
                choices.append(equals(value))
            except Refusal as refusal:
                raise refusal.at(f"[{index}]") from None
        if len(choices) == 1:
            return choices[0]
        return ["or", *choices] if choices else ["bot"]

    def _equals(self, name: Any) -> Callable[[Any], Term]:
        """What turns one value of this name into a term."""
        if name is None:
            raise null()
        if type(name) is not str:
            raise Refusal("name", f"expected a name, got {kind_of(name)}")
        category = self.vocabulary.categories.get(name)
        if category is not None:
            known = category.values
            return lambda value: ["is", category.field_name(_one_of(value, known, name))]
        if name == "tier":
            return lambda value: ["tier_eq", _one_of(value, self.vocabulary.tiers, name)]
        if name in NAMED:
            return lambda value: [NAMED[name], _text(value)]
        if name in self.vocabulary.numbers:
            raise Refusal("name", f"{shown(name)} is a number", f'write ["cmp", "{name}", "eq", NUMBER]')
        if name in self.vocabulary.flags:
            raise Refusal("name", f"{shown(name)} is a yes-or-no field", f'write ["is", "{name}"]')
        names = [*NAMED, *self.vocabulary.categories]
        raise Refusal("name", f"unknown name {shown(name)}", did_you_mean(name, names))


def _text(value: Any) -> str:
    if value is None:
        raise null()
    if type(value) is not str:
        raise Refusal("value", f"expected a string, got {kind_of(value)}")
    return value


def _one_of(value: Any, known: tuple[str, ...], name: str) -> str:
    text = _text(value)
    if text in known:
        return text
    listed = f"one of {', '.join(known)}"
    hint = did_you_mean(text, known) or (listed if len(listed) <= 200 else None)
    raise Refusal("value", f"{name} has no value {shown(text)}", hint)


def lower(term: object, vocabulary: Vocabulary) -> Term:
    """A term with its spellings lowered; the rest as it stands, for `check` to judge (what is no list at all included).

    Raises `AdmissionError` for an unknown name or value, with its path in the term as it was written.
    """
    try:
        return _Lowering(vocabulary).lower(term, 1)
    except Refusal as refusal:
        found = refusal
    raise AdmissionError("not admitted", (found.finding(),))
