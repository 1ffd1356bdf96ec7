"""The gateway's recorder over the grouped writer: one recording for each call that is under way.

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
from workbench.traces.grouped import Begun, Ended, GroupedWriter
from workbench.traces.parts.words import kind_of
from workbench.traces.record import Exchange, Record, Usage, finish
from workbench.traces.store import CallEnd
from workbench.traces.store import Intent as Kept


@dataclass(slots=True)
class Recording:
    """One call's trace while the call is made."""

    record: Record
    begun: bool = False
    running: CallEnd | None = None
    """How the last attempt ended, where that is not written yet."""


@dataclass(slots=True)
class CallRecorder:
    """What the dispatcher writes to. Belongs to one event loop."""

    writer: GroupedWriter
    ended: Callable[[Record], None] | None = None
    """Hears of every call that is over."""
    calls: dict[str, Recording] = field(default_factory=dict[str, Recording])

    def register(self, recording: Recording) -> None:
        """A call begins; its intents carry the trace's id."""
        self.calls[recording.record.trace.head.trace_id] = recording

    async def intent(self, intent: Intent) -> None:
        """Durable when this returns. Raises `TraceError` where it could not be written."""
        recording = self.calls[intent.call_id]
        loop = asyncio.get_running_loop()
        written: asyncio.Future[bool] = loop.create_future()

        def told(durable: bool) -> None:
            loop.call_soon_threadsafe(_settle, written, durable)

        kept = Kept(intent.sequence, intent.index, intent.attempt, int(intent.at * 1000))
        before, recording.running = recording.running, None
        first, recording.begun = not recording.begun, True
        self.writer.put(Begun(recording.record, kept, before, first, told))
        if not await written:
            recording.begun = recording.begun and not first
            raise TraceError("a trace was not written")

    async def outcome(self, attempt: Attempt) -> None:
        """Goes with the next write."""
        kind = "unknown" if attempt.cancelled and attempt.error_kind is None else attempt.error_kind
        now = time.time_ns() // 1_000_000
        self.calls[attempt.call_id].running = CallEnd(
            attempt.sequence, now, kind_of(kind), attempt.http_status, float(attempt.latency_ms)
        )

    def end(
        self,
        recording: Recording,
        finished: Finished,
        usage: Usage | None,
        exchange: Exchange,
        latency_ms: float | None,
    ) -> None:
        """The call is over; its end is written soon. Nobody waits."""
        self.calls.pop(recording.record.trace.head.trace_id, None)
        recording.record = finish(
            recording.record, finished, usage=usage, exchange=exchange, total_latency_ms=latency_ms
        )
        self.writer.put(Ended(recording.record, recording.running))
        if self.ended is not None:
            self.ended(recording.record)


def _settle(written: asyncio.Future[bool], durable: bool) -> None:
    if not written.done():
        written.set_result(durable)
