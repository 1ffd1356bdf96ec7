"""The dispatcher: drives the fallback machine over real calls, and writes down each before and after.

Owns the order of things: intent before bytes, outcome after, cancellation told to the machine, and that nothing
escapes. What to do next is the machine's to say; what a failure is called is `classify`'s; where records go is the
recorder's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from workbench.engine.fallback import (
    DEADLINE_MS,
    Call,
    Cascade,
    Finished,
    Machine,
    Outcome,
    Resumed,
    Wait,
    fallback,
)
from workbench.engine.health import Health
from workbench.engine.pool import Pool
from workbench.gateway.attempt import Attempted, Broken, CallerGone, Terms
from workbench.gateway.classify import Failure
from workbench.gateway.codecs import codec_of
from workbench.gateway.codecs.extras import unplaced
from workbench.gateway.codecs.neutral import LocalFault, Reply
from workbench.gateway.codecs.route import Route
from workbench.gateway.events import Answer, Attempting, CallEvent, Emit, Failed, Waiting, unheard
from workbench.gateway.keys import KeySource
from workbench.gateway.limits import LIMITS, Limits, asked_ms
from workbench.gateway.records import Attempt, Intent, LoggedAttempt, Recorder, Unrecorded
from workbench.gateway.redirected import Redirected


def monotonic_ms() -> float:
    """The clock of calls: milliseconds that only grow."""
    return time.monotonic() * 1000.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: what to walk down, and how."""

    call_id: str
    """The trace's id; records carry it."""
    cascade: Cascade
    """Its context's request is the neutral request: `messages`, `tools`, `temperature`, ..."""
    stream: bool = False
    no_log: object = True
    """Whether nothing of anybody's words may be kept. Only `False` itself allows it (R17)."""
    deadline_ms: float = DEADLINE_MS


class Stop:
    """A caller's way to end its call at any time; the answer's outcome is then `cancelled`."""

    def __init__(self) -> None:
        self.requested = False
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False

    def stop(self) -> None:
        """End the call; once it has ended this does nothing."""
        self.requested = True
        if self._task is not None and not self._cancelled:
            self._cancelled = self._task.cancel()

    def bind(self, task: asyncio.Task[Any]) -> None:
        """The task that the call runs in, from now on until `release`."""
        self._task = task
        self._cancelled = False
        if self.requested:
            self.stop()

    async def release(self) -> None:
        """The call has ended; what is left of a cancellation of ours does not reach the task's other work."""
        task, self._task = self._task, None
        if task is None or not self._cancelled:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # one that was asked for after the call's last wait comes here
        task.uncancel()


