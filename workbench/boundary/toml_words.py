"""What `tomllib` says of a document that is none, in words for people who do not know its insides.

Owns those words. A message that is not known here is kept as it is; what is refused is decided elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

_TWICE: Final = "write it once"
_QUOTES: Final = "close the string with the quotes it began with; a text of several lines stands between three of them"

_WORDS: Final[tuple[tuple[str, str, str | None], ...]] = (
    (
        r"Illegal character '(?:\\n|\\r\\n|\\r)'|Unterminated string|Expected [\"']{2,4}.*",
        "a string has no end",
        _QUOTES,
    ),
    (r"Illegal character '.*'", "a control character stands in a string or a comment", "take it out, or escape it"),
    (r"Found invalid character '.*'", "a line ends in the middle of a comment or a string", _QUOTES),
    (r"Unescaped '\\' in a string", r"a `\` in a string begins no escape", r"write `\\`, or use single quotes"),
    (r"Invalid hex value|Escaped character is .*", r"a `\u` escape is no character", "write four hexadecimal digits"),
    (r"Unclosed array.*", "a list has no end", "close it with `]`, and separate its values by commas"),
    (r"Unclosed inline table.*", "an inline table has no end", "close it with `}` on the same line"),
    (r"Duplicate inline table key '(?P<key>.*)'", "a key is written twice", _TWICE),
    (r"Cannot declare \((?P<key>.*)\) twice", "a table is declared twice", "put its keys under one header"),
    (r"Cannot (?:mutate immutable|redefine) namespace.*", "a table that is complete already is added to", _TWICE),
    (r"Cannot overwrite a value", "a key is written twice", _TWICE),
    (r"Expected '=' after a key in a key/value pair", "`=` is missing after a key", 'write `key = "value"`'),
    (r"Expected '\]' at the end of a table declaration", "a header has no end", "write `[name]`"),
    (r"Expected '\]\]' at the end of an array declaration", "a header has no end", "write `[[name]]`"),
    (
        r"Expected newline or end of document after a statement",
        "something stands after a value",
        'one key per line; a quote inside of a string is written `\\"`',
    ),
    (r"Invalid initial character for a key part|Invalid statement", "no key begins like this", "write `key = ...`"),
    (r"Invalid value", "no value begins like this", 'text stands in quotes: `"..."`; other values are true, 12, [...]'),
    (r"Invalid date or datetime", "there is no such date", "write `2026-11-22`"),
)
_KEY: Final = re.compile(r"""[ \t]*(?P<key>"[^"\n]{1,80}"|'[^'\n]{1,80}'|[\w.-]{1,80})[ \t]*=""")


def in_words(message: str, line: str) -> tuple[str, str | None]:
    """Reason and way out for a message of `tomllib` without its place; `line` is the text of the line it is about."""
    for pattern, reason, hint in _WORDS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is None:
            continue
        key = _key(found.groupdict().get("key"), line) if reason.startswith("a key") else None
        return (f"the key `{key}` is written twice", hint) if key else (reason, hint)
    return message[:1].lower() + message[1:], None


def _key(stated: str | None, line: str) -> str | None:
    written = _KEY.match(line)
    return stated or (written["key"].strip("\"'") if written else None)
