"""One call from its decision to its end: decide, record, dispatch, count. Nothing here knows what a client is sent."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from workbench.engine.context import Context
from workbench.engine.fallback import Cascade, Finished
from workbench.gateway.codecs.neutral import Delta, Reply
from workbench.gateway.dispatch import Ask, Dispatcher, Stop
from workbench.gateway.events import Answer, Emit, unheard
from workbench.gateway.records import Attempt
from workbench.server.chat.answering import Told, cost_of, path_json
from workbench.server.chat.parameters import Call
from workbench.server.chat.shown import Shown
from workbench.server.chat.subject import Subject
from workbench.server.chat.totals import Totals
from workbench.server.hooks import Spent, Ticket
from workbench.server.host import Host
from workbench.server.state import ServerState
from workbench.server.tracing.recording import CallRecorder
from workbench.server.x.asking import unread
from workbench.server.x.requirements import unknown_needs
from workbench.traces.parts.asked import Asked, asked_of
from workbench.traces.parts.words import STORED_BASES, new_id
from workbench.traces.record import Exchange, Usage
from workbench.traces.template import Own
from workbench.traces.writes import OpenTrace

MOST_SHOWN: Final = 128
"""Decisions kept as bytes; at 2,500 offers one takes about 600 KB."""
NOT_SENT: Final = frozenset(("connect_timeout", "local_pool"))
"""What ends an attempt before its request is with anybody."""
_SEED: Final = 2**31 - 1
NOT_STREAMED: Final = "`first_token_timeout_ms` has no effect on an answer that is not streamed; send `timeout_ms`"
SENT_AT_ONCE: Final = (Delta,)
"""What a stream passes on as it comes; tool calls go out whole, at its end."""
NOTHING: Final = Usage()
NOT_ASKED: Final = Asked()
ASKING: Final = frozenset(("requirements", "images", "tools", "response_format", "scope"))
"""What of a request a trace has to say."""


@dataclass(slots=True)
class Engine:
    """What every call of one process shares."""

    host: Host
    dispatcher: Dispatcher
    traces: CallRecorder
    totals: Totals = field(default_factory=Totals)


@dataclass(slots=True)
class Running:
    """A call that is decided and about to be made."""

    engine: Engine
    call: Call
    subject: Subject
    shown: Shown
    context: Context
    trace: OpenTrace
    ticket: Ticket
    told: Told
    began_ms: int
    stop: Stop = field(default_factory=Stop)
    deadline_ms: float | None = None
    """Where it has less than the host's."""

    def ask(self) -> Ask:
        """What the dispatcher is asked; from now on the call has a trace that is open."""
        state, subject = self.shown.state, self.subject
        pool = state.call_pool or state.kept.pool
        order = self.shown.decision.order
        out = self.shown.out if not order else ()
        cascade = Cascade(subject.policy, order, pool, self.context, subject.scope, out=out)
        no_log = self.trace.template.no_log
        deadline = self.engine.host.options.deadline_ms if self.deadline_ms is None else self.deadline_ms
        self.engine.traces.register(self.trace, self.subject.caller)
        return Ask(self.told.trace_id, cascade, self.call.stream, no_log, deadline, SENT_AT_ONCE)

    async def run(self, emit: Emit = unheard) -> Answer:
        """Make the call and record how it went; raises only `CancelledError`, with everything closed and recorded."""
        ask = self.ask()
        try:
            answer = await self.engine.dispatcher.run(ask, emit, self.stop)
        except BaseException:
            await self.close(None)
            raise
        await self.close(answer)
        return answer

    def decision_trace(self, answer: Answer, *, compact: bool) -> bytes:
        """`decision_trace` of how it ended."""
        return self.shown.trace(
            path=path_json(answer, compact), began_ms=self.began_ms, latency_ms=answer.latency_ms, compact=compact
        )

    async def close(self, answer: Answer | None) -> None:
        """Write the trace's end and give the ticket back; None for a call that was cancelled with its task."""
        await self.ticket.close(self.closed(answer))

    def closed(self, answer: Answer | None) -> Spent | None:
        """Write the trace's end; gives what was spent."""
        finished = Finished("cancelled", None, ()) if answer is None else answer.finished
        reply = answer.reply if answer is not None else None
        unpriced = answer is None or any(map(_unpriced, answer.attempts))
        spent, usage = Spent() if unpriced else None, NOTHING
        measuring = self.engine.host.measuring
        if measuring is not None and answer is not None:
            measuring.heard(answer.attempts)
        if reply is not None and finished.index is not None:
            counted, cost = reply.usage, None
            spent = Spent()
            if counted is not None:
                cost, basis = cost_of(counted, self.shown.state.kept.candidates[finished.index])
                spent = Spent(counted.tokens_in, counted.tokens_out, cost, unpriced)
                usage = Usage(
                    counted.tokens_in, counted.tokens_out, counted.tokens_cached, cost, STORED_BASES.get(basis or ""),
                    None, None,
                )  # fmt: skip
            if self.call.session:
                total = self.engine.totals.add(self.subject.owner, self.call.session, counted, cost)
                self.told = replace(self.told, session=total.json())
        if not self.trace.template.no_log and self._hushed():
            self.trace.template = self.shown.quiet_template(self.engine.host.options.emulated)
        self.engine.traces.end(
            self.trace, finished, usage, _exchange(self.call, reply), answer.latency_ms if answer else None
        )
        return spent

    def _hushed(self) -> bool:
        """Whether the tenant wants nothing kept by now, or is gone: what was begun under other rules ends quietly."""
        state, tenant = self.engine.host.state, self.subject.tenant
        if state is None or state is self.shown.state or self.subject.scope != tenant.id:
            return False
        now = state.tenants.get(tenant.id)
        return now is None or now.no_log


