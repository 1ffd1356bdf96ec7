"""Two real apps on one workspace: the second says who has it and saves nothing there; a killed one is followed."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.tui.terminal import Terminal

EDIT = ("1", "2", " ")
"""Switch the first clause off."""


def texts(root: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in sorted(root.rglob("*.toml"))}


def test_the_second_app_names_the_first_and_takes_over_once_it_is_killed(root: Path) -> None:
    words = ["--workspace", str(root)]
    with Terminal(words) as first:
        first.wait_for("survivors")
        before = texts(root)
        with Terminal(words) as second:
            second.wait_for(f"process {first.pid}")
            for key in (*EDIT, "s"):
                second.press(key)
            second.wait_for("has this workspace open. A copy")
            assert texts(root) == before
            second.press("\x1b")
            first.signal(signal.SIGKILL)
            first.finish()
            second.press("s")
            second.wait_for("saved")
        assert texts(root) != before
    with Terminal(words) as third:
        third.wait_for("survivors")
        third.press("1")
        assert b"has this workspace open" not in third.received
