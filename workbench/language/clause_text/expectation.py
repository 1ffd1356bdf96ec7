"""What could stand at a place of half-typed text: the ground under an error's words and under completion.

The parser says which terminals may follow; the tokens before the place say of what a value would be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from workbench.errors import ClauseError
from workbench.language.clause_text.parser import Start, accepted
from workbench.language.clause_text.reader import Reader, Subject, did_you_mean, fault, some
from workbench.language.clause_text.scanner import Scanned, scan
from workbench.language.clause_text.spelling import PHRASES, RELATIONS, SUBJECTS, unquote

EQUALITY: Final = ("=", "!=")
ORDER: Final = ("<", "<=", "=", "!=", ">=", ">")
_THINGS: Final = {
    "SUBJECT": "a clause", "VALUE": "a value", "OPERAND": "a number field", "WORD": "a name", "NUMBER": "a number",
    "REASON": "a failure reason", "UNIT": "a unit: ms, s or min", "REL": "an operator such as = or <=",
    "$END": "the end", "LSQB": "a list such as [a, b]", "LPAR": "(", "RPAR": ")", "RSQB": "]", "COMMA": ",",
    "COLON": ":", "STAR": "*", "SIGN": "a sign", "LBRACE": "{", "RBRACE": "}", "SLASH": "/",
    "_EQUALS": "=", "_EOL": ";", "_DOTS": "..",
}  # fmt: skip
MOST_NAMED: Final = 7
"""How many of the things that could stand at a place an error names."""
SHOWN: Final = 40
"""How many characters of the text an error repeats."""
_SILENT: Final = frozenset(("STRING", "BINDING"))
_FIRST: Final = ("SUBJECT", "OPERAND", "VALUE", "NUMBER", "WORD", "REASON", "LSQB", "REL")
_SPELLED_WRONG: Final = {"=<": "<=", "=>": ">=", "&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "^": "and"}


class Place(NamedTuple):
    """A place in the text, and what is known of it."""

    terminals: frozenset[str]
    """What the grammar accepts there."""
    subject: Subject | None
    """What stands left of the operator, where a value is due; or what an operator is due for."""
    value_due: bool


def _named(token: Scanned) -> str:
    return unquote(token.text) if token.text[:1] in ("'", '"') else token.text


def _subject_of(token: Scanned, reader: Reader) -> Subject | None:
    name = _named(token)
    if token.text in SUBJECTS and not reader.condition:
        return Subject("tier" if name == "tier" else "name", name)
    if name in reader.vocabulary.categories:
        return Subject("category", name)
    known = reader.field(name)
    return Subject(known.sort, name) if known else None


def _value_subject(before: Sequence[Scanned]) -> Scanned | None:
    """The subject whose value is due at the end of `before`."""
    last = len(before) - 1
    if last >= 1 and before[last].text in RELATIONS:
        return before[last - 1]
    while last >= 0 and before[last].text not in ("[", "]", "(", ")", ":"):
        last -= 1
    if last >= 2 and before[last].text == "[" and before[last - 1].text in ("in", "not in"):
        return before[last - 2]
    return None


def place(prefix: str, start: Start, reader: Reader) -> Place | None:
    """What may follow `prefix`; None where the prefix itself is wrong."""
    terminals = accepted(prefix, start)
    if terminals is None:
        return None
    before = scan(prefix)
    if "VALUE" in terminals and (subject := _value_subject(before)) is not None:
        return Place(terminals, _subject_of(subject, reader), True)
    if "REL" in terminals and before:
        return Place(terminals, _subject_of(before[-1], reader), False)
    return Place(terminals, None, False)


def values_of(subject: Subject, reader: Reader) -> tuple[str, ...]:
    """The values that the vocabulary knows for a subject."""
    if subject.kind == "tier":
        return reader.vocabulary.tiers
    return reader.vocabulary.categories[subject.name].values if subject.kind == "category" else ()


def operators_of(subject: Subject) -> tuple[str, ...]:
    """The operators that say something about a subject."""
    if subject.kind == "Bool":
        return ()
    if subject.kind == "Num":
        return ORDER
    return (*(ORDER if subject.kind == "tier" else EQUALITY), "in", "not in")


def _value_words(subject: Subject, reader: Reader) -> tuple[str, ...]:
    if subject.kind == "Num":
        return ("a number",)
    if subject.kind == "Bool":
        return ("true", "false")
    values = values_of(subject, reader)
    return (f"a value of `{subject.name}`: {some(values)}",) if values else (f"the name of a {subject.name}",)


def words(found: Place, reader: Reader) -> tuple[str, ...]:
    """What could stand there, for people, the likeliest first."""
    if found.value_due and found.subject is not None:
        return _value_words(found.subject, reader)
    terminals = set(found.terminals) - _SILENT
    spoken: list[str] = []
    if found.subject is not None:
        terminals -= {"REL", "IS", "IS_NOT", "IN", "NOT_IN"}
        spoken += operators_of(found.subject)
        if found.subject.kind != "Bool":
            return tuple(spoken)
    ordered = [name for name in _FIRST if name in terminals]
    ordered += [name for name in PHRASES if name in terminals]
    ordered += [name for name in _THINGS if name in terminals and name not in _FIRST]
    spoken += [_THINGS.get(name) or PHRASES[name] for name in ordered]
    return tuple(spoken)


def _hint(text: str, column: int, found: Place, rest: Sequence[Scanned]) -> str | None:
    word = rest[0].text if rest else ""
    for wrong in (text[max(0, column - 1) : column + 1], text[column : column + 2], word):
        if wrong in _SPELLED_WRONG:
            return f"write `{_SPELLED_WRONG[wrong]}`"
    if column and text[column - 1].isdigit() and word[:1].isalpha():
        return "a name that begins with a digit stands in quotes"
    if word[:1] in ("'", '"'):
        return "the quote is never closed"
    before = scan(text[:column])
    if before and (hint := _hint_from(before[-1], word)):
        return hint
    if rest and rest[0].kind == "number" and "SUBJECT" in found.terminals:
        return "a comparison begins with the field, as in `price_out <= 5`"
    return did_you_mean(word, [PHRASES[name] for name in found.terminals if name in PHRASES]) if word else None


def _hint_from(last: Scanned, word: str) -> str | None:
    """A hint from the token before the error: half a phrase, half an operator, several values without a list."""
    if last.kind == "field":
        phrase = next((phrase for phrase in PHRASES.values() if phrase.startswith(f"{last.text.lower()} ")), None)
        return f"write `{phrase}`" if phrase else None
    if last.kind == "operator" and last.text + word in RELATIONS and word:
        return f"write `{last.text + word}`"
    return "several values stand in a list, as in `in [a, b]`" if last.kind == "value" and word == "," else None


_LITERAL: Final = frozenset((*PHRASES.values(), *RELATIONS, *"()[]{},:;*/"))


def _listing(expected: Sequence[str]) -> str:
    shown = [f"`{word}`" if word in _LITERAL else word for word in expected[:MOST_NAMED]]
    if len(expected) > MOST_NAMED:
        return ", ".join([*shown, "…"])
    return " or ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


_NUMBER_SO_FAR: Final = re.compile(r"(?<![\w.@/$:-])-?(?:\d[\d.]*|\.\d+)(?:[eE][+-]?\d+)?\Z")
_UNFINISHED: Final = re.compile(r"-?(?:\d*\.|(?:\d+(?:\.\d+)?|\.\d+)[eE][+-]?)")
_STUCK: Final = re.compile(r"(?:[eE][+-](?=[\s)\],;]|\Z))?[\w.]*")


def _broken_number(text: str, column: int, reader: Reader) -> ClauseError | None:
    """The error where the place is inside what was to be a number: it lacks a digit, or other signs stick to it."""
    before = _NUMBER_SO_FAR.search(text, 0, column)
    rest = _STUCK.match(text, column)
    start = before.start() if before else column
    whole = text[start : rest.end() if rest else column]
    number = before is not None or whole == "."
    if not number or start + len(whole) == column or ".." in text[start : column + 2]:
        return None
    if _UNFINISHED.fullmatch(whole):
        return fault(f"expected a digit after `{whole}`", start + len(whole), "syntax", expected=("a digit",))
    left = _value_subject(scan(text[:start]))
    subject = _subject_of(left, reader) if left else None
    hint = None
    if whole.replace("_", "").isdigit():
        hint = f"write `{whole.replace('_', '')}`"
    elif (subject is None or subject.kind != "Num") and text[column].isalpha():
        hint = "a name that begins with a digit stands in quotes"
    return fault(f"`{whole[:SHOWN]}` is not a number", column, "syntax", hint=hint, expected=("a number",))


def syntax_error(text: str, column: int, start: Start, reader: Reader) -> ClauseError:
    """The error at the first place where the text is no clause."""
    broken = _broken_number(text, column, reader)
    if broken is not None:
        return broken
    found = place(text[:column], start, reader) or Place(frozenset(), None, False)
    expected = words(found, reader)
    rest = scan(text[column:])
    word = rest[0].text if rest else ""
    needed = f"expected {_listing(expected)}" if expected else "nothing can follow here"
    if word:
        reason = f"{needed}, not `{word[:SHOWN]}`"
    else:
        reason = f"{needed} after `{text.strip()[-SHOWN:]}`" if text.strip() else needed
    return fault(reason, column, "syntax", hint=_hint(text, column, found, rest), expected=expected)
