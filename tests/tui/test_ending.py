"""How the app ends: exit status, a restored terminal, one line on a crash and no value that was in memory (R32)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal

LEAVES_ALTERNATE_SCREEN = "\x1b[?1049l"
SHOWS_CURSOR = "\x1b[?25h"
CRASH_POINTS = {
    "drawing a line": "from workbench.tui.panels import tenants as m; m.entries = broken",
    "making a view": "from workbench.tui.screens import looking as m; m.view_of = broken",
    "opening the workspace": "import workbench.session.workspace as m; m.read_tenants = broken",
    "a key": "from workbench.tui import doing as m; m.HANDLERS['edit.undo'] = broken",
    "keeping edits": "from workbench.tui import keeping as m; m.JournalKeeper.look = broken",
    "a preview": "from workbench.session import session as m; m.Session.preview_edit = broken",
    "evaluating": "from workbench.session import session as m; m.Session.undo = broken",
}
CRASHING = """
import sys
def broken(*args, **kwargs):
    canary = 'sk-CANARY-IN-A-LOCAL'
    raise ValueError('CANARY-IN-A-MESSAGE ' + canary)
{patch}
from workbench.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_in_order(number: signal.Signals, status: int) -> None:
    with Terminal() as terminal:
        terminal.wait_for("survivors")
        terminal.signal(number)
        assert terminal.finish() == status
        assert LEAVES_ALTERNATE_SCREEN.encode() in terminal.received


@pytest.mark.parametrize("keys", ["", "C", "w", "m"])
def test_a_terminal_that_is_gone_ends_it(keys: str) -> None:
    with Terminal() as terminal:
        terminal.wait_for("survivors")
        terminal.press(keys)
        terminal.hang_up()
        assert terminal.finish() == 129


HEEDLESS = "from workbench.tui.app import WorkbenchApp as m; m._ended = lambda self, status: None"
STUCK = (
    "import threading; from workbench.tui.app import WorkbenchApp as m; "
    "m._ended = lambda self, status: threading.Event().wait()"
)


@pytest.mark.parametrize("stuck", [HEEDLESS, STUCK], ids=["heeds no signal", "stuck"])
def test_so_it_does_where_something_is_stuck_and_edits_are_kept(root: Path, stuck: str) -> None:
    patch = f"{stuck}; from workbench.tui import ending; ending.GRACE = 0.2"
    with Terminal(["--workspace", str(root)], program=CRASHING.format(patch=patch)) as terminal:
        terminal.wait_for("survivors")
        terminal.press("2" + "\x1b[B" * 3 + " ")
        terminal.wait_for("touches")
        terminal.hang_up()
        assert terminal.finish() == 129
    with Terminal(["--workspace", str(root)]) as terminal:
        terminal.wait_for("Restore unsaved edits?")


def test_q_ends_it_with_0_and_the_terminal_as_before() -> None:
    with Terminal() as terminal:
        terminal.wait_for("survivors")
        terminal.press("q")
        assert terminal.finish() == 0
        assert LEAVES_ALTERNATE_SCREEN.encode() in terminal.received
        assert SHOWS_CURSOR.encode() in terminal.received


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_a_crash_is_one_line_and_a_report_without_locals(point: str, state_home: Path) -> None:
    with Terminal(program=CRASHING.format(patch=CRASH_POINTS[point])) as terminal:
        if point in ("a key", "evaluating"):
            terminal.wait_for("survivors")
            terminal.press("u")
        if point == "a preview":
            terminal.wait_for("survivors")
            terminal.press("2")
            terminal.press("e")
        assert terminal.finish() == 5
        after = terminal.received.split(LEAVES_ALTERNATE_SCREEN.encode())[-1].decode()
        assert LEAVES_ALTERNATE_SCREEN.encode() in terminal.received
        assert "internal error" in after
        assert "ValueError" in after
        assert b"CANARY" not in terminal.received
        report = next((state_home / "policy-workbench" / "reports").iterdir())
        assert str(report) in after
        assert report.stat().st_mode & 0o777 == 0o600
        assert "ValueError" in report.read_text()
        assert "CANARY" not in report.read_text()
        assert "Traceback" not in after


def test_a_workspace_that_cannot_be_opened_is_told_as_the_commands_tell_it(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('catalog = "no such catalog"\n')
    with Terminal(["--workspace", str(tmp_path)]) as terminal:
        assert terminal.finish() == 1
        after = terminal.received.split(LEAVES_ALTERNATE_SCREEN.encode())[-1].decode()
        assert "no such catalog" in after


def test_without_colour_signs_and_words_remain() -> None:
    with Terminal(NO_COLOR="1") as terminal:
        terminal.wait_for("survivors")
        terminal.press("")
        text = terminal.received.decode()
    assert "nobody" in text
    assert "1 provider" in text
    assert "✓" in text
    assert "▌" in text
    assert "\x1b[38;2;" not in text
