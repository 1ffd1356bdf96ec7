"""The policy on the wire: `policy_ir` as JSON, in step with the clauses both ways."""

from __future__ import annotations

from textual.app import ComposeResult

from workbench.tui.messages import ClauseChosen
from workbench.tui.panels.panel import Panel
from workbench.tui.panels.term_lines import TermLine, policy_lines
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows, ListedRows


class PolicyRows(EvenRows):
    """The lines of one policy; those of the selected clause bear a bar."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._width = 0
        self._lines: list[TermLine] = []
        self.fit(60)

    def fit(self, width: int) -> None:
        """Wrap anew for a width."""
        compiled = self._view.outcome.compiled if self._view.outcome else None
        if width != self._width and compiled is not None:
            self._width = width
            self._lines = policy_lines(compiled, width - 2)

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
        if line.clause_id is not None and line.clause_id == self._view.cursors.clause_id:
            return [Cell("┃ ", "accent"), *(Cell(cell.text, f"{cell.style or 'marked'}") for cell in line.cells)]
        return [Cell("  "), *line.cells]


class Policy(Panel):
    """`policy_ir` with its fingerprint and identity."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = LineTable(self._moved, id="policy-table")
        self._table.quiet = True

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
        rows = PolicyRows(view)
        rows.fit(self._table.draw_width)
        at = rows.first_of(view.cursors.clause_id) if follow and not self._table.has_focus else None
        self._table.show_rows(rows, at, top=None if at is None else at - 1)
        self.name_it(f"policy_ir · {compiled.policy.short}", compiled.policy.fingerprint)

    def _moved(self, row: int) -> None:
        rows = self._table.rows
        clause_id = rows.clause_at(row) if isinstance(rows, PolicyRows) else None
        if clause_id is not None:
            self.announce(ClauseChosen(clause_id))
