"""The policy as JSON: opened in a text area, given back as overrides of one tenant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.session.policy_edits import EditPolicy
from workbench.tui.screens.looking import host_of
from workbench.tui.screens.policy_editor import PolicyEditor

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen


def edit_policy(screen: MainScreen) -> None:
    """Open the selected tenant's policy as text."""
    view = screen.view
    if view is None or view.outcome is None or view.outcome.compiled is None:
        screen.say("this tenant has no policy", "warn")
        return
    tenant_id = view.outcome.tenant.id
    text = pretty(view.outcome.compiled.policy.source)

    def done(changed: str | None) -> None:
        screen.session.cancel_preview()
        if changed is not None:
            screen.apply(EditPolicy(tenant_id, changed))
        else:
            screen.refresh_view()

    host_of(screen).push_screen(PolicyEditor(screen.session, tenant_id, text), done)


def pretty(value: object, depth: int = 0, width: int = 88) -> str:
    """JSON with short terms on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + depth * 2 <= width or not isinstance(value, list) or not value:
        return flat
    inner = ",\n".join("  " * (depth + 1) + pretty(part, depth + 1, width) for part in value[1:])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    head = pretty(value[0], depth + 1, width)  # pyright: ignore[reportUnknownArgumentType]
    return f"[{head},\n{inner}]" if inner else f"[{head}]"
