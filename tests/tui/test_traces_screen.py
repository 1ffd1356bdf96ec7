"""The screen of traces by its keys: list, filter, live refresh, one trace, replay, export, deletion, hostile text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tracing.filled import called, decided, fill
from tests.tui.driving import main_screen, question, screen_text, type_text
from tests.tui.hostile import FORBIDDEN, SEQUENCES
from workbench.session.session import Session
from workbench.traces.opening import open_store
from workbench.traces.store import TraceStore
from workbench.tui.app import WorkbenchApp
from workbench.tui.work.traces.screen import TracesScreen

SIZE = (120, 36)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the app looks for traces."""
    place = tmp_path / "state" / "traces.db"
    monkeypatch.setenv("WORKBENCH_TRACES", str(place))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture
def store(path: Path) -> Iterator[TraceStore]:
    """A store with one trace of each kind."""
    with closing(open_store(path)) as made:
        fill(made)
        yield made


async def opened(app: WorkbenchApp, pilot: Pilot[Any]) -> TracesScreen:
    """The screen, once the list is there."""
    await pilot.press("T")
    screen = app.screen
    assert isinstance(screen, TracesScreen)
    await until(pilot, lambda: screen.is_mounted and not screen.background.running)
    await settled(screen, pilot)
    return screen


async def settled(screen: TracesScreen, pilot: Pilot[Any]) -> None:
    """Nothing is at work any more."""
    await screen.background.settled()
    await pilot.pause()


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    """Wait for what the screen does by itself."""
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen")


def ids(screen: TracesScreen) -> list[str]:
    return [row.trace_id for row in screen.listed.rows]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_the_list_tells_by_sign_and_word(session: Session, store: TraceStore, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot)
        text = screen_text(app)
        assert ids(screen) == ["tb05begun", "ta04decided", "ta03quiet", "ta02over", "ta01ok"]
        for part in ("5 traces in", "! interrupted", "◇ emulated", "+ ok", "= decided", "x server_error"):
            assert part in text
        assert len(text.splitlines()) <= size[1]
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_no_store_yet_is_said_and_what_is_written_then_appears(session: Session, path: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        assert "Nothing has been traced yet" in screen_text(app)
        assert not path.exists()  # noqa: ASYNC240
        with closing(open_store(path)) as store:
            called(store, "tnew")
        await until(pilot, lambda: ids(screen) == ["tnew"])
        await pilot.pause()
        assert "Nothing has been traced" not in screen_text(app)


async def test_new_traces_come_in_front_and_the_cursor_stays_on_its_trace(session: Session, store: TraceStore) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("down")
        under = screen.copied()
        called(store, "tfresh")
        await until(pilot, lambda: "tfresh" in ids(screen))
        assert screen.copied() == under
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == under


async def test_a_line_of_words_filters_and_a_wrong_one_is_said(session: Session, store: TraceStore) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("slash")
        await type_text(pilot, "needle")
        await settled(screen, pilot)
        assert ids(screen) == ["ta02over"]
        await pilot.press("end", "ctrl+u")
        await pilot.press(*"outcome", "colon", *"fail")
        await pilot.pause()
        assert "did you mean `failed`" in screen_text(app)
        await pilot.press("e", "d")
        await settled(screen, pilot)
        assert ids(screen) == ["tb05begun", "ta03quiet"]
        assert "did you mean" not in screen_text(app)
        await pilot.press("enter", "escape")
        await settled(screen, pilot)
        assert len(ids(screen)) == 5


async def test_enter_opens_a_trace_with_its_ladder_its_rules_and_its_verdict(
    session: Session, store: TraceStore
) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 60)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("down", "down", "down", "enter")
        await settled(screen, pilot)
        text = screen_text(app)
        same = "decided again over its own catalog: the same in every field"
        parts = ("ta02over", "◇ emulated", "rate_limit (429)", "slow down", "what happened", same, "ranked: 23 of")
        for part in parts:
            assert part in text
        await pilot.press("slash")
        await type_text(pilot, "alibaba/glm-5.2")
        await pilot.press("enter")
        text = screen_text(app)
        assert "needs" in text
        assert "region is" in text
        await pilot.press("escape", "r")
        await settled(screen, pilot)
        assert "population  same" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is screen
        assert screen.opened is None
        assert screen.copied() == "ta02over"


