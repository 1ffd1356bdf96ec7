"""A call runs in its caller's task: what stops the call stops nothing else of that task."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.calls import candidate, cascade, keys, transport
from tests.gateway.server import serving
from tests.gateway.wire import answered
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.dispatch import Ask, Dispatcher, Stop
from workbench.gateway.events import Answer, Attempting, CallEvent


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
