"""Actions on clauses: each makes the edit of the same name."""

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
from workbench.tui.draft import new_draft, open_draft

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

Handler = Callable[["MainScreen"], None]


def _selected(screen: MainScreen) -> tuple[str, Clause] | None:
    view = screen.view
    if view is None or view.clause is None or view.cursors.tenant_id is None:
        screen.say("no clause is selected", "warn")
        return None
    return view.cursors.tenant_id, view.clause


def scope_of(clause: Clause) -> Scope:
    """Whom a key's edit is for: the rule where the clause comes from one, else the tenant. `e` lets one choose."""
    return "rule" if clause.origin in ("rule", "default") else "tenant"


def _with(make: Callable[[str, str, Scope], Edit]) -> Handler:
    def handler(screen: MainScreen) -> None:
        selected = _selected(screen)
        if selected is not None:
            tenant_id, clause = selected
            screen.apply(make(tenant_id, clause.id, scope_of(clause)))

    return handler


def edit(screen: MainScreen) -> None:
    """Open the editor on the selected clause; on the policy, open it as JSON."""
    if screen.panel == "policy":
        from workbench.tui.doing.policy import edit_policy  # noqa: PLC0415 - the text area costs 60 ms to import

        edit_policy(screen)
        return
    selected = _selected(screen)
    if selected is not None:
        screen.open_edit(open_draft(*selected))


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
    screen.open_edit(new_draft(view.cursors.tenant_id, after))


def revert(screen: MainScreen) -> None:
    """Take an override back."""
    selected = _selected(screen)
    if selected is not None:
        screen.apply(RevertOverride(selected[0], selected[1].id))


def duplicate(screen: MainScreen) -> None:
    """A copy below, for the same people."""
    _with(DuplicateClause)(screen)


HANDLERS: Mapping[str, Handler] = {
    "clause.edit": edit,
    "clause.add": add,
    "clause.toggle": _with(ToggleClause),
    "clause.duplicate": duplicate,
    "clause.negate": _with(NegateClause),
    "clause.delete": _with(DeleteClause),
    "clause.up": _with(lambda tenant, clause, scope: MoveClause(tenant, clause, scope, -1)),
    "clause.down": _with(lambda tenant, clause, scope: MoveClause(tenant, clause, scope, 1)),
    "clause.revert": revert,
}
