"""Choose one of a list by typing a part of it, or type something that is not in the list where that is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.tui.widgets.drawing import Cell, clean, fit
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows

Choice = tuple[str, str]
"""What is chosen, and a word about it."""


class Pick(ModalScreen[str | None]):
    """Gives the choice, or what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False, id="pick.cancel"),
        Binding("down", "step(1)", "down", show=False, id="pick.down"),
        Binding("up", "step(-1)", "up", show=False, id="pick.up"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, free: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._found: Sequence[Choice] = self._choices
        self._free = free
        """What may be typed instead; empty where only the list counts."""
        self._table = LineTable(id="pick-table")
        self._table.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog finder") as box:
            box.border_title = Content(clean(self._title))
            box.border_subtitle = Content("enter · esc")
            field = Input(placeholder=self._free or "type a part of it", compact=True)
            field.cursor_blink = False
            yield field
            yield self._table

    def on_mount(self) -> None:
        self._search("")

    def _search(self, text: str) -> None:
        words = text.casefold().split()
        self._found = [one for one in self._choices if all(word in " ".join(one).casefold() for word in words)]
        lines = [
            (k, [Cell(fit(name, 28), "strong"), Cell("  "), Cell(about, "muted")])
            for k, (name, about) in enumerate(self._found)
        ]
        self._table.show_rows(ListedRows(lines), 0)

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

    def _take(self, typed: str) -> None:
        at = self._table.cursor
        if self._found and at < len(self._found):
            self.dismiss(self._found[at][0])
        elif typed and self._free:
            self.dismiss(typed)

    def action_step(self, by: int) -> None:
        self._table.action_step(by)
