"""Makes test calls for one workspace: prepares one with its quote, runs it, records it, learns from it.

Owns what the calls of a sitting share: keys, addresses, health, the trace recorder. Asks nobody anything: a prepared
call is shown first, and run only by whoever has the person's consent.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.catalog.models import Offer
from workbench.engine.context import Context
from workbench.engine.decide import decide, when_well
from workbench.engine.decision import Decision
from workbench.engine.fallback import Call, Cascade, fallback
from workbench.engine.measures.decay import FIELDS
from workbench.engine.pool import Pool
from workbench.engine.transform import transform
from workbench.engine.virtual import Simulated, drive
from workbench.errors import CompileError, Finding, UsageError, WorkbenchError
from workbench.gateway.dispatch import Ask, Dispatcher, Stop
from workbench.gateway.events import Answer, Emit, unheard
from workbench.gateway.keys import KeySource
from workbench.gateway.redirected import Redirected
from workbench.gateway.transport import open_transport
from workbench.language.admission import Admitted
from workbench.language.runnable import require_runnable
from workbench.session.calls.addresses import Addressed, addressed, emulated
from workbench.session.calls.answer import Called, exchange_of, spent_of
from workbench.session.calls.curl import curl_of
from workbench.session.calls.health.measured import looks_at_measures, measured_candidates
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.hearing import Hearing
from workbench.session.calls.key_ring import KeyRing
from workbench.session.calls.places import state_folder
from workbench.session.calls.question import Question
from workbench.session.calls.quote import Quote, quote
from workbench.session.calls.recording import TraceRecorder, to_end
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.tracing import Traces
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.record import About, Record, make_trace


class Dearer(WorkbenchError):
    """The call could cost more than was agreed to; nothing was sent."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Lack:
    """Why nothing can be sent to an offer yet."""

    index: int
    provider: str
    variable: str
    """The environment variable that would mend it."""
    why: str
    """`missing`, `held` or `malformed` of a key, `address` of an address."""


@dataclass(frozen=True)
class Prepared:
    """A call that is ready to be shown, and then to be made."""

    outcome: Outcome
    """The tenant and its policy; its decision is that of this call."""
    question: Question
    cascade: Cascade
    quote: Quote
    lacks: tuple[Lack, ...]
    """The offers of the order that nothing can be sent to, in order."""
    missing: Mapping[str, str]
    """The variables of addresses that are not set, by provider."""
    record: Record
    """The trace as it will begin."""
    emulated: bool
    offers: Sequence[Offer]
    """The catalog's."""
    findings: tuple[Finding, ...] = ()
    """What a person should know before saying yes."""

    @property
    def tenant(self) -> str:
        """Whose call it is."""
        return self.outcome.tenant.id

    @property
    def trace_id(self) -> str:
        """Of the trace that it will have."""
        return str(self.record.trace.head.trace_id)

    @property
    def decision(self) -> Decision:
        """What was decided for this request."""
        assert self.outcome.decision is not None  # noqa: S101 - `prepare` refuses a tenant without one
        return self.outcome.decision

    def request(self, index: int) -> dict[str, Any]:
        """The request as the policy transforms it for one offer."""
        each = self.cascade
        return transform(
            each.context.request, each.policy, each.pool.candidates[index], each.context, each.pool.vocabulary,
            each.registered,
        )  # fmt: skip

    def curl(self, index: int) -> str:
        """The call of one offer for a shell, with the variable's name where the key goes. Raises `UsageError`."""
        for lack in self.lacks:
            if lack.index == index and lack.why == "address":
                reason = f"`{lack.variable}`, the address of your own account, is not set"
                raise UsageError("no curl", [Finding(reason, "no_address", hint="set it, or give --emulator URL")])
        return curl_of(self.cascade.pool.candidates[index], self.request(index), stream=self.question.stream)

    def still_holds(self, blocked: Collection[str], lacks: Sequence[Lack]) -> None:
        """Raises `Dearer` where these providers and keys, passed over, lead to dearer offers than the quote counted."""
        now, agreed = quote(self.cascade, self.offers, _sendable(self.cascade, lacks), blocked).usd, self.quote.usd
        if agreed is not None and (now is None or now > agreed):
            hint = "ask for its price again"
            reason = "providers or keys went out since, and the offers behind them cost more"
            raise Dearer("nothing was sent", [Finding(reason, "dearer", hint=hint)])

    @property
    def nobody(self) -> bool:
        """Whether the policy leaves nobody: an outcome, and no call."""
        return not self.cascade.order

    @cached_property
    def can_be_called(self) -> Callable[[int], bool]:
        """Whether anything can be sent to an offer of the order."""
        return _sendable(self.cascade, self.lacks)

    @property
    def sendable(self) -> int:
        """How many offers of the order can be called."""
        return sum(map(self.can_be_called, self.cascade.order))

    @property
    def stuck(self) -> bool:
        """Whether the policy leaves offers, and none that its plan may reach can be called."""
        return not self.nobody and self.quote.sendable == 0

    @property
    def quiet(self) -> bool:
        """Whether none of the call's text is kept."""
        return self.record.trace.no_log


