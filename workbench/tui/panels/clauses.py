"""The selected tenant's clauses, and the editor that lies over the one being edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import App, ComposeResult

from workbench.tui import wording
from workbench.tui.draft import Draft
from workbench.tui.messages import ClauseChosen, EditAsked
from workbench.tui.panels.clause_editor import ClauseEditor
from workbench.tui.panels.clause_rows import COLUMNS, EDITOR_LINES, ClauseRows
from workbench.tui.panels.panel import Panel
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, shorten, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows

if TYPE_CHECKING:
    from workbench.tui.screens.plan_editor import PlanEditor


class ClauseTable(LineTable):
    """The list; scrolling takes the editor along."""

    def scrolled(self) -> None:
        if isinstance(self.parent, Clauses):
            self.parent.place_editor()


class Clauses(Panel):
    """Clauses in shown order, then the slots."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.draft: Draft | None = None
        self._dialog: PlanEditor | None = None
        self._table = ClauseTable(self._moved, id="clause-table")
        self._editor = ClauseEditor(id="clause-editor")

    def compose(self) -> ComposeResult:
        yield self._table
        yield self._editor

    def watch_view(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Show the view anew."""
        view = self.view
        if view is None:
            return
        if view.tenant is None or view.tenant.outcome.compiled is None:
            self._table.show_rows(ListedRows(_trouble(view, self._table.draw_width)), 0)
        else:
            at = next((k for k, clause in enumerate(view.clauses) if clause.id == view.cursors.clause_id), 0)
            self._table.show_rows(
                ClauseRows(view, self._inline, self._table.draw_width),
                None if self.said else at,
            )
        count = len(view.tenant.rows) if view.tenant else 0
        note = f"{wording.plural(count, 'clause')} · edits {wording.scope(view.scope)}" if count else ""
        self.name_it(title_of(view), note)
        self.place_editor()

    # the editor

    @property
    def _inline(self) -> Draft | None:
        """The draft that is edited in its place in the list."""
        return None if self._dialog else self.draft

    def open_editor(self, draft: Draft) -> None:
        """Edit in place; a failure plan, which is long, in a dialog of its own."""
        if draft.slot == "fallback" and self.view is not None:
            from workbench.tui.screens.plan_editor import PlanEditor  # noqa: PLC0415 - the text area is slow to import

            self._dialog = PlanEditor(draft, self.view, self)
            cast("App[Any]", self.app).push_screen(self._dialog)  # pyright: ignore[reportUnknownMemberType]
            return
        self.draft = draft
        self.add_class("-editing")
        self.redraw()
        if self.view is not None:
            self._editor.open(draft, self.view)
        self.call_after_refresh(self._reveal_editor)

    def show_draft(self, draft: Draft, view: View, hint: str | None) -> None:
        """What the newest text means; the list itself follows the screen's view."""
        if self._dialog is not None:
            self._dialog.show(draft, view)
            return
        self.draft = draft
        self._editor.show(draft, view, hint)

    def close_editor(self) -> None:
        """Back to the list."""
        self.draft = None
        if self._dialog is not None:
            self._dialog.dismiss()
            self._dialog = None
            return
        self.remove_class("-editing")
        self.redraw()
        self.screen.set_focus(self._table)

    def place_editor(self) -> None:
        """Lay the editor over the lines kept for it."""
        rows = self._table.rows
        if self._inline is None or not isinstance(rows, ClauseRows) or rows.editor_line is None:
            return
        y = rows.editor_line + 1 - self._table.top
        self._editor.styles.offset = (0, max(1, y))

    def _reveal_editor(self) -> None:
        rows = self._table.rows
        if not isinstance(rows, ClauseRows) or rows.editor_line is None:
            return
        first, room = rows.editor_line, self._table.visible_lines
        if first < self._table.top or first + EDITOR_LINES > self._table.top + room:
            self._table.scroll_lines(min(first, first + EDITOR_LINES - room))
        self.place_editor()

    # what the list says

    def _id_at(self, row: int) -> str | None:
        clauses = self.view.clauses if self.view else ()
        return clauses[row].id if row < len(clauses) else None

    def _moved(self, row: int) -> None:
        clause_id = self._id_at(row)
        if clause_id is not None:
            self.announce(ClauseChosen(clause_id))

    @on(LineTable.CellClicked)
    async def _number_clicked(self, event: LineTable.CellClicked) -> None:
        """A clause's number lists the offers behind it."""
        event.stop()
        column = COLUMNS.at(event.x, self._table.draw_width)
        filters = self.view.tenant.rows if self.view and self.view.tenant else ()
        if column in ("alone", "only") and event.line == 0 and event.row < len(filters) and self.draft is None:
            await self.run_action("screen.do('clause.taken')")

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        clause_id = self._id_at(event.row)
        if clause_id is not None:
            self.post_message(EditAsked(clause_id))


def title_of(view: View) -> str:
    """The selected tenant and the facts that rules ask about."""
    outcome = view.outcome
    if outcome is None:
        return "Clauses"
    return wording.words((outcome.tenant.id, wording.facts_words(outcome.tenant)))


def _trouble(view: View, width: int) -> list[tuple[int | None, Line]]:
    """What stands here for a tenant that has no policy, or a file that is no tenant."""
    broken = next((b for b in view.broken if str(b.path) == view.cursors.tenant_id), None)
    findings = broken.findings if broken else view.outcome.errors if view.outcome else ()
    lines: list[tuple[int | None, Line]] = []
    if broken:
        lines += [
            (None, [Cell(shorten(f"{broken.path.name} can't be used; the others are not affected", width), "strong")])
        ]
    elif findings:
        lines += [(None, [Cell("the rules give this tenant no policy", "strong")])]
    lines.append((None, ()))
    for k, finding in enumerate(findings):
        place = str(finding.place)
        if place:
            lines.append((k, [Cell(shorten(place, width), "accent")]))
        lines += [(k, [Cell(text, "bad")]) for text in wrap(finding.reason, width)]
        lines += [(k, [Cell(text, "muted")]) for text in wrap(f"→ {finding.hint}", width)] if finding.hint else []
        lines.append((None, ()))
    return lines
