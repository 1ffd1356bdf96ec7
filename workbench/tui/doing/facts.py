"""The action on a tenant's facts: another value for one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workbench.session.tenant_edits import EditFact
from workbench.tui.panels.facts import Facts
from workbench.tui.screens.looking import host_of

if TYPE_CHECKING:
    from workbench.tui.screens.fact_editor import Given
    from workbench.tui.screens.main import MainScreen


def edit_fact(screen: MainScreen) -> None:
    """Edit the fact under the cursor, or pick one from the list."""
    from workbench.tui.screens.fact_editor import FactList  # noqa: PLC0415 - when it is asked for

    view = screen.view
    if view is None or view.outcome is None:
        screen.say("no tenant is selected", "warn")
        return
    name = screen.query_one(Facts).selected
    if name is not None:
        _edit(screen, name)
        return
    host_of(screen).push_screen(FactList(view), lambda picked: _edit(screen, picked) if picked else None)


def _edit(screen: MainScreen, name: str) -> None:
    from workbench.tui.screens.fact_editor import FactEditor  # noqa: PLC0415 - when it is asked for

    view = screen.view
    if view is None or view.outcome is None:
        return
    tenant, field = view.outcome.tenant, view.state.rulebook.schema.fields[name]

    def given(answer: Given | None) -> None:
        if answer is not None and answer.value != tenant.facts.get(name):
            screen.apply(EditFact(tenant.id, name, answer.value))

    host_of(screen).push_screen(FactEditor(tenant.id, field, tenant.facts.get(name)), given)


HANDLERS: Mapping[str, Callable[[MainScreen], None]] = {"fact.edit": edit_fact}
