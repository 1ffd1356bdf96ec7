"""Tables of figures, as text, as Markdown and as JSON, and the few lines that every script here ends in."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Cell = str | float | None
"""None where there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; units stand in the heads of the columns."""

    name: str
    """`engine-decisions`; where docs/performance.md shows it."""
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What a reader must know, what was skipped and why."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Table:
        """A table from its JSON form."""
        rows = tuple(tuple(row) for row in document["rows"])
        return cls(document["name"], document["title"], tuple(document["head"]), rows, tuple(document["notes"]))


def figure(value: Cell) -> str:
    """Three significant digits, thousands apart; `-` for nothing."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def as_text(table: Table) -> str:
    """For a terminal: the first column to the left, figures to the right."""
    cells = [table.head, *(tuple(map(figure, row)) for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.head))]
    lines = [table.title, ""]
    for row in cells:
        figures = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *figures]).rstrip())
    return "\n".join([*lines, *(f"  {note}" for note in table.notes)]) + "\n"


def as_markdown(table: Table) -> str:
    """For docs/performance.md."""
    rule = ["---", *["---:"] * (len(table.head) - 1)]
    rows = [table.head, rule, *(tuple(map(figure, row)) for row in table.rows)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def show(tables: Sequence[Table], *, as_json: bool) -> None:
    """Print them, as JSON with a version of its shape."""
    if as_json:
        print(json.dumps({"schema": 1, "tables": [asdict(table) for table in tables]}, indent=2))
    else:
        print("\n".join(map(as_text, tables)))


def script(what: str | None, measure: Callable[[], Sequence[Table]]) -> int:
    """The command line of one script: measures, prints, gives the exit status."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    options = parser.parse_args()
    show(measure(), as_json=options.json)
    return 0
