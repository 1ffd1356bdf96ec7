"""Why not X? Type a part of any offer's name, see where it stands, take it with enter."""

from __future__ import annotations

from workbench.tui.panels.offer_rows import OfferRows
from workbench.tui.screens.finder import Finder
from workbench.tui.view import View
from workbench.tui.widgets.rows import ListedRows, Rows


class FindOffer(Finder[int]):
    """Gives the offer's place in the catalog."""

    def __init__(self, view: View) -> None:
        super().__init__("Why not …?", "enter shows the verdicts · esc", "model, provider or region")
        self._view = view

    def found(self, text: str) -> Rows:
        outcome = self._view.outcome
        return ListedRows() if outcome is None else OfferRows(self._view.state, outcome, text)

    def taken(self, row: int, typed: str) -> int | None:
        del typed
        rows = self.table.rows
        return rows.index_at(row) if isinstance(rows, OfferRows) else None
