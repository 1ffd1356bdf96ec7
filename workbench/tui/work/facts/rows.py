"""A tenant's facts in rows: what the file says, what is supposed, and a mark where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.rulebook.schema import Fact, TenantField
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.rows import EvenRows
from workbench.whatif.reports.words import fact_words, new_fact

COLUMNS = Columns((Column("mark", "", 1), Column("name", "fact", 18), Column("held", "in the file"),
                   Column("now", "supposed", 16)))  # fmt: skip
WIDE = Columns((Column("mark", "", 1), Column("name", "fact", 20), Column("held", "in the file", 24),
                Column("now", "supposed", 24), Column("about", "")))  # fmt: skip
WIDE_FROM = 84


class FactRows(EvenRows):
    """One fact a line."""

    def __init__(
        self, fields: Sequence[TenantField], held: Mapping[str, Fact], changed: Mapping[str, Fact | None]
    ) -> None:
        self.fields = fields
        self.held = held
        self.changed = changed

    def __len__(self) -> int:
        return len(self.fields)

    def heading(self, width: int) -> Line | None:
        return _columns(width).heading(width)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - a row is one line
        known = self.fields[row]
        other = known.name in self.changed
        now = self.changed.get(known.name)
        cells = {
            "mark": Cell("*" if other else "", "marked"),
            "name": Cell(known.name, "strong" if other else ""),
            "held": Cell(fact_words(self.held.get(known.name)), "muted" if other else ""),
            "now": Cell(new_fact(self.held.get(known.name), now) if other else "", "accent"),
            "about": Cell(known.meaning, "faint"),
        }
        return _columns(width).lay(cells, width)


def _columns(width: int) -> Columns:
    return WIDE if width >= WIDE_FROM else COLUMNS
