"""Writes the traces of many requests at once: what waits together becomes durable together.

Keeps the order of `recorder` (RELIABILITY R52): an intent is on the disk before its call's first byte leaves; an end
may wait a few milliseconds for company. Where the store is quick, the event loop writes itself, which costs less than
handing over; where it is slow, or somebody else writes, a thread does. A write that fails is counted and told to
whoever waits for it, and goes no further.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from workbench.errors import TraceError, WorkbenchError
from workbench.traces.databases.bulk import Busy
from workbench.traces.parts.steps import Step
from workbench.traces.record import Exchange, Record, Result, Trace
from workbench.traces.store import CallEnd, Intent
from workbench.traces.template import Own, Summary, Template

MOST_WAITING: Final = 20_000
"""Writes that may wait; beyond, the newest are lost and counted."""
GATHER_S: Final = 0.001
"""Longest that an intent waits for those that come in the same moment; alone it does not wait."""
TOGETHER_S: Final = 0.005
"""How long an end waits for company."""
MANY: Final = 6
"""Writes of which the disk's part is worth a thread's turn."""
SLOW_S: Final = 0.005
"""Where writes take longer in the long run, they are a thread's work for a while."""
STALL_S: Final = 0.1
"""Where a single one does, too; a shorter one may be the processor's doing, which a thread makes no better."""
REMEMBERED: Final = 8
"""Writes that the long run goes back."""
PATIENCE_S: Final = 2.0
FOLD_S: Final = 1.0
BUSY_MS: Final = 5_000


@dataclass(slots=True)
class OpenTrace:
    """One request's trace while its calls are made."""

    template: Template
    own: Own
    begun: bool = False
    """Whether its row is stored."""
    kept: object = None
    """What the sink knows it by."""
    running: CallEnd | None = None
    """How its last call ended, where that is not stored yet."""

    @property
    def record(self) -> Record:
        """The trace as a record, not ended."""
        known, own = self.template.record, self.own
        head = replace(
            known.trace.head,
            trace_id=type(known.trace.head.trace_id)(own.trace_id), time_ms=own.time_ms, asked=own.asked, seed=own.seed,
        )  # fmt: skip
        return replace(known, trace=replace(known.trace, head=head))


@dataclass(slots=True)
class Begun:
    """A call is about to be made."""

    trace: OpenTrace
    intent: Intent
    before: CallEnd | None
    durable: Callable[[bool], None] | None = None
    """Told once whether it is; never raises."""


@dataclass(slots=True)
class Ended:
    """A trace has ended."""

    trace: OpenTrace
    result: Result
    steps: tuple[Step, ...]
    exchange: Exchange | None
    last: CallEnd | None
    summary: Summary

    @property
    def record(self) -> Record:
        """The trace as a record."""
        record = self.trace.record
        trace = record.trace
        if isinstance(trace, Trace):
            return replace(record, trace=replace(trace, result=self.result, steps=self.steps, exchange=self.exchange))
        quiet = tuple(step.quiet for step in self.steps)
        return replace(record, trace=replace(trace, result=self.result, steps=quiet))


Write = Begun | Ended
Failure = tuple[Write, WorkbenchError]


