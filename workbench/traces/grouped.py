"""Writes the traces of many requests at once: what waits together becomes durable together.

Keeps the order of `recorder` (RELIABILITY R52): an intent is on the disk before its call's first byte leaves; an end
may wait a few milliseconds for company. Where the sink has a quicker place for intents than the store, they are durable
there, and stored soon. The event loop writes itself where the store is quick: a thread at work beside it costs both of
them more, because they take the interpreter from one another all the time. Where the store is slow or somebody else
writes, a thread does. A write that fails is counted and told to whoever waits for it, and goes no further.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from workbench.errors import TraceError, WorkbenchError
from workbench.traces.databases.bulk import Busy
from workbench.traces.databases.journal import Position
from workbench.traces.store import CallEnd, Intent
from workbench.traces.writes import Begun, Ended, OpenTrace, Sink, Write

MOST_WAITING: Final = 20_000
"""Writes that may wait; beyond, the newest are lost and counted."""
GATHER_S: Final = 0.001
"""Longest that an intent waits for those that come in the same moment; alone it does not wait."""
TOGETHER_S: Final = 0.03
"""How long what nobody waits for has to wait for company on its way into the store."""
MOST_HERE: Final = 1_000
"""Writes that the event loop does in one go; more would hold up everybody."""
WRITE_S: Final = 0.00005
"""What a write takes of the processor; the rest of the time is the disk's."""
SLOW_S: Final = 0.005
"""Where writes take longer in the long run, they are a thread's work for a while."""
STALL_S: Final = 0.1
"""Where a single one does, too; a shorter one may be the processor's doing, which a thread makes no better."""
REMEMBERED: Final = 8
"""Writes that the long run goes back."""
PATIENCE_S: Final = 2.0
FOLD_S: Final = 0.5
BUSY_MS: Final = 5_000
Failure = tuple[Write, WorkbenchError]


