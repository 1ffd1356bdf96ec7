"""From a call to its trace: as the screen of traces shows it."""

from __future__ import annotations

from workbench.session.calls.answer import Called
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.work import SCREENS


def open_trace(screen: WorkScreen, called: Called) -> None:
    """Open the trace of a call."""
    entry = SCREENS.get("traces.open")
    if entry is None or called.lost:
        screen.say(f"trace {called.trace_id}: `workbench traces show {called.trace_id}`")
        return
    made = entry.make(screen.session, screen.cursors)
    made.trace_id = called.trace_id  # pyright: ignore[reportAttributeAccessIssue]
    screen.host.push_screen(made)
