"""A failure plan as text of several lines: the same edit as in the clause editor, with room for it.

It owns typing and shows what it is told (`show`); what is typed goes to the panel that opened it, as the clause
editor's messages do.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message_pump import MessagePump
from textual.screen import ModalScreen
from textual.widgets import TextArea

from workbench.boundary.sanitiser import visible
from workbench.tui.draft import Draft
from workbench.tui.lines.scope_line import scope_line
from workbench.tui.messages import DraftCancelled, DraftCommitted, DraftTyped, ScopeSwitched
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, clean, wrap
from workbench.tui.widgets.text_block import TextBlock

NOTE_LINES = 4


class PlanEditor(ModalScreen[None]):
    """One `on REASON: ACTION` a line. The panel that opened it takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", show=False, id="plan_editor.cancel", priority=True),
        Binding("ctrl+s,ctrl+j", "done", "make the edit", show=False, id="plan_editor.done", priority=True),
        Binding("ctrl+t", "scope", "rule or tenant", show=False, id="plan_editor.scope", priority=True),
        Binding("ctrl+a", "select_all", "select all", show=False, id="plan_editor.select_all", priority=True),
    ]

    def __init__(self, draft: Draft, view: View, panel: MessagePump) -> None:
        super().__init__()
        self._draft = draft
        self._view = view
        self._panel = panel
        self._text = plan_text(draft.text)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog policy-editor plan-editor") as box:
            box.border_title = Content(clean(f"{self._draft.slot} of {self._draft.tenant_id}"))
            box.border_subtitle = Content("^s make the edit · ^t rule/tenant · ^a select all · esc cancel")
            yield TextArea(self._text, soft_wrap=True, tab_behavior="indent", show_line_numbers=True)
            yield TextBlock(self._notes, id="plan-notes")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.focus()

    def show(self, draft: Draft, view: View) -> None:
        """What the newest text means."""
        self._draft, self._view = draft, view
        if self.is_mounted:
            self.query_one(TextBlock).show(self._notes)

    def _notes(self, width: int) -> list[Line]:
        draft = self._draft
        lines: list[Line] = []
        if draft.error is not None:
            said = f"{self._place()}{draft.error_words}"
            lines += [[Cell(text, "bad")] for text in wrap(said, width)[: NOTE_LINES - 2]]
            lines.append([Cell("stale: the last good result stays", "warn")])
        lines += [()] * (NOTE_LINES - 1 - len(lines))
        return [*lines, scope_line(draft, self._view, width)]

    def _place(self) -> str:
        """Line and column of the error, counted from 1."""
        column = self._draft.error_column
        if column is None:
            return ""
        before = self._draft.text[:column]
        return f"line {before.count(chr(10)) + 1}, column {column - before.rfind(chr(10))}: "

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        if event.text_area.text != self._text:
            self._text = event.text_area.text
            self._panel.post_message(DraftTyped(self._text))

    def action_done(self) -> None:
        self._panel.post_message(DraftCommitted())

    def action_cancel(self) -> None:
        self._panel.post_message(DraftCancelled())

    def action_scope(self) -> None:
        self._panel.post_message(ScopeSwitched())

    def action_select_all(self) -> None:
        self.query_one(TextArea).select_all()


def plan_text(text: str) -> str:
    """A plan with a line for each `on ...`, safe to show. Text of several lines stays as it is."""
    shown = visible(text.strip())
    if "\n" in shown or shown.startswith("["):
        return shown
    parts = [part.strip() for part in shown.split(";")]
    return ";\n".join(part for part in parts if part) if "'" not in shown and '"' not in shown else shown
