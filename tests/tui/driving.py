"""Pressing keys and reading the screen, as a person does."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.main import MainScreen
from workbench.tui.view import View

NAMES = {" ": "space", ".": "full_stop", ">": "greater_than_sign", "=": "equals_sign", "-": "minus", "_": "underscore",
         "/": "slash", "@": "at", "(": "left_parenthesis", '"': "quotation_mark", "$": "dollar_sign"}  # fmt: skip


def main_screen(app: App[Any]) -> MainScreen:
    """The main screen, wherever it is in the stack."""
    return next(screen for screen in app.screen_stack if isinstance(screen, MainScreen))


def shown(app: App[Any]) -> View:
    """What every panel shows."""
    view = main_screen(app).view
    assert view is not None
    return view


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Each character as a key."""
    await pilot.press(*(NAMES.get(character, character) for character in text))
    await pilot.pause()


async def clear_input(pilot: Pilot[Any]) -> None:
    """Empty the line being typed."""
    await pilot.press("end", "ctrl+u")
    await pilot.pause()


async def go_to_tenant(pilot: Pilot[Any], tenant_id: str) -> None:
    """Walk to a tenant with the arrow keys."""
    await pilot.press("1", "home")
    await pilot.pause()
    for _ in range(300):
        if shown(pilot.app).cursors.tenant_id == tenant_id:
            return
        await pilot.press("down")
        await pilot.pause()
    raise AssertionError(f"{tenant_id} is not in the list")


async def go_to_clause(pilot: Pilot[Any], clause_id: str) -> None:
    """Walk to a clause with the arrow keys."""
    await pilot.press("2", "home")
    await pilot.pause()
    for _ in range(100):
        if shown(pilot.app).cursors.clause_id == clause_id:
            return
        await pilot.press("down")
        await pilot.pause()
    raise AssertionError(f"{clause_id} is not in the list")


PIECE = re.compile(r'<text[^>]*\bx="([\d.]+)" y="([\d.]+)"[^>]*clip-path[^>]*>([^<]*)</text>')
CELL = 12.2
"""Width of a terminal cell in the screenshot."""


def screen_text(app: App[Any]) -> str:
    """The characters on the screen, line by line, read from the app's own screenshot, each at its column."""
    lines: dict[float, str] = {}
    for x, y, text in PIECE.findall(app.export_screenshot()):
        before = lines.get(float(y), "")
        gap = " " * (round(float(x) / CELL) - cell_len(before))
        lines[float(y)] = before + gap + html.unescape(text).replace("\xa0", " ").replace("\n", "")
    return "\n".join(lines[y] for y in sorted(lines))


def question(app: App[Any]) -> str:
    """The words of the dialog in front as one line, wherever they are broken; empty where none asks."""
    found = app.screen.query(".dialog")
    if not found:
        return ""
    inside = found.first().content_region
    lines = screen_text(app).split("\n")[inside.y : inside.bottom]
    return " ".join(line[inside.x : inside.right].strip() for line in lines)


__all__ = [
    "WorkbenchApp",
    "clear_input",
    "go_to_clause",
    "go_to_tenant",
    "main_screen",
    "question",
    "screen_text",
    "shown",
    "type_text",
]


@asynccontextmanager
async def editing(
    session: Session, tenant: str, clause: str, *keys: str, size: tuple[int, int] = (120, 36)
) -> AsyncGenerator[tuple[WorkbenchApp, Pilot[Any]]]:
    """The app with a tenant's clause open in the editor; `keys` instead of `e` where it is opened otherwise."""
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, tenant)
        await go_to_clause(pilot, clause)
        await pilot.press(*(keys or ("e",)))
        await pilot.pause()
        yield app, pilot
