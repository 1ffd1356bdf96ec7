"""The decision of the selected tenant: winner, funnel, order, selector, fallback."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from workbench.tui import wording
from workbench.tui.lines import decision_lines as lines
from workbench.tui.messages import OfferChosen
from workbench.tui.panels.offer_rows import OfferRows
from workbench.tui.panels.panel import Panel
from workbench.tui.view import View
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock


class Decision(Panel):
    """Four stages, top to bottom, in the order in which they happen."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.query_text = ""
        self.removed_by: str | None = None
        """A clause id: show only the offers that this clause takes."""
        self.sort: str | None = None
        """The column that the offers are sorted by; None for the fallback order."""
        self._winner = TextBlock(id="winner")
        self._before = TextBlock(id="before-rank")
        self._table = LineTable(self._moved, id="offer-table")
        self._after = TextBlock(id="after-rank")

    def compose(self) -> ComposeResult:
        yield self._winner
        yield self._before
        yield self._table
        yield self._after

    def watch_view(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Show the view anew."""
        view = self.view
        if view is None:
            return
        self._winner.show(lambda width: lines.winner_lines(view, width))
        self._before.show(lambda width: [*lines.funnel_lines(view, width), *lines.rank_line(view)])
        self._after.show(lambda _width: lines.after_lines(view))
        self._show_offers(view)
        self._winner.set_class(view.stale is not None, "-stale")
        self._winner.set_class(view.outcome is not None and view.outcome.winner is None, "-nobody")
        self.name_it("Decision", self._note(view))

    def _show_offers(self, view: View) -> None:
        if view.outcome is None or view.outcome.decision is None:
            self._table.show_rows(ListedRows())
            return
        rows = OfferRows(view.state, view.outcome, self.query_text, self._removed(view), self.sort)
        self._table.show_rows(rows, None if self.said else rows.row_of(view.cursors.offer))

    def _removed(self, view: View) -> list[int] | None:
        clause = next((c for c in view.clauses if c.id == self.removed_by), None)
        return None if clause is None else view.removed_by(clause)

    def _note(self, view: View) -> str:
        if view.stale is not None:
            return "stale: the last good result"
        parts = [f"/{self.query_text}" if self.query_text else ""]
        if self.removed_by:
            parts.append("only what the clause takes; esc")
        elif view.outcome is not None and view.outcome.decision is not None:
            parts.append(wording.plural(view.outcome.survivors, "survivor"))
        return " ".join(part for part in parts if part)

    def filter(self, text: str) -> None:
        """Show only the offers that contain a text."""
        self.query_text = text
        self.redraw()

    def show_removed(self, clause_id: str | None) -> None:
        """Show only the offers that a clause takes; None for all."""
        self.removed_by = clause_id
        self.redraw()

    def _moved(self, row: int) -> None:
        rows = self._table.rows
        index = rows.index_at(row) if isinstance(rows, OfferRows) else None
        if index is not None:
            self.announce(OfferChosen(index))

    @on(LineTable.HeadingClicked)
    def _sorted(self, event: LineTable.HeadingClicked) -> None:
        """Sort by the column; by the fallback order again where it is that already, or has a place or a score in it."""
        event.stop()
        column = OfferRows.column_at(event.x, self._table.draw_width)
        self.sort = None if column in (self.sort, "place", "score", "short") else column
        self.redraw()

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self._moved(event.row)
