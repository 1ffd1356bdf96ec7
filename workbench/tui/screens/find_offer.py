"""Why not X? Type a part of any offer's name, see where it stands, take it with enter."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.tui.panels.offer_rows import OfferRows
from workbench.tui.view import View
from workbench.tui.widgets.line_table import LineTable


class FindOffer(ModalScreen[int | None]):
    """Gives the offer's place in the catalog."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False, id="find.cancel"),
        Binding("down", "step(1)", "down", show=False, id="find.down"),
        Binding("up", "step(-1)", "up", show=False, id="find.up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="find.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="find.page_up"),
    ]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._table = LineTable(id="find-table")
        self._table.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog finder") as box:
            box.border_title = Content("Why not …?")
            box.border_subtitle = Content("enter shows the verdicts · esc")
            field = Input(placeholder="model, provider or region", compact=True)
            field.cursor_blink = False
            yield field
            yield self._table

    def on_mount(self) -> None:
        self._search("")

    def _search(self, text: str) -> None:
        if self._view.outcome is not None:
            self._table.show_rows(OfferRows(self._view.state, self._view.outcome, text), 0)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    @on(Input.Submitted)
    @on(LineTable.RowOpened)
    def _picked(self) -> None:
        rows = self._table.rows
        index = rows.index_at(self._table.cursor) if isinstance(rows, OfferRows) else None
        if index is not None:
            self.dismiss(index)

    def action_step(self, by: int) -> None:
        self._table.action_step(by)

    def action_page(self, by: int) -> None:
        self._table.action_page(by)
