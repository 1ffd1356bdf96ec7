"""Actions that change where one looks: panels, sorting, filters, questions, copies, help."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.widgets import Input

from workbench.boundary.sanitiser import visible
from workbench.tui import wording
from workbench.tui.panels.decision import Decision
from workbench.tui.panels.tenants import Tenants
from workbench.tui.screens.looking import host_of

if TYPE_CHECKING:
    from workbench.tui.screens.looking import PanelName
    from workbench.tui.screens.main import MainScreen

Handler = Callable[["MainScreen"], None]


def _go(panel: PanelName) -> Handler:
    return lambda screen: screen.go(panel)


def sort(screen: MainScreen) -> None:
    """Sort the tenants by the next column."""
    screen.say(f"sorted by {screen.query_one(Tenants).next_sort()}")


def filter_list(screen: MainScreen) -> None:
    """Type a text that the rows must contain: tenants, else offers."""
    if screen.panel not in ("tenants", "decision"):
        screen.go("decision")
    field = screen.query_one("#filter", Input)
    panel = screen.query_one(Tenants) if screen.panel == "tenants" else screen.query_one(Decision)
    field.value = panel.query_text
    field.add_class("-open")
    screen.set_focus(field)


def ask_why(screen: MainScreen) -> None:
    """Pick any offer by typing."""
    from workbench.tui.screens.find_offer import FindOffer  # noqa: PLC0415 - when it is asked for

    view = screen.view
    if view is None or view.outcome is None or view.outcome.decision is None:
        screen.say("this tenant has no policy, so no offer has a verdict", "warn")
        return

    def picked(index: int | None) -> None:
        if index is not None:
            screen.choose_offer(index, pinned=True)
            if screen.is_narrow:
                screen.go("decision")

    host_of(screen).push_screen(FindOffer(view), picked)


def show_taken(screen: MainScreen) -> None:
    """Only the offers that the selected clause takes."""
    view = screen.view
    if view is not None and view.clause is not None and view.clause.slot == "filter":
        screen.query_one(Decision).show_removed(view.clause.id)
        screen.go("decision")


def copy(screen: MainScreen) -> None:
    """Copy what the cursor is on, safe to paste, and say what it was."""
    text = copied_text(screen)
    if not text:
        screen.say("there is nothing to copy here", "warn")
        return
    host_of(screen).copy_to_clipboard(text)
    said = " ".join(text.split())
    screen.say(f"copied: {said[:60]}{'…' if len(said) > 60 else ''}")


def copied_text(screen: MainScreen) -> str:
    """What `y` copies: the tenant's line, the clause, the offer's name, or the whole policy as JSON."""
    view = screen.view
    if view is None or view.outcome is None:
        return ""
    if screen.panel == "policy":
        compiled = view.outcome.compiled
        return json.dumps(compiled.policy.source) if compiled else ""
    if screen.panel == "clauses":
        return visible(view.clause.shown) if view.clause else ""
    if screen.panel == "decision":
        return visible(view.state.catalog.offer_id(view.offer)) if view.offer is not None else ""
    outcome = view.outcome
    parts = (outcome.tenant.id, wording.served(view.state, outcome), wording.cost(outcome.cost_per_run))
    return visible("\t".join(parts))


def edit_policy(screen: MainScreen) -> None:
    """Open the selected tenant's policy as JSON."""
    from workbench.tui.doing.policy import edit_policy as opened  # noqa: PLC0415 - the text area costs 60 ms to import

    opened(screen)


def show_help(screen: MainScreen) -> None:
    """Keys and signs for where one is."""
    from workbench.tui.screens.help import Help  # noqa: PLC0415 - when it is asked for

    host_of(screen).push_screen(Help(screen.place))


HANDLERS: Mapping[str, Handler] = {
    "tenants.show": _go("tenants"),
    "clauses.show": _go("clauses"),
    "decision.show": _go("decision"),
    "policy.show": _go("policy"),
    "tenants.sort": sort,
    "list.filter": filter_list,
    "why.ask": ask_why,
    "clause.taken": show_taken,
    "policy.edit": edit_policy,
    "copy": copy,
    "help.show": show_help,
}
