"""Where grouped writes go: rows in bulk into an SQLite file, or whole records into any other store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from workbench.boundary import strict_json
from workbench.traces.databases.bulk import NOT_ENDED, Batch, BulkSqlite, Call, TraceRows
from workbench.traces.databases.journal import Journal, Position, open_journal
from workbench.traces.databases.places import writer
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.store import CallEnd, TraceStore, searched
from workbench.traces.wire import written
from workbench.traces.writes import Begun, Ended, OpenTrace, Sink, Write


def sink_for(store: TraceStore) -> Sink:
    """The quickest way into a store."""
    database = store.database
    if isinstance(database, SqliteDatabase) and database.writable:
        return BulkSink(BulkSqlite(database), open_journal(database.path, writer()))
    return RecordSink(store)


class RecordSink:
    """Whole records through the store's own methods; each is a transaction."""

    quick = False

    def __init__(self, store: TraceStore) -> None:
        self._store = store

    def prepared(self, writes: Sequence[Write]) -> Callable[[int], None]:
        """One after the other."""
        return lambda _wait_ms: self._write(writes)

    def _write(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if isinstance(write, Ended):
                self._store.finish(write.record, write.last)
            elif write.trace.begun:
                self._store.intend(write.trace.record, write.intent, write.before)
            else:
                self._store.begin(write.trace.record, write.intent)
                write.trace.begun = True

    def announce(self, writes: Sequence[Begun]) -> Position | None:
        """There is no quicker way than to store them."""
        del writes

    def stored(self, until: Position) -> None:
        """Nothing was announced."""

    def keep(self) -> None:
        """As above."""

    def tidy(self) -> None:
        """Nothing is to be done."""

    def close(self) -> None:
        """The store is somebody else's."""


class BulkSink:
    """Rows in bulk, and where there is a journal intents into it first."""

    quick = True

    def __init__(self, bulk: BulkSqlite, journal: Journal | None = None) -> None:
        self._bulk = bulk
        self.journal = journal
        self._broken = False
        self._kept = False

    def announce(self, writes: Sequence[Begun]) -> Position | None:
        """Intents into the journal; None where it has no room, or one's contents are not stored yet."""
        if self.journal is None or self._broken:
            return None
        entries: list[bytes] = []
        for write in writes:
            if not self._bulk.knows(write.trace.template.material):
                return None
            entries.append(_announced(write))
        try:
            return self.journal.append(entries)
        except OSError:
            self._broken = True  # what a disk has dropped once, it may say it has kept the next time
            return None

    def stored(self, until: Position) -> None:
        """The journal need not keep them; unless it has to keep one before them."""
        if self.journal is None or self._kept:
            return
        try:
            self.journal.stored(until)
        except OSError:
            self._broken = True  # what it holds is looked for in the store after a kill, and found

    def keep(self) -> None:
        """Leave the journal to whoever opens the store next: something in it was not stored."""
        self._kept = True

    def prepared(self, writes: Sequence[Write]) -> Callable[[int], None]:
        """All in one transaction."""
        batch = _batch(writes)

        def store(wait_ms: int) -> None:
            self._bulk.write(batch, wait_ms=wait_ms)
            for write in writes:
                write.trace.begun = True

        return store

    def tidy(self) -> None:
        """Fold the log into the file."""
        self._bulk.fold()

    def close(self) -> None:
        """End it."""
        self._bulk.fold()
        self._bulk.close()
        if self.journal is not None:
            self.journal.close(keep=self._kept)


def _batch(writes: Sequence[Write]) -> Batch:
    batch = Batch()
    for write in writes:
        if isinstance(write, Ended):
            _end(write, batch)
        else:
            _begin(write, batch)
    for write in writes:
        rows = cast("TraceRows", write.trace.kept)
        if not rows.data:
            trace = write.trace
            rows.words, rows.data = trace.template.words(trace.own, None), trace.template.begun(trace.head)
    return batch


def _rows(trace: OpenTrace, batch: Batch) -> TraceRows:
    """The trace's rows; those of a new one go into the batch."""
    if trace.begun:
        return cast("TraceRows", trace.kept)
    known = batch.opened.get(id(trace))
    if known is not None:
        return known
    template, own = trace.template, trace.own
    head = template.record.trace.head
    row = (own.trace_id, own.time_ms, str(head.tenant), int(template.no_log), int(head.emulated), template.winner)
    trace.kept = batch.opened[id(trace)] = made = TraceRows(template.material, row)
    return made


def _begin(write: Begun, batch: Batch) -> None:
    rows, call = _rows(write.trace, batch), _call(write)
    rows.calls[call[0]] = call
    batch.calls[id(rows), call[0]] = rows, call[0], NOT_ENDED
    if write.before is not None:
        _call_ended(rows, write.before, batch)


def _call_ended(rows: TraceRows, end: CallEnd, batch: Batch) -> None:
    if end.number in rows.calls:
        ended = (end.time_ms, end.kind, end.http_status, end.latency_ms)
        batch.calls[id(rows), end.number] = rows, end.number, ended


def _end(write: Ended, batch: Batch) -> None:
    trace, summary = write.trace, write.summary
    template, rows = trace.template, _rows(trace, batch)
    rows.row = (*rows.row[:3], int(template.no_log), *rows.row[4:])  # it may have become quiet since
    if write.last is not None:
        _call_ended(rows, write.last, batch)
    steps = [step.quiet for step in write.steps] if template.no_log else list(write.steps)
    place = template.place(summary.shown)
    rows.state = (
        summary.outcome, template.offer(summary.shown), place["provider"], place["model"], place["region"],
        summary.attempts, summary.tokens_in, summary.tokens_out, summary.cost_usd, summary.latency_ms,
    )  # fmt: skip
    rows.data = template.ended(trace.head, write.result, steps, write.exchange)
    rows.words = template.words(trace.own, summary)
    if not template.no_log:
        rows.words = searched(rows.words, [step.message for step in write.steps], write.exchange)
    if trace.begun:
        batch.ended.append(rows)


def _call(write: Begun) -> Call:
    intent = write.intent
    provider = str(write.trace.template.material.catalog.candidates[intent.index].get("provider_id"))
    return intent.number, intent.index, intent.attempt, provider, intent.time_ms


def _announced(write: Begun) -> bytes:
    number, index, attempt, provider, time_ms = _call(write)
    call = b"%d,%d,%d,%s,%d" % (number, index, attempt, written(provider).encode(), time_ms)
    before = write.before
    ended = (
        None if before is None
        else [before.number, before.time_ms, before.kind, before.http_status, before.latency_ms]
    )  # fmt: skip
    template, head = write.trace.template, write.trace.head
    return template.announced(head, call, b"null" if ended is None else strict_json.canonical(ended))
