"""Names that a terminal would obey, or that markup would run, are shown literally on every screen (R30, R31, R33)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.conftest import SIZES
from tests.tui.driving import main_screen, screen_text, shown, type_text
from tests.tui.hostile import FORBIDDEN, MARK, hostile_workspace
from tests.tui.terminal import Terminal
from workbench.session.session import Session
from workbench.session.workspace import open_workspace
from workbench.tui.app import WorkbenchApp


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    return hostile_workspace(tmp_path)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_no_screen_crashes_and_nothing_hidden_is_drawn(hostile: Path, size: tuple[int, int]) -> None:
    session = Session(open_workspace(hostile))
    assert len(session.state.catalog.offers) > 500, "the loader takes such names; showing them is the screen's job"
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        seen = ""
        for keys in (["1", "down"], ["2", "down"], ["3", "end"], ["4"], ["question_mark"], ["escape", "w"]):
            await pilot.press(*keys)
            await pilot.pause()
            seen += screen_text(app)
        await type_text(pilot, "[/")
        seen += screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        seen += screen_text(app)
        assert shown(app).cursors.pinned
        for character in FORBIDDEN:
            if len(character) == 1:
                assert character not in seen
        await pilot.press("3", "y")
        await pilot.pause()
        assert app.clipboard.isprintable()
        assert app.clipboard
        assert app.is_running


async def test_a_broken_file_is_listed_with_place_and_reason_and_stops_nobody(hostile: Path) -> None:
    session = Session(open_workspace(hostile))
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        assert "x broken.toml" in screen_text(app)
        await pilot.press("1", "end")
        await pilot.pause()
        assert "can't be used" in screen_text(app)
        assert "tenants/broken.toml" in screen_text(app)
        assert main_screen(app).view is not None
        assert len(session.evaluation.outcomes) == 8


def test_no_byte_of_them_reaches_a_real_terminal(hostile: Path) -> None:
    with Terminal(["--workspace", str(hostile)]) as terminal:
        terminal.wait_for("survivors")
        for key in ("\x1b[B", "2", "\x1b[B", "3", "\x1b[F", "4", "1", "?", "\x1b", "w", "["):
            terminal.press(key)
        data = terminal.received.decode("utf-8", errors="surrogateescape")
    assert MARK in data, "the names were on the screen"
    for sequence in FORBIDDEN:
        assert sequence not in data
