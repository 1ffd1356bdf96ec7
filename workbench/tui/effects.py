"""What an edit did, in a line: whom it is for, and how many got another winner. Pure text."""

from __future__ import annotations

from workbench.session.session import Preview
from workbench.session.state import WorkspaceState
from workbench.tui import wording


def effect_words(before: WorkspaceState, preview: Preview, rule_id: str | None) -> str:
    """For the edit that led from `before` to `preview`: `rule eu-residency: touches 3 tenants, 2 winners moved`."""
    moved = sum(movement.moved for movement in preview.movements.values())
    count = f"{moved or 'no'} {'winner' if moved == 1 else 'winners'} moved; u undoes"
    after = preview.state
    if after is None or after == before:
        return "nothing has changed"
    if after.rulebook is not before.rulebook and after.rulebook != before.rulebook:
        whose = f"rule {rule_id}" if rule_id else "the rulebook"
        return f"{whose}: touches {wording.plural(len(preview.touched), 'tenant')}, {count}"
    if [tenant.overrides for tenant in after.tenants] == [tenant.overrides for tenant in before.tenants]:
        return f"{preview.edit.title}: {count}"
    name = ", ".join(preview.touched)
    kind = "an override" if rule_id else "a clause of its own"
    return f"{name} only ({kind}): {count}"
