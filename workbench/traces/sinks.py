"""Where grouped writes go: rows in bulk into an SQLite file, or whole records into any other store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from workbench.traces.databases.bulk import Batch, BulkSqlite, Busy, CallDone, NewCall, NewTrace, TraceDone
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.grouped import Begun, Ended, OpenTrace, Sink, Write
from workbench.traces.store import CallEnd, TraceStore, searched

FOLDED: int = 4_000
"""Pages of the log that may stay unfolded under constant load."""


def sink_for(store: TraceStore) -> Sink:
    """The quickest way into a store."""
    database = store.database
    if isinstance(database, SqliteDatabase) and database.writable:
        return BulkSink(BulkSqlite(database))
    return RecordSink(store)


class RecordSink:
    """Whole records through the store's own methods; each is a transaction."""

    quick = False

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def write(self, writes: Sequence[Write], *, wait_ms: int) -> None:
        """One after the other."""
        del wait_ms
        for write in writes:
            if isinstance(write, Ended):
                self._store.finish(write.record, write.last)
            elif write.trace.begun:
                self._store.intend(write.trace.record, write.intent, write.before)
            else:
                self._store.begin(write.trace.record, write.intent)
                write.trace.begun = True

    def begin(self, writes: Sequence[Write]) -> None:
        """Each is a transaction of its own, so there is no beginning of several."""
        del writes
        raise Busy

    def commit(self) -> None:
        """Nothing was begun."""

    def tidy(self) -> None:
        """Nothing is to be done."""

    def close(self) -> None:
        """The store is somebody else's."""


class BulkSink:
    """Rows in bulk."""

    quick = True

    def __init__(self, bulk: BulkSqlite) -> None:
        self._bulk = bulk
        self._writes: Sequence[Write] = ()

    def write(self, writes: Sequence[Write], *, wait_ms: int) -> None:
        """All in one transaction."""
        self._bulk.write(_batch(writes), wait_ms=wait_ms)
        for write in writes:
            write.trace.begun = True

    def begin(self, writes: Sequence[Write]) -> None:
        """All in one transaction."""
        self._bulk.begin(_batch(writes), wait_ms=0)
        self._writes = writes

    def commit(self) -> None:
        """End it; traces that were begun in it count as begun from now on."""
        writes, self._writes = self._writes, ()
        self._bulk.commit()
        for write in writes:
            write.trace.begun = True

    def tidy(self) -> None:
        """Fold the log into the file."""
        if self._bulk.fold() > FOLDED:
            self._bulk.fold(all_of_it=True)

    def close(self) -> None:
        """End it."""
        self._bulk.fold()
        self._bulk.close()


def _batch(writes: Sequence[Write]) -> Batch:
    batch = Batch([], [], [], [])
    for write in writes:
        if isinstance(write, Ended):
            _end(write, batch)
        else:
            _begin(write, batch)
    return batch


def _opened(trace: OpenTrace, batch: Batch) -> NewTrace:
    """The trace's row; a new one goes into the batch."""
    if trace.begun:
        return cast("NewTrace", trace.kept)
    known = batch.opened.get(id(trace))
    if known is not None:
        return known
    template, own = trace.template, trace.own
    head = template.record.trace.head
    row = (own.trace_id, own.time_ms, str(head.tenant), int(template.no_log), int(head.emulated), template.winner)
    made = NewTrace(template.material, row, template.words(own, None), template.begun(own))
    trace.kept = batch.opened[id(trace)] = made
    batch.traces.append(made)
    return made


def _begin(write: Begun, batch: Batch) -> None:
    trace, intent = _opened(write.trace, batch), write.intent
    provider = str(write.trace.template.material.catalog.candidates[intent.index].get("provider_id"))
    batch.calls.append(NewCall(trace, (intent.number, intent.index, intent.attempt, provider, intent.time_ms)))
    if write.before is not None:
        batch.ended_calls.append(_call(trace, write.before))


def _call(trace: NewTrace, end: CallEnd) -> CallDone:
    return CallDone(trace, (end.time_ms, end.kind, end.http_status, end.latency_ms, end.number))


def _end(write: Ended, batch: Batch) -> None:
    template, own, summary = write.trace.template, write.trace.own, write.summary
    trace = _opened(write.trace, batch)
    if write.last is not None:
        batch.ended_calls.append(_call(trace, write.last))
    steps = [step.quiet for step in write.steps] if template.no_log else list(write.steps)
    data = template.ended(own, write.result, steps, write.exchange)
    place = template.place(summary.shown)
    row = (
        summary.outcome, template.offer(summary.shown), place["provider"], place["model"], place["region"],
        summary.attempts, summary.tokens_in, summary.tokens_out, summary.cost_usd, summary.latency_ms,
    )  # fmt: skip
    words = template.words(own, summary)
    if not template.no_log:
        words = searched(words, [step.message for step in write.steps], write.exchange)
    batch.ended.append(TraceDone(trace, row, words, data, int(template.no_log)))
