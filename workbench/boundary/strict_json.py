"""JSON read strictly and written strictly.

Owns what counts as a safe JSON document: UTF-8, within a size and a depth that are checked before parsing, no key
twice, no number that a double cannot hold, no lone surrogate. It refuses everything else with the line and column, and
knows nothing of what a document means.

Numbers: a whole number within ±2^53 stays an `int`, which a double holds exactly; every other number becomes a `float`,
so `9007199254740993` and `9007199254740992` are one number. More than 20 digits, `1e999` and `NaN` are refused.
"""

from __future__ import annotations

import json
import json.encoder
import math
import re
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final, NoReturn, TypeAlias

from workbench.boundary.sanitiser import one_line
from workbench.errors import DocumentError, Finding, Place

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 80
MAX_DIGITS: Final = 20
EXACT: Final = 2**53
"""Whole numbers up to here are the same as `int` and as double."""

_BOMS: Final = (
    (b"\x00\x00\xfe\xff", "UTF-32"), (b"\xff\xfe\x00\x00", "UTF-32"), (b"\xfe\xff", "UTF-16"), (b"\xff\xfe", "UTF-16"),
)  # fmt: skip
_UTF8_BOM: Final = b"\xef\xbb\xbf"

_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_STRIDE: Final = 4096
"""Brackets looked at in one go: depth comes early where it is meant to hurt."""
_NUMBER_SHAPE: Final = bytes.maketrans(b"0123456789E", b"dddddddddde")
_MANY_DIGITS: Final = b"d" * 16
_BIG_EXPONENT: Final = b"eddd"

_LONE: Final = re.compile(
    rb"(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|\\u[dD][89abAB](?!..\\u[dD][c-fC-F])", re.DOTALL
)  # a low half without its high one, or a high half without its low one
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_KEYS: Final = re.compile(rf"(\{{)\s*+(?:({_STRING})\s*+:)?|({_STRING})(\s*+:)?|\}}", re.DOTALL)
_NUMBER: Final = re.compile(rb"[0-9A-Za-z.+-]+")


def loads(
    data: bytes | str,
    *,
    source: str = "<input>",
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    bom: bool = False,
) -> JsonValue:
    """The value of a JSON document; a DocumentError with line and column where it is not a safe one.

    `max_bytes` bounds the UTF-8 form. A UTF-8 byte order mark passes only where `bom` says so (a person's own file).
    Time is linear in the size, and no nesting reaches the interpreter's recursion limit.
    """
    return _Reader(source, max_bytes, max_depth).read(data, bom)


def dumps(value: object, *, indent: int | None = None) -> str:
    """JSON text, keys in their order, non-ASCII as it is; a DocumentError for NaN, infinity or a non-JSON value."""
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _unwritable(error) from None


def encoder(*, sort_keys: bool = False) -> Callable[[object], str]:
    """What writes a value. Raises `ValueError` for NaN and infinity, `TypeError` for what is not JSON, `RecursionError`
    for what holds itself."""
    plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=sort_keys, separators=(",", ":")).encode
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    text: Any = getattr(json.encoder, "encode_basestring", None)
    if make is None or text is None:  # another Python than the one that everybody has
        return plain
    pieces: Callable[[object, int], tuple[str, ...]] = make(
        None, _refuse_kind, text, None, ":", ",", sort_keys, False, False
    )  # what `encode` makes anew each time, but for the look at what holds itself

    def encode(value: object) -> str:
        return "".join(pieces(value, 0))

    return encode if _agrees(encode, plain) else plain


def _refuse_kind(value: object) -> NoReturn:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _agrees(encode: Callable[[object], str], plain: Callable[[object], str]) -> bool:
    """Whether the encoder, which Python does not promise, is the one that is known."""
    value = {"b": [1, 1.5, True, None, 'é"\n\ud800'], "a": {"": -0.0, "é": 10**20}}
    try:
        return encode(value) == plain(value)
    except (TypeError, ValueError):
        return False


_canonical: Final = encoder(sort_keys=True)


def canonical(value: object) -> bytes:
    """The one compact UTF-8 form of a value, keys sorted, for hashing; a DocumentError where there is none."""
    try:
        return _canonical(value).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise _unwritable(error) from None


def _unwritable(error: Exception) -> DocumentError:
    reason = one_line(str(error) or type(error).__name__, limit=200)
    return DocumentError("cannot be written as JSON", [Finding(reason, "not_json")])


class _DuplicateKeyError(Exception):
    """A key stands twice in one object; the parser does not say where."""


