"""Names that a terminal would obey, or that markup would run, are shown literally on the what-if screens too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.driving import type_text
from tests.tui.hostile import FORBIDDEN, hostile_workspace
from tests.whatif_views.opening import keys, opened, press
from workbench.session.session import Session
from workbench.session.workspace import open_workspace

WALKS = {
    "m": ("right", "down", "end", "enter", "escape", "b", "ctrl+end", "enter", "escape", "d", "c", "t"),
    "O": ("space", "down", "end", "space", "n", "tab", "r", "b", "end", "o"),
    "V": ("n", "left", "space", "Y", "X", "r", "t"),
}


@pytest.mark.parametrize("key", WALKS)
async def test_nothing_hidden_is_drawn_copied_or_run(tmp_path: Path, key: str) -> None:
    session = Session(open_workspace(hostile_workspace(tmp_path)))
    async with opened(session, key, (80, 24)) as (pilot, screen):
        seen = ""
        for pressed in WALKS[key]:
            seen += await press(pilot, pressed)
        await keys(pilot, "slash")
        await type_text(pilot, "[/red")
        seen += await press(pilot, "enter")
        assert not [character for character in FORBIDDEN if character in seen]
        assert pilot.app.screen is screen
        await keys(pilot, "slash", "ctrl+u", "enter", "y")
        assert pilot.app.clipboard.isprintable()
        for data in screen.exports().values():
            assert not [character for character in FORBIDDEN if character in data.decode()]
