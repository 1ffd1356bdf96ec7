"""What can be done on the screen of health."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("health.open", ("H",), "health", "see who is out and what calls measured", command="workbench health"),
    Action("health.reset", ("r",), "reset", "forget what the cursor is on", "health", footer=True),
    Action("health.reset_all", ("R",), "reset all", "forget breakers, disables and measures", "health", footer=True),
    Action("health.emulated", ("e",), "emulated", "look at real calls, or at the emulator's", "health", footer=True),
)
