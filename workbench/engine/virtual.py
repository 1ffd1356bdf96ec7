"""Drives the fallback machine on a virtual clock: what would happen, without calling anyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.engine.fallback import Call, Finished, Machine, Outcome, Resumed


@dataclass(frozen=True, slots=True)
class Simulated:
    """How a provider behaves in one call."""

    latency_ms: float = 0.0
    kind: str | None = None
    """One of the thirteen reasons; None answers well."""
    http_status: int | None = None
    retry_after_ms: float | None = None
    measured: bool = False
    committed: bool = False
    local: bool = False
    final: bool = False
    unconfigured: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """One step down the cascade."""

    at_ms: float
    """When it began, from the start of the request."""
    took_ms: float
    call: Call | None
    """None for a wait."""
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A whole simulated request."""

    rungs: tuple[Rung, ...]
    finished: Finished
    elapsed_ms: float


def drive(machine: Machine, answer: Callable[[Call], Simulated], *, now: float = 0.0) -> Ladder:
    """Run the machine to its end, each call answered by `answer`; a call still open at the deadline times out there."""
    start = now
    rungs: list[Rung] = []
    try:
        step = next(machine)
        while True:
            began = now
            if isinstance(step, Call):
                outcome = _outcome(step, answer(step), now)
                now = outcome.now
                rungs.append(Rung(began - start, now - began, step, outcome))
                step = machine.send(outcome)
            else:
                now += step.ms
                rungs.append(Rung(began - start, step.ms, None, None))
                step = machine.send(Resumed(now))
    except StopIteration as stop:
        finished: Finished = stop.value
    return Ladder(tuple(rungs), finished, now - start)


def _outcome(call: Call, behaves: Simulated, now: float) -> Outcome:
    left = call.deadline - now
    if behaves.latency_ms > left:
        reason = "stream_interrupted" if behaves.committed else "timeout"
        return Outcome(call.deadline, reason, latency_ms=left, local=True, committed=behaves.committed)
    return Outcome(
        now + behaves.latency_ms,
        behaves.kind,
        behaves.latency_ms,
        behaves.http_status,
        retry_after_ms=behaves.retry_after_ms,
        committed=behaves.committed,
        local=behaves.local,
        final=behaves.final,
        unconfigured=behaves.unconfigured,
        measured=behaves.measured,
    )
