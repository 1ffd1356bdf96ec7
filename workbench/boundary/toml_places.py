"""Where in a TOML text a key path stands, for findings with a line.

Owns a scanner that knows just enough of TOML to tell keys, headers, arrays and inline tables apart. It checks nothing:
in text that is no TOML it gives the best line it has, or none.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

Path = tuple[str | int, ...]

STRINGS: Final = (
    r'"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+(?:"{3,5})?'
    r"|'''[^']*+(?:'(?!'')[^']*+)*+(?:'{3,5})?"
    r'|"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?'
    r"|'[^'\n]*+'?"
)
"""Every form of string, closed or not, so that a scan never goes back."""

_TOKEN: Final = re.compile(
    rf"(?P<comment>\#[^\n]*+)|(?P<string>{STRINGS})|(?P<newline>\n)|(?P<mark>[\[\]{{}}=,.])|(?P<word>[^\s\[\]{{}}=,.\"'#]++)",
    re.DOTALL,
)
_MAX_STEPS: Final = 64
"""No path the loader admits is deeper; a scan of other text stays bounded."""


def locate(text: str, path: Path) -> int | None:
    """The 1-based line of the key, header or array item at `path` (keys and 0-based indices), or of its nearest parent.

    None where not even the first step is found. Linear in the text, which is scanned once for many questions.
    """
    lines = _lines(text)
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return None


@lru_cache(maxsize=8)
def _lines(text: str) -> dict[Path, int]:
    scan = _Scan()
    for token in _TOKEN.finditer(text):
        scan.take(token.lastgroup or "", token.group())
    return scan.lines


class _Scan:
    """The state between two tokens: which table, which key so far, which arrays and inline tables are open."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._line = 1
        self._table: Path = ()
        self._counts: dict[Path, int] = {}
        self._key: list[str] = []
        self._header = 0  # brackets of a header seen so far
        self._in_value = False
        self._open: list[tuple[str, Path, int]] = []  # bracket, path of the container, index of the next item
        self._value_path: Path = ()

    def take(self, kind: str, token: str) -> None:
        """One token further."""
        if kind == "newline":
            self._end_of_line()
        elif kind == "mark":
            self._mark(token)
        elif kind in ("string", "word"):
            self._word(kind, token)
        self._line += token.count("\n")

    def _end_of_line(self) -> None:
        if not self._open:
            self._in_value, self._key, self._header = False, [], 0

    def _word(self, kind: str, token: str) -> None:
        if not self._in_value:
            self._key.append(_plain(token) if kind == "string" else token)
        else:
            self._note_item()

    def _mark(self, mark: str) -> None:
        if self._in_value:
            self._mark_in_value(mark)
        elif mark == "[":
            self._header += 1
        elif mark == "]" and self._header:
            self._enter_table()
        elif mark == "=":
            self._enter_value(self._table)
        elif mark in "},":
            self._close(mark)

    def _mark_in_value(self, mark: str) -> None:
        if mark in "[{" and len(self._open) < _MAX_STEPS:
            self._note_item()
            self._open.append((mark, self._value_path, 0))
            if mark == "{":
                self._in_value, self._key = False, []
            else:
                self._value_path = (*self._value_path, 0)
        elif mark in "]},":
            self._close(mark)

    def _close(self, mark: str) -> None:
        """A comma or a closing bracket inside a value: the next item, or back to the container."""
        if not self._open:
            return
        bracket, path, index = self._open[-1]
        if mark == ",":
            self._open[-1] = (bracket, path, index + 1)
            self._value_path = (*path, index + 1)
            self._in_value, self._key = bracket == "[", []
        else:
            self._open.pop()
            self._value_path, self._in_value, self._key = path, True, []

    def _note_item(self) -> None:
        if self._open:
            self.lines.setdefault(self._value_path, self._line)

    def _enter_value(self, table: Path) -> None:
        base = self._open[-1][1] if self._open else table
        for length in range(1, min(len(self._key), _MAX_STEPS) + 1):
            self.lines.setdefault((*base, *self._key[:length]), self._line)
        self._value_path = (*base, *self._key[:_MAX_STEPS])
        self._in_value, self._key = True, []

    def _enter_table(self) -> None:
        """A header's closing bracket: resolve its keys against the arrays of tables opened so far."""
        path: Path = ()
        for position, key in enumerate(self._key[:_MAX_STEPS]):
            path = (*path, key)
            if position == len(self._key) - 1 and self._header > 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            self.lines.setdefault(path, self._line)
            if path in self._counts:
                path = (*path, self._counts[path])
                self.lines.setdefault(path, self._line)
        self._table = path
        self._key, self._header = [], 0


def _plain(literal: str) -> str:
    if literal.startswith("'"):
        return literal.strip("'")
    try:
        return str(json.loads(literal))
    except ValueError:
        return literal.strip('"')
