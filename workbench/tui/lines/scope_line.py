"""The line below an edit: whom it is for and how many it moves."""

from __future__ import annotations

from workbench.tui import wording
from workbench.tui.draft import Draft
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, spread


def scope_line(draft: Draft, view: View, width: int) -> Line:
    """Whom the edit is for and how many it moves."""
    moved = [key for key in draft.touched if key in view.movements and view.movements[key].moved]
    if draft.scope == "rule":
        rule = draft.rule_id
        whom = f"rule {rule}" if rule else "default of the rulebook"
        counts = f"{wording.plural(len(draft.touched), 'tenant')}, {len(moved)} moved" if draft.preview else ""
    else:
        whom = f"only {draft.tenant_id}" + (", an override" if draft.clause and draft.clause.rule_id else "")
        counts = "its winner moved" if moved else ""
    lead = [Cell(whom, "warn" if draft.scope == "rule" else "accent")]
    return spread(lead, [Cell(counts, "muted")], width)
