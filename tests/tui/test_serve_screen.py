"""The screen of the endpoint: a real endpoint over a real emulator, called while one looks on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.server_x.endpoint import HELLO
from tests.tui.driving import main_screen, screen_text, type_text
from workbench.errors import Finding, Place
from workbench.server.net.listening import bind
from workbench.session.calls.children.endpoint import Served, Standing, served_of, standing_of
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.wording import dollars
from workbench.tui.work.serve.screen import ServeScreen
from workbench.tui.work.traces.screen import TracesScreen
from workbench.tui.work.traces.table import COST

PATIENCE = 60


async def until(pilot: Any, holds: Callable[[], bool]) -> None:
    """Let the app run until something holds."""

    async def look() -> None:
        while not holds():
            await pilot.pause(0.01)

    await asyncio.wait_for(look(), PATIENCE)


async def call(screen: ServeScreen, tenant: str) -> None:
    """One call to what the screen serves."""
    assert screen.child is not None
    async with httpx.AsyncClient(base_url=screen.child.url, timeout=30, trust_env=False) as client:
        answer = await client.post("/v1/chat/completions", json={**HELLO, "tenant": tenant})
        assert answer.status_code == 200


async def test_calls_are_seen_as_they_come_and_open_their_trace(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("S")
        await pilot.pause()
        screen = cast("ServeScreen", app.screen)
        assert isinstance(screen, ServeScreen)
        assert "stopped" in screen_text(app)
        await pilot.press("c")
        await pilot.pause()
        assert app.clipboard == ""
        await pilot.press("e")
        await until(pilot, lambda: screen.child is not None)
        child = screen.child
        assert child is not None
        assert f"{child.url}/v1" in screen_text(app)
        await call(screen, "acme-eu")
        await call(screen, "ladle-free")
        await until(pilot, lambda: len(screen.shown) == 2)
        await pilot.pause()
        text = screen_text(app)
        assert "acme-eu" in text
        assert "+ ok" in text
        async with httpx.AsyncClient(base_url=child.url, timeout=30, trust_env=False) as client:
            await client.post("/v1/chat/completions", json={**HELLO, "tenant": "acme-e"})
        await until(pilot, lambda: "1 refused" in screen_text(app))
        assert "404 tenant_not_found" in screen_text(app)
        await pilot.press("t")
        await pilot.pause()
        assert {each.tenant for each in screen.shown} == {"acme-eu"}
        for key, word in (("c", "curl"), ("p", "OpenAI("), ("T", "import OpenAI")):
            await pilot.press(key)
            await pilot.pause()
            assert word in app.clipboard
            assert child.url in app.clipboard
            assert "acme-eu" in app.clipboard
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == screen.shown[0].trace_id
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TracesScreen) and app.screen.opened is not None)
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("slash")
        await type_text(pilot, "nobody at all")
        assert screen.shown == []
        await pilot.press("escape", "s")
        await until(pilot, lambda: screen.child is None)
        assert child.process.returncode is not None
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_an_endpoint_that_ends_by_itself_is_told(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S", "s")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        assert screen.child is not None
        os.kill(screen.child.process.pid, signal.SIGKILL)
        await until(pilot, lambda: screen.child is None)
        await pilot.pause()
        assert "ended by itself (signal 9)" in screen_text(app)


async def test_it_starts_again_where_it_was_and_elsewhere_if_that_is_taken(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S", "s")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        first = screen.child
        assert first is not None
        await pilot.press("s")
        await until(pilot, lambda: screen.child is None)
        await pilot.press("s")
        await until(pilot, lambda: screen.child is not None)
        assert screen.child is not None
        assert screen.child.url == first.url
        await pilot.press("s")
        await until(pilot, lambda: screen.child is None)
        with bind("127.0.0.1", first.port):
            await pilot.press("s")
            await until(pilot, lambda: screen.child is not None)
            assert screen.child is not None
            assert screen.child.url != first.url


async def test_what_is_copied_is_shown_until_it_is_taken_away(session: Session) -> None:
    """Not every terminal takes what is copied."""
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 36)) as pilot:
        await pilot.press("S", "e")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        assert screen.exports() == {}
        for key, file in (("c", "call.sh"), ("p", "call.py"), ("T", "call.ts")):
            await pilot.press(key)
            await pilot.pause()
            lines = [line for line in app.clipboard.splitlines() if len(line) < 70]
            text = screen_text(app)
            assert len(lines) > 2
            assert all(line in text for line in lines)
            assert screen.exports() == {file: app.clipboard.encode()}
        await pilot.press("escape")
        await pilot.pause()
        assert "import OpenAI" not in screen_text(app)
        assert app.screen is screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)


async def test_stopped_over_the_emulator_it_says_what_each_key_does(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S", "e")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        await pilot.press("s")
        await until(pilot, lambda: screen.child is None)
        await pilot.pause()
        text = screen_text(app)
        assert "e starts it and lets the providers answer" in text
        assert "the emulator is to answer" in text
        assert "lets the emulator answer" not in text
        assert "providers" in text.splitlines()[-1]


async def test_all_of_what_is_not_served_can_be_read_on_a_narrow_terminal(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S")
        screen = cast("ServeScreen", app.screen)
        words = " ".join(["a reason that is long"] * 8)
        finding = Finding(f"{words} and ends here", "toml", Place("tenants/acme-eu.toml", 12), "mend it so")
        screen.endpoint.reloaded(Standing(True, False, (finding,), 1))
        await pilot.pause()
        text = " ".join(screen_text(app).split())
        assert "and ends here; mend it so" in text
        screen.endpoint.reloaded(Standing(True, True, ()))
        await pilot.pause()
        assert "and ends here" not in screen_text(app)


def test_a_line_tells_of_findings_that_are_left_out() -> None:
    finding = {"reason": "a row", "code": "catalog_row"}
    line = {"event": "reloaded", "taken": False, "findings": [finding], "findings_total": 851}
    standing = standing_of(line)
    assert standing is not None
    assert standing.total == 851


def test_a_cost_of_millionths_is_read_whole() -> None:
    for value in (0.000002, 0.0000123, 0.00000004, 1e-12, 0.25, 12_345.0):
        text = dollars(value, COST)
        assert len(text) <= COST
        assert "…" not in text
    assert dollars(0.0000020, COST) == "0.0000020"
    assert dollars(1e-12, COST) == "<0.0000001"


@pytest.mark.parametrize(("file", "said"), [("rulebook.toml", "answers nobody"), ("tenants/acme-eu.toml", "acme-eu")])
async def test_what_is_broken_on_disk_is_said_when_it_starts(
    session: Session, root: Path, file: str, said: str
) -> None:  # fmt: skip
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 30)) as pilot:
        await pilot.press("S")
        screen = cast("ServeScreen", app.screen)
        (root / file).write_text("this is = = no TOML")
        await pilot.press("s")
        await until(pilot, lambda: screen.child is not None)
        await pilot.pause()
        banner = screen_text(app).splitlines()[-2]
        assert said in banner
        assert file.rpartition("/")[2] in banner, "where the finding is"
        assert "`=` is missing" in banner, "and why"


@pytest.mark.parametrize(("file", "width"), [("rulebook.toml", 80), ("tenants/acme-eu.toml", 120)])
async def test_files_that_break_while_it_serves_are_said_until_they_are_good_again(
    session: Session, root: Path, file: str, width: int
) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(width, 30)) as pilot:
        await pilot.press("S", "e")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        await pilot.pause()
        good, name = (root / file).read_text(), file.rpartition("/")[2]
        assert name not in screen_text(app)
        (root / file).write_text("this is = = no TOML")
        await until(pilot, lambda: name in screen_text(app).splitlines()[-2])
        assert "`=` is missing" in screen_text(app).splitlines()[-2]
        if file == "rulebook.toml":
            assert "not served" in screen_text(app).splitlines()[-2]
        await call(screen, "acme-eu")  # what was good before
        (root / file).write_text(good)
        await until(pilot, lambda: name not in screen_text(app))
        assert "are served" in screen_text(app)
        await call(screen, "acme-eu")


async def test_it_goes_on_without_its_screen_serves_what_is_saved_and_ends_with_the_app(
    session: Session, root: Path
) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("S", "e")
        screen = cast("ServeScreen", app.screen)
        await until(pilot, lambda: screen.child is not None)
        child = screen.child
        assert child is not None
        await pilot.press("slash")
        await type_text(pilot, "acme")
        await pilot.press("enter")
        await pilot.pause()
        assert "/acme" in screen_text(app).splitlines()[0], "what is left out is not forgotten"
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert app.screen is main_screen(app)
        assert f"serving :{child.port}" in screen_text(app).splitlines()[0]
        await call(screen, "acme-eu")
        (root / "rulebook.toml").write_text((root / "rulebook.toml").read_text() + "\n# saved\n")
        await until(pilot, lambda: "and are served" in screen_text(app))
        await pilot.press("S")
        again = cast("ServeScreen", app.screen)
        await pilot.pause()
        assert again is not screen
        assert [call.tenant for call in again.shown] == ["acme-eu"], "what came meanwhile is there"
        await pilot.press("escape")
        os.kill(child.process.pid, signal.SIGKILL)
        await until(pilot, lambda: "endpoint ended" in screen_text(app).splitlines()[0])
        await pilot.press("S", "s")
        last = cast("ServeScreen", app.screen)
        await until(pilot, lambda: last.child is not None)
        running = last.child
        assert running is not None
        assert running.url == child.url
    assert running.process.returncode == 143, "asked to end, and ended"


async def test_many_calls_at_once_are_drawn_together_and_the_cursor_stays_on_its_call(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("S")
        await pilot.pause()
        screen = cast("ServeScreen", app.screen)
        drawn: list[int] = []
        draw = screen.draw
        screen.draw = lambda: (drawn.append(1), draw())[1]  # type: ignore[method-assign]
        line = {"event": "request", "trace_id": "t", "tenant": "acme-eu", "outcome": "ok", "latency_ms": 1.0}
        for k in range(3):
            screen.endpoint.heard(cast("Served", served_of({**line, "trace_id": f"t{k}"})))
        await until(pilot, lambda: len(screen.shown) == 3)
        await pilot.press("down")
        row = screen.row
        assert row is not None
        assert row.trace_id == "t1"
        drawn.clear()
        for k in range(3, 503):
            screen.endpoint.heard(cast("Served", served_of({**line, "trace_id": f"t{k}"})))
        await until(pilot, lambda: len(screen.shown) == 503)
        assert len(drawn) < 50
        assert screen.row == row


@pytest.mark.parametrize(
    "line",
    [{}, {"event": "ready"}, {"event": "request"}, {"event": "request", "trace_id": 3, "tenant": "x"}],
)
def test_a_line_that_is_none_is_passed_over(line: dict[str, Any]) -> None:
    assert served_of(line) is None
    assert standing_of(line) is None


def test_a_line_holds_what_it_says_and_no_more() -> None:
    line = {
        "event": "request",
        "trace_id": "t1",
        "tenant": "\x1b[31mx",
        "outcome": None,
        "ranked": "many",
        "cost_usd": "x",
    }
    found = served_of(json.loads(json.dumps(line)))
    assert found is not None
    assert (found.outcome, found.ranked, found.cost_usd, found.no_log) == ("?", 0, None, True)


def test_a_line_about_files_holds_its_findings_and_nothing_that_is_none() -> None:
    line = {
        "event": "reloaded",
        "taken": 1,
        "initialized": True,
        "findings": [3, {}, {"reason": "x", "source": "a.toml"}],
    }
    found = standing_of(json.loads(json.dumps(line)))
    assert found is not None
    assert (found.initialized, found.taken) == (True, False)
    assert [str(finding) for finding in found.findings] == ["a.toml: x"]
    assert standing_of({"event": "reloaded", "findings": "x"}) is not None
