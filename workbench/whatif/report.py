"""An answer ready to be handed over: one content as text, as CSV and as JSON, for a command and for a screen alike.

Owns the shapes of files, not the words in them. Text and CSV carry nothing that a terminal would obey; a CSV cell that
a spreadsheet would run as a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.boundary import sanitiser, strict_json

SCHEMA: Final = 1
"""The version of the JSON shapes, as every command prints it."""
GAP: Final = "  "
_NOT_PLAIN: Final = re.compile("[^\n -~]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of words. Every row has one cell per heading."""

    title: str
    """What it is about; empty where the report's own title says it."""
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = field(default_factory=frozenset[str])
    """Headings whose column holds numbers, which stand to the right."""
    empty: str = ""
    """What is said instead where there is no row; nothing is where it is empty."""


@dataclass(frozen=True, slots=True)
class Report:
    """One answer."""

    title: str
    lines: tuple[str, ...]
    """What is said before the tables."""
    sheets: tuple[Sheet, ...]
    table: Sheet
    """The whole content as one table with plain values, for CSV."""
    document: Mapping[str, Any]
    """The whole content for JSON, without its schema number."""

    def text(self) -> str:
        """Title, lines and tables, uncut."""
        return "".join(f"{line}\n" for line in self._text_lines())

    def _text_lines(self) -> Iterator[str]:
        yield sanitiser.one_line(self.title)
        yield from map(sanitiser.one_line, self.lines)
        for sheet in self.sheets:
            if not sheet.rows and not sheet.empty:
                continue
            yield ""
            if sheet.title:
                yield sanitiser.one_line(sheet.title)
            yield from sheet_lines(sheet) if sheet.rows else (sheet.empty,)

    def csv(self) -> str:
        """One table: headings, then rows; lines end in a line feed."""
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(self.table.headings)
        writer.writerows([_cell(cell) for cell in row] for row in self.table.rows)
        return written.getvalue()

    def json(self) -> str:
        """One object, its schema number first; what is invisible is written as an escape."""
        text = strict_json.dumps({"schema": SCHEMA, **self.document}, indent=2) + "\n"
        return _NOT_PLAIN.sub(_escape, text)

    def files(self, name: str) -> dict[str, bytes]:
        """The three as contents by file name."""
        return {
            f"{name}.txt": self.text().encode(),
            f"{name}.csv": self.csv().encode(),
            f"{name}.json": self.json().encode(),
        }


def sheet_lines(sheet: Sheet) -> Iterator[str]:
    """The table in columns as wide as their content."""
    rows = [[sanitiser.one_line(cell) for cell in row] for row in (sheet.headings, *sheet.rows)]
    widths = [max(_width(row[k]) for row in rows) for k in range(len(sheet.headings))]
    for row in rows:
        cells: list[str] = []
        for k, cell in enumerate(row):
            blank = " " * (widths[k] - _width(cell))
            cells.append(blank + cell if sheet.headings[k] in sheet.numbers else cell + blank)
        yield GAP.join(cells).rstrip()


def plain(value: float | None) -> str:
    """A number for CSV, exactly; empty where it is unknown."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def dollars(value: float | None) -> str:
    """A price in dollars; `?` where it is unknown, never 0."""
    if value is None:
        return "?"
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def monthly(value: float | None, *, sign: bool = False) -> str:
    """Dollars of a month, to the cent; `?` where they are unknown."""
    if value is None:
        return "?"
    return f"{value:+,.2f}" if sign else f"{value:,.2f}"


def change(value: float | None) -> str:
    """A difference with its sign; `?` where one side is unknown."""
    if value is None:
        return "?"
    text = f"{value:+.6f}".rstrip("0").rstrip(".")
    return "0" if text in {"+0", "-0"} else text


def counted(number: int, thing: str) -> str:
    """`1 tenant`, `2 tenants`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(words: Sequence[str], most: int = 3) -> str:
    """The first few words, and how many more there are."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"


def _cell(text: str) -> str:
    shown = sanitiser.one_line(text)
    harmless = shown == "-" or _NUMBER.fullmatch(shown)
    return f"'{shown}" if shown.startswith(_FORMULA) and not harmless else shown


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if sanitiser.visible(character) == character and character != "\t":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))