async def test_a_quiet_trace_says_what_it_does_not_hold(session: Session, store: TraceStore) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("down", "down", "enter")
        await settled(screen, pilot)
        assert "keeps no text" in screen_text(app)
        assert "broken" not in screen_text(app)


async def test_replay_over_the_present_catalog_shows_what_moves(session: Session, store: TraceStore) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 60)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("R")
        await settled(screen, pilot)
        assert screen.opened is not None
        assert screen.opened.verdict.same
        assert "present catalog is the one" in screen_text(app)


async def test_export_writes_the_record_as_the_command_does(
    session: Session, store: TraceStore, tmp_path: Path
) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("end", "e")
        await settled(screen, pilot)
        await pilot.press("enter")
        await pilot.pause()
        written = tmp_path / "exports" / "trace-ta01ok.jsonl"
        assert json.loads(written.read_text())["trace_id"] == "ta01ok"


async def test_deleting_asks_twice_and_escape_deletes_nothing(session: Session, store: TraceStore) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("end", "delete")
        await until(pilot, lambda: "the one under the cursor, 1" in question(app))
        await pilot.press("t")
        await until(pilot, lambda: "deleted for good" in question(app))
        await pilot.press("escape")
        await pilot.pause()
        assert store.count() == 5
        await pilot.press("delete")
        await until(pilot, lambda: "the one under the cursor, 1" in question(app))
        await pilot.press("t", "d")
        await until(pilot, lambda: store.count() == 4)
        await until(pilot, lambda: "1 trace deleted" in screen_text(app))
        assert "ta01ok" not in ids(screen)
        assert "1 trace deleted" in screen_text(app)


async def test_a_long_list_is_read_as_one_goes_down(session: Session, store: TraceStore) -> None:
    with store.database.write() as execute:
        (columns,) = execute(
            "SELECT group_concat(name) FROM pragma_table_info('traces') WHERE name NOT IN ('sequence', 'trace_id')", {}
        )[0]
        execute(
            f"INSERT INTO traces (trace_id, {columns}) WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n "  # noqa: S608
            f"WHERE k < 3000) SELECT 'x' || k, {columns} FROM n, traces WHERE trace_id = 'ta01ok'", {},
        )  # fmt: skip
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(app, pilot)
        assert len(screen.listed.rows) == 500
        assert "3,005 traces" in screen_text(app)
        for _ in range(6):
            before = len(screen.listed.rows)
            await pilot.press("G")
            await until(pilot, lambda held=before: len(screen.listed.rows) > held or screen.listed.next is None)
        await pilot.press("G")
        assert len(set(ids(screen))) == 3005
        assert screen.copied() == "ta01ok"


async def test_hostile_text_is_shown_literally(session: Session, path: Path) -> None:
    text = "".join(SEQUENCES)
    with closing(open_store(path)) as store:
        called(store, "thostile", [{"kind": "server_error", "http_status": 500, "message": text}], text=text)
        decided(store, "tother")
    with closing(sqlite3.connect(path)) as raw:
        for column in ("tenant", "outcome", "winner", "offer", "provider", "model", "region"):
            raw.execute(f"UPDATE traces SET {column} = ? WHERE trace_id = 'tother'", (text,))  # noqa: S608
        raw.commit()
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await opened(app, pilot)
        seen = screen_text(app)
        await pilot.press("enter")
        await settled(screen, pilot)
        seen += screen_text(app)
        await pilot.press("escape", "down", "enter")
        await settled(screen, pilot)
        seen += screen_text(app)
    assert "PWNED" in seen
    for sequence in FORBIDDEN:
        if len(sequence) == 1:
            assert sequence not in seen


async def test_a_damaged_store_and_a_place_that_is_none_are_banners(
    session: Session, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)  # noqa: ASYNC240
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await opened(app, pilot)
        assert "the traces were damaged" in screen_text(app)
        await pilot.press("escape")
        monkeypatch.setenv("WORKBENCH_TRACES", "notes.txt")
        await opened(app, pilot)
        assert "`notes.txt` is no name of a trace store" in screen_text(app)
        assert app.is_running
