"""How single things are written in clause text: names, quoted strings, numbers, waits, and the words of the grammar.

Owns the quoting rule, so that what is printed is read back as the same name. Refuses to know any clause.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.language.signature import FAIL_REASONS

NAME: Final = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_.@/:-]*[A-Za-z0-9_])?")
"""What may stand without quotes."""

SUBJECTS: Final = {
    "provider": "provider_eq",
    "model": "family_eq",
    "served_by": "served_by_eq",
    "tier": "tier_eq",
}
"""What a clause may compare with a name, beside categories; and the operation each becomes."""

WHOLE: Final = {
    "always": "top",
    "never": "bot",
    "top": "top",
    "bot": "bot",
    "meets_req": "meets_req",
    "scope_matches": "scope_matches",
}
"""Words that are a whole predicate."""

RELATIONS: Final = {
    "<": "lt", "<=": "le", "≤": "le", "=": "eq", "==": "eq", "is": "eq",
    "!=": "ne", "<>": "ne", "≠": "ne", "is not": "ne", ">=": "ge", "≥": "ge", ">": "gt",
}  # fmt: skip
SIGNS: Final = {"lt": "<", "le": "<=", "eq": "=", "ne": "!=", "ge": ">=", "gt": ">"}

PHRASES: Final = {
    "_AND": "and", "_OR": "or", "_NOT": "not", "IN": "in", "NOT_IN": "not in", "IS": "is", "IS_NOT": "is not",
    "SUPPORTS": "supports", "HAS_CAPABILITY": "has capability", "_IF": "if", "_ELSE": "else",
    "CHEAPEST_BY": "cheapest by", "HIGHEST_BY": "highest by", "NORMALIZE": "normalize", "CLAMP": "clamp",
    "COMPOSITE": "composite", "PREFER": "prefer", "_THEN": "then", "TOP": "top", "_BY": "by", "_OF": "of", "_AT": "at",
    "_TO": "to", "BEST_FIRST": "best first", "KEEP_ORDER": "keep order", "SAMPLE": "sample", "CHAIN": "chain",
    "ON": "on", "OTHERWISE": "otherwise", "RETRY": "retry", "NEXT": "next", "STOP": "stop",
    "DISABLE_PROVIDER": "disable provider", "SAME_MODEL_ELSEWHERE": "same model elsewhere", "AFTER": "after",
    "OPEN_BREAKER": "open breaker", "_WITH": "with", "SET": "set", "SEED_AS": "seed as", "JITTER": "jitter",
    "FILTER_TEXT": "filter text", "FILTER_IMAGE": "filter image", "CUSTOM": "custom", "WHEN": "when",
    "UNCHANGED": "unchanged",
}  # fmt: skip
"""The words of each keyword terminal of the grammar, as we print them."""

SYNONYMS: Final = ("where", "lowest by", "most by", "best by", "abort")
"""Further spellings that the grammar reads and we never print."""

RESERVED: Final = frozenset(
    [word for phrase in (*PHRASES.values(), *SYNONYMS) for word in phrase.split()]
    + [*SUBJECTS, *WHOLE, "true", "false", "zero"]
)
"""Names that are printed in quotes, whatever their case, so that nobody takes them for a word of the language."""

_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_UNESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ESCAPED: Final = re.compile(
    r"\\u(?:([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|([0-9a-fA-F]{4}))|\\(.)", re.DOTALL
)

_EXACT: Final = 2**53
"""Every integer up to here is a double of its own."""
_MINUTE_MS: Final = 60_000
_SECOND_MS: Final = 1_000
UNITS: Final = {"ms": 1, "s": _SECOND_MS, "min": _MINUTE_MS}
"""Milliseconds in each unit of a wait."""


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def quote(name: str) -> str:
    """`name` in double quotes, with the escapes of JSON; what cannot be seen is escaped too."""
    return '"' + "".join(map(_escape, name)) + '"'


def unquote(literal: str) -> str:
    """The name inside a quoted literal. Raises `ValueError` on an escape that is none, or a lone surrogate."""

    def meant(match: re.Match[str]) -> str:
        high, low, plain, other = match.groups()
        if high:
            return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
        if plain:
            return chr(int(plain, 16))
        if other in _UNESCAPES:
            return _UNESCAPES[other]
        if other in "\"'\\/":
            return other
        raise ValueError(f"`\\{other}` is no escape")

    name = _ESCAPED.sub(meant, literal[1:-1])
    if any("\ud800" <= char <= "\udfff" for char in name):
        raise ValueError("a lone surrogate is no character")
    return name


def name_text(name: str) -> str:
    """A field, provider, model or value: bare where that is read back as itself, else quoted."""
    return name if NAME.fullmatch(name) and name.lower() not in RESERVED else quote(name)


def word_text(name: str) -> str:
    """A name where no keyword can stand (a parameter, a capability): keywords need no quotes there."""
    return name if NAME.fullmatch(name) else quote(name)


def reason_text(name: str) -> str:
    """A failure reason: quoted where it is none of those that the language names."""
    return name if name in FAIL_REASONS else quote(name)


def number_text(value: float) -> str:
    """The shortest text that is read back as the same number."""
    value = float(value) if abs(value) > _EXACT else value
    return str(int(value)) if abs(value) <= _EXACT and value == int(value) else repr(value)


def read_number(text: str) -> float | int:
    """An integer or a double. Raises `ValueError` where it is too large for a double."""
    if text.lstrip("-").isdigit() and len(text) <= 18:
        return int(text)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("the number is too large")
    return value


def wait_text(ms: float) -> str:
    """A wait in the largest unit that shows it whole: `200 ms`, `30 s`, `5 min`."""
    if ms and float(ms).is_integer() and abs(ms) <= _EXACT:
        for unit in ("min", "s"):
            if ms % UNITS[unit] == 0:
                return f"{int(ms) // UNITS[unit]} {unit}"
    return f"{number_text(ms)} ms"