@dataclass(slots=True)
class Caller:
    """The calls of one workspace. Belongs to one event loop while a call runs."""

    root: Path
    """The workspace's folder: `.env` lies in it."""
    traces: Traces
    folder: Path = field(default_factory=state_folder)
    """The user's state directory."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    emulator: str | None = None
    """Where the emulator listens; None calls the providers."""
    allow_http: bool = False
    _ring: KeyRing | None = None

    @property
    def ring(self) -> KeyRing:
        """The workspace's keys."""
        if self._ring is None:
            self._ring = KeyRing.open(self.root, self.folder, self.environment)
        return self._ring

    def health(self) -> HealthStore:
        """What is known of providers now; the emulator's apart."""
        return HealthStore.at(self.folder, emulated=self.emulator is not None)

    def prepare(self, state: WorkspaceState, tenant: str, question: Question) -> Prepared:
        """Decide for this request, and say what it can cost at most. Sends nothing and writes no trace.

        Raises `UsageError` for an unknown tenant or a question that cannot be asked, `CompileError` where the tenant
        has no policy, `NotRunnable` where this host may not run it.
        """
        question.checked()
        outcome = Evaluator().outcome(state, state.tenant(tenant))
        compiled = outcome.compiled
        if compiled is None:
            raise CompileError(f"tenant `{tenant}` has no policy", outcome.errors)
        require_runnable(compiled.policy)
        where = self._addressed(state)
        health = self.health()
        context = Context(
            {**state.context.request, **question.request},
            {**state.context.state, **health.as_state(tenant)},
            state.context.seed,
        )
        pool, kept = self._population(state, compiled.policy, health)
        decision = decide(compiled.policy, pool, context)
        called = Pool(_with_addresses(pool.candidates, where), state.vocabulary)
        out = () if decision.order else when_well(compiled.policy, pool, context)
        cascade = Cascade(compiled.policy, decision.order, called, context, tenant, out=out)
        lacks = self._lacks(cascade, where.missing)
        return Prepared(
            _decided(outcome, decision),
            question,
            cascade,
            quote(cascade, state.catalog.offers, _sendable(cascade, lacks), _blocked(health, tenant)),
            lacks,
            where.missing,
            make_trace(
                outcome.tenant,
                compiled,
                kept,
                context,
                decision,
                about=About(state.rulebook.sha256, int(time.time() * 1000), emulated=self.emulator is not None),
            ),
            self.emulator is not None,
            state.catalog.offers,
            (*self._findings(cascade, where, question), *_otherwise(state, outcome, decision)),
        )

    async def run(self, prepared: Prepared, emit: Emit = unheard, stop: Stop | None = None) -> Called:
        """Make the call; every way in which it can end is a `Called`, that of nobody included.

        Cancelling the task records the call as cancelled and passes on. Raises `Dearer`, with nothing sent, where it
        could by now cost more than its quote says.
        """
        if prepared.nobody:
            recorder = await to_end(self.traces.recorder)
            before = recorder.lost
            record = await to_end(lambda: recorder.decided(prepared.record))
            health = HealthStore.at(self.folder, emulated=prepared.emulated)
            ended = drive(fallback(prepared.cascade, health.health, now=health.clock()), _never).finished
            return Called.nobody(record, ended, lost=recorder.lost - before)
        health = HealthStore.at(self.folder, emulated=prepared.emulated)
        lacks = await to_end(lambda: self._lacks(prepared.cascade, prepared.missing))  # a keyring may take its time
        prepared.still_holds(_blocked(health, prepared.tenant), lacks)
        recorder = await to_end(self.traces.recorder)
        before = recorder.lost
        recording = recorder.start(_beginning(prepared.record, int(time.time() * 1000)))
        heard = Hearing(emit)
        transport = await to_end(open_transport)  # reads certificates: not beside a screen
        try:
            host = Dispatcher(transport, self._keys(prepared), health.health, TraceRecorder(recording))
            host.allow_http = self.allow_http
            asked = prepared.question
            ask = Ask(prepared.trace_id, prepared.cascade, asked.stream, prepared.quiet, asked.deadline_ms)
            answer, cancelled = await _answered(host, ask, heard, stop or Stop())
        finally:
            await transport.aclose()
        spent = spent_of(answer, prepared.cascade)
        said = None if prepared.quiet else exchange_of(prepared.cascade.context.request, answer, heard.text)

        def end() -> Record:
            ended = recording.end(
                answer.finished, usage=spent.traced, exchange=said, total_latency_ms=answer.latency_ms
            )
            health.learn(prepared.tenant, answer.attempts)
            return ended

        record = await to_end(end)
        if cancelled:
            raise asyncio.CancelledError
        return Called(answer, spent, record, heard.text, recorder.lost - before)

    def _keys(self, prepared: Prepared) -> KeySource:
        """No key of anyone's for a call that was prepared for the emulator."""
        return Redirected.to(self.emulator) if prepared.emulated and self.emulator is not None else self.ring.keys

    def _addressed(self, state: WorkspaceState) -> Addressed:
        if self.emulator is not None:
            return emulated(state.catalog, Redirected.to(self.emulator))
        where = addressed(state.catalog, self.ring.environment)
        self.ring.settle(where.candidates)
        return where

    def _population(self, state: WorkspaceState, policy: Admitted, health: HealthStore) -> tuple[Pool, KeptCatalog]:
        """What is decided over: the catalog, with what was measured where the policy looks at it."""
        kept = self.traces.kept(state.catalog)
        if not looks_at_measures(policy):
            return state.pool, kept
        candidates = measured_candidates(state.pool.candidates, health.fields())
        return Pool(candidates, state.vocabulary), replace(kept, candidates=candidates)

    def _lacks(self, cascade: Cascade, missing: Mapping[str, str]) -> tuple[Lack, ...]:
        """Which offers of the order lack what; `missing` has the variables of addresses that are not set."""
        found: list[Lack] = []
        for index in cascade.order:
            candidate = cascade.pool.candidates[index]
            provider = str(candidate.get("provider_id"))
            if provider in missing and not candidate.get("base_url"):
                found.append(Lack(index, provider, missing[provider], "address"))
                continue
            variable, why = self.ring.state_of(candidate, allow_http=self.allow_http)
            if variable is not None and why is not None:
                found.append(Lack(index, provider, variable, why))
        return tuple(found)

    def _findings(self, cascade: Cascade, where: Addressed, question: Question) -> tuple[Finding, ...]:
        candidates = [cascade.pool.candidates[index] for index in cascade.order]
        found = [*self.ring.findings] if self.emulator is None else []
        if self.emulator is None:
            found += self.ring.keys.findings(str(c.get("auth_env")) for c in candidates if c.get("auth_env"))
        own = sorted({str(c.get("provider_id")) for c in candidates[:1]} & set(where.own))
        for name in own:
            reason = f"`{where.own[name]}` says where {name} is called; that it lies in the offer's region is your word"
            found.append(Finding(reason, "own_address", severity="warning"))
        for need in question.needs if candidates else ():
            if candidates[0].get("capabilities", {}).get(f"supports_{need}") is not True:
                reason = f"the catalog does not say that the first offer can do `{need}`"
                found.append(Finding(reason, "needs", severity="warning", hint="`meets_req` in the policy sees to it"))
        return tuple(found)


