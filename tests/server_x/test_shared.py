"""Limits, budgets and health that processes share: the same story wherever they meet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_x.shared_states import redis_server
from tests.traces import conftest as databases
from workbench.engine.health import HOST, Health
from workbench.errors import UsageError
from workbench.server.callers.health_exchange import HealthExchange
from workbench.server.callers.tables import open_tables
from workbench.server.shared.base import LEASE_MS, NANO, Ask, Block, Budget, Given, Limit, Shared, SharedError, month_of
from workbench.server.shared.inside import Inside
from workbench.server.shared.opening import open_shared
from workbench.server.shared.tables import TablesShared
from workbench.server.shared.valkey import ValkeyShared

server = databases.server
database = databases.database
Make = Callable[[], Shared]
NOW = 1_800_000_000_000.0
MONTH = month_of(NOW)


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    with redis_server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql", "valkey"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Opens the state, each time as another process would."""
    if request.param == "sqlite":
        return lambda: TablesShared(open_tables(tmp_path / "tokens.db"))
    if request.param == "postgresql":
        address = request.getfixturevalue("database")
        return lambda: open_shared(address) or Inside()
    address = request.getfixturevalue("valkey")
    asyncio.run(emptied(address))
    return lambda: ValkeyShared(address)


async def emptied(address: str) -> None:
    from redis.asyncio import Redis

    made: Any = Redis
    client = made.from_url(address)
    await client.flushall()
    await client.aclose()


def play(opening: Make, story: Callable[[Shared, Shared], Awaitable[None]]) -> None:
    """A story of two processes."""

    async def run() -> None:
        one, two = opening(), opening()
        try:
            await story(one, two)
        finally:
            await one.close()
            await two.close()

    asyncio.run(run())


