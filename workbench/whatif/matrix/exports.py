"""A sheet as CSV and as Markdown: plain text for other programs. Every name is made safe for where it goes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from workbench.boundary.sanitiser import one_line
from workbench.whatif.matrix.grid import rule_titles
from workbench.whatif.matrix.sheet import Sheet

_FORMULA: Final = ("=", "+", "-", "@")
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]()#|~!]")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def header(sheet: Sheet) -> list[str]:
    """The headings: tenant, those like it where only differences are shown, the group where there is one, columns."""
    asked = sheet.asked
    first = ["tenant", *(["alike"] if asked.differences else []), *([asked.group] if asked.group else [])]
    return [*first, *(sheet.name(k) for k in range(len(sheet.columns)))]


def body(sheet: Sheet) -> Iterator[list[str]]:
    """The rows beneath `header`: a cell is a place, the name of a rule, `not kept` or `no policy`."""
    for place, row in enumerate(sheet.rows):
        alike = [" ".join(row.alike)] if sheet.asked.differences else []
        group = [row.group or ""] if sheet.asked.group else []
        yield [row.tenant, *alike, *group, *sheet.texts(place)]


def as_csv(sheet: Sheet) -> str:
    """Comma-separated values with a line of headings, lines end in `\\n`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in header(sheet)])
    known: dict[str, str] = {}
    for row in body(sheet):
        for text in row:
            if text not in known:
                known[text] = csv_cell(text)
        writer.writerow([known[text] for text in row])
    return out.getvalue()


def csv_cell(text: str) -> str:
    """A cell on one line that no spreadsheet takes for a formula."""
    shown = one_line(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def as_markdown(sheet: Sheet) -> str:
    """A table, the winner of each tenant in bold, and a list of the rules that say no."""
    names = header(sheet)
    lines = [_line(map(markdown_text, names)), _line("---" for _ in names)]
    fixed = len(names) - len(sheet.columns)
    said: set[str] = set()
    for row in body(sheet):
        said.update(row[fixed:])
        shown = [*map(markdown_text, row[:fixed])]
        shown += ["**1**" if text == "1" else markdown_text(text) for text in row[fixed:]]
        lines.append(_line(shown))
    titles = rule_titles(sheet.matrix.evaluation)
    rules = [f"- {markdown_text(name)}: {markdown_text(title)}" for name, title in titles.items() if name in said]
    return "\n".join([*lines, *(["", *rules] if rules else [])]) + "\n"


def _line(cells: Iterator[str] | map[str] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_text(text: str) -> str:
    """Text on one line of which no character is markup."""
    plain = "".join(_ENTITIES.get(character, character) for character in one_line(text))
    return _MARKUP.sub(lambda match: f"\\{match[0]}", plain)
