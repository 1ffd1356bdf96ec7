"""A list that is narrowed by typing a part of what is looked for; the arrows move in it, enter takes a row."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.tui.widgets.drawing import clean
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows, Rows

T = TypeVar("T")


class Finder(ModalScreen[T | None]):
    """Gives what `taken` makes of the row under the cursor, None where it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False, id="find.cancel"),
        Binding("down", "step(1)", "down", show=False, id="find.down"),
        Binding("up", "step(-1)", "up", show=False, id="find.up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="find.page_down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="find.page_up"),
    ]

    def __init__(self, title: str, keys: str, asks: str) -> None:
        super().__init__()
        self._title = title
        self._keys = keys
        self._asks = asks
        """What stands in the field before anything is typed."""
        self.table = LineTable(id="finder-table")
        self.table.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog finder") as box:
            box.border_title = Content(clean(self._title))
            box.border_subtitle = Content(clean(self._keys))
            field = Input(placeholder=self._asks, compact=True)
            field.cursor_blink = False
            yield field
            yield self.table

    def on_mount(self) -> None:
        self._search("")

    def found(self, text: str) -> Rows:
        """What is listed for a text; every one of them for none."""
        del text
        return ListedRows()

    def taken(self, row: int, typed: str) -> T | None:
        """What the row under the cursor gives, or what was typed; None leaves the list as it is."""
        del row, typed
        return None

    def _search(self, text: str) -> None:
        self.table.show_rows(self.found(text), 0)

    def _take(self, typed: str) -> None:
        choice = self.taken(self.table.cursor, typed)
        if choice is not None:
            self.dismiss(choice)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(event.value.strip())

    @on(LineTable.RowOpened)
    def _clicked(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self._take("")

    def action_step(self, by: int) -> None:
        self.table.action_step(by)

    def action_page(self, by: int) -> None:
        self.table.action_page(by)
