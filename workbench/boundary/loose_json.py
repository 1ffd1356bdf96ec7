"""JSON of test documents, which hold on purpose what `strict_json` refuses.

Reads lone surrogates, numbers of any length, `NaN` and the infinities, raw control characters in strings; of a key that
stands twice the last counts, and what is nested beyond all use is cut. Not for anything that decides or is kept: there
one bad number must refuse the document, here it must not hide the other thousand vectors.

Numbers as in `strict_json`: a whole number within ±2^53 stays an `int`, every other one becomes a `float`.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from workbench.boundary.strict_json import EXACT, MAX_DIGITS, JsonValue
from workbench.errors import DocumentError, Finding, Place

KEPT_DEPTH: Final = 200
"""What is deeper is cut, in a document that is too deep to be read whole."""

_TOKENS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


def loads(data: bytes, *, source: str, max_bytes: int) -> JsonValue:
    """The value of a JSON document, a UTF-8 byte order mark allowed.

    A `DocumentError` with line and column where it is none, or larger than `max_bytes`. Of a document that the
    parser can't read whole, too deep or wrong that far down, lists and records below `KEPT_DEPTH` are empty.
    """
    if len(data) > max_bytes:
        _refuse(source, f"{len(data):,} bytes, the limit is {max_bytes:,}", "too_large")
    try:
        text = data.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        _refuse(source, f"byte 0x{data[error.start]:02x} is not UTF-8", "encoding")
    flaw: json.JSONDecodeError | None = None
    try:
        return _parsed(text)
    except RecursionError:  # how deep that is differs from one Python to the next
        pass
    except json.JSONDecodeError as error:
        flaw = error
    try:
        return _parsed(_cut(text))
    except json.JSONDecodeError as error:
        flaw = flaw or error
        _refuse(source, flaw.msg[:1].lower() + flaw.msg[1:], "syntax", flaw)


def _parsed(text: str) -> JsonValue:
    return _DECODER.decode(text)


def _integer(literal: str) -> int | float:
    if len(literal) > MAX_DIGITS:
        return float(literal)
    number = int(literal)
    return number if -EXACT <= number <= EXACT else float(number)


_DECODER: Final = json.JSONDecoder(parse_int=_integer, strict=False)


def _cut(text: str) -> str:
    """The text without what stands inside brackets at `KEPT_DEPTH`."""
    kept: list[str] = []
    depth = since = 0
    for token in _TOKENS.finditer(text):
        bracket = token[0]
        if bracket in ("[", "{"):
            depth += 1
            if depth == KEPT_DEPTH:
                kept.append(text[since : token.end()])
        elif bracket in ("]", "}"):
            if depth == KEPT_DEPTH:
                since = token.start()
            depth -= 1
    return "".join([*kept, text[since:]]) if depth < KEPT_DEPTH else text[:0]


def _refuse(source: str, reason: str, code: str, error: json.JSONDecodeError | None = None) -> NoReturn:
    place = Place(source) if error is None else Place(source, error.lineno, error.colno - 1)
    raise DocumentError("not JSON that can be read", [Finding(reason, code, place)]) from None
