"""Saving where it goes wrong: a folder that is gone, another program's change, the read-only sample."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.driving import go_to_clause, go_to_tenant, main_screen, screen_text
from workbench.session.saving import disk_changes
from workbench.session.session import Session
from workbench.session.workspace import open_workspace, sample_root
from workbench.tui.app import WorkbenchApp
from workbench.tui.messages import DiskChanged
from workbench.tui.screens.dialogs import Ask, AskText

SIZE = (120, 36)
WIDE = (300, 36)
"""Room for the longest path that a temporary folder has."""


async def test_a_gone_folder_is_said_and_a_copy_saves_the_edits(
    session: Session, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    app = WorkbenchApp(session)
    async with app.run_test(size=WIDE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space")
        edited = session.state
        shutil.rmtree(root)
        while "changed on disk" not in screen_text(app):
            await pilot.pause(0.1)
        await pilot.press("s")
        await pilot.pause()
        assert "could not be saved" in screen_text(app)
        assert session.state is edited
        assert isinstance(app.screen, AskText)
        copy = tmp_path / "copy"
        app.screen.query_one(Input).value = str(copy)
        await pilot.press("enter")
        await pilot.pause()
        assert not session.dirty
        assert str(copy) in screen_text(app)
    assert open_workspace(copy).state.rulebook == edited.rulebook


async def test_export_and_reload_say_it_too(session: Session, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        shutil.rmtree(root)
        await pilot.press("f5")
        await pilot.pause()
        assert "showing the last good state" in screen_text(app)
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, AskText)
        app.screen.query_one(Input).value = "/dev/null/exports"
        await pilot.press("enter")
        await pilot.pause()
        assert "could not be exported" in screen_text(app)
        main_screen(app).post_message(DiskChanged((root,)))
        await pilot.pause()
        assert "could not be exported" in screen_text(app), "the watch says nothing new"
        main_screen(app).post_message(DiskChanged(()))
        await pilot.pause()
        assert "could not be exported" in screen_text(app), "nor is it taken back with the trouble of the files"


def _conflicts(root: Path) -> list[Path]:
    return list(root.glob("rulebook.toml.conflict-*"))


async def _both_changed(app: WorkbenchApp, session: Session, root: Path) -> str:
    path = root / "rulebook.toml"
    theirs = path.read_text() + "\n# by another hand\n"
    path.write_text(theirs)
    main_screen(app).post_message(DiskChanged(await asyncio.to_thread(disk_changes, session.workspace)))
    return theirs


@pytest.mark.parametrize("answer", ["s", "r", "escape"])
async def test_another_programs_change_is_asked_about(session: Session, root: Path, answer: str) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space")
        theirs = await _both_changed(app, session, root)
        await pilot.pause()
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Ask)
        await pilot.press(answer)
        await pilot.pause()
        kept = _conflicts(root)
        assert session.dirty == (answer == "escape")
        assert [path.read_text() for path in kept] == ([theirs] if answer == "s" else [])
        assert ((root / "rulebook.toml").read_text() == theirs) == (answer != "s")
        assert ("their version is kept in" in screen_text(app)) == (answer == "s")


async def test_a_copy_of_the_sample_is_named_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    session = Session(open_workspace(sample_root()))
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        await pilot.pause()
        app.screen.query_one(Input).value = "~/mine"
        await pilot.press("enter")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert "~/mine" in lines[0]
        assert "sample tenants" not in lines[0]
        assert "in ~/mine" in lines[-1]