class _BadNumberError(Exception):
    """A number literal that no double holds, or that is not JSON; the parser does not say where."""

    def __init__(self, literal: str, reason: str, code: str) -> None:
        super().__init__(literal)
        self.literal, self.reason, self.code = literal, reason, code


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DuplicateKeyError
    return made


def _constant(literal: str) -> NoReturn:
    raise _BadNumberError(literal, f"`{literal}` is not JSON, and no number that can be compared", "not_a_number")


def _integer(literal: str) -> int | float:
    if len(literal.lstrip("-")) > MAX_DIGITS:
        raise _BadNumberError(literal, f"a whole number of more than {MAX_DIGITS} digits", "too_many_digits")
    number = int(literal)
    return number if -EXACT <= number <= EXACT else float(number)


def _fraction(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise _BadNumberError(literal, "a number too large for a double", "too_large_number")
    return number


_PLAIN: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_CAREFUL: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_fraction
)
"""Looks at every number; the plain one is for documents whose numbers are all short, most of them."""


class _Reader:
    """One reading of one document: what it may be, and how its errors are placed."""

    def __init__(self, source: str, max_bytes: int, max_depth: int) -> None:
        self.source, self.max_bytes, self.max_depth = source, max_bytes, max_depth

    def read(self, data: bytes | str, bom: bool) -> JsonValue:
        raw = self._bytes(data)
        if len(raw) > self.max_bytes:
            self._refuse(f"{len(raw):,} bytes, the limit is {self.max_bytes:,}", "too_large")
        self._check_encoding(raw)
        if raw.startswith(_UTF8_BOM):
            if not bom:
                self._refuse("a UTF-8 byte order mark", "bom", hint="save it as UTF-8 without the mark")
            raw = raw[len(_UTF8_BOM) :]
        text = self._text(raw)
        careful = _has_long_numbers(raw)
        if careful or raw.count(b"{") + raw.count(b"[") > self.max_depth:  # what stands in strings counts for nothing
            outside = b"".join(_unescaped(raw, b"").split(b'"')[::2])
            self._check_depth(raw, outside)
            careful = _has_long_numbers(outside)
        self._check_surrogates(raw)
        return self._parse(raw, text, _CAREFUL if careful else _PLAIN)

    def _bytes(self, data: bytes | str) -> bytes:
        if isinstance(data, bytes):
            return data
        try:
            return data.encode("utf-8")
        except UnicodeEncodeError as error:
            place = self._place(data.encode("utf-8", "replace"), len(data[: error.start].encode("utf-8")))
            self._refuse(f"a lone surrogate, U+{ord(data[error.start]):04X}", "surrogate", place)

    def _check_encoding(self, raw: bytes) -> None:
        if raw[:1] in (b"{", b"[") and 0 not in raw[:4]:
            return  # as nearly all of them begin
        named = next((name for mark, name in _BOMS if raw.startswith(mark)), None)
        head = raw[:4]
        if named is None and len(head) > 1 and 0 in head:
            # JSON starts with ASCII, so a NUL this early means two or four bytes for each character
            named = "UTF-32" if head.count(0) >= 3 else "UTF-16" if head.count(0) == len(head) // 2 else None
        if named:
            self._refuse(f"the encoding is {named}, and only UTF-8 is read", "encoding", hint="save it as UTF-8")

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            surrogate = raw[error.start] == 0xED and raw[error.start + 1 : error.start + 2] >= b"\xa0"
            what = "a lone surrogate" if surrogate else f"byte 0x{raw[error.start]:02x} is not UTF-8"
            self._refuse(what, "surrogate" if surrogate else "encoding", self._place(raw, error.start))

    def _check_depth(self, raw: bytes, outside: bytes) -> None:
        brackets = outside.translate(None, _NOT_BRACKETS)
        first = first_too_deep(brackets, self.max_depth)
        if first is None:
            return
        place = self._place(raw, _bracket_at(raw, first))
        self._refuse(f"nested more than {self.max_depth} deep", "too_deep", place)

    def _check_surrogates(self, raw: bytes) -> None:
        if b"\\ud" not in raw and b"\\uD" not in raw:
            return
        if found := _LONE.search(raw.replace(b"\\\\", b"__")):
            escape = raw[found.start() : found.start() + 6].decode("ascii", "replace")
            place = self._place(raw, found.start())
            self._refuse(f"a lone surrogate, `{one_line(escape)}`", "surrogate", place)

    def _parse(self, raw: bytes, text: str, decoder: json.JSONDecoder) -> JsonValue:
        try:
            return decoder.decode(text)
        except json.JSONDecodeError as error:
            place = Place(self.source, error.lineno, error.colno - 1)
            self._refuse(_syntax(text, error), "syntax", place)
        except _DuplicateKeyError:
            offset, key = _second_key(text)
            place = self._place_in_text(text, offset)
            self._refuse(f"the key {one_line(key, limit=80)} stands twice in one object", "duplicate_key", place)
        except _BadNumberError as error:
            place = self._place(raw, _number_at(raw, error.literal.encode()))
            self._refuse(error.reason, error.code, place)
        except RecursionError:
            self._refuse("nested deeper than can be read here", "too_deep")

    def _place(self, raw: bytes, offset: int) -> Place:
        start = raw.rfind(b"\n", 0, offset) + 1
        column = len(raw[start:offset].decode("utf-8", "replace"))
        return Place(self.source, raw.count(b"\n", 0, offset) + 1, column)

    def _place_in_text(self, text: str, offset: int) -> Place:
        return Place(self.source, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset) - 1)

    def _refuse(self, reason: str, code: str, place: Place | None = None, hint: str | None = None) -> NoReturn:
        finding = Finding(reason, code, place or Place(self.source), hint)
        raise DocumentError(f"`{one_line(self.source, limit=200)}` is not JSON that can be read", [finding]) from None


