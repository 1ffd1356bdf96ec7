"""Unsaved edits outlive the terminal: kept beside the screen, offered at the next start, never taken up silently."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from time import sleep

import pytest
from textual.pilot import Pilot

from tests.tui.driving import go_to_clause, go_to_tenant, main_screen, screen_text
from tests.tui.terminal import Terminal
from workbench.session.edits import EditClause
from workbench.session.session import Session
from workbench.session.workspace import open_workspace
from workbench.tui import keeping
from workbench.tui.app import WorkbenchApp

EDIT = EditClause("lumenor-vip", "vip-floor", "rule", "bench_intelligence >= 0.62")
SIZE = (120, 36)


@pytest.fixture
def left(root: Path) -> Session:
    """A sitting that was killed with an edit in it."""
    session = Session(open_workspace(root))
    session.commit(EDIT)
    assert session.keep_journal()
    return session


async def _until(found: str, pilot: Pilot[int]) -> None:
    """Let the app work until its dialog is open."""
    async with asyncio.timeout(10):
        while found not in screen_text(pilot.app):
            await pilot.pause()


def _hold_up() -> None:
    sleep(0.2)


async def test_an_edit_is_kept_by_itself_and_goes_once_saved(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AFTER", 0.01)
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space")
        async with asyncio.timeout(10):
            while session.journal_file.find() is None:
                await pilot.pause()
        await pilot.press("s")
        async with asyncio.timeout(10):
            while session.journal_file.find() is not None:
                await pilot.pause()
    assert not session.dirty


async def test_an_edit_made_when_one_is_due_is_kept_with_it(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AT_MOST", 0.1)
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        keeper = main_screen(app).keeper
        session.commit(EDIT)
        keeper.look()
        _hold_up()
        session.commit(replace(EDIT, text="bench_intelligence >= 0.63"))
        keeper.look()
        async with asyncio.timeout(10):
            while keeper.pending:
                await pilot.pause()
    journal = session.journal_file.find()
    assert journal is not None
    assert "0.63" in str(journal)


async def test_what_was_left_is_offered_and_restored_as_one_edit(left: Session, session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await _until("Restore unsaved edits?", pilot)
        assert not session.dirty
        await pilot.press("r")
        await pilot.pause()
        assert session.state.rulebook == left.state.rulebook
        assert session.dirty
        await pilot.press("u")
        await pilot.pause()
        assert not session.dirty


async def test_files_that_changed_since_are_named(left: Session, root: Path) -> None:
    path = root / "rulebook.toml"
    path.write_text(path.read_text() + "\n# by another hand\n")
    app = WorkbenchApp(Session(open_workspace(root)))
    async with app.run_test(size=SIZE) as pilot:
        await _until("Changed on disk since: rulebook.toml", pilot)


async def test_discarded_is_gone(left: Session, session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await _until("Restore unsaved edits?", pilot)
        await pilot.press("d")
        await pilot.pause()
        assert not session.dirty
    assert left.journal_file.find() is None


async def test_later_keeps_it_even_where_this_sitting_keeps_its_own(left: Session, session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await _until("Restore unsaved edits?", pilot)
        await pilot.press("l")
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-residency")
        await pilot.press("space")
        await pilot.pause()
        assert await asyncio.to_thread(main_screen(app).keep_now)
        await pilot.press("q", "d")
        await pilot.pause()
    other = WorkbenchApp(Session(session.workspace))
    async with other.run_test(size=SIZE) as pilot:
        await _until("Restore unsaved edits?", pilot)
        await pilot.press("r")
        await pilot.pause()
        assert main_screen(other).session.state.rulebook == left.state.rulebook


async def test_leaving_without_saving_gives_it_up(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space")
        await pilot.pause()
        assert await asyncio.to_thread(main_screen(app).keep_now)
        await pilot.press("q", "d")
        await pilot.pause()
    assert session.journal_file.find() is None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_keeps_the_edits_and_says_so(root: Path, number: signal.Signals, status: int) -> None:
    with Terminal(["--workspace", str(root)]) as terminal:
        terminal.wait_for("survivors")
        terminal.press("2" + "\x1b[B" * 3 + " ")
        terminal.wait_for("touches")
        terminal.signal(number)
        assert terminal.finish(limit=3.0) == status
        assert "unsaved edits are kept" in terminal.received.split(b"\x1b[?1049l")[-1].decode()
    with Terminal(["--workspace", str(root)]) as terminal:
        terminal.wait_for("Restore unsaved edits?")
