"""A call without a task goes as one in a task does: over every fault, and over what a client may do meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import select
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import httpx
import pytest

from tests.gateway.calls import PATIENT, SHORT, TLS, Kept, candidate, cascade, keys
from tests.gateway.faults import CASES, Fault
from tests.gateway.server import FaultServer, Io, serving
from tests.gateway.test_faults import DEADLINE_MS, PATIENCE_MS
from tests.gateway.wire import answered
from workbench.engine.fallback import Cascade
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import Answer
from workbench.gateway.limits import Limits
from workbench.gateway.quick import Deadlines, GoOn, Quick
from workbench.gateway.records import Attempt, Intent
from workbench.gateway.transports.loop import LoopTransport, place_of

PLAIN = [fault for fault, mode in CASES if mode == "plain"]
TIMES = {"latency_ms", "first_token_ms", "retry_after_ms", "at", "call_id", "backoff_ms"}


@dataclass
class AtOnce(Kept):
    """A recorder that is told at once; `refused` intents are not kept."""

    refused: int = 0
    log: list[str] = field(default_factory=list[str])

    def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
        self.log.append("intent")
        kept = len(self.intents) >= self.refused
        self.intents.append(intent)
        asyncio.get_running_loop().call_soon(durable, kept)

    def ended(self, attempt: Attempt) -> None:
        self.log.append("outcome")
        self.outcomes.append(attempt)


@dataclass
class Made:
    """One call and what was kept of it."""

    answer: Answer
    recorder: AtOnce
    tasks: int
    """How many times it went on in a task."""


async def warm(wire: LoopTransport, url: str) -> None:
    """Open a connection, as one that was used before; none where nobody can be reached."""
    place = place_of(url)
    with contextlib.suppress(httpx.TransportError):
        connection = await wire._connect(place, PATIENT)  # pyright: ignore[reportPrivateUsage]
        connection.idle_since = asyncio.get_running_loop().time()
        wire._idle.setdefault((place.secure, place.host, place.port), []).append(connection)  # pyright: ignore[reportPrivateUsage]


async def quick(
    wire: LoopTransport,
    down: Cascade,
    *,
    no_log: object = False,
    deadline_ms: float = PATIENCE_MS,
    limits: Limits = PATIENT,
    recorder: AtOnce | None = None,
    meanwhile: Callable[[Quick], Coroutine[Any, Any, None]] | None = None,
) -> Made:
    """One call without a task."""
    kept = recorder or AtOnce()
    host = Dispatcher(wire, keys(), recorder=kept, limits=limits)
    ended: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    tasks: list[asyncio.Task[None]] = []

    async def rest(going: GoOn) -> None:
        ended.set_result(await going)

    def go_on(going: GoOn) -> None:
        tasks.append(asyncio.get_running_loop().create_task(rest(going)))

    ask = Ask("call-1", down, False, no_log, deadline_ms)
    made = Quick(host, kept, Deadlines(), ask, ended.set_result, go_on)
    made.start()
    if meanwhile is not None:
        await meanwhile(made)
    answer = await ended
    await asyncio.gather(*tasks)
    return Made(answer, kept, len(tasks))


def told(made: Any, drips: bool = False) -> Any:
    """What is known of a call, without its times; where the server `drips`, without what came in that time."""
    answer: Answer = made.answer
    found = {**asdict(answer), "intents": [asdict(each) for each in made.recorder.intents]}
    found["outcomes"] = [asdict(each) for each in made.recorder.outcomes]
    return _without(found, TIMES | {"bytes_in", "error_message"} if drips else TIMES)


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        held = cast("dict[str, Any]", value)
        return {name: _without(inner, names) for name, inner in held.items() if name not in names}
    return [_without(inner, names) for inner in cast("list[Any]", value)] if isinstance(value, list | tuple) else value


async def in_a_task(wire: LoopTransport, down: Cascade, *, no_log: object, deadline_ms: float, limits: Limits) -> Made:
    """The same call as everybody makes it."""
    kept = AtOnce()
    host = Dispatcher(wire, keys(), recorder=kept, limits=limits)
    answer = await host.run(Ask("call-1", down, False, no_log, deadline_ms))
    return Made(answer, kept, 1)


@contextlib.asynccontextmanager
async def faulty(fault: Fault) -> AsyncGenerator[tuple[LoopTransport, Cascade]]:
    """A pool with a connection to a server that does what the fault says, and one to a good server behind it."""
    async with LoopTransport(TLS) as wire, serving(fault.script, answered(False)) as (bad, good, *_):
        await warm(wire, f"{bad.url}/v1")
        await warm(wire, f"{good.url}/v1")
        yield wire, cascade([candidate(0, bad.url, fault.kind), candidate(1, good.url)])


@pytest.mark.parametrize("no_log", [False, True])
@pytest.mark.parametrize("fault", PLAIN, ids=[fault.name for fault in PLAIN])
async def test_every_fault_goes_as_it_goes_in_a_task(fault: Fault, no_log: bool) -> None:
    limits, deadline_ms = (SHORT, DEADLINE_MS) if fault.silent else (PATIENT, PATIENCE_MS)
    async with faulty(fault) as (wire, down):
        one = await quick(wire, down, no_log=no_log, deadline_ms=deadline_ms, limits=limits)
    async with faulty(fault) as (wire, down):
        other = await in_a_task(wire, down, no_log=no_log, deadline_ms=deadline_ms, limits=limits)
    drips = fault.silent or any(word in fault.name for word in ("drip", "endless", "huge"))
    assert told(one, drips) == told(other, drips)


async def test_what_goes_well_takes_no_task() -> None:
    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        down = cascade([candidate(0, good.url)])
        first = await quick(wire, down)  # there is no connection yet
        second = await quick(wire, down)
        assert (first.tasks, second.tasks) == (1, 0)
        assert told(first) == told(second)
        assert second.recorder.log == ["intent", "outcome"]
        assert len(good.received) == 2


async def test_nothing_is_sent_before_the_intent_is_durable() -> None:
    seen: list[int] = []

    class Late(AtOnce):
        def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
            def now(kept: bool) -> None:
                seen.append(len(good.received))
                durable(kept)

            def later(kept: bool) -> None:
                asyncio.get_running_loop().call_later(0.02, now, kept)

            super().announce(intent, later)

    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        await warm(wire, f"{good.url}/v1")
        made = await quick(wire, cascade([candidate(0, good.url)]), recorder=Late())
        assert (made.answer.outcome, seen, len(good.received)) == ("ok", [0], 1)


async def test_an_intent_that_is_not_kept_is_counted_and_the_call_is_made() -> None:
    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        await warm(wire, f"{good.url}/v1")
        made = await quick(wire, cascade([candidate(0, good.url)]), recorder=AtOnce(refused=1))
        assert (made.answer.outcome, made.answer.unrecorded) == ("ok", 1)


async def test_a_caller_that_goes_before_a_byte_has_left_costs_nothing() -> None:
    async def gone(made: Quick) -> None:
        made.cancel()

    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        await warm(wire, f"{good.url}/v1")
        made = await quick(wire, cascade([candidate(0, good.url)]), meanwhile=gone)
        assert (made.answer.outcome, good.received) == ("cancelled", [])
        assert [each.cancelled for each in made.recorder.outcomes] == [True]


async def test_a_caller_that_goes_closes_the_connection_upstream() -> None:
    asked = asyncio.Event()
    servers: list[FaultServer] = []

    async def silent(io: Io) -> None:
        asked.set()
        await io.until_gone()

    async def gone(made: Quick) -> None:
        await asked.wait()
        made.cancel()
        await servers[0].received[0].gone.wait()

    async with LoopTransport(TLS) as wire, serving(silent) as (bad, *_):
        servers.append(bad)
        await warm(wire, f"{bad.url}/v1")
        made = await quick(wire, cascade([candidate(0, bad.url)]), meanwhile=gone)
        assert made.answer.outcome == "cancelled"
        assert [each.cancelled for each in made.recorder.outcomes] == [True]


async def test_an_answer_in_pieces_is_waited_for_and_a_long_one_is_read_in_a_task() -> None:
    head, _, body = answered(False).partition(b"\r\n\r\n")
    padded = body + b" " * 100_000
    long = head.replace(b"content-length: %d" % len(body), b"content-length: %d" % len(padded)) + b"\r\n\r\n" + padded
    assert long != head + b"\r\n\r\n" + padded

    async def pieces(io: Io) -> None:
        for k in range(0, len(head) + 4 + len(body), 40):
            await io.send((head + b"\r\n\r\n" + body)[k : k + 40])
            await asyncio.sleep(0)

    for script, tasks in ((pieces, 0), (long, 1)):
        async with LoopTransport(TLS) as wire, serving(script) as (good, *_):
            await warm(wire, f"{good.url}/v1")
            made = await quick(wire, cascade([candidate(0, good.url)]))
            assert (made.answer.outcome, made.tasks) == ("ok", tasks)


async def test_a_time_limit_of_the_request_is_kept() -> None:
    async def silent(io: Io) -> None:
        await io.until_gone()

    async with LoopTransport(TLS) as wire, serving(silent) as (bad, *_):
        await warm(wire, f"{bad.url}/v1")
        down = cascade([candidate(0, bad.url)])
        asked = {**down.context.request, "timeout_ms": 120}
        made = await quick(wire, replace(down, context=replace(down.context, request=asked)))
        assert made.answer.outcome == "exhausted: timeout"
        assert [each.detail for each in made.recorder.outcomes] == ["attempt_timeout"]
        assert made.recorder.outcomes[0].latency_ms > 100


class Never(AtOnce):
    """A recorder whose store never answers."""

    def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
        del durable
        self.intents.append(intent)


async def test_a_store_that_never_answers_holds_up_nobody_for_ever() -> None:
    async def gone(made: Quick) -> None:
        made.cancel()

    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        await warm(wire, f"{good.url}/v1")
        left = await quick(wire, cascade([candidate(0, good.url)]), recorder=Never(), meanwhile=gone)
        late = await quick(wire, cascade([candidate(0, good.url)]), recorder=Never(), deadline_ms=120)
        assert (left.answer.outcome, late.answer.outcome) == ("cancelled", "exhausted: timeout")
        assert good.received == []


async def test_an_intent_that_comes_too_late_makes_no_call() -> None:
    told: list[Callable[[bool], None]] = []

    class Late(AtOnce):
        def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
            self.intents.append(intent)
            told.append(durable)

    async def gone(made: Quick) -> None:
        made.cancel()
        told[0](True)

    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        await warm(wire, f"{good.url}/v1")
        made = await quick(wire, cascade([candidate(0, good.url)]), recorder=Late(), meanwhile=gone)
        assert (made.answer.outcome, good.received) == ("cancelled", [])


@pytest.mark.parametrize("size", [262_145, 300_000, 327_144])
async def test_a_connection_that_was_told_to_pause_is_not_used_again(size: int) -> None:
    head, _, body = answered(False).partition(b"\r\n\r\n")
    padded = body + b" " * (size - len(body))
    squeezed = head.replace(b"content-length: %d" % len(body), b"content-encoding: gzip\r\ncontent-length: %d" % size)
    async with LoopTransport(TLS) as wire, serving(squeezed + b"\r\n\r\n" + padded) as (bad, *_):
        await warm(wire, f"{bad.url}/v1")
        for _ in range(2):
            made = await quick(wire, cascade([candidate(0, bad.url)]))
            assert [each.detail for each in made.recorder.outcomes] == ["encoding_refused"]


async def test_what_came_unasked_is_no_answer_even_if_nobody_has_looked_yet() -> None:
    """A second answer arrives while the loop is busy; the next call goes straight from there."""
    strayed = threading.Event()

    async def twice(io: Io) -> None:
        await io.send(answered(False))
        await io.send(answered(False).replace(b"CANARY-ANSWER", b"STRAYS-ANSWER"))
        strayed.set()
        await io.until_gone()

    async with LoopTransport(TLS) as wire, serving(answered(False)) as (good, *_):
        with other_loop(twice) as url:
            await warm(wire, f"{url}/v1")
            down = cascade([candidate(0, url), candidate(1, good.url)])
            first = await quick(wire, down)
            assert first.answer.outcome == "ok"
            place = place_of(f"{url}/v1")
            idle = wire._idle[(place.secure, place.host, place.port)]  # pyright: ignore[reportPrivateUsage]
            assert strayed.wait(30)
            while idle and not select.select([idle[0].transport.get_extra_info("socket")], [], [], 0)[0]:
                pass  # without a turn of the loop
            assert wire._kept(place) is None  # pyright: ignore[reportPrivateUsage]


@contextlib.contextmanager
def other_loop(script: Callable[[Io], Coroutine[Any, Any, None]]) -> Generator[str]:
    """A server in a thread of its own, so that it goes on while this loop is busy."""
    loop, started, urls = asyncio.new_event_loop(), threading.Event(), list[str]()
    ended = asyncio.Event()

    async def serve() -> None:
        async with FaultServer(script) as server:
            urls.append(server.url)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(30)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
