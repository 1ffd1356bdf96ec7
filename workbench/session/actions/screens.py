"""Which screens there are beside the main one, and what can be done on all of them.

A screen's own actions stand in a module of its name. `NAME.open` is what opens the screen `NAME`.
"""

from __future__ import annotations

from workbench.session.actions.action import SCREENS, Action

OPENING: tuple[Action, ...] = (Action("places.open", ("p",), "more", "every other screen, with its key", footer=True),)
"""Everywhere on the main screen."""

SHARED: tuple[Action, ...] = (
    Action("screen.back", ("escape", "q"), "back", "stop what runs, else go back", SCREENS, footer=True),
    Action("screen.filter", ("slash",), "filter", "show only the rows that contain a text", SCREENS),
    Action("screen.copy", ("y",), "copy", "copy what the cursor is on", SCREENS),
    Action("screen.export", ("x",), "export", "write what is shown to files", SCREENS),
    Action("screen.help", ("question_mark",), "help", "keys and words for where you are", SCREENS, footer=True),
    Action("screen.quit", ("ctrl+q",), "quit", "leave; asks where something is not saved", SCREENS),
)
"""On every screen beside the main one."""

ACTIONS: tuple[Action, ...] = (*OPENING, *SHARED)