def test_a_rate_counts_for_all_processes_together(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        limits = (Limit("token:a", per_minute=4),)
        each = [await (one, two)[n % 2].admit(Ask(f"l{n}", NOW, limits)) for n in range(6)]
        assert [denied and denied.why for denied in each] == [None] * 4 + ["rate"] * 2
        assert each[5] is not None
        assert each[5].retry_after_s == 15.0
        assert await two.admit(Ask("later", NOW + 15_000, limits)) is None
        assert await one.admit(Ask("other", NOW, (Limit("token:b", per_minute=4),))) is None

    play(opening, story)


def test_a_clock_that_is_set_back_locks_nobody_out(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        limits = (Limit("token:a", per_minute=1),)
        assert await one.admit(Ask("ahead", NOW + 3_600_000, limits)) is None
        assert await two.admit(Ask("now", NOW, limits)) is None
        assert await one.admit(Ask("again", NOW, limits)) is not None

    play(opening, story)


def test_places_count_for_all_and_are_given_back(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        limits = (Limit("tenant:a", concurrency=2),)
        assert await one.admit(Ask("first", NOW, limits)) is None
        assert await two.admit(Ask("second", NOW, limits)) is None
        denied = await two.admit(Ask("third", NOW, limits))
        assert (denied and denied.why, denied and denied.name) == ("concurrency", "tenant:a")
        await one.settle(Given("first", limits))
        await one.settle(Given("first", limits))
        assert await two.admit(Ask("third", NOW, limits)) is None
        assert await one.admit(Ask("fourth", NOW, limits)) is not None
        # what a killed process held ends by itself
        assert await one.admit(Ask("fifth", NOW + LEASE_MS + 1, limits)) is None

    play(opening, story)


def test_a_denied_ask_takes_nothing(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        full = Limit("tenant:full", concurrency=1)
        open_one = Limit("token:open", per_minute=1, concurrency=1)
        assert await one.admit(Ask("first", NOW, (full,))) is None
        assert await two.admit(Ask("second", NOW, (open_one, full))) is not None
        assert await two.admit(Ask("third", NOW, (open_one,))) is None

    play(opening, story)


def budget(most: float, hold: float = 0.01) -> Budget:
    return Budget("tok_a", MONTH, round(most * NANO), round(hold * NANO))


def test_a_budget_is_held_before_and_charged_once_after(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        known = budget(1.0, 0.4)
        assert await one.admit(Ask("a", NOW, (), known)) is None
        assert await two.admit(Ask("b", NOW, (), known)) is None
        assert await one.admit(Ask("c", NOW, (), known)) is None  # 0.8 is held, so there is something left
        denied = await two.admit(Ask("d", NOW, (), known))
        assert (denied and denied.why, denied and denied.spent) == ("budget", 0)
        for _ in range(3):
            await one.settle(Given("a", (), known, round(0.7 * NANO)))
        await two.settle(Given("b", (), known, 0))
        await two.settle(Given("c", (), known, None))  # nobody knows its price: what was held is charged
        denied = await one.admit(Ask("e", NOW, (), known))
        assert denied is not None
        assert denied.spent == round(1.1 * NANO)
        await one.settle(Given("never", (), known, NANO))
        again = await one.admit(Ask("f", NOW, (), known))
        assert again is not None
        assert again.spent == round(1.1 * NANO)

    play(opening, story)


def test_what_a_killed_process_held_is_free_again_and_never_charged(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        known = budget(0.01)
        assert await one.admit(Ask("lost", NOW, (), known)) is None
        assert await two.admit(Ask("b", NOW, (), known)) is not None
        assert await two.admit(Ask("c", NOW + LEASE_MS + 1, (), known)) is None
        await one.settle(Given("lost", (), known, NANO))  # it comes back after all: too late
        await two.settle(Given("c", (), known, 5))
        assert await two.admit(Ask("d", NOW + LEASE_MS + 2, (), known)) is None

    play(opening, story)


def test_many_at_once_never_pass_a_limit(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        limits = (Limit("token:a", concurrency=7), Limit("tenant:b", concurrency=5))
        asks = [(one, two)[n % 2].admit(Ask(f"l{n}", NOW, limits if n % 3 else limits[::-1])) for n in range(40)]
        answers = await asyncio.gather(*asks)
        assert sum(denied is None for denied in answers) == 5

    play(opening, story)


def test_health_goes_to_the_others_and_no_further(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        told = [
            Block("", "azure", "breaker_open", NOW + 9_000),
            Block("acme", "groq", "disabled_provider", NOW + 500),
        ]
        await one.tell("p1", told)
        assert await one.heard("p1", NOW) == []
        assert await two.heard("p2", NOW) == told
        assert [block.provider for block in await two.heard("p2", NOW + 600)] == ["azure"]
        await one.tell("p1", [])
        assert await two.heard("p2", NOW) == []

    play(opening, story)


def test_a_breaker_of_one_process_opens_in_the_other_and_ends_when_it_should(opening: Make) -> None:
    async def story(one: Shared, two: Shared) -> None:
        clock = [0.0]
        first, second = Health(), Health()
        exchanges = [
            HealthExchange(health, shared, lambda: NOW + clock[0], lambda: clock[0])
            for health, shared in ((first, one), (second, two))
        ]
        first.hold(HOST, "azure", 0.0, 10_000)
        for exchange in exchanges:
            await exchange.once()
        assert second.blocked("acme", "azure", 5_000.0) == "breaker_open"
        clock[0] = 5_000.0
        for _ in range(3):
            for exchange in exchanges:
                await exchange.once()
        ends = [remaining for _, provider, _, remaining in second.known(clock[0]) if provider == "azure"]
        assert ends == [5_000.0]
        clock[0] = 10_001.0
        for exchange in exchanges:
            await exchange.once()
        assert list(second.known(clock[0])) == []

    play(opening, story)


def test_memory_alone_keeps_rates_and_places_and_no_budget() -> None:
    async def story() -> None:
        one = Inside()
        limits = (Limit("a", per_minute=2, concurrency=1),)
        assert await one.admit(Ask("l1", NOW, limits)) is None
        assert (await one.admit(Ask("l2", NOW, limits))) is not None
        await one.settle(Given("l1", limits))
        assert await one.admit(Ask("l3", NOW, limits)) is None
        await one.settle(Given("l3", limits))
        denied = await one.admit(Ask("l4", NOW, limits))
        assert (denied and denied.why) == "rate"
        with pytest.raises(SharedError):
            await one.admit(Ask("l5", NOW, (), budget(1)))

    asyncio.run(story())


def test_a_state_that_is_gone_is_an_error_of_its_own() -> None:
    async def story() -> None:
        gone = ValkeyShared("redis://me:geheim@127.0.0.1:1/0")
        with pytest.raises(SharedError, match=r"`redis://me:\*\*\*@127.0.0.1:1/0` .*onnect call failed"):
            await gone.admit(Ask("l", NOW, (Limit("a", 1),)))
        await gone.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    "address",
    [
        "mysql://me:secret@host/db", "redis://me:secret@host:port", "redis://:secret@host:1/db",
        "redis://:secret@host:1?frobnicate=1", "redis://:secret@host?protocol=9", "valkey://[::1", "redis://host:99999",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_shared(address)
    (finding,) = caught.value.findings
    assert "is no address" in finding.reason
    assert "redis://HOST:PORT" in (finding.hint or "")
    assert "secret" not in str(caught.value) + str(finding)
