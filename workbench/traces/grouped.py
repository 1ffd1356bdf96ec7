"""Writes the traces of many requests at once: what waits together becomes durable together, in a thread of its own.

Keeps the order of `recorder` (RELIABILITY R52): an intent is on the disk before its call's first byte leaves. A write
that fails is counted, told to whoever waits for it, and goes no further.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from workbench.errors import TraceError, WorkbenchError
from workbench.traces.record import Record
from workbench.traces.store import CallEnd, Intent, TraceStore

MOST_WAITING: Final = 20_000
"""Writes that may wait; beyond, the newest are lost and counted."""
Told = Callable[[bool], None]
"""Hears, in the writer's thread, whether a write is durable."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An intent, and the trace it belongs to where this is its first."""

    record: Record
    intent: Intent
    before: CallEnd | None
    first: bool
    told: Told


@dataclass(frozen=True, slots=True)
class Ended:
    """How a trace ended."""

    record: Record
    last: CallEnd | None


class GroupedWriter:
    """One thread that writes to one store; `None` counts everything as lost."""

    def __init__(self, store: TraceStore | None) -> None:
        self.lost = 0
        """Writes that did not succeed."""
        self.last_error: WorkbenchError | None = None
        self._store = store
        self._waiting: queue.SimpleQueue[Begun | Ended | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, write: Begun | Ended) -> None:
        """Take a write; the order of one trace's writes is kept."""
        if self._store is None or self._waiting.qsize() >= MOST_WAITING:
            self._lose(write, TraceError("there is no trace store" if self._store is None else "too many traces wait"))
            return
        self._waiting.put(write)

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (write := self._waiting.get()) is not None:
            try:
                self._write(write)
            except WorkbenchError as error:
                self._lose(write, error)
            except (OSError, ValueError, RecursionError, MemoryError) as error:
                self._lose(write, WorkbenchError(f"a trace was not written: {type(error).__name__}"))
            else:
                if isinstance(write, Begun):
                    write.told(True)

    def _write(self, write: Begun | Ended) -> None:
        assert self._store is not None  # noqa: S101 - see `put`
        if isinstance(write, Ended):
            self._store.finish(write.record, write.last)
        elif write.first:
            self._store.begin(write.record, write.intent)
        else:
            self._store.intend(write.record, write.intent, write.before)

    def _lose(self, write: Begun | Ended, error: WorkbenchError) -> None:
        self.lost += 1
        self.last_error = error
        if isinstance(write, Begun):
            write.told(False)
