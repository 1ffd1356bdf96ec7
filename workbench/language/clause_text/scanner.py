"""Clause text cut into tokens without parsing it: for highlighting, for completion, for the words around an error.

It reads anything, half-typed and wrong text too, and never raises. It does not say whether the text is a clause.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from workbench.language.clause_text.spelling import NAME, PHRASES, RELATIONS, SYNONYMS

Kind = Literal["field", "operator", "number", "value", "keyword", "binding", "error"]


class Scanned(NamedTuple):
    """One token: its span in the text, what it looks like, and its text with single spaces."""

    start: int
    end: int
    kind: Kind
    text: str


def _phrases() -> str:
    words = sorted({*PHRASES.values(), *SYNONYMS}, key=len, reverse=True)
    joined = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in words)
    return rf"(?:{joined})(?![A-Za-z0-9_]|[.@/-]+\w)"


_TOKEN: Final = re.compile(
    rf"""(?P<space>\s+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<open>["'][^\n]*)
    |(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<binding>\$(?:[A-Za-z_][A-Za-z0-9_]*)?)
    |(?P<relation><=|>=|==|!=|<>|[=<>≤≥≠])
    |(?P<phrase>{_phrases()})
    |(?P<name>{NAME.pattern})
    |(?P<mark>\.\.|[\[\](),;:+*/{{}}-])
    |(?P<other>.)""",
    re.VERBOSE | re.IGNORECASE,
)
_WORD_FOLLOWS: Final = frozenset(
    ("supports", "has capability", "composite", "on", "set", "seed as", "jitter", "custom", "with")
)
_IS: Final = frozenset(("is", "is not"))
_OPERANDS: Final = frozenset(("number", "binding", "field", "value"))


def _takes_value(seen: list[Scanned], depth: int) -> bool:
    """Whether a word here is a value, a capability or a parameter, rather than a field or a keyword."""
    if not seen:
        return False
    last = seen[-1]
    if last.kind == "operator" and last.text in RELATIONS:
        return True
    return last.text in _WORD_FOLLOWS or last.text in _IS or (depth > 0 and last.text in ("[", ",", "{"))


_KINDS: Final[dict[str, Kind]] = {
    "number": "number", "binding": "binding", "relation": "operator", "mark": "operator", "open": "error",
    "other": "error",
}  # fmt: skip


def _kind(group: str, text: str, *, value: bool, after_operand: bool) -> Kind:
    if group == "number" and text.startswith("-") and after_operand:
        return "operator"
    if group in _KINDS:
        return _KINDS[group]
    if value:
        return "value"
    return "keyword" if group == "phrase" else "field"


def scan(text: str) -> tuple[Scanned, ...]:
    """Every token of `text` but the space, in order."""
    seen: list[Scanned] = []
    depth = place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            break
        group, end = match.lastgroup or "other", match.end()
        if group == "space":
            place = end
            continue
        value = _takes_value(seen, depth)
        if group == "phrase" and value and (name := NAME.match(text, place)) and seen[-1].text != "is":
            end = name.end()
        word = " ".join(text[place:end].split())
        kind = _kind(group, word, value=value, after_operand=bool(seen) and seen[-1].kind in _OPERANDS)
        if group == "number" and kind == "operator":
            end, word = place + 1, "-"
        if group == "phrase" and kind == "keyword":
            word = word.lower()
        seen.append(Scanned(place, end, kind, word))
        depth = max(0, depth + (word in ("[", "{")) - (word in ("]", "}")))
        place = end
    return tuple(seen)


def tokens(text: str) -> tuple[tuple[int, int, Kind], ...]:
    """Spans to colour, in order: start, end (0-based, end excluded), kind."""
    return tuple((token.start, token.end, token.kind) for token in scan(text))


_QUOTED_BINDING: Final = re.compile(r'"\$([A-Za-z_][A-Za-z0-9_]*)"')


def binding_names(text: str) -> tuple[str, ...]:
    """The `$names` in `text` (in JSON: the strings that are one), without the sign, in order, each once."""
    if text.lstrip().startswith("["):
        return tuple(dict.fromkeys(_QUOTED_BINDING.findall(text)))
    return tuple(dict.fromkeys(token.text[1:] for token in scan(text) if token.kind == "binding" and token.text != "$"))
