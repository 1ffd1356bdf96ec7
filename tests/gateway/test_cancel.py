"""Ending a call early, and what is committed: nothing is said twice, nothing is called after the first word."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.calls import PATIENT, SHORT, Kept, call, candidate, cascade, keys, transport
from tests.gateway.faults import SSE, then_silent
from tests.gateway.server import Io, serving
from tests.gateway.wire import DONE, answered, choice, error, finish, head, text
from tests.timing import in_time
from workbench.engine.health import Health
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.dispatch import Ask, Dispatcher, Stop
from workbench.gateway.events import Answer, Attempting, CallEvent, Waiting
from workbench.gateway.limits import LIMITS

RETRY: dict[str, Any] = {"action": "retry_same", "attempts": 2, "backoff_ms": 20_000, "then_action": "next_candidate"}
WAYS = pytest.mark.parametrize("way", ["stop", "task"])


@WAYS
@pytest.mark.parametrize("started", [b"", SSE, SSE + text()], ids=["no headers", "headers", "text"])
async def test_cancelling_closes_the_upstream_within_a_quarter_of_a_second(way: str, started: bytes) -> None:
    taken = await in_time(lambda: cancelled(way, started), lambda seconds: seconds, 0.25)
    assert taken <= 0.25


async def cancelled(way: str, started: bytes) -> float:
    """Cancel a call whose answer has come as far as `started`; the seconds until its provider saw the end of it."""
    reached = asyncio.Event()

    async def emit(event: CallEvent) -> None:
        if isinstance(event, Delta):
            reached.set()

    async def script(io: Io) -> None:
        await io.send(started)
        if text() not in started:
            reached.set()
        await io.until_gone()

    async with transport() as wire, serving(script, answered(True)) as (server, other):
        kept, health, stop = Kept(), Health(), Stop()
        host = Dispatcher(wire, keys(), recorder=kept, limits=LIMITS, health=health)
        down = cascade([candidate(0, server.url), candidate(1, other.url)])
        task = asyncio.create_task(host.run(Ask("c", down, stream=True), emit, stop))
        await asyncio.wait_for(reached.wait(), 20)
        before = time.monotonic()
        if way == "stop":
            stop.stop()
            answer = await task
            assert answer.outcome == "cancelled"
            assert answer.committed == (text() in started)
            assert [entry.get("cancelled") for entry in answer.path] == [True]
        else:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        (got,) = server.received
        await asyncio.wait_for(got.gone.wait(), 20)
        assert not other.received
    (attempt,) = kept.outcomes
    assert (attempt.cancelled, attempt.error_kind, attempt.detail) == (True, None, None)
    assert not list(health.known(0.0))
    return got.gone_at - before


@WAYS
async def test_cancelling_while_it_waits(way: str) -> None:
    waiting = asyncio.Event()

    async def emit(event: CallEvent) -> None:
        if isinstance(event, Waiting):
            waiting.set()

    async with transport() as wire, serving(error(500)) as (server,):
        host, stop = Dispatcher(wire, keys()), Stop()
        down = cascade([candidate(0, server.url)], ["always", RETRY])
        task = asyncio.create_task(host.run(Ask("c", down), emit, stop))
        await asyncio.wait_for(waiting.wait(), 20)
        if way == "stop":
            stop.stop()
            answer = await task
            assert answer.outcome == "cancelled"
            assert [each.detail for each in answer.attempts] == ["upstream_5xx"]
        else:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert len(server.received) == 1


async def test_a_call_stopped_before_it_begins() -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        stop = Stop()
        stop.stop()
        answer = await Dispatcher(wire, keys()).run(Ask("c", cascade([candidate(0, server.url)])), stop=stop)
        assert not server.received
    assert answer.outcome == "cancelled"
    assert answer.attempts == ()


async def test_stopping_a_call_that_has_ended_does_nothing() -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        stop = Stop()
        answer = await Dispatcher(wire, keys()).run(Ask("c", cascade([candidate(0, server.url)])), stop=stop)
        stop.stop()
        await asyncio.sleep(0)
    assert answer.outcome == "ok"


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_caller_who_is_gone_ends_the_call(at: int) -> None:
    """At the first event (the attempt), or in the middle of the text."""
    heard: list[CallEvent] = []

    async def emit(event: CallEvent) -> None:
        heard.append(event)
        if len(heard) >= at:
            raise ConnectionResetError("client went away, and its name is secret")

    async with transport() as wire, serving(answered(True), answered(True)) as (server, other):
        host = Dispatcher(wire, keys())
        answer = await host.run(
            Ask("c", cascade([candidate(0, server.url), candidate(1, other.url)]), stream=True), emit
        )
        assert not other.received
    assert answer.outcome == "cancelled"
    assert len(heard) == at
    assert "secret" not in repr(answer)


async def test_a_caller_who_stops_reading_does_not_hold_the_call() -> None:
    never = asyncio.Event()

    async def emit(event: CallEvent) -> None:
        if isinstance(event, Delta):
            await never.wait()

    async with transport() as wire, serving(answered(True)) as (server,):
        host = Dispatcher(wire, keys(), limits=PATIENT)
        began = time.monotonic()
        answer = await host.run(Ask("c", cascade([candidate(0, server.url)]), stream=True, deadline_ms=600), emit)
    assert time.monotonic() - began < 5.0  # a hang, not a figure
    assert answer.outcome == "stream_interrupted"
    assert answer.attempts[0].detail == "deadline"


async def test_the_requests_own_limits_hold() -> None:
    async with transport() as wire, serving(then_silent(SSE), then_silent(b"")) as (slow, silent):
        down = cascade([candidate(0, slow.url)], asked={**_asked(), "first_token_timeout_ms": 40})
        made = await call(wire, down, stream=True, limits=LIMITS)
        assert made.answer.attempts[0].detail == "first_token_timeout"
        assert made.seconds < 10.0, "the host's own limit is four times that"
        down = cascade([candidate(0, silent.url)], asked={**_asked(), "timeout_ms": 40})
        made = await call(wire, down, limits=LIMITS)
        assert made.answer.attempts[0].detail == "attempt_timeout"
        assert made.seconds < 10.0, "the host's own limit is four times that"


@pytest.mark.parametrize("asked", ["timeout_ms", "first_token_timeout_ms"])
async def test_a_request_that_asks_for_more_patience_than_the_host_has_gets_it(asked: str) -> None:
    async def slow(io: Io) -> None:
        await asyncio.sleep(SHORT.read_ms / 1000 * 2)
        await io.send(answered(True))

    async with transport() as wire, serving(slow) as (server,):
        for wanted, outcome in ((None, "exhausted: timeout"), (20_000, "ok")):
            request = _asked() if wanted is None else {**_asked(), asked: wanted}
            made = await call(wire, cascade([candidate(0, server.url)], asked=request), stream=True, limits=SHORT)
            assert made.answer.outcome == outcome


def _asked() -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "x"}]}


PIECES = [f"w{number} " for number in range(40)]
WHOLE = SSE + b"".join(text(piece) for piece in PIECES) + finish() + DONE


@given(st.data())
@settings(max_examples=60)
def test_a_stream_cut_anywhere_says_nothing_twice(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(WHOLE)))
    first = data.draw(st.integers(0, cut))

    async def script(io: Io) -> None:
        await io.send(WHOLE[:first])
        await io.send(WHOLE[first:cut])

    async def run() -> None:
        async with transport() as wire, serving(script, SSE + text("other") + finish() + DONE) as (server, other):
            made = await call(wire, cascade([candidate(0, server.url), candidate(1, other.url)]), stream=True)
            said = "".join(event.text for event in made.events if isinstance(event, Delta))
            assert bool(other.received) == (said == "other")
        if said == "other":
            assert made.answer.outcome == "ok"
        else:
            assert "".join(PIECES).startswith(said)
            assert made.answer.outcome in {"ok", "stream_interrupted"}
            assert (made.answer.outcome == "ok") == (made.answer.reply is not None)
            if made.answer.outcome == "ok":
                assert said == "".join(PIECES)

    asyncio.run(run())


async def test_reasoning_is_no_word_yet() -> None:
    """It stops the first-token clock, and commits nothing."""
    thinking = choice({"reasoning_content": "hmm"})

    async def script(io: Io) -> None:
        await io.send(SSE + thinking)

    async with transport() as wire, serving(script, answered(True)) as (server, other):
        made = await call(wire, cascade([candidate(0, server.url), candidate(1, other.url)]), stream=True)
    assert made.answer.outcome == "ok"
    assert [each.committed for each in made.answer.attempts] == [False, True]
    assert made.answer.attempts[0].first_token_ms is not None


@pytest.mark.parametrize("stream", [False, True])
async def test_a_huge_body_is_given_up_at_its_cap(stream: bool) -> None:
    """In memory there is never more than the cap; of a stream, where the text goes on, little more than its text."""
    piece = text("x" * 1000) * 60 if stream else b" " * 65536
    start = SSE if stream else head(200, "content-type: application/json", "connection: close")

    async def script(io: Io) -> None:
        await io.send(start)
        for _ in range(640):
            await io.send(piece)

    async with transport() as wire, serving(script) as (server,):
        down = cascade([candidate(0, server.url)])
        tracemalloc.start()
        try:
            host = Dispatcher(wire, keys(), limits=PATIENT)
            answer = await host.run(Ask("c", down, stream=stream, deadline_ms=20_000))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    (attempt,) = answer.attempts
    assert attempt.detail == "too_large"
    assert attempt.error_kind == ("stream_interrupted" if stream else "bad_response")
    assert attempt.bytes_in <= PATIENT.body + 200_000
    assert peak <= 32 * 1024 * 1024


@pytest.mark.parametrize("at", [Attempting, Delta])
@pytest.mark.parametrize("times", [1, 3])
async def test_the_caller_goes_on_after_a_call_that_it_stopped_itself(at: type[CallEvent], times: int) -> None:
    async with transport() as wire, serving(answered(True)) as (server,):
        stop = Stop()

        async def emit(event: CallEvent) -> None:
            if isinstance(event, at):
                for _ in range(times):
                    stop.stop()

        async def caller() -> tuple[Answer, int]:
            host = Dispatcher(wire, keys())
            answer = await host.run(Ask("c", cascade([candidate(0, server.url)]), stream=True), emit, stop)
            for _ in range(3):
                await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            return answer, task.cancelling()

        answer, left = await asyncio.wait_for(asyncio.create_task(caller()), 5)
        assert left == 0
        assert stop.requested
        assert answer.committed == (at is Delta)
        assert answer.outcome == "cancelled" or at is Delta


async def test_a_caller_that_is_cancelled_beside_the_stop_is_cancelled() -> None:
    reached = asyncio.Event()

    async def emit(event: CallEvent) -> None:
        if isinstance(event, Attempting):
            reached.set()
            await asyncio.Event().wait()

    async with transport() as wire, serving(answered(False)) as (server,):
        stop = Stop()
        host = Dispatcher(wire, keys())
        task = asyncio.create_task(host.run(Ask("c", cascade([candidate(0, server.url)])), emit, stop))
        await asyncio.wait_for(reached.wait(), 5)
        stop.stop()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not server.received