def _unpriced(attempt: Attempt) -> bool:
    """Whether a provider may want to be paid for an attempt that failed: it had begun to answer, or nobody waited."""
    if attempt.error_kind is None and not attempt.cancelled:
        return False
    if attempt.http_status is not None:
        return 200 <= attempt.http_status < 300  # an error costs nothing
    return attempt.cancelled or (attempt.error_kind == "timeout" and attempt.detail not in NOT_SENT)


def _exchange(call: Call, reply: Reply | None) -> Exchange:
    """The words of a call, for a tenant whose words may be kept; of any other the record drops them."""
    said: Any = None
    if reply is not None:
        said = {"text": reply.text, "finish_reason": reply.finish_reason}
        if reply.tool_calls:
            said["tool_calls"] = [[each.name, each.arguments] for each in reply.tool_calls]
    return Exchange(call.neutral, said)


def prepare(
    engine: Engine, state: ServerState, call: Call, subject: Subject, ticket: Ticket, warnings: tuple[str, ...] = ()
) -> Running:
    """Decide a call; everything that can be known before a byte leaves."""
    context = context_of(engine.host, call, subject)
    wanted = call.body.get("requirements")
    if wanted:
        read = () if subject.reads_requirements else unread(wanted)
        warnings = (*warnings, *read, *unknown_needs(wanted))
    if not call.stream and "first_token_timeout_ms" in call.neutral:
        warnings = (*warnings, NOT_STREAMED)
    measuring = engine.host.measuring
    if measuring is not None and subject.measured:
        state = measuring.state_of(state)
        context = replace(context, state=measuring.health_of(context.state))
    decision = state.decisions.decide(subject.policy, context)
    shown = _shown(state, subject, decision, context)
    now = time.time_ns() // 1_000_000
    asked = asked_of(context, state.kept) if ASKING & context.request.keys() else NOT_ASKED
    template = shown.template(engine.host.options.emulated)
    if asked.quiet and not template.no_log:
        template = shown.quiet_template(engine.host.options.emulated)
    trace = OpenTrace(template, Own(new_id(), now, asked, context.seed))
    told = Told(trace.own.trace_id, now, call.compact, None, warnings)
    return Running(engine, call, subject, shown, context, trace, ticket, told, now)


def context_of(host: Host, call: Call, subject: Subject) -> Context:
    """What the decision sees of the request and of the host."""
    request = call.neutral
    wanted = call.body.get("requirements")
    if wanted:
        request["requirements"] = wanted
    if call.body.get("scope") is not None:
        request["scope"] = call.body["scope"]
    images = _images(request["messages"])
    if images:
        request["images"] = images
    seed = float(secrets.randbelow(_SEED) + 1) if subject.seeded else None
    return Context(request, host.health_state(subject.scope), seed)


def _images(messages: list[dict[str, Any]]) -> list[int]:
    """One entry for each message with a picture."""
    found: list[int] = []
    for place, message in enumerate(messages):
        content = message.get("content")
        if isinstance(content, list):
            parts = cast("list[dict[str, Any]]", content)
            if any(part.get("type") == "image_url" or "image_url" in part for part in parts):
                found.append(place)
    return found


def _shown(state: ServerState, subject: Subject, decision: Any, context: Context) -> Shown:
    key = (id(subject), id(decision))  # both are alive as long as the entry is: it holds them
    known = state.shown.get(key)
    if known is None:
        if len(state.shown) >= MOST_SHOWN:
            state.shown.pop(next(iter(state.shown)))
        known = state.shown[key] = Shown(state, subject, decision, context)
    return known