@dataclass
class GroupedWriter:
    """Belongs to one event loop. Without a sink everything is counted as lost."""

    sink: Sink | None
    lost: int = 0
    """Writes that did not succeed."""
    last_error: WorkbenchError | None = None
    heard: Callable[[int, WorkbenchError | None], None] | None = None
    """Hears, with how many are lost by now, that writes begin to fail and why; and, with None, that they succeed."""
    clock: Callable[[], float] = time.monotonic
    _waiting: list[Write] = field(default_factory=list[Write])
    _announced: int = 0
    """How many of those that wait are durable elsewhere, or need not be yet."""
    _until: Position | None = None
    """How far the last of them that were announced are."""
    _timer: asyncio.Handle | None = None
    _urgent: int = 0
    """How many intents wait for company."""
    _working: int = 0
    """How many the thread is writing."""
    _counted: int = 0
    """How many have ever been put."""
    _closing: bool = False
    _slow_until: float = 0.0
    """Where the disk is slow, or the store has failed, a thread stores, and is waited for."""
    _pace: float = 0.0
    """What a write takes, in seconds, of late."""
    _failing: bool = False
    """Whether it was said last that writes fail."""
    _failed_at: float = 0.0
    _tidied: float = 0.0
    _tidying: Future[None] | None = None
    _tidier: ThreadPoolExecutor | None = None
    _thread: ThreadPoolExecutor | None = None

    def begin(self, trace: OpenTrace, intent: Intent, before: CallEnd | None, durable: Callable[[bool], None]) -> None:
        """Store an intent; `durable` is told whether it is."""
        if not self._put(Begun(trace, intent, before, durable)):
            return
        self._urgent += 1
        if self._urgent == 1:
            self._loop.call_soon(self._gather, 0, self.clock() + GATHER_S)

    def end(self, write: Ended) -> None:
        """Store how a trace ended, soon."""
        if self._put(write):
            self._soon()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def _put(self, write: Write) -> bool:
        if self.sink is None or len(self._waiting) >= MOST_WAITING:
            reason = "there is no trace store" if self.sink is None else "too many traces wait to be written"
            self._lose([write], TraceError(reason))
            return False
        self._waiting.append(write)
        self._counted += 1
        return True

    def _soon(self) -> None:
        """Store what waits; while something is stored, that is looked at again when it has been."""
        if self._timer is None and not self._working:
            self._timer = self._loop.call_later(TOGETHER_S, self._due)

    def _due(self) -> None:
        self._announce()
        self._flush()

    def _gather(self, before: int, latest: float) -> None:
        """Go on once a turn of the loop has brought no further company."""
        if before < self._urgent > 1 and self.clock() < latest:
            self._loop.call_soon(self._gather, self._urgent, latest)
            return
        self._urgent = 0
        if self._announce():
            self._soon()
        else:
            self._flush()

    def _announce(self) -> bool:
        """Make what waits durable outside the store; false where it has to be stored for that."""
        sink, began = self.sink, self.clock()
        if sink is None or began < self._slow_until:
            return False
        new = self._waiting[self._announced :]
        intents = [write for write in new if isinstance(write, Begun)]
        if intents:
            until = _announced(sink, intents)
            if until is None:
                return False
            self._until = until
            self._took(self.clock() - began)
        self._announced = len(self._waiting)
        _settle(new, True)
        return True

    def _took(self, seconds: float) -> None:
        """The event loop has waited for the disk; where that is long, a thread does for a while."""
        self._pace += (min(seconds, STALL_S) - self._pace) / REMEMBERED
        if seconds > STALL_S or self._pace > SLOW_S:
            self._slow_until = self.clock() + PATIENCE_S

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._working or not self._waiting or self.sink is None:
            return
        writes, self._waiting = self._waiting, []
        until, self._until = self._until, None
        self._announced = 0
        now = self.clock()
        try:
            if not self.sink.quick or now < self._slow_until or len(writes) > MOST_HERE:
                raise Busy  # noqa: TRY301 - as if somebody else wrote
            self._here(self.sink, writes, until)
        except Busy:
            self._there(self.sink, writes, until)
        if now - self._tidied >= FOLD_S and (self._tidying is None or self._tidying.done()):
            self._tidied = now
            if self._tidier is None:
                self._tidier = ThreadPoolExecutor(1, "traces-tidy")  # nobody's intent waits behind it
            self._tidying = self._tidier.submit(self.sink.tidy)

    def _here(self, sink: Sink, writes: list[Write], until: Position | None) -> None:
        """Write in the event loop; raises `Busy` where that would mean waiting."""
        began = self.clock()
        try:
            sink.prepared(writes)(0)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for these has to be told, whatever it was
            if len(writes) > 1:
                self._there(sink, writes, until)  # one by one, so that none takes another with it
                return
            self._failed(sink, [(writes[0], _told(error))])
            self._slow_until = self.clock() + PATIENCE_S
        else:
            self._took(max(self.clock() - began - len(writes) * WRITE_S, 0.0))
            self._succeeded()
            _settle(writes, True)
        if until is not None:
            sink.stored(until)

    def _there(self, sink: Sink, writes: list[Write], until: Position | None = None) -> None:
        """Write in the thread; what comes meanwhile is announced, or waits for it."""
        try:
            store = sink.prepared(writes)  # here: in the thread it would stop the loop all the same, and more often
        except Exception:  # noqa: BLE001 - which of them it is, turns out there
            store = None

        def there() -> None:
            failed: list[Failure] | None = None
            try:
                failed = _each(sink, writes, store)
            except Busy:
                pass
            except Exception as error:  # noqa: BLE001 - as above
                failed = [(write, _told(error)) for write in writes]
            self._loop.call_soon_threadsafe(self._worked, sink, writes, until, failed)

        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "traces")
        self._thread.submit(there)
        self._working = len(writes)

    def _worked(self, sink: Sink, writes: list[Write], until: Position | None, failed: list[Failure] | None) -> None:
        self._working = 0
        if failed is None:
            self._put_back(sink, writes, until)
        else:
            self._failed(sink, failed)
            if failed:
                self._slow_until = self.clock() + PATIENCE_S
            else:
                self._succeeded()
            if until is not None:
                sink.stored(until)
            lost = {id(write) for write, _ in failed}
            _settle([write for write in writes if id(write) not in lost], True)
        if not self._announce():
            self._flush()
        elif self._waiting:
            self._soon()

    def _failed(self, sink: Sink, failed: Sequence[Failure]) -> None:
        for write, error in failed:
            if isinstance(write, Begun) and write.durable is None:
                sink.keep()
            self._lose([write], error)

    def _put_back(self, sink: Sink, writes: Sequence[Write], until: Position | None) -> None:
        """Somebody else writes all the while: what is durable elsewhere waits on, whoever's is not is told."""
        asking = [write for write in writes if isinstance(write, Begun) and write.durable is not None]
        announced = None if self._closing or not asking else _announced(sink, asking)
        told = {id(write) for write in asking} if announced is None else set[int]()
        back = [] if self._closing else [write for write in writes if id(write) not in told]
        error = TraceError("another program writes all the while")
        kept = {id(write) for write in back}
        self._failed(sink, [(write, error) for write in writes if id(write) not in kept])
        self._waiting[:0] = back
        self._announced += len(back)
        self._until = announced or self._until or until
        _settle(back, True)

    def _lose(self, writes: Sequence[Write], error: WorkbenchError) -> None:
        self.lost += len(writes)
        self.last_error = error
        self._failed_at = self.clock()
        if self.sink is not None and not self._failing and self.heard is not None:
            self._failing = True
            self.heard(self.lost, error)
        _settle(writes, False)

    def _succeeded(self) -> None:
        """Say so where it was said that writes fail, once none has failed for a while."""
        if self._failing and self.heard is not None and self.clock() - self._failed_at >= PATIENCE_S:
            self._failing = False
            self.heard(self.lost, None)

    async def stored(self) -> None:
        """Once everything that waits now is in the store, or lost; at the latest when others have kept it out long."""
        awaited, latest = self._counted, self.clock() + BUSY_MS / 1000
        while len(self._waiting) + self._working > self._counted - awaited and self.clock() < latest:
            self._flush()
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """Write what waits, and end; what comes now is lost."""
        self._closing = True
        while self._waiting or self._working:
            await self.stored()
        for each in (self._thread, self._tidier):
            if each is not None:
                each.shutdown()
        if self.sink is not None:
            self.sink.close()
            self.sink = None


def _announced(sink: Sink, intents: Sequence[Begun]) -> Position | None:
    try:
        return sink.announce(intents)
    except Exception:  # noqa: BLE001 - which of them it is, turns out where they are stored
        return None


def _told(error: Exception) -> WorkbenchError:
    return (
        error if isinstance(error, WorkbenchError) else TraceError(f"traces were not written: {type(error).__name__}")
    )


def _each(sink: Sink, writes: Sequence[Write], store: Callable[[int], None] | None = None) -> list[Failure]:
    """Write together; where that fails one by one, so that none takes another with it. Raises `Busy`."""
    try:
        (store or sink.prepared(writes))(BUSY_MS)
    except Busy:
        raise
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
