"""The fleet on screen: opened, supposed, looked into, written, in the real app on a real file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.fleet.test_command import ENDLESS
from tests.tui.conftest import root, session, state_home
from tests.tui.driving import clear_input, main_screen, screen_text, type_text
from workbench.session.edits import EditClause
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.fleet.rows import SheetRows
from workbench.tui.work.fleet.screen import FleetScreen
from workbench.whatif.fleet.arrow import load
from workbench.whatif.fleet.sample import write_sample

__all__ = ["root", "session", "state_home"]

TENANTS = 3_000


@pytest.fixture
def base(tmp_path: Path, session: Session) -> Path:
    path = tmp_path / "tenants.parquet"
    write_sample(session.state, TENANTS, path)
    return path


async def _open(pilot: Pilot[Any], app: WorkbenchApp, source: str) -> FleetScreen:
    await pilot.pause()
    await pilot.press("L")
    await pilot.pause()
    screen = app.screen
    assert isinstance(screen, FleetScreen)
    if source:
        await pilot.press("o")
        await pilot.pause()
        await _answer(pilot, source)
        await _settled(pilot, screen)
    return screen


async def _answer(pilot: Pilot[Any], text: str) -> None:
    await clear_input(pilot)
    app: Any = pilot.app  # pyright: ignore[reportUnknownMemberType] - Textual leaves the type of its app open
    app.screen.query_one("#answer").value = text
    await pilot.press("enter")
    await pilot.pause()


async def _settled(pilot: Pilot[Any], screen: FleetScreen) -> None:
    """What was started is done, and what that started too."""
    for _ in range(3):
        await screen.background.settled()
        await pilot.pause()


def _rows(screen: FleetScreen) -> list[tuple[str, ...]]:
    rows = screen.query_one(LineTable).rows
    assert isinstance(rows, SheetRows)
    return list(rows.shown)


async def test_a_stranger_finds_out_what_a_floor_of_0_4_costs(session: Session, base: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, str(base))
        assert f"{TENANTS:,} tenants" in screen_text(app)
        await pilot.press("e")
        await pilot.pause()
        await _answer(pilot, "free-floor=0.4")
        await _settled(pilot, screen)
        totals = screen.totals
        assert totals is not None
        assert totals.changed > 0
        sums = totals.total()
        assert "USD a month" in screen_text(app)
        assert f"{sums.after - sums.before:+,.2f}" in screen_text(app)
        await pilot.press("v")
        await pilot.pause()
        assert all(row[0] in ("dearer", "cheaper", "moved") for row in _rows(screen))
        await pilot.press("c")
        await _settled(pilot, screen)
        assert screen.totals is not None
        assert not screen.totals.compares


async def test_who_is_stranded_by_a_provider_that_is_down(session: Session, base: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, str(base))
        await pilot.press("d")
        await pilot.pause()
        assert "The cheapest offer is of: eu " in screen_text(app)
        await _answer(pilot, "azure")
        await _settled(pilot, screen)
        await pilot.press("v", "v")
        await pilot.pause()
        totals = screen.totals
        assert totals is not None
        assert [row[0] for row in _rows(screen)] == [named.id for named in totals.stranded]
        assert 0 < len(totals.stranded) == totals.stranded_count
        await pilot.press("slash")
        await type_text(pilot, totals.stranded[-1].id)
        assert len(_rows(screen)) == 1
        await pilot.press("enter", "y")
        await pilot.pause()
        assert app.clipboard.startswith(totals.stranded[-1].id)


async def test_an_edit_that_is_not_saved_is_what_comes_after(session: Session, base: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, str(base))
        assert screen.totals is not None
        assert not screen.totals.compares
        await pilot.press("escape")
        await pilot.pause()
        session.commit(EditClause("ladle-free", "free-floor", "rule", "bench_intelligence >= 0.4"))
        screen = await _open(pilot, app, "")
        await _settled(pilot, screen)
        assert screen.totals is not None
        assert screen.totals.compares
        assert screen.totals.changed > 0
        assert "the edits that are not saved" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        session.save()
        screen = await _open(pilot, app, "")
        await _settled(pilot, screen)
        assert screen.totals is not None
        assert not screen.totals.compares


async def test_a_segment_opens_into_its_policies(session: Session, base: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(pilot, app, f"{base} --by plan,region")
        first = _rows(screen)[0]
        await pilot.press("enter")
        await _settled(pilot, screen)
        assert screen.detail == first[:2]
        counts = [int(row[1].replace(",", "")) for row in _rows(screen)]
        assert sum(counts) == int(first[2].replace(",", ""))
        assert counts == sorted(counts, reverse=True)
        await pilot.press("escape")
        await pilot.pause()
        assert screen.detail is None
        assert app.screen is screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_a_made_up_base_is_written_opened_and_its_result_exported(session: Session, tmp_path: Path) -> None:
    app = WorkbenchApp(session)
    made, out = tmp_path / "made up.parquet", tmp_path / "out.csv"
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, "")
        await pilot.press("n")
        await pilot.pause()
        await _answer(pilot, f"500 {made}")
        await _settled(pilot, screen)
        assert screen.totals is not None
        assert screen.totals.rows == load("pyarrow.parquet").read_table(made).num_rows == 500
        await pilot.press("x")
        await pilot.pause()
        await _answer(pilot, str(out))
        await _settled(pilot, screen)
        assert "wrote 500 tenants to out.csv" in screen_text(app)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 501


REFUSED = (
    ("nowhere.parquet", "there is no such file"),
    ("tenants.parquet --byy plan", "did you mean `--by`?"),
    ("a.csv b.csv", "`b.csv` is one word too many"),
    ("'a.csv", "no closing quotation"),
    ("--by plan", "no place is named"),
    ("postgresql://someone:s3cret@127.0.0.1:1/none --table t", "PostgreSQL says"),
)


async def test_what_is_no_source_is_refused_in_words(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await _open(pilot, app, "")
        for source, said in REFUSED:
            await pilot.press("o")
            await pilot.pause()
            assert "s3cret" not in screen_text(app)
            await _answer(pilot, source)
            await _settled(pilot, screen)
            assert said in screen_text(app)
            assert "s3cret" not in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        assert "s3cret" not in screen_text(app)


async def test_reading_is_stopped_by_one_key_and_keys_work_meanwhile(session: Session, tmp_path: Path) -> None:
    """A source without an end: only the key ends it."""
    path = tmp_path / "base.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, "")
        await pilot.press("o")
        await pilot.pause()
        await _answer(pilot, f'{path} --query "{ENDLESS}"')
        assert screen.background.running
        await pilot.press("question_mark")
        await pilot.pause()
        assert app.screen is not screen
        await pilot.press("escape")
        await pilot.pause()
        assert screen.background.running
        await pilot.press("escape")
        await screen.background.settled()
        assert "stopped" in screen_text(app)
        assert screen.kept.base is None


async def test_what_cannot_be_supposed_leaves_what_was(session: Session, base: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await _open(pilot, app, str(base))
        for key, given, said in (
            ("e", "free-flor=0.4", "did you mean `free-floor`?"),
            ("d", "azur", "did you mean `azure`?"),
            ("f", "plan=gold", "`plan` cannot be `gold`"),
            ("b", "plann", "did you mean `plan`?"),
        ):
            await pilot.press(key)
            await pilot.pause()
            await _answer(pilot, given)
            await _settled(pilot, screen)
            assert said in screen_text(app)
            assert not screen.kept.supposed


async def test_the_row_under_the_cursor_is_told_in_full_and_enter_is_named_where_it_works(
    session: Session, base: Path
) -> None:  # fmt: skip
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await _open(pilot, app, str(base))
        assert "policies" in screen_text(app).splitlines()[-1]
        await pilot.press("d")
        await pilot.pause()
        await _answer(pilot, "azure amazon-bedrock")
        await _settled(pilot, screen)
        while screen.view != "moved":
            await pilot.press("v")
            await pilot.pause()
        await pilot.press("down", "down")
        await pilot.pause()
        assert "policies" not in screen_text(app).splitlines()[-1]
        row = screen.row()
        assert row == _rows(screen)[2]
        assert row is not None
        seen = " ".join(screen_text(app).split())
        assert f"tenant {row[0]} ·" in seen
        assert f"before {row[-2]}" in seen
        assert f"after {row[-1]}" in seen
