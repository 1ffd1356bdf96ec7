"""The gateway's recorder over the grouped writer: one open trace for each call that is under way.

An intent is awaited until it is durable; an outcome goes with the next write, or with the trace's end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.engine.fallback import Finished
from workbench.errors import TraceError
from workbench.gateway.records import Attempt, Intent
from workbench.traces.grouped import GroupedWriter
from workbench.traces.parts.steps import steps_of
from workbench.traces.parts.words import Ending, kind_of
from workbench.traces.record import Exchange, Record, Result, Usage
from workbench.traces.recorder import bounded
from workbench.traces.store import CallEnd
from workbench.traces.store import Intent as Kept
from workbench.traces.template import Summary
from workbench.traces.writes import Ended, OpenTrace


@dataclass(slots=True)
class CallRecorder:
    """What the dispatcher writes to. Belongs to one event loop."""

    writer: GroupedWriter
    hears: Callable[[Record], None] | None = None
    """Hears of every call that is over."""
    calls: dict[str, OpenTrace] = field(default_factory=dict[str, OpenTrace])
    callers: dict[str, str] = field(default_factory=dict[str, str])
    """By trace id, who made a call that is under way: for whoever hears of it, and not for its trace."""

    def register(self, trace: OpenTrace, caller: str = "") -> None:
        """A call begins; its intents carry the trace's id."""
        self.calls[trace.own.trace_id] = trace
        if self.hears is not None:
            self.callers[trace.own.trace_id] = caller

    async def intent(self, intent: Intent) -> None:
        """Durable when this returns. Raises `TraceError` where it could not be written."""
        durable: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def told(kept: bool) -> None:
            if not durable.done():  # whoever waited for it may be gone
                durable.set_result(kept)

        self.announce(intent, told)
        if not await durable:
            raise TraceError("a trace was not written")

    def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
        """The same without waiting: `durable` is told."""
        trace = self.calls[intent.call_id]
        before, trace.running = trace.running, None
        kept = Kept(intent.sequence, intent.index, intent.attempt, int(intent.at * 1000))
        self.writer.begin(trace, kept, before, durable)

    async def outcome(self, attempt: Attempt) -> None:
        """Goes with the next write."""
        self.ended(attempt)

    def ended(self, attempt: Attempt) -> None:
        """The same."""
        kind = "unknown" if attempt.cancelled and attempt.error_kind is None else attempt.error_kind
        now = time.time_ns() // 1_000_000
        self.calls[attempt.call_id].running = CallEnd(
            attempt.sequence, now, kind_of(kind), attempt.http_status, float(attempt.latency_ms)
        )

    def end(
        self, trace: OpenTrace, finished: Finished, usage: Usage, exchange: Exchange, latency_ms: float | None
    ) -> None:
        """The call is over; its end is written soon. Nobody waits."""
        self.calls.pop(trace.own.trace_id, None)
        material = trace.template.material
        steps = steps_of(finished.path, material.verdicts.order, material.catalog)
        outcome = Ending(finished.outcome)
        called = [step.quiet.index for step in steps if step.quiet.event == "attempted"]
        shown = finished.index if finished.index is not None else called[-1] if called else None
        result = Result(outcome, finished.index, latency_ms, usage)
        summary = Summary(
            str(outcome), shown, len(called), usage.tokens_in, usage.tokens_out, usage.cost_usd, latency_ms
        )
        said = None if trace.template.no_log else bounded(exchange)
        write = Ended(trace, result, steps, said, trace.running, summary)
        self.writer.end(write)
        if self.hears is not None:
            try:
                self.hears(write.record)
            finally:
                self.callers.pop(trace.own.trace_id, None)
