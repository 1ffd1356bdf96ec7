"""Whoever goes on asking after being refused is slowed down; nobody else is."""

from __future__ import annotations

import asyncio

import pytest

from workbench.server.callers import slowing
from workbench.server.callers.gate import Gate, Settings
from workbench.server.callers.slowing import AT_ONCE, MOST_NAMES, PAUSE_S, WINDOW_S, Slowing
from workbench.server.errors import Refused
from workbench.server.hooks import LOCAL


def test_the_first_refusals_of_a_second_wait_for_nothing_and_the_others_do() -> None:
    known = Slowing()
    assert [known.pause_s("a", 5.0 + number / 1000) for number in range(AT_ONCE + 3)] == [0.0] * AT_ONCE + [PAUSE_S] * 3
    assert known.pause_s("b", 5.1) == 0.0
    assert known.pause_s("a", 5.0 + WINDOW_S) == 0.0


def test_any_number_of_names_takes_bounded_room() -> None:
    known = Slowing()
    for number in range(MOST_NAMES * 2 + 5):
        known.pause_s(str(number), 1.0)
    assert len(known._seen) <= MOST_NAMES  # pyright: ignore[reportPrivateUsage] - its room is what is in question


async def test_a_tenants_flood_waits_and_another_tenant_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slowing, "PAUSE_S", 3_600.0)
    gate = Gate(None, settings=Settings(tenant_concurrency=1))
    ticket = await gate.admit(LOCAL, "loud")
    for _ in range(AT_ONCE):
        with pytest.raises(Refused) as refused:
            await gate.admit(LOCAL, "loud")
        assert refused.value.status == 429
    waiting = asyncio.create_task(gate.admit(LOCAL, "loud"))
    other = await gate.admit(LOCAL, "quiet")
    with pytest.raises(Refused):
        await gate.admit(LOCAL, "quiet")
    await other.close(None)
    assert not waiting.done()
    await ticket.close(None)
    await (await gate.admit(LOCAL, "loud")).close(None)  # a call that is allowed waits for nothing
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (gate.running, gate.metrics.pending) == (0, 0)
