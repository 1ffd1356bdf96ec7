"""What whoever makes calls is handed: it writes a trace around the calls, and never fails them.

A write that does not succeed is counted and its error kept for a banner (RELIABILITY E9). Knows no clock: times are
given, in milliseconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.engine.fallback import Finished
from workbench.errors import WorkbenchError
from workbench.traces.parts.words import kind_of
from workbench.traces.record import Exchange, Record, Usage, finish, settle
from workbench.traces.store import CallEnd, Intent, TraceStore

MOST_TEXT: Final = 8 * 1024 * 1024
"""Bytes of a call's text that are kept; of a longer one only its size."""
MOST_DEPTH: Final = 80


@dataclass
class Recorder:
    """Writes to one store; `None` counts everything as lost, so that nobody has to ask whether there is one."""

    store: TraceStore | None
    lost: int = 0
    """Writes that did not succeed since this was made."""
    last_error: WorkbenchError | None = None
    """Why the last of them did not."""

    def start(self, record: Record) -> Recording:
        """The recording of one request. Nothing is written until its first call, or its end."""
        return Recording(self, record)

    def decided(self, record: Record) -> Record:
        """Store a decision that no call follows; gives the record with its sequence number, if it got one."""
        ended = settle(record)
        self.attempt(lambda store: store.finish(ended))
        return ended

    def attempt(self, write: Callable[[TraceStore], object]) -> bool:
        """Do one write; a failure is counted and goes no further."""
        try:
            if self.store is None:
                raise WorkbenchError("there is no trace store")  # noqa: TRY301 - counted like any other failure
            write(self.store)
        except WorkbenchError as error:
            self.lost += 1
            self.last_error = error
            return False
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            self.lost += 1
            self.last_error = WorkbenchError(f"a trace was not written: {type(error).__name__}")
            return False
        return True


@dataclass
class Recording:
    """One request's trace while its calls are made."""

    recorder: Recorder
    record: Record
    calls: int = 0
    _begun: bool = False
    _open: CallEnd | None = field(default=None, repr=False)
    """How the last call ended, where that is not stored yet: it goes with the next write."""
    _running: int = 0

    def before(self, index: int, attempt: int, time_ms: int) -> bool:
        """Call this, and wait for it, before a call's first byte leaves. False where it could not be written.

        `index` is the candidate's place in the catalog, `attempt` which try of it, from 1.
        """
        self.calls += 1
        self._running = self.calls
        intent = Intent(self.calls, index, attempt, time_ms)
        ended, self._open = self._open, None
        if self._begun:
            return self.recorder.attempt(lambda store: store.intend(self.record, intent, ended))
        self._begun = self.recorder.attempt(lambda store: store.begin(self.record, intent))
        return self._begun

    def after(self, kind: str | None, http_status: int | None, latency_ms: float, time_ms: int) -> None:
        """How the call went; `kind` None for success. It is durable with the next intent, or the trace's end."""
        self._open = CallEnd(self._running, time_ms, kind_of(kind), http_status, float(latency_ms))

    def end(
        self,
        finished: Finished,
        *,
        usage: Usage | None = None,
        exchange: Exchange | None = None,
        total_latency_ms: float | None = None,
        no_log: bool = False,
    ) -> Record:
        """Store how the request ended. `exchange` is dropped for a quiet trace before anything is made of it."""
        quiet = no_log or self.record.trace.no_log
        said = None if quiet or exchange is None else bounded(exchange)
        self.record = finish(
            self.record, finished, usage=usage, exchange=said, total_latency_ms=total_latency_ms, no_log=no_log
        )
        self.recorder.attempt(lambda store: store.finish(self.record, self._open))
        return self.record


def bounded(exchange: Exchange) -> Exchange:
    """The text as the store can hold it: JSON, not too deep, not too long."""
    return Exchange(_kept(exchange.request), _kept(exchange.response))


def _kept(value: Any) -> Any:
    clean = _clean(value, MOST_DEPTH)
    size = len(strict_json.canonical(clean))
    return clean if size <= MOST_TEXT else {"left_out": f"{size} bytes"}


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth == 0:
        return "(nested too deep)"
    if isinstance(value, dict):
        held = cast("dict[object, object]", value)
        return {_clean(str(name), 0): _clean(inner, depth - 1) for name, inner in held.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner, depth - 1) for inner in cast("list[object]", value)]
    return f"({type(value).__name__})"
