"""The base of all screens beside the main one: keys, filter, work in threads, copies, exports, the way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import cast

import pytest
from textual.app import ComposeResult

from tests.tui.driving import main_screen, screen_text, type_text
from workbench.errors import UsageError
from workbench.session.actions import SCREENS
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.background import Progress
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.widgets.drawing import Cell
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.work import SCREENS as SCREENS_OF_WORK
from workbench.tui.work import Entry


class Lists(WorkScreen):
    """Shows the tenants' names."""

    PLACE = SCREENS
    HEADING = "Names"

    def compose_body(self) -> ComposeResult:
        yield LineTable()

    def on_mount(self) -> None:
        super().on_mount()
        self.filter_rows("")

    def filter_rows(self, text: str) -> None:
        names = [tenant.id for tenant in self.state.tenants if text in tenant.id]
        self.names = names
        self.query_one(LineTable).show_rows(ListedRows([(k, [Cell(name)]) for k, name in enumerate(names)]))

    def copied(self) -> str:
        return self.names[self.query_one(LineTable).cursor]

    def exports(self) -> Mapping[str, bytes]:
        return {"names.txt": "\n".join(self.names).encode()}


async def test_heading_filter_copy_and_back(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        screen = Lists(session, main_screen(app).cursors)
        await app.push_screen(screen)
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert lines[0].lstrip().startswith("Names")
        assert "esc back" in lines[-1]
        await pilot.press("slash")
        await type_text(pilot, "acme")
        assert all("acme" in name for name in screen.names)
        await pilot.press("enter", "y")
        await pilot.pause()
        assert app.clipboard == screen.names[0]
        await pilot.press("escape")
        await pilot.pause()
        assert len(screen.names) == len(session.state.tenants)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_a_screen_whose_module_is_gone_does_not_end_the_app(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setitem(cast("dict[str, Entry]", SCREENS_OF_WORK), "health.open", Entry("workbench.gone.away", "Gone"))
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 24)) as pilot:
        await pilot.press("H")
        await pilot.pause()
        assert app.screen is main_screen(app)
        assert "the health screen can't be opened: ModuleNotFoundError: No module named" in screen_text(app)
        await pilot.press("c")
        await pilot.pause()
        assert app.screen is not main_screen(app), "the others open"


async def test_work_in_a_thread_shows_its_progress_and_escape_stops_it(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        screen = Lists(session)
        await app.push_screen(screen)
        going, stopped = Event(), Event()
        answers: list[int] = []

        def work(progress: Progress) -> int:
            going.set()
            while not progress.cancelled:
                progress.report(0.25, "of all")
            stopped.set()
            return 1

        screen.background.start("counting", work, answers.append)
        while not going.is_set() or "counting" not in screen_text(app).splitlines()[-1]:
            await pilot.pause(0.02)
        assert "counting 25% of all · esc stops it" in screen_text(app).splitlines()[-1]
        await pilot.press("escape")
        await screen.background.settled()
        assert app.screen is screen
        assert not answers
        screen.background.start("again", lambda _progress: 7, answers.append)
        await screen.background.settled()
        assert answers == [7]


async def test_only_the_newest_answer_counts_and_an_error_is_said(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        screen = Lists(session)
        await app.push_screen(screen)
        hold = Event()
        answers: list[str] = []

        def slow(_progress: Progress) -> str:
            hold.wait(10)
            return "old"

        def refused(_progress: Progress) -> str:
            raise UsageError("this can't be counted")

        screen.background.start("old", slow, answers.append)
        screen.background.start("new", lambda _progress: "new", answers.append)
        hold.set()
        await screen.background.settled()
        await app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
        assert answers == ["new"]
        screen.background.start("bad", refused, answers.append)
        await screen.background.settled()
        await pilot.pause()
        assert "this can't be counted" in screen_text(app)


async def test_what_is_shown_is_written_and_nothing_is_overwritten_unasked(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        screen = Lists(session)
        await app.push_screen(screen)
        await pilot.pause()
        target = tmp_path / "exports" / "names.txt"
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert target.read_text() == "\n".join(screen.names)
        target.write_text("mine")
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "Write over it?" in screen_text(app)
        assert target.read_text() == "mine"
        await pilot.press("o")
        await pilot.pause()
        assert target.read_text() == "\n".join(screen.names)


async def test_the_end_goes_by_way_of_the_main_screen(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        await app.push_screen(Lists(session))
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_code == 0


async def test_the_list_of_screens_opens(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("p")
        await pilot.pause()
        assert "Other screens" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_work_ends_with_its_screen(session: Session) -> None:
    app = WorkbenchApp(session)
    ended = Event()
    async with app.run_test(size=(100, 24)) as pilot:
        screen = Lists(session)
        await app.push_screen(screen)
        going = Event()

        def work(progress: Progress) -> None:
            going.set()
            while not progress.cancelled:
                pass
            ended.set()

        screen.background.start("endless", work, lambda _nothing: None)
        while not going.is_set():
            await pilot.pause(0.02)
    assert ended.wait(30)
