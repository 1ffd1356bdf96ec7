"""The open edit on the main screen: typed, previewed, for whom, made or left; and edits that need no typing."""

from __future__ import annotations

from textual import on

from workbench.errors import WorkbenchError
from workbench.session.edits import Edit
from workbench.session.session import Preview, Session
from workbench.session.targets import Scope
from workbench.session.views import threshold_hint
from workbench.tui.draft import Draft, open_draft, scope_for
from workbench.tui.effects import effect_words
from workbench.tui.messages import DraftCancelled, DraftCommitted, DraftTyped, EditAsked, ScopeSwitched
from workbench.tui.panels.clauses import Clauses
from workbench.tui.screens.looking import Looking
from workbench.tui.view import View
from workbench.tui.workers import Previewer


class Editing(Looking):
    """Where clauses are edited."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._previewer = Previewer(session, self, self._preview_done)

    @on(EditAsked)
    def _edit_asked(self, event: EditAsked) -> None:
        clause = next((c for c in self.view.clauses if c.id == event.clause_id), None) if self.view else None
        if clause is not None and self.cursors.tenant_id is not None:
            self.open_edit(open_draft(self.cursors.tenant_id, clause, self.scope))

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
        draft = self.draft
        if draft is None:
            return
        if draft.rule_id is None and draft.scope == "tenant":
            self.say("this clause is the tenant's own", "warn")
            return
        self.draft = draft.scoped("tenant" if draft.scope == "rule" else "rule")
        if draft.clause is None or scope_for(draft.clause, "rule") == "rule":
            self.scope = self.draft.scope
        self._previewer.ask(self.draft.edit)

    def set_scope(self, scope: Scope) -> None:
        """Whom edits of a rule's clauses are for from now on."""
        self.scope = scope
        self.refresh_view()

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
            and draft.scope == open_draft(draft.tenant_id, draft.clause, self.scope).scope
        ):
            self.close_edit()
            return
        before = self.session.state
        try:
            preview = self.session.commit(draft.edit)
        except WorkbenchError as error:
            self.draft = draft.seen(Preview(draft.edit, None, None, {}, draft.touched, error))
            self._show_draft()
            return
        self.close_edit()
        self.say(effect_words(before, preview, draft.rule_id))

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
        before = self.session.state
        try:
            preview = self.session.commit(edit)
        except WorkbenchError as error:
            finding = error.findings[0] if error.findings else None
            hint = f"; {finding.hint}" if finding and finding.hint else ""
            self.say(f"{finding.reason if finding else error.title}{hint}", "warn")
            return False
        rule = self.view.clause.rule_id if self.view and self.view.clause else None
        self.refresh_view()
        self.say(effect_words(before, preview, rule))
        return True


def hint_of(draft: Draft, view: View) -> str | None:
    """Where the next thresholds lie for the number being typed."""
    if draft.error is not None or view.outcome is None or view.outcome.compiled is None or draft.slot != "filter":
        return None
    wanted = draft.clause.id if draft.clause else None
    clause = next((c for c in view.outcome.compiled.clauses if c.id == wanted), None)
    if clause is None or clause.term is None:
        return None
    return threshold_hint(view.state, view.outcome, clause.id, clause.term.normal)
