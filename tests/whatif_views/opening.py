"""Opens a screen by its key, as a person does, and reads it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from tests.tui.driving import main_screen, screen_text
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.work_screen import WorkScreen


@asynccontextmanager
async def opened(
    session: Session, key: str, size: tuple[int, int] = (120, 36)
) -> AsyncGenerator[tuple[Pilot[Any], Any]]:
    """The app with the screen of that key over the main one."""
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, WorkScreen), app.screen
        yield pilot, app.screen


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until everything that a key set going is done."""
    await pilot.pause()
    screen = pilot.app.screen
    if isinstance(screen, WorkScreen) and screen.background.running:
        await screen.background.settled()
        await pilot.pause()


async def keys(pilot: Pilot[Any], *pressed: str) -> None:
    """Press keys, one after the other."""
    for key in pressed:
        await pilot.press(key)
        await settled(pilot)


async def press(pilot: Pilot[Any], *pressed: str) -> str:
    """Press keys; gives what is on the screen then."""
    await keys(pilot, *pressed)
    return screen_text(pilot.app)


def lines_of(pilot: Pilot[Any]) -> list[str]:
    """The screen, line by line."""
    return screen_text(pilot.app).splitlines()


__all__ = ["keys", "lines_of", "main_screen", "opened", "press", "screen_text", "settled"]