class Sink(Protocol):
    """Where writes go."""

    quick: bool
    """Whether the event loop may write itself."""

    def write(self, writes: Sequence[Write], *, wait_ms: int) -> None:
        """All of them, durable when this returns. Raises `Busy` where it may not wait, `WorkbenchError`."""
        ...

    def begin(self, writes: Sequence[Write]) -> None:
        """All of them, durable when `commit` returns. Raises `Busy` instead of waiting, `WorkbenchError`."""
        ...

    def commit(self) -> None:
        """Make durable what `begin` wrote; may be another thread's work. Raises `WorkbenchError`."""
        ...

    def tidy(self) -> None:
        """Do what has to be done now and then, in a thread; others may write meanwhile."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass
class GroupedWriter:
    """Belongs to one event loop. Without a sink everything is counted as lost."""

    sink: Sink | None
    lost: int = 0
    """Writes that did not succeed."""
    last_error: WorkbenchError | None = None
    clock: Callable[[], float] = time.monotonic
    _waiting: list[Write] = field(default_factory=list[Write])
    _timer: asyncio.Handle | None = None
    _urgent: bool = False
    _working: bool = False
    _slow_until: float = 0.0
    _pace: float = 0.0
    """What a write takes, in seconds, of late."""
    _tidied: float = 0.0
    _tidying: Future[None] | None = None
    _tidier: ThreadPoolExecutor | None = None
    _thread: ThreadPoolExecutor | None = None

    def begin(self, trace: OpenTrace, intent: Intent, before: CallEnd | None, durable: Callable[[bool], None]) -> None:
        """Store an intent; `durable` is told whether it is."""
        self._put(Begun(trace, intent, before, durable), asyncio.get_running_loop(), urgent=True)

    def end(self, write: Ended) -> None:
        """Store how a trace ended, soon."""
        self._put(write, asyncio.get_running_loop(), urgent=False)

    def _put(self, write: Write, loop: asyncio.AbstractEventLoop, *, urgent: bool) -> None:
        if self.sink is None or len(self._waiting) >= MOST_WAITING:
            reason = "there is no trace store" if self.sink is None else "too many traces wait to be written"
            self._lose([write], TraceError(reason))
            return
        self._waiting.append(write)
        if self._working or self._urgent:
            return
        if urgent:
            self._urgent = True
            loop.call_soon(self._gather, loop, 0, self.clock() + GATHER_S)
        elif self._timer is None:
            self._timer = loop.call_later(TOGETHER_S, self._flush)

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int, latest: float) -> None:
        """Write once a turn of the loop has brought no further company."""
        if before < len(self._waiting) > 1 and self.clock() < latest:
            loop.call_soon(self._gather, loop, len(self._waiting), latest)
        else:
            self._flush()

    def _flush(self) -> None:
        self._urgent = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._working or not self._waiting or self.sink is None:
            return
        writes, self._waiting = self._waiting, []
        now = self.clock()
        try:
            if not self.sink.quick or now < self._slow_until:
                raise Busy  # noqa: TRY301 - as if somebody else wrote
            self._here(self.sink, writes, now)
        except Busy:
            self._there(self.sink, writes)
        if now - self._tidied >= FOLD_S and (self._tidying is None or self._tidying.done()):
            self._tidied = now
            if self._tidier is None:
                self._tidier = ThreadPoolExecutor(1, "traces-tidy")  # nobody's intent waits behind it
            self._tidying = self._tidier.submit(self.sink.tidy)

    def _here(self, sink: Sink, writes: list[Write], began: float) -> None:
        """Write in the event loop; raises `Busy` where that would mean waiting.

        Of many writes the disk's part is the thread's: meanwhile the loop does what does not wait for them.
        """
        try:
            if len(writes) >= MANY:
                sink.begin(writes)
                self._hand_over(writes, lambda: _committed(sink, writes))
                return
            sink.write(writes, wait_ms=0)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for these has to be told, whatever it was
            if len(writes) > 1:
                self._there(sink, writes)  # one by one, so that none takes another with it
            else:
                self._lose(writes, _told(error))
            return
        now = self.clock()
        took = now - began
        self._pace += (min(took, STALL_S) - self._pace) / REMEMBERED
        if took > STALL_S or self._pace > SLOW_S:
            self._slow_until = now + PATIENCE_S
        _settle(writes, True)

    def _worker(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "traces")
        return self._thread

    def _there(self, sink: Sink, writes: list[Write]) -> None:
        """Write in the thread; what comes meanwhile waits for it."""
        self._hand_over(writes, lambda: _each(sink, writes))

    def _hand_over(self, writes: list[Write], work: Callable[[], list[Failure]]) -> None:
        loop = asyncio.get_running_loop()

        def there() -> None:
            try:
                failed = work()
            except Exception as error:  # noqa: BLE001 - as above
                failed = [(write, _told(error)) for write in writes]
            loop.call_soon_threadsafe(self._worked, writes, failed)

        self._worker().submit(there)
        self._working = True

    def _worked(self, writes: list[Write], failed: list[Failure]) -> None:
        self._working = False
        for write, error in failed:
            self._lose([write], error)
        if failed:
            lost = {id(write) for write, _ in failed}
            writes = [write for write in writes if id(write) not in lost]
        _settle(writes, True)
        self._flush()

    def _lose(self, writes: Sequence[Write], error: WorkbenchError) -> None:
        self.lost += len(writes)
        self.last_error = error
        _settle(writes, False)

    async def close(self) -> None:
        """Write what waits, and end."""
        while self._waiting or self._working:
            self._flush()
            await asyncio.sleep(0.001)
        for each in (self._thread, self._tidier):
            if each is not None:
                each.shutdown()
        if self.sink is not None:
            self.sink.close()


def _told(error: Exception) -> WorkbenchError:
    return (
        error if isinstance(error, WorkbenchError) else TraceError(f"traces were not written: {type(error).__name__}")
    )


def _committed(sink: Sink, writes: Sequence[Write]) -> list[Failure]:
    """Make durable what was begun; where that fails, all of it anew, one by one."""
    try:
        sink.commit()
    except Exception:  # noqa: BLE001 - what it was turns up again, where it is of one write alone
        return _each(sink, writes)
    return []


def _each(sink: Sink, writes: Sequence[Write]) -> list[Failure]:
    """Write together; where that fails one by one, so that none takes another with it."""
    try:
        sink.write(writes, wait_ms=BUSY_MS)
    except Busy:
        if len(writes) == 1:
            return [(writes[0], TraceError("another program writes all the while"))]
        return [failure for write in writes for failure in _each(sink, [write])]
    except Exception as error:  # noqa: BLE001 - as above
        if len(writes) == 1:
            return [(writes[0], _told(error))]
        return [failure for write in writes for failure in _each(sink, [write])]
    return []


def _settle(writes: Sequence[Write], durable: bool) -> None:
    for write in writes:
        if isinstance(write, Begun) and write.durable is not None:
            told, write.durable = write.durable, None
            told(durable)
