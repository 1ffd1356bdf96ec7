"""TOML read behind a guard, because `tomllib` takes seconds for a few hostile kilobytes.

Owns the bounds (size, parts of a key, nesting, the product of both, the length of a number), checked on the bytes
before `tomllib` sees them, and the line of every error. It refuses `inf` and `nan`, and numbers that JSON would be
refused for, by the same rule: whole numbers within ±2^53 stay `int`, others become `float`. Dates stay dates.
"""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any, Final, NoReturn, cast

from workbench.boundary.sanitiser import one_line
from workbench.boundary.strict_json import EXACT, MAX_BYTES, MAX_DIGITS, first_too_deep
from workbench.boundary.toml_places import STRINGS, locate
from workbench.boundary.toml_words import in_words
from workbench.errors import DocumentError, Finding, Place

__all__ = ["MAX_NESTING", "MAX_PARTS", "loads", "locate"]

MAX_PARTS: Final = 16
"""Dotted parts of one key or header."""
MAX_NESTING: Final = 32
"""Arrays and inline tables in one another."""
MAX_WORD: Final = 256
"""Characters of a bare key or number."""
MAX_WORK: Final = 200_000
"""Sum over all keys of (parts of the header + parts of the key) x parts of the key: what `tomllib` walks."""

_Steps = tuple[str | int, ...]

_MASK: Final = re.compile(rf"(?:{STRINGS})|\#[^\n]*+".encode(), re.DOTALL)
_BLANKS: Final = b" \t\r"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_WORDS: Final = bytes(
    ord("w") if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "_+-") else code for code in range(256)
)
_DEEP_KEY: Final = re.compile(rb"(?<![\w.-])[\w-]++(?:\.[\w-]++){%d}" % MAX_PARTS)
_WHERE: Final = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)


def loads(data: bytes, *, source: str, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """The tables of a TOML document; a DocumentError with line and column where it is not a safe one.

    UTF-8, with or without a byte order mark. Every refusal comes within time linear in the size.
    """
    return _Reader(source, max_bytes).read(data)


class _Reader:
    """One reading of one document: what it may be, and how its errors are placed."""

    def __init__(self, source: str, max_bytes: int) -> None:
        self.source, self.max_bytes = source, max_bytes

    def read(self, data: bytes) -> dict[str, Any]:
        if len(data) > self.max_bytes:
            self._refuse(f"{len(data):,} bytes, the limit is {self.max_bytes:,}", "too_large")
        data = data.removeprefix(b"\xef\xbb\xbf")
        text = self._text(data)
        self._guard(data)
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self._syntax(text, str(error))
        except (RecursionError, ValueError) as error:
            self._refuse(f"cannot be read, {type(error).__name__}", "syntax")
        self._settle(document, text)
        return document

    def _text(self, data: bytes) -> str:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            self._refuse("the encoding is UTF-16, and only UTF-8 is read", "encoding", hint="save it as UTF-8")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._refuse(f"byte 0x{data[error.start]:02x} is not UTF-8", "encoding", line)

    def _guard(self, data: bytes) -> None:
        """The bounds on what `tomllib` would walk, on text without strings, comments and blanks."""
        bare = _MASK.sub(b"s", data).translate(None, _BLANKS)
        shape = bare.translate(_WORDS)
        if (at := shape.find(b"w" * (MAX_WORD + 1))) >= 0:
            self._refuse_in(data, at, f"a key or number of more than {MAX_WORD} characters", "too_long")
        if deep := _DEEP_KEY.search(bare):
            self._refuse_in(data, deep.start(), f"a key of more than {MAX_PARTS} parts", "too_many_parts")
        brackets = bare.translate(None, _NOT_BRACKETS)
        if first_too_deep(brackets, MAX_NESTING) is not None:
            self._refuse(f"nested more than {MAX_NESTING} deep", "too_deep", _deep_line(data))
        if bare.count(b"\n") * MAX_PARTS * 2 + bare.count(b".") * MAX_PARTS * 2 > MAX_WORK:
            self._check_work(bare)

    def _check_work(self, bare: bytes) -> None:
        header = work = 0
        for line in bare.split(b"\n"):
            if line.startswith(b"["):
                header = line.count(b".") + 1
            elif line:
                parts = line.partition(b"=")[0].count(b".") + 1
                work += (header + parts) * parts
        if work > MAX_WORK:
            self._refuse("too many keys under headers this deep", "too_much", hint="use fewer dotted parts")

    def _refuse_in(self, data: bytes, at: int, reason: str, code: str) -> NoReturn:
        """Refuse at an offset of the bare text: mask again, this time with the strings' own line ends kept."""
        plain = data.replace(b"\x00", b"?")  # a NUL of the document's own must not pass for a line end
        kept = _MASK.sub(lambda found: b"s" + b"\x00" * found.group().count(b"\n"), plain)
        seen = 0
        line = 1
        for code_point in kept.translate(None, _BLANKS):
            if seen == at and code_point:
                break
            seen += code_point != 0
            line += code_point in (0, 10)
        self._refuse(reason, code, line)

    def _syntax(self, text: str, message: str) -> NoReturn:
        found = _WHERE.fullmatch(message)
        line = int(found["line"]) if found and found["line"] else text.count("\n") + 1
        column = int(found["column"]) - 1 if found and found["column"] else None
        lines = text.split("\n", line)
        what, hint = in_words(found["what"] if found else message, lines[line - 1] if line <= len(lines) else "")
        self._refuse(one_line(what, limit=200), "syntax", line, column, hint)

    def _settle(self, document: dict[str, Any], text: str) -> None:
        """Numbers in place: refuse what no double holds, make a double of what only an `int` would hold exactly."""
        waiting: list[tuple[_Steps, dict[Any, Any] | list[Any]]] = [((), document)]
        while waiting:
            path, container = waiting.pop()
            for key, value in _items(container):
                if isinstance(value, dict | list):
                    waiting.append(((*path, key), cast("dict[Any, Any] | list[Any]", value)))
                elif isinstance(value, float) and not math.isfinite(value):
                    self._refuse("no number that can be compared", "not_a_number", locate(text, (*path, key)))
                elif type(value) is int and not -EXACT <= value <= EXACT:
                    if abs(value) >= 10**MAX_DIGITS:
                        reason = f"a whole number of more than {MAX_DIGITS} digits"
                        self._refuse(reason, "too_many_digits", locate(text, (*path, key)))
                    container[key] = float(value)

    def _refuse(
        self, reason: str, code: str, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> NoReturn:
        finding = Finding(reason, code, Place(self.source, line, column), hint)
        raise DocumentError(f"`{one_line(self.source, limit=200)}` is not TOML that can be read", [finding]) from None


def _items(container: dict[Any, Any] | list[Any]) -> list[tuple[Any, Any]]:
    return list(container.items()) if isinstance(container, dict) else list(enumerate(container))


def _deep_line(data: bytes) -> int:
    depth, line = 0, 1
    for code in _MASK.sub(lambda found: b"\n" * found.group().count(b"\n"), data):
        line += code == 10
        depth += (code in b"[{") - (code in b"]}")
        if depth > MAX_NESTING:
            break
    return line