def first_too_deep(brackets: bytes, most: int) -> int | None:
    """The index of the first bracket that is nested more than `most` deep; the bytes hold nothing but brackets."""
    depth = 0
    for start in range(0, len(brackets), _STRIDE) if len(brackets) > most else ():
        steps = memoryview(brackets[start : start + _STRIDE].translate(_STEPS)).cast("b")
        depths = list(accumulate(steps, initial=depth))
        if max(depths) > most:
            return start + depths.index(most + 1) - 1
        depth = depths[-1]
    return None


def _unescaped(raw: bytes, filler: bytes) -> bytes:
    """The document without escaped backslashes and quotes, so that every quote left opens or closes a string."""
    return raw.replace(b"\\\\", filler).replace(b'\\"', filler)


def _has_long_numbers(outside: bytes) -> bool:
    shape = outside.translate(_NUMBER_SHAPE, b"+-")
    return _MANY_DIGITS in shape or _BIG_EXPONENT in shape


def _blanked(raw: bytes) -> bytes:
    """The document with its strings blank and every offset as it was."""
    parts = _unescaped(raw, b"__").split(b'"')
    parts[1::2] = [b" " * len(part) for part in parts[1::2]]
    return b'"'.join(parts)


def _bracket_at(raw: bytes, index: int) -> int:
    """The offset of the bracket with this index, those in strings not counted."""
    bare = _blanked(raw)
    return bisect_left(range(len(bare)), index + 1, key=lambda at: len(bare[: at + 1].translate(None, _NOT_BRACKETS)))


def _number_at(raw: bytes, literal: bytes) -> int:
    """The offset of the first number that is spelled so, those in strings not counted."""
    bare = _blanked(raw)
    at = bare.find(literal)
    while at >= 0:
        start = at if at == 0 or not _NUMBER.match(bare, at - 1) else at - 1
        found = _NUMBER.match(bare, start)
        end = found.end() if found else at + 1
        if bare[start:end] == literal:
            return at
        at = bare.find(literal, end)
    return 0


def _second_key(text: str) -> tuple[int, str]:
    """Offset and literal of the first key that its object already has; the text is well-formed up to there."""
    open_objects: list[set[str]] = []
    for token in _KEYS.finditer(text):
        brace, first, literal, colon = token.groups()
        if brace:
            open_objects.append({_key(first)} if first else set())
        elif literal is None:
            open_objects.pop()
        elif colon:
            key = _key(literal)
            if key in open_objects[-1]:
                return token.start(), literal
            open_objects[-1].add(key)
    return 0, '""'


def _key(literal: str) -> str:
    return json.loads(literal) if "\\" in literal else literal[1:-1]


_SAID: Final = {
    "Expecting value": "expected a value",
    "Expecting ',' delimiter": "expected `,` or the closing bracket",
    "Expecting ':' delimiter": "expected `:`",
    "Expecting property name": "expected a name in double quotes",
    "Extra data": "nothing can follow the end",
    "Unterminated string": "the quote is never closed",
    "Invalid control character": "a control character in a text",
    "Invalid \\": "no such escape in a text",
    "Illegal trailing comma": "nothing follows the comma",
}
"""The parser's words by how they begin, and ours."""


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "the document is empty"
    message = next((ours for theirs, ours in _SAID.items() if error.msg.startswith(theirs)), error.msg.lower())
    found = one_line(text[error.pos : error.pos + 20].strip().split("\n")[0], limit=20)
    return f"{message}, found `{found}`" if found else f"{message}, found the end"
