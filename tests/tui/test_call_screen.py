"""The screen of test calls and the screen of health, by keys, over real servers and a real emulator."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.calls.places import KEY, LOUD, QUIET, write_workspace
from tests.gateway.server import Io, serving
from tests.gateway.wire import DONE, data, error, finish, stream, text
from tests.tui.driving import main_screen, screen_text, type_text
from workbench.session.session import Session
from workbench.session.tracing import Traces
from workbench.session.workspace import open_workspace
from workbench.tui.app import WorkbenchApp
from workbench.tui.work.call.emulating import DEFAULT
from workbench.tui.work.call.flow import Flow
from workbench.tui.work.call.screen import CallScreen
from workbench.tui.work.call.tracing import OneTrace
from workbench.tui.work.health.screen import HealthScreen

USAGE = data({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}})
GOOD = stream(text("hello \x1b[31m"), text("[bold]world"), finish(), USAGE, DONE, length=True)
BUSY = error(429, "slow \x1b]52;c;x\x07 down [/", "rate_limit_exceeded")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("WORKBENCH_TRACES", str(tmp_path / "traces.db"))
    for place in range(3):
        monkeypatch.setenv(f"P{place}_API_KEY", KEY)


def opened(tmp_path: Path, urls: list[str], **how: Any) -> WorkbenchApp:
    """The app on a workspace with one provider at each address."""
    session = Session(open_workspace(write_workspace(tmp_path / "space", urls, **how)), state_folder=tmp_path / "kept")
    return WorkbenchApp(session)


async def open_call(pilot: Pilot[Any]) -> CallScreen:
    """The call screen, its prompt left so that keys work."""
    await pilot.press("c")
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, CallScreen)
    await pilot.press("escape")
    await pilot.pause()
    assert pilot.app.screen is screen
    return screen


async def ask(pilot: Pilot[Any], screen: CallScreen, prompt: str = "hi") -> None:
    """Write a prompt, and wait for the quote."""
    await pilot.press("i")
    await type_text(pilot, prompt)
    await pilot.press("enter")
    await screen.background.settled()
    await pilot.pause()


async def over(pilot: Pilot[Any], screen: CallScreen) -> None:
    """Wait until the calls are over, and are drawn."""
    await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
    screen.redraw()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_a_call_is_quoted_asked_for_and_watched_to_its_end(tmp_path: Path, size: tuple[int, int]) -> None:
    async with serving(BUSY, GOOD) as (bad, good):
        app = opened(tmp_path, [bad.url, good.url])
        async with app.run_test(size=size) as pilot:
            screen = await open_call(pilot)
            assert "real calls" in screen_text(app).splitlines()[0]
            await ask(pilot, screen, "say it")
            seen = screen_text(app)
            for words in ("p0", "served-0", "at most $", "send it?", "not sent"):
                assert words in seen, words
            assert not bad.received
            await pilot.press("y")
            await over(pilot, screen)
            seen = screen_text(app)
            for words in ("answered", "p1/served-1 in eu", "✗ p0", "rate_limit", "✓ p1", "hello ␛[31m[bold]world"):
                assert words in seen, words
            assert "\x1b" not in seen
            await pilot.press("y")
            await pilot.pause()
            assert "${P1_API_KEY}" in app.clipboard
            assert KEY not in app.clipboard
            assert len(good.received) == 1
            await pilot.press("enter")
            await pilot.pause()
            traced = app.screen
            assert isinstance(traced, OneTrace)
            while traced.opened is None:
                await pilot.pause(0.02)
            assert str(traced.opened.whole.row.outcome) == "ok"
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is screen
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is main_screen(app)
    store = Traces(tmp_path / "traces.db")
    assert [row.outcome for row in store.store().rows(now_ms=0)] == ["ok"]
    store.close()


async def test_text_that_comes_before_its_place_is_wrapped_for_that_place(tmp_path: Path) -> None:
    words = "one two three four five six seven eight nine ten"
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(120, 36)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            lane = screen.lanes[0]
            watch = lane.seen
            assert watch is not None
            watch.phase = "running"
            watch.pieces.append(words)
            lane.look(0.0)  # the place of the answer is shown by this, and laid out after it
            assert not len(lane.flow)
            await pilot.pause()
            assert words in screen_text(app)
            assert len(lane.flow) == 1
            watch.phase = "quoted"


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_what_is_typed_at_once_is_the_prompt_and_no_key(tmp_path: Path, size: tuple[int, int]) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=size) as pilot:
            await pilot.press("c")
            await pilot.pause()
            seen = screen_text(app)
            for words in ("esc leaves the prompt", "let a local emulator answer", "side by side"):
                assert words in seen, words
            screen = pilot.app.screen
            assert isinstance(screen, CallScreen)
            await type_text(pilot, "Say hello, fetch J")
            assert screen.query_one("#call-prompt", Input).value == "Say hello, fetch J"
            assert screen.question.stream
            assert not screen.question.json_mode
            assert screen.emulated is None
            await pilot.press("enter")
            await screen.background.settled()
            await pilot.pause()
            assert screen.asking


async def test_no_is_no(tmp_path: Path) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(100, 30)) as pilot:
            screen = await open_call(pilot)
            for key in ("n", "escape"):
                await ask(pilot, screen)
                assert screen.asking
                await pilot.press(key)
                await pilot.pause()
                assert not screen.asking
                assert app.screen is screen
        assert not good.received


async def test_escape_cancels_a_call_and_its_trace_says_so(tmp_path: Path) -> None:
    went = asyncio.Event()

    async def hangs(io: Io) -> None:
        await io.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + text("begun "))
        went.set()
        await io.until_gone()

    async with serving(hangs) as (server,):
        app = opened(tmp_path, [server.url])
        async with app.run_test(size=(100, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            await pilot.press("y")
            await went.wait()
            assert screen.running
            await pilot.press("escape")
            await over(pilot, screen)
            assert app.screen is screen
            assert "cancelled after 1 attempt" in screen_text(app)
            went.clear()
            await ask(pilot, screen, "")
            await pilot.press("y")
            await went.wait()
    store = Traces(tmp_path / "traces.db")
    assert [row.outcome for row in store.store().rows(now_ms=0)] == ["cancelled", "cancelled"], "leaving cancels too"
    store.close()


async def test_a_missing_key_names_its_variable_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.delenv("P0_API_KEY")
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(100, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            assert "P0_API_KEY is not set" in screen_text(app)
            assert "press e for the emulator" in screen_text(app)
            await pilot.press("y")
            await pilot.pause()
            assert not screen.running
        assert not good.received


async def test_nobody_is_shown_with_the_clauses_that_took_everyone(tmp_path: Path) -> None:
    app = opened(tmp_path, ["http://127.0.0.1:1"], filters=["price_in < 0.5"])
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await open_call(pilot)
        await ask(pilot, screen)
        await over(pilot, screen)
        seen = screen_text(app)
        assert "nobody" in seen
        assert "price_in < 0.5" in seen


async def test_nobody_for_the_moment_names_what_is_out(tmp_path: Path) -> None:
    plan = "on network_error: next, open breaker 60 s; otherwise: next"
    app = opened(tmp_path, ["http://127.0.0.1:1/v1"], filters=["not breaker_open"], plan=plan)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await open_call(pilot)
        await ask(pilot, screen)
        await pilot.press("y")
        await over(pilot, screen)
        assert "exhausted: network_error" in screen_text(app)
        await ask(pilot, screen, "!")
        await over(pilot, screen)
        seen = screen_text(app)
        assert "takes 1, leaves 0       not breaker_open" in seen
        assert "`workbench health` shows what is known" in " ".join(seen.split())


async def test_who_was_not_tried_is_not_called_unneeded(tmp_path: Path) -> None:
    async with serving(stream(text("begun "))) as (cut,):
        app = opened(tmp_path, [cut.url, cut.url])
        async with app.run_test(size=(100, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            await pilot.press("y")
            await over(pilot, screen)
            assert "… and 1 that were not tried" in screen_text(app)
        assert len(cut.received) == 1


async def test_two_tenants_side_by_side_and_the_settings(tmp_path: Path) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(140, 40)) as pilot:
            screen = await open_call(pilot)
            await pilot.press("t")
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            await pilot.press("J", "m")
            await pilot.pause()
            await pilot.press("end", "ctrl+u", "5", "0", "enter")
            await pilot.pause()
            await ask(pilot, screen)
            seen = screen_text(app)
            assert f"{LOUD} beside {QUIET}" in seen
            assert "no_log" in seen
            assert "JSON on" in seen
            await pilot.press("y")
            await over(pilot, screen)
            assert screen_text(app).count("hello ␛[31m") == 2
            bodies = [request.body for request in good.received]
            assert len(bodies) == 2
            assert all(b'"max_tokens":50' in body and b"json_object" in body for body in bodies)
            assert list(screen.exports()) == [f"answer-{LOUD}.txt"], "what no_log said is not exported"


async def test_one_of_two_tenants_that_nothing_can_be_sent_for_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.delenv("P0_API_KEY")
    async with serving(GOOD, GOOD) as (first, second):
        root = write_workspace(tmp_path / "space", [first.url, second.url])
        with (root / "rulebook.toml").open("a") as rules:
            rules.write('[[rule]]\nid = "q"\ntitle = "q"\nwhen = "no_log"\nfilter = "provider = p0"\n')
        app = WorkbenchApp(Session(open_workspace(root), state_folder=tmp_path / "kept"))
        async with app.run_test(size=(160, 40)) as pilot:
            screen = await open_call(pilot)
            await pilot.press("t")
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
            await ask(pilot, screen)
            banner = screen_text(app).splitlines()[-2]
            assert f"send the call of {LOUD}?" in banner
            assert f"nothing can be sent for {QUIET}" in banner
            quiet = screen.lanes[1].seen
            assert quiet is not None
            assert quiet.prepared.stuck
            assert "at most $0," not in screen_text(app)
            await pilot.press("y")
            await over(pilot, screen)
            assert quiet.phase == "quoted", "it was not sent"
            assert not first.received
            assert len(second.received) == 1


async def test_an_emulator_that_was_killed_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    app = opened(tmp_path, ["https://one.example/v1"])
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await open_call(pilot)
        await pilot.press("e")
        await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
        await ask(pilot, screen)
        assert screen.asking
        child = screen.child
        assert child is not None
        os.kill(child.process.pid, signal.SIGKILL)
        await child.process.wait()
        await pilot.press("y")
        await pilot.pause()
        assert not screen.running
        assert not screen.asking
        lines = screen_text(app).splitlines()
        assert "HAS GONE" in lines[0]
        assert "EMULATED" not in lines[0]
        assert "e starts another" in lines[-2]
        await ask(pilot, screen, " more")
        assert not screen.asking, "a prompt goes nowhere"
        assert "the emulator has gone" in screen_text(app)
        await pilot.press("e")
        await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
        await screen.background.settled()
        await pilot.pause()
        assert screen.child is not None
        assert screen.child.running
        assert "EMULATED at" in screen_text(app).splitlines()[0]
        assert screen.asking, "what was asked is quoted anew"


async def test_the_emulator_is_started_shown_told_to_fail_and_ended(tmp_path: Path) -> None:
    app = opened(tmp_path, ["https://one.example/v1", "https://two.example/v1"])
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await open_call(pilot)
        await pilot.press("f")
        await pilot.pause()
        await type_text(pilot, "p0=rate_limit")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
        child = screen.child
        assert child is not None
        assert child.running
        assert "EMULATED at http://127.0.0.1:" in screen_text(app).splitlines()[0]
        await ask(pilot, screen)
        assert "EMULATED" in screen_text(app)
        assert "emulated, nothing is" in screen_text(app)
        await pilot.press("y")
        await over(pilot, screen)
        seen = screen_text(app)
        assert "✗ p0" in seen
        assert "✓ p1" in seen
        assert "[emulated]" in seen
        await pilot.press("f")
        await pilot.pause()
        await type_text(pilot, " rubbish")
        await pilot.press("enter")
        await pilot.pause()
        assert screen.child is child, "a fault that is none changes nothing"
        await pilot.press("u")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == DEFAULT, "not the one that ends with this choice"
        await pilot.press("end", "ctrl+u")
        await type_text(pilot, "http://10.0.0.1")
        await pilot.press("enter")
        await pilot.pause()
        assert screen.child is child, "an address that is not on this machine changes nothing"
        await pilot.press("escape")
        await pilot.pause()
        await child.process.wait()
        assert not child.running


async def test_an_emulator_that_runs_elsewhere_can_answer(tmp_path: Path) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, ["https://one.example/v1"])
        async with app.run_test(size=(120, 36)) as pilot:
            screen = await open_call(pilot)
            await pilot.press("u")
            await pilot.pause()
            await pilot.press("end", "ctrl+u")
            await type_text(pilot, good.url)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
            await ask(pilot, screen)
            assert f"EMULATED at {good.url}" in screen_text(app)
            await pilot.press("y")
            await over(pilot, screen)
            (request,) = good.received
            assert request.line.startswith("POST /p/p0/v1/chat/completions")
            assert "authorization" not in request.headers
            assert KEY.encode() not in request.body


async def test_health_shows_counts_down_and_forgets(tmp_path: Path) -> None:
    plan = "on rate_limit: next, open breaker 60 s; otherwise: next"
    async with serving(BUSY, GOOD) as (bad, good):
        app = opened(tmp_path, [bad.url, good.url], plan=plan)
        async with app.run_test(size=(130, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            await pilot.press("y")
            await over(pilot, screen)
            await pilot.press("escape")
            await pilot.pause()
            await pilot.press("H")
            await pilot.pause()
            health = pilot.app.screen
            assert isinstance(health, HealthScreen)
            await health.background.settled()
            await pilot.pause()
            seen = screen_text(app)
            for words in ("p0", f"for {LOUD}", "breaker open", "p1/m1", "100%"):
                assert words in seen, words
            for left in (1, 0):
                await pilot.press("home", "r")
                await health.background.settled()
                assert len(health.shown) == left
            await pilot.press("e")
            await health.background.settled()
            assert "of emulated calls" in screen_text(app)


async def test_everything_is_forgotten_only_when_a_person_says_so(tmp_path: Path) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(130, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            await pilot.press("y")
            await over(pilot, screen)
            await pilot.press("escape", "H")
            await pilot.pause()
            health = pilot.app.screen
            assert isinstance(health, HealthScreen)
            await health.background.settled()
            assert len(health.shown) == 1
            for answer, left in (("escape", 1), ("y", 0)):
                await pilot.press("R")
                await pilot.pause()
                assert "Forget everything?" in screen_text(app)
                await pilot.press(answer)
                await pilot.pause()
                await health.background.settled()
                health.refresh_rows()
                await health.background.settled()
                assert len(health.shown) == left


def test_text_in_pieces_is_wrapped_as_the_whole_is() -> None:
    whole = "one two three\n\nfour " + "x" * 50 + "\tfive\n" + "six " * 20
    pieces, once = Flow(), Flow()
    for character in whole:
        pieces.feed(character, 20)
    once.feed(whole, 20)
    lines = [[cell.text for cell in flow.draw_row(row, 0, 20)] for flow in (pieces, once) for row in range(len(flow))]
    assert lines[: len(pieces)] == lines[len(pieces) :]
    assert pieces.text == whole
    pieces.feed("", 33)
    fresh = Flow()
    fresh.feed(whole, 33)
    assert len(pieces) == len(fresh)
