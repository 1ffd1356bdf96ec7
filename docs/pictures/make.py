"""The pictures of the docs, drawn by the real app on the real sample. The same app gives the same bytes.

    python docs/pictures/make.py [FOLDER]

Each is drawn in an empty home: what the maker's own programs hold open or have measured is on none of them.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from workbench.session.session import Session
from workbench.session.workspace import open_workspace, sample_root
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.main import MainScreen

HERE = Path(__file__).resolve().parent
TIMES = re.compile(r"\d+\.\d(&#160;| )ms")
"""The time of the last evaluation differs from run to run."""
CHANGING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8089"),
    (re.compile(r"\b\d+(&#160;| )ms\b"), "12 ms"),
    (re.compile(r"\d+(&#160;| )tokens/s"), "1500 tokens/s"),
    (re.compile(r"\bt[0-9a-z]{8}[0-9a-f]{16}\b"), "tmwt9748lf3ee5395eb388fc6"),
)
"""What else differs: where the emulator listens, how fast it was, the id of a trace."""
SEED = re.compile(r"terminal-\d+")


class Picture(NamedTuple):
    """One screenshot: how it is reached."""

    name: str
    size: tuple[int, int]
    tenant: str
    keys: tuple[str, ...]


PICTURES = (
    Picture("main-120x36", (120, 36), "acme-eu", ("2", "down", "down", "down", "down", "down")),
    Picture("why-not", (120, 36), "acme-eu", ("w", *"azure/gpt-5.5", "down", "down", "enter", "3")),
    Picture("raise-the-floor", (120, 36), "lumenor-vip", ("2", "CLAUSE vip-floor", "e", "backspace", *"63")),
    Picture("half-typed", (120, 36), "lumenor-vip", ("2", "CLAUSE vip-floor", "e", *" and pri")),
    Picture("small-80x24", (80, 24), "acme-eu", ("2",)),
    Picture("large-200x50", (200, 50), "acme-eu", ("3",)),
    Picture("matrix", (120, 36), "acme-eu", ("m", "WAIT ladle-free", "right", "down")),
    Picture("frontier", (120, 36), "acme-eu", ("V", "WAIT ◆")),
    Picture(
        "call",
        (120, 36),
        "halvorsen",
        (
            "c",
            "escape",
            "e",
            "WAIT EMULATED",
            "f",
            *"openai=rate_limit",
            "enter",
            "WAIT faults:",
            "i",
            *"Say hello to the team",
            "enter",
            "WAIT send it?",
            "y",
            "WAIT trace ",
        ),
    ),
)
KEYS = {" ": "space", ".": "full_stop", "/": "slash", "-": "minus", "=": "equals_sign", "_": "underscore"}


async def seen(app: WorkbenchApp, pilot: Pilot[int], text: str) -> None:
    """Wait until `text` is on the screen."""
    for _ in range(600):
        if text.replace(" ", "&#160;") in app.export_screenshot():
            return
        await pilot.pause(0.05)
    raise TimeoutError(f"`{text}` does not come")


async def draw(picture: Picture) -> str:
    """The picture as SVG."""
    app = WorkbenchApp(Session(open_workspace(sample_root())))
    async with app.run_test(size=picture.size) as pilot:
        screen = app.screen
        assert isinstance(screen, MainScreen)  # noqa: S101 - it is the app we made
        await pilot.pause()
        while screen.cursors.tenant_id != picture.tenant:
            await pilot.press("down")
            await pilot.pause()
        for key in picture.keys:
            if key.startswith("CLAUSE "):
                while screen.cursors.clause_id != key.removeprefix("CLAUSE "):
                    await pilot.press("down")
                    await pilot.pause()
                continue
            if key.startswith("WAIT "):
                await seen(app, pilot, key.removeprefix("WAIT "))
                continue
            await pilot.press(KEYS.get(key, key))
            await pilot.pause()
        svg = app.export_screenshot(title="workbench")
    for pattern, same in CHANGING:
        svg = pattern.sub(same.replace(" ", "&#160;"), svg)
    return SEED.sub(f"terminal-{picture.name}", TIMES.sub("     ", svg))


def main() -> None:
    """Draw all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for picture in PICTURES:
        with tempfile.TemporaryDirectory() as home:
            for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
                os.environ[name] = home
            drawn = asyncio.run(draw(picture))
        (folder / f"{picture.name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
