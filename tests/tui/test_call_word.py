"""A yes on the call screen is a yes to what is quoted, and to nothing that was asked since."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.calls.places import LOUD
from tests.calls.test_bounds import keep
from tests.gateway.server import serving
from tests.tui.driving import screen_text
from tests.tui.test_call_screen import GOOD, ask, open_call, opened, over, places
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.places import state_folder
from workbench.tui.work.traces.screen import TracesScreen

__all__ = ["places"]


async def test_what_is_changed_while_a_yes_is_awaited_is_quoted_before_it_is_sent(tmp_path: Path) -> None:
    async with serving(GOOD) as (good,):
        app = opened(tmp_path, [good.url])
        async with app.run_test(size=(100, 30)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            assert screen.asking
            screen.change(max_tokens=4_000)
            assert not screen.asking  # the yes that comes now is to nothing
            await screen.background.settled()
            await pilot.pause()
            assert screen.asking
            watch = screen.lanes[0].seen
            assert watch is not None
            assert watch.prepared.question.max_tokens == 4_000
        assert not good.received


async def test_a_call_that_could_be_dearer_by_now_is_not_sent_and_may_be_quoted_again(tmp_path: Path) -> None:
    async with serving(GOOD, GOOD) as (first, second):
        app = opened(tmp_path, [first.url, second.url], plan="otherwise: stop")
        async with app.run_test(size=(120, 36)) as pilot:
            screen = await open_call(pilot)
            await ask(pilot, screen)
            store = HealthStore.at(state_folder())
            store.health.disable(LOUD, "p0", store.clock())
            keep(store)
            await pilot.press("y")
            await over(pilot, screen)
            assert "providers or keys went out since" in screen_text(app)
            assert not screen.running
            assert not first.received
            assert not second.received


async def test_leaving_the_traces_does_not_wait_for_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path, ["http://127.0.0.1:1"])
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("T")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TracesScreen)
        await screen.background.settled()
        closed: list[bool] = []
        monkeypatch.setattr(
            screen.traces, "close", lambda: closed.append(threading.current_thread() is threading.main_thread())
        )
        await pilot.press("escape")
        while not closed:
            await pilot.pause()
        assert closed == [False]
