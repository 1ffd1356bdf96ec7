"""The one registry of actions: footer, palette, help, keymap and docs all read it.

Owns ids, keys and words; what an action does belongs to the screen that binds it.
"""

from __future__ import annotations

from workbench.session.actions import call, drill, fleet, frontier, health, main, matrix, screens, serve, traces, whatif
from workbench.session.actions.action import MAIN, SCREENS, Action, Where

__all__ = ["ACTIONS", "BY_ID", "MAIN", "SCREENS", "Action", "Where", "actions_for"]

ACTIONS: tuple[Action, ...] = (
    *main.ACTIONS,
    *screens.ACTIONS,
    *matrix.ACTIONS,
    *drill.ACTIONS,
    *frontier.ACTIONS,
    *fleet.ACTIONS,
    *whatif.ACTIONS,
    *call.ACTIONS,
    *health.ACTIONS,
    *traces.ACTIONS,
    *serve.ACTIONS,
)

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}


def actions_for(where: Where) -> tuple[Action, ...]:
    """The actions that work at a place, those that work on all of its kind included; a place's own keys come first."""
    shared = "everywhere" if where in MAIN else SCREENS
    taken = {key for action in ACTIONS if action.where == where != shared for key in action.keys}
    return tuple(
        action
        for action in ACTIONS
        if action.where == where or (action.where == shared and taken.isdisjoint(action.keys))
    )
