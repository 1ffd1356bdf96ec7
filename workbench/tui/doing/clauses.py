"""Actions on clauses: each makes the edit of the same name, for whom the screen says that edits are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workbench.rulebook.clause import Clause
from workbench.session.edits import (
    DeleteClause,
    DuplicateClause,
    Edit,
    MoveClause,
    NegateClause,
    RevertOverride,
    ToggleClause,
)
from workbench.session.targets import Scope
from workbench.tui import wording
from workbench.tui.draft import new_draft, open_draft, scope_for

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

Handler = Callable[["MainScreen"], None]


def _selected(screen: MainScreen) -> tuple[str, Clause] | None:
    view = screen.view
    if view is None or view.clause is None or view.cursors.tenant_id is None:
        screen.say("no clause is selected", "warn")
        return None
    return view.cursors.tenant_id, view.clause


def _with(make: Callable[[str, str, Scope], Edit]) -> Handler:
    def handler(screen: MainScreen) -> None:
        selected = _selected(screen)
        if selected is not None:
            tenant_id, clause = selected
            screen.apply(make(tenant_id, clause.id, scope_for(clause, screen.scope)))

    return handler


def _move(offset: int) -> Handler:
    def handler(screen: MainScreen) -> None:
        selected = _selected(screen)
        if selected is None:
            return
        tenant_id, clause = selected
        if screen.scope == "tenant" and clause.origin != "own":
            screen.say("a tenant has no order of its own for the rules' clauses; ^t switches to the rule", "warn")
            return
        screen.apply(MoveClause(tenant_id, clause.id, scope_for(clause, screen.scope), offset))

    return handler


def edit(screen: MainScreen) -> None:
    """Open the editor on the selected clause."""
    selected = _selected(screen)
    if selected is not None:
        screen.open_edit(open_draft(*selected, screen.scope))


def add(screen: MainScreen) -> None:
    """Open the editor on a new clause below the selected one."""
    view = screen.view
    if view is None or view.outcome is None or view.outcome.compiled is None or view.cursors.tenant_id is None:
        screen.say("this tenant has no policy to add to", "warn")
        return
    after = view.clause if view.clause is not None and view.clause.slot == "filter" else None
    if after is None:
        filters = [row.clause for row in view.tenant.rows] if view.tenant else []
        after = filters[-1] if filters else None
    screen.open_edit(new_draft(view.cursors.tenant_id, after, screen.scope))


def revert(screen: MainScreen) -> None:
    """Take an override back."""
    selected = _selected(screen)
    if selected is not None:
        screen.apply(RevertOverride(selected[0], selected[1].id))


def switch_scope(screen: MainScreen) -> None:
    """Edits are for the others now: everyone under the rule, or this tenant."""
    screen.set_scope("tenant" if screen.scope == "rule" else "rule")
    clause = screen.view.clause if screen.view else None
    own = clause is not None and scope_for(clause, screen.scope) != screen.scope
    screen.say(
        f"edits are {wording.scope(screen.scope)}" + ("; the selected clause is the tenant's own" if own else "")
    )


HANDLERS: Mapping[str, Handler] = {
    "clause.edit": edit,
    "clause.add": add,
    "clause.toggle": _with(ToggleClause),
    "clause.duplicate": _with(DuplicateClause),
    "clause.negate": _with(NegateClause),
    "clause.delete": _with(DeleteClause),
    "clause.up": _move(-1),
    "clause.down": _move(1),
    "clause.revert": revert,
    "edit.scope": switch_scope,
}