async def _answered(host: Dispatcher, ask: Ask, emit: Emit, stop: Stop) -> tuple[Answer, bool]:
    """The answer, and whether this task was cancelled: then the call was stopped, and its end is still to be kept."""
    task = asyncio.create_task(host.run(ask, emit, stop))
    cancelled = False
    while True:
        try:
            return await asyncio.shield(task), cancelled
        except asyncio.CancelledError:
            if task.done():  # it was over already, or the whole loop is being torn down
                return Answer("cancelled", None, None, (), ()) if task.cancelled() else task.result(), True
            cancelled = True
            stop.stop()


def _sendable(cascade: Cascade, lacks: Sequence[Lack]) -> Callable[[int], bool]:
    """Whether anything can be sent to an offer of the order."""
    lacking = {lack.index for lack in lacks}
    return lambda index: index not in lacking and cascade.pool.candidates[index].get("base_url") is not None


def _never(call: Call) -> Simulated:
    raise AssertionError(f"candidate {call.index} of an empty order")


def _blocked(health: HealthStore, tenant: str) -> frozenset[str]:
    """The providers that this tenant's calls pass over now."""
    known = health.health.known(health.clock())
    return frozenset(provider for scope, provider, _, _ in known if scope in ("", tenant))


def _beginning(record: Record, time_ms: int) -> Record:
    """The record of a call that begins now: between its quote and a person's yes may lie a while."""
    trace = record.trace
    return replace(record, trace=replace(trace, head=replace(trace.head, time_ms=time_ms)))


def _with_addresses(candidates: Sequence[Mapping[str, Any]], where: Addressed) -> tuple[Mapping[str, Any], ...]:
    """Candidates as they were decided over, and as they are called."""
    return tuple(
        each if each is there else {**{k: v for k, v in each.items() if k in there or k in FIELDS}, **_route(there)}
        for each, there in zip(candidates, where.candidates, strict=True)
    )


def _route(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {name: candidate[name] for name in ("base_url", "auth_env") if name in candidate}


def _otherwise(state: WorkspaceState, outcome: Outcome, decision: Decision) -> tuple[Finding, ...]:
    """Where the decision of this call has another winner than the catalog and the rules alone."""
    winner = decision.order[0] if decision.order else None
    if winner == outcome.winner:
        return ()
    named = ["nobody" if each is None else state.catalog.offer_id(each) for each in (outcome.winner, winner)]
    reason = (
        f"by catalog and rules alone {named[0]} wins; what this request needs and what is known now makes it {named[1]}"
    )
    return (Finding(reason, "other_winner", hint="`workbench health` shows what is known", severity="warning"),)


def _decided(outcome: Outcome, decision: Decision) -> Outcome:
    winner = decision.order[0] if decision.order else None
    return replace(outcome, decision=decision, winner=winner, survivors=decision.survivors)
