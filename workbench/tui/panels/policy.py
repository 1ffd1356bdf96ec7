"""The policy on the wire: `policy_ir` as JSON, in step with the clauses both ways."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from workbench.rulebook.compile import Compiled
from workbench.tui.lines.term_lines import TermLine, policy_lines
from workbench.tui.messages import ClauseChosen
from workbench.tui.panels.panel import Panel
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows, ListedRows


class PolicyRows(EvenRows):
    """The lines of one policy; those of the selected clause bear a bar."""

    def __init__(self, lines: Sequence[TermLine], selected: str | None) -> None:
        self._lines = lines
        self._selected = selected

    def __len__(self) -> int:
        return len(self._lines)

    def clause_at(self, row: int) -> str | None:
        """The clause that a line belongs to."""
        return self._lines[row].clause_id if row < len(self._lines) else None

    def first_of(self, clause_id: str | None) -> int | None:
        """The first line of a clause."""
        return next((k for k, line in enumerate(self._lines) if line.clause_id == clause_id), None)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - one line each
        line = self._lines[row]
        if line.clause_id is not None and line.clause_id == self._selected:
            return [Cell("┃ ", "accent"), *(Cell(cell.text, f"{cell.style or 'marked'}") for cell in line.cells)]
        return [Cell("  "), *line.cells]


class Policy(Panel):
    """`policy_ir` with its fingerprint and identity."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = LineTable(self._moved, id="policy-table")
        self._table.quiet = True
        self._lines: tuple[Compiled, int, Sequence[TermLine]] | None = None

    def compose(self) -> ComposeResult:
        yield self._table

    def watch_view(self, before: View | None, after: View | None) -> None:
        self.redraw(follow=before is None or after is None or before.cursors.clause_id != after.cursors.clause_id)

    def on_resize(self) -> None:
        self.redraw(follow=True)

    def redraw(self, *, follow: bool) -> None:
        """Show the view anew; `follow` scrolls to the selected clause."""
        view = self.view
        if view is None:
            return
        compiled = view.outcome.compiled if view.outcome else None
        if compiled is None:
            self._table.show_rows(ListedRows([(None, [Cell("no policy", "muted")])]))
            self.name_it("policy_ir")
            return
        rows = PolicyRows(self._wrapped(compiled, self._table.draw_width - 2), view.cursors.clause_id)
        at = rows.first_of(view.cursors.clause_id) if follow and not self._table.has_focus else None
        self._table.show_rows(rows, at, top=None if at is None else at - 1)
        self.name_it(f"policy_ir · {compiled.policy.short}", compiled.policy.fingerprint)

    def _wrapped(self, compiled: Compiled, width: int) -> Sequence[TermLine]:
        if self._lines is None or self._lines[0] is not compiled or self._lines[1] != width:
            self._lines = (compiled, width, policy_lines(compiled, width))
        return self._lines[2]

    def _moved(self, row: int) -> None:
        rows = self._table.rows
        clause_id = rows.clause_at(row) if isinstance(rows, PolicyRows) else None
        if clause_id is not None:
            self.announce(ClauseChosen(clause_id))
