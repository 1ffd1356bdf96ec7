"""One request on its way down the cascade: the machine's steps made real, each call written down before and after.

Owns the order of things: intent before bytes, outcome after, cancellation told to the machine, and that nothing
escapes. What to do next is the machine's to say; what a failure is called is `classify`'s; where records go is the
recorder's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.engine.fallback import Call, Finished, Machine, Outcome, Resumed, Wait, fallback
from workbench.gateway.attempt import Attempted, Broken, CallerGone, Terms
from workbench.gateway.classify import Failure
from workbench.gateway.codecs import codec_of
from workbench.gateway.codecs.extras import unplaced
from workbench.gateway.codecs.neutral import LocalFault, Reply
from workbench.gateway.events import Answer, Attempting, CallEvent, Emit, Failed, Waiting, unheard
from workbench.gateway.limits import asked_ms
from workbench.gateway.records import Attempt, Intent, LoggedAttempt
from workbench.gateway.redirected import Redirected

if TYPE_CHECKING:
    from workbench.gateway.dispatch import Ask, Dispatcher


@dataclass(slots=True)
class Trying:
    """One attempt under way."""

    call: Call
    known: Attempt
    started: float
    tried: Attempted | None = None
    """None until it could be prepared."""
    dropped: tuple[str, ...] = ()
    """Warnings of what its protocol has no place for."""


class Walk:
    """One request on its way."""

    def __init__(self, host: Dispatcher, ask: Ask, emit: Emit) -> None:
        self.host, self.ask, self.emit = host, ask, emit
        self.attempts: list[Attempt] = []
        self.reply: Reply | None = None
        self.committed = False
        self.unrecorded = 0
        self.began = host.clock()

    def machine(self) -> Machine:
        """What says what to do next."""
        ask = self.ask
        return fallback(ask.cascade, self.host.health, now=self.began, deadline_ms=ask.deadline_ms)

    async def run(self) -> Answer:
        """The machine, driven to its end; whatever happens becomes an answer."""
        return await self._guarded(self.machine, None)

    async def go_on(self, machine: Machine, under_way: Awaitable[Outcome]) -> Answer:
        """The same from a call on that the machine has asked for."""
        return await self._guarded(lambda: machine, under_way)

    async def _guarded(self, machine: Callable[[], Machine], under_way: Awaitable[Outcome] | None) -> Answer:
        try:
            return self.answer(await self._drive(machine(), under_way))
        except (asyncio.CancelledError, CallerGone):
            return self.answer(Finished("cancelled", None, self._log()))
        except Exception as error:  # noqa: BLE001 - a request ends with an outcome, whatever its policy does
            return self.broken(error)

    def broken(self, error: Exception) -> Answer:
        """The answer of a request whose policy, or what runs it, failed."""
        log = (*self._log(), {"event": "failed", "detail": type(error).__name__})
        return self.answer(Finished("unknown", None, log))

    async def _drive(self, machine: Machine, under_way: Awaitable[Outcome] | None) -> Finished:
        try:
            told: Outcome | Resumed = await (self._do(next(machine)) if under_way is None else under_way)
            while True:
                told = await self._do(machine.send(told))
        except StopIteration as ended:
            finished: Finished = ended.value
            return finished

    async def _do(self, step: Call | Wait) -> Outcome | Resumed:
        if isinstance(step, Wait):
            await self._tell(Waiting(step.ms))
            await self.host.sleep(step.ms / 1000.0)
            return Resumed(self.host.clock())
        trying = self.begin(step)
        return await self.through(trying, self._make(trying))

    async def _tell(self, event: CallEvent) -> None:
        try:
            await self.emit(event)
        except Exception:  # noqa: BLE001 - why the caller is gone is the caller's own affair
            raise CallerGone from None

    def begin(self, call: Call) -> Trying:
        """An attempt begins."""
        candidate = self.ask.cascade.pool.candidates[call.index]
        provider, family = str(candidate.get("provider_id")), str(candidate.get("model_family"))
        sequence = len(self.attempts) + 1
        known = Attempt(
            self.ask.call_id, sequence, self.ask.cascade.tenant, call.index, provider, family, call.attempt
        )  # fmt: skip
        return Trying(call, known, self.host.clock())

    async def _make(self, trying: Trying) -> Reply:
        await self._intend(trying)
        if self.emit is not unheard:
            known = trying.known
            await self._tell(Attempting(known.index, known.provider_id, known.model_family, known.attempt))
        return await self.prepare(trying).run()

    async def through(self, trying: Trying, making: Awaitable[Reply]) -> Outcome:
        """One attempt to its end, whichever; its outcome is recorded, and given as the machine has to know it."""
        try:
            reply = await making
        except (asyncio.CancelledError, CallerGone):
            return await self._ended(trying, cancelled=True)
        except LocalFault as fault:
            failure = Failure(fault.reason, fault.detail, local=True, unconfigured=fault.unconfigured)
            return await self._failed(trying, failure)
        except Broken as broken:
            return await self._failed(trying, broken.failure, broken.message)
        except Exception as error:  # noqa: BLE001 - nothing of an exception escapes but the name of its class
            return await self._failed(trying, Failure("unknown", type(error).__name__, local=True))
        self.reply = _warned(reply, trying.dropped)
        return await self._ended(trying, **_counted(self.reply))

    def succeeded(self, trying: Trying, reply: Reply) -> tuple[Attempt, Outcome]:
        """An attempt that went well, for a recorder that is told at once; and what the machine has to know."""
        self.reply = _warned(reply, trying.dropped)
        return self._over(trying, None, _counted(self.reply))

    def prepare(self, trying: Trying) -> Attempted:
        """The attempt, ready to run; raises `LocalFault` where nothing may be sent."""
        host, call = self.host, trying.call
        route = host.route(self.ask.cascade.pool, call.index)
        key = host.keys.key(route)
        codec = codec_of(route)
        http = codec.request(route, call.request, stream=self.ask.stream)
        timeout_ms = asked_ms(call.request, "timeout_ms")
        first_token_ms = asked_ms(call.request, "first_token_timeout_ms")
        terms = Terms(
            host.limits.waiting(timeout_ms, first_token_ms),
            host.clock,
            call.deadline,
            timeout_ms,
            first_token_ms,
            keep_words=self.ask.no_log is False,
            commits=self.ask.commits,
        )
        trying.dropped = (*http.warnings, *unplaced(route.api_kind, call.request))
        trying.tried = tried = Attempted(host.transport, http, key, codec, terms, self.emit)
        return tried

    async def _failed(self, trying: Trying, failure: Failure, message: str | None = None) -> Outcome:
        outcome = await self._ended(
            trying, message, error_kind=failure.reason, detail=failure.detail,
            retry_after_ms=failure.retry_after_ms, local=failure.local, measured=failure.measured,
        )  # fmt: skip
        try:
            await self._tell(Failed(self.attempts[-1]))
        except (asyncio.CancelledError, CallerGone):
            return replace(outcome, cancelled=True)
        return replace(
            outcome, local=failure.local, measured=failure.measured, final=failure.final,
            unconfigured=failure.unconfigured,
        )  # fmt: skip

    async def _ended(self, trying: Trying, message: str | None = None, **told: Any) -> Outcome:
        """The outcome of an attempt, recorded; `told` are fields of it."""
        known, outcome = self._over(trying, message, told)
        try:
            await self.host.recorder.outcome(known)
        except Exception:  # noqa: BLE001 - a store that fails must not fail the call; the gap is counted and shown
            self.unrecorded += 1
        return outcome

    def _over(self, trying: Trying, message: str | None, told: dict[str, Any]) -> tuple[Attempt, Outcome]:
        now, tried = self.host.clock(), trying.tried
        told["latency_ms"] = now - trying.started
        if tried is not None:
            self.committed = self.committed or tried.committed
            told.update(
                http_status=tried.status, bytes_in=tried.bytes_in, first_token_ms=tried.first_token_ms,
                committed=tried.committed, emulated=tried.emulated or isinstance(self.host.keys, Redirected),
            )  # fmt: skip
        logged = self.ask.no_log is False
        known = _ended(trying.known, told, message, logged=logged)
        self.attempts.append(known)
        return known, Outcome(
            now,
            known.error_kind,
            known.latency_ms,
            known.http_status,
            message if logged else None,
            known.retry_after_ms,
            committed=known.committed,
            cancelled=known.cancelled,
            facts=_facts(known),
        )

    async def _intend(self, trying: Trying) -> None:
        try:
            await self.host.recorder.intent(intent_of(trying.known, self.ask.no_log))
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

    def answer(self, finished: Finished) -> Answer:
        """What the caller has in the end."""
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


def intent_of(known: Attempt, no_log: object) -> Intent:
    """What has to be durable before the call's first byte leaves."""
    return Intent(
        known.call_id,
        known.sequence,
        known.tenant,
        known.index,
        known.provider_id,
        known.model_family,
        known.attempt,
        time.time(),
        no_log is not False,
    )


def _warned(reply: Reply, dropped: tuple[str, ...]) -> Reply:
    return replace(reply, warnings=(*dropped, *reply.warnings)) if dropped else reply


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
