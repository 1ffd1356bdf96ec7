"""The main screen at work: keys become intentions, intentions become edits of the session.

What each key does is in `doing/`; here are the open edit, its previews, and what happens on disk meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from workbench.errors import WorkbenchError
from workbench.session.actions import ACTIONS, BY_ID
from workbench.session.edits import Edit
from workbench.session.session import Preview, Session
from workbench.session.views import threshold_hint
from workbench.tui.doing import HANDLERS
from workbench.tui.draft import Draft, open_draft
from workbench.tui.messages import (
    DiskChanged,
    DraftCancelled,
    DraftCommitted,
    DraftTyped,
    EditAsked,
    ScopeSwitched,
)
from workbench.tui.panels.clauses import Clauses
from workbench.tui.panels.decision import Decision
from workbench.tui.panels.tenants import Tenants
from workbench.tui.screens.looking import Looking
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, shorten
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.workers import DiskWatch, Previewer


class MainScreen(Looking):
    """Where a workspace is worked on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(",".join(action.keys), f"do({action.id!r})", action.title, show=False, id=action.id)
            for action in ACTIONS
            if action.where != "editor"
        ),
        Binding("tab", "next_panel(1)", "next panel", show=False, id="panel.next"),
        Binding("shift+tab", "next_panel(-1)", "previous panel", show=False, id="panel.previous"),
        Binding("escape", "back", "back", show=False, id="back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._previewer = Previewer(session, self, self._preview_done)
        self._disk = DiskWatch(session, self)
        self.on_disk: tuple[Path, ...] = ()
        """Files that another program changed and that were not read since."""

    def on_mount(self) -> None:
        self._disk.start()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of one panel do nothing in another."""
        if action != "do":
            return True
        known = BY_ID.get(str(parameters[0]))
        return known is not None and known.where in ("everywhere", self.place)

    async def action_do(self, action_id: str) -> None:
        """Do what the registry calls `action_id`."""
        self.hush()
        self.hear_all()
        handler = HANDLERS.get(action_id)
        if handler is not None:
            handler(self)

    def action_back(self) -> None:
        """Out of what is narrowed: the pinned offer, the clause's offers, the filters."""
        decision = self.query_one(Decision)
        if decision.removed_by is not None:
            decision.show_removed(None)
        elif self.cursors.pinned or self.cursors.offer is not None:
            self.choose_offer(None, pinned=False)
        else:
            for panel in (decision, self.query_one(Tenants)):
                panel.filter("")

    # the open edit

    @on(EditAsked)
    def _edit_asked(self, event: EditAsked) -> None:
        clause = next((c for c in self.view.clauses if c.id == event.clause_id), None) if self.view else None
        if clause is not None and self.cursors.tenant_id is not None:
            self.open_edit(open_draft(self.cursors.tenant_id, clause))

    def open_edit(self, draft: Draft) -> None:
        """Begin to type; what it would do is shown from the first moment."""
        self.go("clauses")
        self.draft = draft
        self.query_one(Clauses).open_editor(draft)
        if draft.text:
            self._previewer.ask(draft.edit)
        else:
            self._show_draft()

    @on(DraftTyped)
    def _typed(self, event: DraftTyped) -> None:
        self.hush()
        if self.draft is not None and event.text != self.draft.text:
            self.draft = self.draft.typed(event.text)
            self._previewer.ask(self.draft.edit)

    @on(ScopeSwitched)
    def _scope_switched(self) -> None:
        if self.draft is not None:
            self.draft = self.draft.scoped("tenant" if self.draft.scope == "rule" else "rule")
            self._previewer.ask(self.draft.edit)

    def _preview_done(self, edit: Edit, preview: Preview, elapsed_ms: float) -> None:
        """An evaluation is there; shown where it is about what stands in the editor now."""
        self.elapsed_ms = elapsed_ms
        if self.draft is None:
            self.session.cancel_preview()
            return
        if edit == self.draft.edit:
            self.draft = self.draft.seen(preview)
            self._show_draft()

    def _show_draft(self) -> None:
        if self.draft is None:
            return
        self.query_one(Clauses).draft = self.draft
        self.refresh_view()
        if self.view is not None:
            self.query_one(Clauses).show_draft(self.draft, self.view, hint_of(self.draft, self.view))

    @on(DraftCommitted)
    def _committed(self) -> None:
        draft = self.draft
        if draft is None:
            return
        if (
            not draft.changed
            and draft.clause is not None
            and draft.scope == open_draft(draft.tenant_id, draft.clause).scope
        ):
            self.close_edit()
            return
        try:
            preview = self.session.commit(draft.edit)
        except WorkbenchError as error:
            self.draft = draft.seen(Preview(draft.edit, None, None, {}, draft.touched, error))
            self._show_draft()
            return
        self.close_edit()
        moved = sum(movement.moved for movement in preview.movements.values())
        self.say(f"{draft.edit.title}: {moved or 'no'} winner{'' if moved == 1 else 's'} moved; u undoes")

    @on(DraftCancelled)
    def close_edit(self) -> None:
        """Back to the list, with what the session holds."""
        self.draft = None
        self.session.cancel_preview()
        self.refresh_view()
        self.query_one(Clauses).close_editor()
        self.show_footer()

    def apply(self, edit: Edit) -> bool:
        """Make an edit that needs no typing; says why where it is refused."""
        try:
            self.session.commit(edit)
        except WorkbenchError as error:
            finding = error.findings[0] if error.findings else None
            hint = f"; {finding.hint}" if finding and finding.hint else ""
            self.say(f"{finding.reason if finding else error.title}{hint}", "warn")
            return False
        self.refresh_view()
        moved = self.view.moved if self.view else 0
        self.say(f"{edit.title}: {moved or 'no'} winner{'' if moved == 1 else 's'} moved; u undoes")
        return True

    # filters

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        panel = self.query_one(Tenants) if self.panel == "tenants" else self.query_one(Decision)
        panel.filter(event.value)

    @on(Input.Submitted, "#filter")
    def close_filter(self) -> None:
        """Keep the filter and go back to the list."""
        self.query_one("#filter", Input).remove_class("-open")
        self.go(self.panel)

    # the disk

    @on(DiskChanged)
    def _disk_changed(self, event: DiskChanged) -> None:
        self.on_disk = event.paths
        if not event.paths:
            self.show_banner("")
            return
        names = ", ".join(path.name for path in event.paths[:3])
        if self.session.dirty or self.draft is not None:
            self.show_banner(f"changed on disk: {names}. Your edits are kept; f5 reads the files and gives them up")
        else:
            self.reload(f"read again: {names} changed on disk")

    def reload(self, said: str) -> None:
        """Read the workspace again; where that fails, the last good state stays, with a banner."""
        try:
            self.session.reload()
        except WorkbenchError as error:
            finding = error.findings[0] if error.findings else None
            self.show_banner(f"{error.title}: {finding or ''} - showing the last good state")
            return
        self.files_read()
        self.refresh_view()
        self.say(said)

    def files_read(self) -> None:
        """What stands on disk is what is shown."""
        self.on_disk = ()
        self._disk.forget()
        self.show_banner("")

    def show_banner(self, text: str) -> None:
        """A line above the footer that stays; empty takes it away."""
        banner = self.query_one("#banner", TextBlock)
        banner.set_class(bool(text), "-open")
        banner.show(lambda width: [[Cell(shorten(f" ! {text}", width), "warn")]] if text else [])


def hint_of(draft: Draft, view: View) -> str | None:
    """Where the next thresholds lie for the number being typed."""
    if draft.error is not None or view.outcome is None or view.outcome.compiled is None or draft.slot != "filter":
        return None
    wanted = draft.clause.id if draft.clause else None
    clause = next((c for c in view.outcome.compiled.clauses if c.id == wanted), None)
    if clause is None or clause.term is None:
        return None
    return threshold_hint(view.state, view.outcome, clause.id, clause.term.normal)
