"""`policy_ir` as text: what it would change is told while it is typed; what is wrong, with its place."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import TextArea

from workbench.boundary.sanitiser import visible
from workbench.session.policy_edits import EditPolicy
from workbench.session.session import Preview, Session
from workbench.tui.widgets.drawing import Cell, Line, clean, shorten
from workbench.tui.widgets.text_block import TextBlock


class PolicyEditor(ModalScreen[str | None]):
    """Gives the text, once it is a policy that this tenant can have; None where nothing is to change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False, id="policy_editor.cancel", priority=True),
        Binding("ctrl+a", "select_all", "select all", show=False, id="policy_editor.select_all", priority=True),
        Binding("ctrl+s,ctrl+j", "done", "make the edit", show=False, id="policy_editor.done", priority=True),
    ]

    def __init__(self, session: Session, tenant_id: str, text: str) -> None:
        super().__init__()
        self._session = session
        self._tenant_id = tenant_id
        self._text = text
        self._preview: Preview | None = None
        self._looked_at = visible(text)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog policy-editor") as box:
            box.border_title = Content(
                clean(f"policy_ir of {self._tenant_id}: changes become overrides of this tenant")
            )
            box.border_subtitle = Content("^s make the edit · ^a select all · esc cancel")
            yield TextArea(visible(self._text), soft_wrap=False, tab_behavior="indent", show_line_numbers=True)
            yield TextBlock(lambda width: [self._note(width)], id="policy-note")

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()

    @property
    def _typed(self) -> str:
        return self.query_one(TextArea).text

    def _note(self, width: int) -> Line:
        preview = self._preview
        if preview is None:
            return [Cell("no change yet", "muted")]
        if preview.error is not None:
            finding = preview.error.findings[0] if preview.error.findings else None
            return [Cell("x ", "bad"), Cell(shorten(str(finding or preview.error.title), width - 2), "bad")]
        moved = sum(movement.moved for movement in preview.movements.values())
        return [
            Cell("✓ ", "good"),
            Cell("admitted; its winner moves" if moved else "admitted; its winner stays", "muted"),
        ]

    @on(TextArea.Changed)
    async def _changed(self) -> None:
        """Look at the newest text beside the screen; texts typed meanwhile are passed over."""
        if self._typed == self._looked_at:
            return
        self._looked_at = self._typed
        self._preview = await asyncio.to_thread(self._session.look_ahead, EditPolicy(self._tenant_id, self._looked_at))
        self._show_note()

    def _show_note(self) -> None:
        self.query_one("#policy-note", TextBlock).show(lambda width: [self._note(width)])

    def action_select_all(self) -> None:
        self.query_one(TextArea).select_all()

    def action_done(self) -> None:
        """Give the text where it is a policy; say why not where it is none."""
        if self._typed == visible(self._text):
            self.dismiss(None)
            return
        self._preview = self._session.look_ahead(EditPolicy(self._tenant_id, self._typed))
        if self._preview.error is None:
            self.dismiss(self._typed)
        else:
            self._show_note()
