"""What an editor may offer at the cursor: fields, operators, values, keywords and `$bindings` that can stand there.

The grammar decides what can stand; the vocabulary and the caller's lists say what there is. A text that is wrong before
the cursor gives no offers, nor does one that is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from workbench.language.clause_text import offers
from workbench.language.clause_text.offers import Offer, Values
from workbench.language.clause_text.scanner import Scanned, scan
from workbench.language.clause_text.spelling import PHRASES
from workbench.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from workbench.language.clause_text.expectation import Place
    from workbench.language.clause_text.reader import Reader

EditorKind = Literal["pred", "scorer", "selection", "fallback", "transform", "condition"]

_WORDS: Final = frozenset(("field", "value", "keyword", "number", "binding", "error"))
_CANDIDATE_ONLY: Final = frozenset(("SUPPORTS", "HAS_CAPABILITY"))


@dataclass(frozen=True, slots=True)
class Completion:
    """One offer."""

    text: str
    """What to insert."""
    start: int
    end: int
    """The span of the text that it replaces; 0-based, end excluded."""
    label: str
    """What to show in the list: the name without quotes."""
    detail: str = ""
    """Sort, unit and meaning."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the caller wants completed, and from which lists."""

    reader: Reader
    kind: EditorKind
    values: Values
    bindings: Sequence[str]

    def place(self, prefix: str) -> Place | None:
        from workbench.language.clause_text.expectation import place  # noqa: PLC0415

        return place(prefix, "pred" if self.kind == "condition" else self.kind, self.reader)


def complete(
    text: str,
    cursor: int,
    vocabulary: Vocabulary,
    *,
    values: Values,
    kind: EditorKind = "pred",
    bindings: Sequence[str] = (),
) -> tuple[Completion, ...]:
    """Offers for the word at the cursor, the best match first.

    `values` has the names that there are, by what they are names of: `provider`, `model`, `served_by`, `capability`,
    and any category (else the vocabulary's own values). `bindings` are the `$names`, without the sign.
    """
    from workbench.language.clause_text.reader import Reader  # noqa: PLC0415

    cursor = max(0, min(cursor, len(text)))
    if text.lstrip().startswith("["):
        return ()
    asked = _Asked(Reader(vocabulary, condition=kind == "condition"), kind, values, bindings)
    seen = scan(text)
    here = next((token for token in seen if token.start < cursor <= token.end and token.kind in _WORDS), None)
    before = [token for token in seen if token.end <= (here.start if here else cursor)]
    found: dict[tuple[int, str], Completion] = {}
    exact = False
    for start in _starts(text, cursor, here, before):
        typed = " ".join(text[start:cursor].lower().split())
        place = asked.place(text[:start])
        for offer in _matching(typed, _offers(place, asked, before) if place else ()):
            exact = exact or offer.text.lower() == typed
            end = max(cursor, here.end if here else cursor)
            found.setdefault((start, offer.text), Completion(offer.text, start, end, offer.label, offer.detail))
    if exact and here is not None and here.end == cursor:
        return (*(offer for offer in found.values() if offer.text != here.text), *_following(text, cursor, asked))
    return tuple(found.values())


def _starts(text: str, cursor: int, here: Scanned | None, before: Sequence[Scanned]) -> Iterator[int]:
    """Where what is being typed may begin: at the word, or at an earlier one if they begin a phrase together."""
    yield here.start if here else cursor
    for token in before[:-3:-1]:
        typed = " ".join(text[token.start : cursor].lower().split())
        if any(phrase.startswith(typed + " ") or (here and phrase.startswith(typed)) for phrase in PHRASES.values()):
            yield token.start


def _matching(typed: str, known: Iterator[Offer] | tuple[()]) -> list[Offer]:
    """Those that begin with what was typed, then those that have it inside."""
    typed = typed.lstrip("\"'")
    begun: list[Offer] = []
    inside: list[Offer] = []
    for offer in known:
        label = offer.label.lower()
        if label.startswith(typed):
            begun.append(offer)
        elif typed in label:
            inside.append(offer)
    return begun + inside


def _following(text: str, cursor: int, asked: _Asked) -> Iterator[Completion]:
    """What can follow a word that is complete as it stands."""
    place = asked.place(text[:cursor])
    if place is not None:
        for offer in _offers(place, asked, scan(text[:cursor])):
            yield Completion(f" {offer.text}", cursor, cursor, offer.label, offer.detail)


def _offers(place: Place, asked: _Asked, before: Sequence[Scanned]) -> Iterator[Offer]:
    from workbench.language.clause_text.expectation import operators_of  # noqa: PLC0415

    terminals = place.terminals
    if place.value_due and place.subject is not None:
        yield from _value_offers(place, asked, before)
    elif place.subject is not None and place.subject.kind != "Bool":
        yield from offers.operators(operators_of(place.subject))
    elif place.subject is not None or "REL" not in terminals:
        yield from _free_offers(terminals, asked, before)
        if place.subject is not None:
            terminals -= {"IS", "IS_NOT", "IN", "NOT_IN"}
        if asked.kind == "condition":
            terminals -= _CANDIDATE_ONLY
        yield from offers.keywords(terminals)
    if "BINDING" in terminals:
        yield from offers.bindings(asked.bindings)


def _value_offers(place: Place, asked: _Asked, before: Sequence[Scanned]) -> Iterator[Offer]:
    from workbench.language.clause_text.expectation import values_of  # noqa: PLC0415

    subject = place.subject
    if subject is None or subject.kind == "Num":
        return
    if subject.kind == "Bool":
        yield from (Offer(word, word, f"`{subject.name}`, yes or no") for word in ("true", "false"))
        return
    listed = _already_listed(before)
    known = asked.values.get(subject.name) or values_of(subject, asked.reader)
    yield from (offer for offer in offers.names(known, subject.name) if offer.text not in listed)


def _already_listed(before: Sequence[Scanned]) -> frozenset[str]:
    """The values in the list that the cursor is in."""
    found: list[str] = []
    for token in reversed(before):
        if token.text == "[":
            return frozenset(found)
        if token.kind == "value":
            found.append(token.text)
        elif token.text != ",":
            break
    return frozenset()


def _free_offers(terminals: frozenset[str], asked: _Asked, before: Sequence[Scanned]) -> Iterator[Offer]:
    """Names, by the kind of name that the grammar wants."""
    vocabulary = asked.reader.vocabulary
    last = before[-1].text if before else ""
    if "SUBJECT" in terminals:
        yield from offers.subjects(vocabulary, condition=asked.kind == "condition")
    if "OPERAND" in terminals:
        yield from offers.numbers(vocabulary)
    if "WORD" in terminals:
        yield from offers.words(last, asked.values)
    if "REASON" in terminals:
        yield from offers.reasons()
    if "UNIT" in terminals:
        yield from offers.units()
    if "LSQB" in terminals and last in ("in", "not in"):
        yield Offer("[", "[", "a list")
    if "VALUE" in terminals and any(token.text == "chain" for token in before):
        yield from (
            Offer(f"{offer.text}/", offer.label, "PROVIDER/MODEL")
            for offer in offers.names(asked.values.get("provider", ()))
        )
