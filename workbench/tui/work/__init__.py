"""Every screen beside the main one: which there are, and how they are opened.

A screen is imported when it is opened, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from workbench.boundary.sanitiser import one_line
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.session.session import Session
    from workbench.tui.screens.main import MainScreen
    from workbench.tui.screens.work_screen import WorkScreen
    from workbench.tui.view import Cursors

_HERE: Final = "workbench.tui.work"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a screen is; it is made with the session and the main screen's cursors."""

    module: str
    name: str

    def make(self, session: Session, cursors: Cursors) -> WorkScreen:
        """The screen, not yet shown."""
        return getattr(import_module(self.module), self.name)(session, cursors)


SCREENS: Final[Mapping[str, Entry]] = {
    "matrix.open": Entry(f"{_HERE}.matrix.screen", "MatrixScreen"),
    "drill.open": Entry(f"{_HERE}.drill.screen", "DrillScreen"),
    "frontier.open": Entry(f"{_HERE}.frontier.screen", "FrontierScreen"),
    "fleet.open": Entry(f"{_HERE}.fleet.screen", "FleetScreen"),
    "compare.open": Entry(f"{_HERE}.compare.screen", "CompareScreen"),
    "facts.open": Entry(f"{_HERE}.facts.screen", "FactsScreen"),
    "diff.open": Entry(f"{_HERE}.diff.screen", "DiffScreen"),
    "near.open": Entry(f"{_HERE}.near.screen", "NearScreen"),
    "rule_cost.open": Entry(f"{_HERE}.rule_cost.screen", "RuleCostScreen"),
    "call.open": Entry(f"{_HERE}.call.screen", "CallScreen"),
    "health.open": Entry(f"{_HERE}.health.screen", "HealthScreen"),
    "traces.open": Entry(f"{_HERE}.traces.screen", "TracesScreen"),
    "serve.open": Entry(f"{_HERE}.serve.screen", "ServeScreen"),
}
"""By the id of the action that opens it, `NAME.open`. A test holds this against the registry of actions."""


def open_screen(main: MainScreen, action_id: str) -> None:
    """Show a screen over the main one; one that needs more than is installed says what."""
    from workbench.tui.doing.saving import reason_of  # noqa: PLC0415 - the registry is read without a screen
    from workbench.tui.screens.looking import host_of  # noqa: PLC0415 - as above

    try:
        screen = SCREENS[action_id].make(main.session, main.cursors)
        screen.opened_from(main)
    except WorkbenchError as error:
        main.say(reason_of(error), "warn")
        return
    except Exception as error:  # noqa: BLE001 - a module that an upgrade has taken away under a running app
        name = action_id.partition(".")[0].replace("_", " ")
        why = one_line(f"{type(error).__name__}: {error}", limit=80)
        main.show_banner(f"the {name} screen can't be opened: {why}. If the workbench was upgraded, start it again")
        return
    host_of(main).push_screen(screen)


def _opener(action_id: str) -> Callable[[MainScreen], None]:
    return lambda main: open_screen(main, action_id)


def _places(main: MainScreen) -> None:
    from workbench.tui.work.places import ask_where  # noqa: PLC0415 - when it is asked for

    ask_where(main)


HANDLERS: Final[Mapping[str, Callable[[MainScreen], None]]] = {
    "places.open": _places,
    **{action_id: _opener(action_id) for action_id in SCREENS},
}
