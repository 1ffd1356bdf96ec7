"""The lines of the clause list: a filter clause in two lines, a slot in one, room for the editor where one is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from workbench.rulebook.clause import Clause
from workbench.session.views import SLOTS, ClauseRow
from workbench.tui.draft import Draft
from workbench.tui.view import View
from workbench.tui.widgets.clause_lines import clause_lines
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line, filled, shorten
from workbench.tui.widgets.tokens import coloured

EDITOR_LINES = 5
"""Lines that stay empty for the editor that lies over them."""

COLUMNS = Columns((
    Column("sign", "", 1),
    Column("text", "clause"),
    Column("alone", "alone", 5, "right", 34),
    Column("only", "only it", 7, "right", 34),
))  # fmt: skip

Entry = tuple[int | None, str, object]
"""Row, kind of line, and what the line is about."""


class ClauseRows:
    """The clauses of a view, laid out for a width once per view and drawn a line at a time."""

    def __init__(self, view: View, draft: Draft | None = None, width: int = 80) -> None:
        self._view = view
        self._entries: list[Entry] = list(_entries(view, draft, max(4, COLUMNS.room("text", width))))
        self._spans: dict[int, tuple[int, int]] = {}
        self.editor_line: int | None = None
        """The first of the lines kept for the editor."""
        for at, (row, kind, _) in enumerate(self._entries):
            if kind == "editor" and self.editor_line is None:
                self.editor_line = at
            if row is not None:
                first, count = self._spans.get(row, (at, 0))
                self._spans[row] = (first, count + 1)

    @property
    def lines(self) -> int:
        return len(self._entries)

    def __len__(self) -> int:
        return len(self._view.clauses)

    def row_at(self, line: int) -> int | None:
        return self._entries[line][0] if 0 <= line < len(self._entries) else None

    def span(self, row: int) -> tuple[int, int]:
        return self._spans.get(row, (0, 1))

    def heading(self, width: int) -> Line | None:
        return COLUMNS.heading(width)

    def draw(self, line: int, width: int) -> Line:
        _, kind, subject = self._entries[line]
        if kind == "clause" and isinstance(subject, ClauseRow):
            return _clause_line(subject, width)
        if kind == "more":
            return [Cell("    "), *cast("Line", subject)]
        if kind == "source" and isinstance(subject, Clause):
            return [Cell("    "), *source_cells(subject)]
        if kind == "slot" and isinstance(subject, Clause):
            return _slot_line(subject, width)
        if kind == "label":
            return [Cell(str(subject), "faint")]
        return ()


def _entries(view: View, draft: Draft | None, room: int) -> Iterator[Entry]:
    rows = view.tenant.rows if view.tenant else ()
    editing = draft.clause.id if draft and draft.clause else None
    adding = draft is not None and draft.clause is None
    placed = False
    for k, row in enumerate(rows):
        if row.clause.id == editing:
            yield from ((k, "editor", row) for _ in range(EDITOR_LINES))
            continue
        yield k, "clause", row
        yield from ((k, "more", line) for line in _text_lines(row.clause, room)[1:])
        if row.clause.origin != "default":
            yield k, "source", row.clause
        if adding and draft and row.clause.id == draft.after:
            placed = True
            yield from ((None, "editor", None) for _ in range(EDITOR_LINES))
    if adding and not placed:
        yield from ((None, "editor", None) for _ in range(EDITOR_LINES))
    if not rows and view.outcome is not None and view.outcome.compiled is not None and not adding:
        yield None, "label", "no filter: every offer passes; a adds a clause"
    slots = [clause for clause in view.clauses if clause.slot in SLOTS]
    if slots:
        yield None, "label", ""
    for k, clause in enumerate(slots, len(rows)):
        if clause.id == editing:
            yield from ((k, "editor", clause) for _ in range(EDITOR_LINES))
        else:
            yield k, "slot", clause


def _clause_line(row: ClauseRow, width: int) -> Line:
    clause = row.clause
    on = clause.enabled
    return COLUMNS.lay(
        {
            "sign": Cell("✓" if on else "○", "good" if on else "faint"),
            "text": _text_lines(clause, COLUMNS.room("text", width))[0],
            "alone": Cell(f"{row.alone:,}" if on else "-", "muted"),
            "only": Cell(f"{row.only:,}" if on else "-", "strong" if row.only else "faint"),
        },
        width,
    )


def _text_lines(clause: Clause, room: int) -> tuple[Line, ...]:
    """The clause's text in lines, the first of them `room` cells wide."""
    if clause.enabled:
        return clause_lines(worded(clause), room)
    *before, last = clause_lines(worded(clause), max(4, room - 7))
    return (*(_muted(line) for line in before), (*_muted(last), Cell("  (off)", "muted")))


def _muted(line: Line) -> Line:
    return tuple(Cell(cell.text, "muted") for cell in line)


def worded(clause: Clause) -> str:
    """The clause as a person reads it: as written, but not as JSON where words say the same."""
    text = clause.text.strip()
    return clause.shown if text.startswith("[") else text


def source_cells(clause: Clause) -> list[Cell]:
    """Where a clause comes from, in words: the rule and the tenant facts behind it."""
    if clause.origin == "own":
        return [Cell("this tenant's own", "accent")]
    if clause.origin == "default":
        return [Cell("envelope of the workspace" if clause.is_envelope else "default of the rulebook", "faint")]
    mark = [Cell("override ", "warn")] if clause.origin == "override" else []
    facts = ", ".join(f"{name} = {fact_text(value)}" for name, value in clause.facts)
    rule = Cell(clause.rule_id or "", "muted")
    return [*mark, rule, Cell(f" ← {facts}", "faint")] if facts else [*mark, rule]


def fact_text(value: object) -> str:
    """A tenant's fact as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _slot_line(clause: Clause, width: int) -> Line:
    origin = clause.rule_id or "" if clause.origin == "rule" else clause.origin
    origin = shorten(origin, max(0, width // 3))
    room = max(4, width - 10 - len(origin) - 1)
    text = (
        coloured("; ".join(line.strip().rstrip(";").rstrip() for line in clause.text.strip().splitlines()))
        if clause.enabled
        else (Cell(f"{clause.text}  (off)", "muted"),)
    )
    style = {"override": "warn", "own": "accent"}.get(clause.origin, "faint")
    return [Cell(f"{clause.slot:<9} ", "label"), *filled(text, room + 1), Cell(origin, style)]
