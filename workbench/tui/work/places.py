"""Every other screen in a list, with its key: for those who do not know the keys yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from workbench.session.actions import BY_ID
from workbench.tui import wording
from workbench.tui.screens.looking import host_of
from workbench.tui.widgets.drawing import Cell, Line, fit
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.work import SCREENS, open_screen

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen


class Places(ModalScreen[str | None]):
    """Gives the id of the action that opens the chosen screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,p", "dismiss(None)", "cancel", show=False, id="places.cancel"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._actions = [BY_ID[action_id] for action_id in SCREENS]
        self._table = LineTable(id="places-table")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog places") as box:
            box.border_title = Content("Other screens")
            box.border_subtitle = Content("enter, or the key · esc")
            yield self._table

    def on_mount(self) -> None:
        lines: list[tuple[int | None, Line]] = [
            (
                k,
                [
                    Cell(fit(wording.key_name(action.keys[0]), 4), "key"),
                    Cell(fit(action.title, 14), "strong"),
                    Cell(action.help),
                ],
            )
            for k, action in enumerate(self._actions)
        ]
        self._table.show_rows(ListedRows(lines))
        self._table.focus()

    @on(LineTable.RowOpened)
    def _picked(self, event: LineTable.RowOpened) -> None:
        self.dismiss(self._actions[event.row].id)

    def on_key(self, event: events.Key) -> None:
        for action in self._actions:
            if event.key in action.keys or event.character in action.keys:
                event.stop()
                self.dismiss(action.id)
                return


def ask_where(main: MainScreen) -> None:
    """Let the person choose a screen, then open it."""
    host_of(main).push_screen(Places(), lambda action_id: open_screen(main, action_id) if action_id else None)
