"""The drill says what the real dispatcher does: the same faults, played by an emulator on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.emulator.calls import play
from tests.gateway.calls import transport
from tests.whatif.worlds import sample
from workbench.engine.context import Context
from workbench.engine.fallback import Cascade
from workbench.engine.pool import Pool
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import Answer, CallEvent
from workbench.gateway.redirected import Redirected
from workbench.rulebook.tenant import Override
from workbench.server.emulator import Running, running
from workbench.session.evaluation import Evaluator, Outcome
from workbench.whatif.drill.run import Drilled, Step, drill
from workbench.whatif.drill.trouble import Trouble, trouble_of

PLANS = {
    "the sample's": (),
    "retries": (Override("own-1", None, 1, "fallback", "on server_error: retry 2 after [1 ms, 2 ms], then next;"
                         " on rate_limit: next, open breaker 30 s; on bad_request: stop; otherwise: next"),),
    "same model": (Override("own-1", None, 1, "fallback", "on timeout: stop; otherwise: same model elsewhere"),),
    "disables": (Override("own-1", None, 1, "fallback", "on auth_error: disable provider; otherwise: next"),),
}  # fmt: skip
TROUBLES = (
    (),
    ("azure=down",),
    ("azure=server_error", "openai=rate_limit:1s"),
    ("azure=auth_error", "openai=auth_error", "google-vertex=bad_request"),
    ("*=server_error@0.6",),
    ("*=quota",),
    ("azure=html", "openai=empty", "mistral=reset"),
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running() as made:
        yield made


async def dispatched(url: str, outcome: Outcome, *, stream: bool) -> tuple[Answer, list[float]]:
    """The real dispatcher down the tenant's own order; its waits are noted and not waited for."""
    assert outcome.compiled is not None
    assert outcome.decision is not None
    request = {"messages": [{"role": "user", "content": "say it"}]}
    place = Redirected.to(url)
    pool = Pool([place.candidate(row) for row in sample().pool.candidates], sample().vocabulary)
    cascade = Cascade(outcome.compiled.policy, outcome.decision.order, pool, Context(request), outcome.tenant.id)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds * 1000)

    async def emit(event: CallEvent) -> None:
        del event

    async with transport() as wire:
        host = Dispatcher(wire, place, sleep=sleep)
        return await host.run(Ask("call-1", cascade, stream=stream, no_log=True), emit), waits


def told(drilled: Drilled) -> list[tuple[object, ...]]:
    """The drill's steps in the words of the dispatcher's log; waits and breakers are no entries of it."""
    return [entry for step in drilled.steps if (entry := _entry(step)) is not None]


def _entry(step: Step) -> tuple[object, ...] | None:
    if step.kind == "call":
        return "attempted", step.provider, step.failure, step.attempt
    if step.kind == "skipped":
        return "skipped", step.provider, step.failure, None
    return ("provider_disabled", step.provider, step.failure, None) if step.kind == "disabled" else None


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("texts", TROUBLES, ids=" ".join)
@pytest.mark.parametrize("stream", [False, True])
def test_the_drill_is_what_the_dispatcher_does(
    emulator: Running, plan: str, texts: tuple[str, ...], stream: bool
) -> None:
    tenant = replace(sample().tenant("acme-eu"), overrides=PLANS[plan])
    outcome = Evaluator().outcome(sample(), tenant)
    assert outcome.compiled is not None, outcome.errors
    drilled = drill(sample(), outcome, Trouble(trouble_of(sample(), (), texts), 7, 5.0, stream))
    play(emulator, *texts, seed=7)
    answer, waits = asyncio.run(dispatched(emulator.url, outcome, stream=stream))
    log = [
        (entry["event"], entry["provider_id"], entry.get("error_kind") or entry.get("reason"), entry.get("attempt"))
        for entry in answer.path
        if entry["event"] != "retry_scheduled"
    ]
    assert told(drilled) == log
    assert (drilled.outcome, drilled.offer) == (answer.outcome, answer.index)
    assert [step.took_ms for step in drilled.steps if step.kind == "wait"] == waits