@dataclass(slots=True)
class Dispatcher:
    """Makes calls over one transport. Belongs to one event loop."""

    transport: httpx.AsyncBaseTransport
    keys: KeySource
    """`Redirected` where the candidates are an emulator's; then every attempt is an emulated one."""
    health: Health = field(default_factory=Health)
    recorder: Recorder = field(default_factory=Unrecorded)
    limits: Limits = LIMITS
    clock: Callable[[], float] = monotonic_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    allow_http: bool = False
    """Whether plain http is allowed beyond this machine."""
    routes: tuple[Pool, dict[int, Route]] | None = field(default=None, init=False, repr=False)
    """Where the candidates of the pool at hand are called, as far as they have been."""

    async def run(self, ask: Ask, emit: Emit = unheard, stop: Stop | None = None) -> Answer:
        """Walk down the cascade until it is answered, refused or over; never raises but `CancelledError`.

        Where the calling task is cancelled, the upstream is closed and the outcome recorded before that passes on.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is made in a task")
        if stop is not None and stop.requested:
            return Answer("cancelled", None, None, (), ())
        before = task.cancelling()
        if stop is not None:
            stop.bind(task)
        try:
            answer = await _Walk(self, ask, emit).run()
        finally:
            if stop is not None:
                await stop.release()
        if task.cancelling() > before:
            raise asyncio.CancelledError
        return answer


class _Walk:
    """One request on its way."""

    def __init__(self, host: Dispatcher, ask: Ask, emit: Emit) -> None:
        self.host, self.ask, self.emit = host, ask, emit
        self.attempts: list[Attempt] = []
        self.reply: Reply | None = None
        self.committed = False
        self.unrecorded = 0
        self.began = host.clock()

    async def run(self) -> Answer:
        """The machine, driven to its end; whatever happens becomes an answer."""
        ask = self.ask
        try:
            machine = fallback(ask.cascade, self.host.health, now=self.began, deadline_ms=ask.deadline_ms)
            return self._answer(await self._drive(machine))
        except (asyncio.CancelledError, CallerGone):
            return self._answer(Finished("cancelled", None, self._log()))
        except Exception as error:  # noqa: BLE001 - a request ends with an outcome, whatever its policy does
            log = (*self._log(), {"event": "failed", "detail": type(error).__name__})
            return self._answer(Finished("unknown", None, log))

    async def _drive(self, machine: Machine) -> Finished:
        try:
            step = next(machine)
            while True:
                told: Outcome | Resumed
                if isinstance(step, Wait):
                    await self._tell(Waiting(step.ms))
                    await self.host.sleep(step.ms / 1000.0)
                    told = Resumed(self.host.clock())
                else:
                    told = await self._call(step)
                step = machine.send(told)
        except StopIteration as ended:
            finished: Finished = ended.value
            return finished

    async def _tell(self, event: CallEvent) -> None:
        try:
            await self.emit(event)
        except Exception:  # noqa: BLE001 - why the caller is gone is the caller's own affair
            raise CallerGone from None

    async def _call(self, call: Call) -> Outcome:
        """One attempt; however it ends, its intent and its outcome are recorded and the machine is told."""
        candidate = self.ask.cascade.pool.candidates[call.index]
        provider, family = str(candidate.get("provider_id")), str(candidate.get("model_family"))
        sequence = len(self.attempts) + 1
        known = Attempt(
            self.ask.call_id, sequence, self.ask.cascade.tenant, call.index, provider, family, call.attempt
        )  # fmt: skip
        started = self.host.clock()
        tried: Attempted | None = None
        try:
            await self._intend(known)
            if self.emit is not unheard:
                await self._tell(Attempting(call.index, provider, family, call.attempt))
            tried, dropped = self._prepare(call)
            reply = await tried.run()
        except (asyncio.CancelledError, CallerGone):
            return await self._ended(known, tried, started, cancelled=True)
        except LocalFault as fault:
            return await self._failed(known, tried, started, Failure(fault.reason, fault.detail, local=True))
        except Broken as broken:
            return await self._failed(known, tried, started, broken.failure, broken.message)
        except Exception as error:  # noqa: BLE001 - nothing of an exception escapes but the name of its class
            failure = Failure("unknown", type(error).__name__, local=True)
            return await self._failed(known, tried, started, failure)
        self.reply = replace(reply, warnings=(*dropped, *reply.warnings)) if dropped else reply
        return await self._ended(known, tried, started, **_counted(self.reply))

    def _prepare(self, call: Call) -> tuple[Attempted, tuple[str, ...]]:
        """The attempt, ready to run; raises `LocalFault` where nothing may be sent."""
        host = self.host
        route = self._route(call.index)
        codec = codec_of(route)
        http = codec.request(route, call.request, stream=self.ask.stream)
        terms = Terms(
            host.limits,
            host.clock,
            call.deadline,
            asked_ms(call.request, "timeout_ms"),
            asked_ms(call.request, "first_token_timeout_ms"),
            keep_words=self.ask.no_log is False,
        )
        tried = Attempted(host.transport, http, host.keys.key(route), codec, terms, self.emit)
        return tried, (*http.warnings, *unplaced(route.api_kind, call.request))

    def _route(self, index: int) -> Route:
        """Where a candidate is called; looked at once for each pool."""
        host, pool = self.host, self.ask.cascade.pool
        if host.routes is None or host.routes[0] is not pool:
            host.routes = (pool, {})
        known = host.routes[1].get(index)
        if known is None:
            known = Route.of(pool.candidates[index], allow_http=host.allow_http)
            host.routes[1][index] = known
        return known

    async def _failed(
        self, known: Attempt, tried: Attempted | None, started: float, failure: Failure, message: str | None = None
    ) -> Outcome:
        outcome = await self._ended(
            known, tried, started, message, error_kind=failure.reason, detail=failure.detail,
            retry_after_ms=failure.retry_after_ms, local=failure.local, measured=failure.measured,
        )  # fmt: skip
        try:
            await self._tell(Failed(self.attempts[-1]))
        except (asyncio.CancelledError, CallerGone):
            return replace(outcome, cancelled=True)
        return replace(outcome, local=failure.local, measured=failure.measured, final=failure.final)

    async def _ended(
        self, begun: Attempt, tried: Attempted | None, started: float, message: str | None = None, **told: Any
    ) -> Outcome:
        """The outcome of an attempt, recorded; `told` are fields of it."""
        now = self.host.clock()
        told["latency_ms"] = now - started
        if tried is not None:
            self.committed = self.committed or tried.committed
            told.update(
                http_status=tried.status, bytes_in=tried.bytes_in, first_token_ms=tried.first_token_ms,
                committed=tried.committed, emulated=tried.emulated or isinstance(self.host.keys, Redirected),
            )  # fmt: skip
        known = _ended(begun, told, message, logged=self.ask.no_log is False)
        self.attempts.append(known)
        try:
            await self.host.recorder.outcome(known)
        except Exception:  # noqa: BLE001 - a store that fails must not fail the call; the gap is counted and shown
            self.unrecorded += 1
        return Outcome(
            now,
            known.error_kind,
            known.latency_ms,
            known.http_status,
            message if self.ask.no_log is False else None,
            known.retry_after_ms,
            committed=known.committed,
            cancelled=known.cancelled,
            facts=_facts(known),
        )

    async def _intend(self, known: Attempt) -> None:
        intent = Intent(
            known.call_id,
            known.sequence,
            known.tenant,
            known.index,
            known.provider_id,
            known.model_family,
            known.attempt,
            time.time(),
            self.ask.no_log is not False,
        )
        try:
            await self.host.recorder.intent(intent)
        except Exception:  # noqa: BLE001 - as above
            self.unrecorded += 1

    def _log(self) -> tuple[dict[str, Any], ...]:
        """The log of a walk that the machine could not end."""
        return tuple(
            {
                "event": "attempted",
                "provider_id": each.provider_id,
                "model_family": each.model_family,
                "attempt": each.attempt,
                "latency_ms": each.latency_ms,
                **_facts(each),
            }
            for each in self.attempts
        )

    def _answer(self, finished: Finished) -> Answer:
        entries = [entry for entry in finished.path if entry["event"] == "attempted"]
        attempts = tuple(
            each
            if "action" not in entry
            else replace(each, action=entry.get("action"), action_suppressed=entry.get("action_suppressed"))
            for each, entry in zip(self.attempts, entries, strict=True)
        )
        return Answer(
            finished.outcome,
            finished.index,
            self.reply if finished.outcome == "ok" else None,
            attempts,
            finished.path,
            finished.recovery,
            self.host.clock() - self.began,
            self.committed,
            self.unrecorded,
        )


def _facts(known: Attempt) -> dict[str, Any]:
    """What the machine's log says of an attempt beside what it knows itself; no free text."""
    facts: dict[str, Any] = {"bytes_in": known.bytes_in, "committed": known.committed}
    for name in ("detail", "retry_after_ms", "first_token_ms", "finish_reason"):
        value = getattr(known, name)
        if value is not None:
            facts[name] = value
    if known.warnings:
        facts["warnings"] = list(known.warnings)
    if known.emulated:
        facts["emulated"] = True
    return facts


def _counted(reply: Reply) -> dict[str, Any]:
    """The fields of an attempt that its answer says."""
    told: dict[str, Any] = {"finish_reason": reply.finish_reason, "warnings": reply.warnings}
    usage = reply.usage
    if usage is not None:
        told.update(
            tokens_in=usage.tokens_in, tokens_out=usage.tokens_out, tokens_cached=usage.tokens_cached,
            cost_usd=usage.cost_usd,
        )  # fmt: skip
    return told


def _ended(begun: Attempt, told: Mapping[str, Any], message: str | None, *, logged: bool) -> Attempt:
    """The attempt with all that is known of it; with the provider's words only where they may be kept."""
    head = (
        begun.call_id, begun.sequence, begun.tenant, begun.index, begun.provider_id, begun.model_family, begun.attempt,
    )  # fmt: skip
    return LoggedAttempt(*head, **told, error_message=message) if logged else Attempt(*head, **told)
