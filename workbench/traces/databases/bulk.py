"""Many traces in one transaction of an SQLite file, with one statement for each table.

Owns a connection of its own, used by one thread at a time, and another one to fold the log meanwhile. What it writes is
what `store` writes; contents that are stored already are not looked for again, until one of them turns out to be gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from workbench.traces.databases.base import SET, failed
from workbench.traces.databases.places import writer
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.parts.catalogs import packed
from workbench.traces.record import KINDS, Material

MOST_KNOWN: Final = 10_000
MOST_ROWS: Final = 32
"""Rows of one statement: a step of its own for each would give other threads a turn in between."""
_FOLD_MS: Final = 50
"""Longest that folding the log waits for readers, while nobody can write."""


@dataclass(slots=True)
class TraceDone:
    """How a trace ended: outcome, offer, provider, model, region, attempts, tokens in and out, cost, latency."""

    row: tuple[
        str, str | None, str | None, str | None, str | None, int, float | None, float | None, float | None, float | None
    ]
    no_log: int
    words: str
    data: bytes


@dataclass(slots=True)
class NewTrace:
    """A trace to insert; `sequence` is filled in."""

    material: Material
    row: tuple[str, int, str, int, int, str | None]
    """Id, time, tenant, no_log, emulated, winner."""
    begun: Callable[[], tuple[str, bytes]]
    """Words and data while it has not ended."""
    done: TraceDone | None = None
    """How it ended, where that is known when it is inserted."""
    sequence: int = 0


CallEnded = tuple[int | None, str | None, int | None, float | None]
"""ended_ms, kind, http_status, latency_ms."""


@dataclass(slots=True)
class NewCall:
    """A call to insert: number, place, attempt, provider, began_ms; and how it ended, where that is known then."""

    trace: NewTrace
    row: tuple[int, int, int, str, int]
    ended: CallEnded = (None, None, None, None)


@dataclass(slots=True)
class Batch:
    """Rows that become durable together: what begins and ends in one batch is inserted as it ended."""

    opened: dict[int, NewTrace] = field(default_factory=dict[int, NewTrace])
    """The traces to insert, by whose they are."""
    calls: dict[tuple[int, int], NewCall] = field(default_factory=dict[tuple[int, int], NewCall])
    """The calls to insert, by whose they are and their number."""
    ended_calls: list[tuple[NewTrace, int, CallEnded]] = field(default_factory=list[tuple[NewTrace, int, CallEnded]])
    """The calls of traces that are stored, by their number."""
    ended: list[tuple[NewTrace, TraceDone]] = field(default_factory=list[tuple[NewTrace, TraceDone]])
    """The traces that are stored."""


class Busy(Exception):
    """Somebody else writes; nothing was done."""


class BulkSqlite:
    """Writes batches. Raises `TraceError`, or `Busy` at once where it was told not to wait."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._place = database.place
        self._connection = database.another()
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._folder = database.another()
        self._folder.execute(f"PRAGMA busy_timeout = {_FOLD_MS}")
        self._sets: dict[int, tuple[Material, int]] = {}
        """The number of each set of contents that is stored, by who names it; the material keeps its identity."""
        self._fresh: dict[int, tuple[Material, int]] = {}
        """Those that are stored once the transaction has ended."""
        self._wait_ms = -1

    def write(self, batch: Batch, *, wait_ms: int) -> None:
        """All of a batch, durable when this returns."""
        self._begin(batch, wait_ms)
        self._commit()

    def _begin(self, batch: Batch, wait_ms: int) -> None:
        run = self._connection.execute
        try:
            if wait_ms != self._wait_ms:
                run(f"PRAGMA busy_timeout = {int(wait_ms)}")
                self._wait_ms = wait_ms
            run("BEGIN IMMEDIATE")
            self._rows(batch)
        except sqlite3.IntegrityError:
            self._again(batch)
        except sqlite3.Error as error:
            raise self._undone(error) from None

    def _again(self, batch: Batch) -> None:
        """The same once more: what a prune took is stored again."""
        try:
            self._connection.execute("ROLLBACK")
            self._forget()
            self._connection.execute("BEGIN IMMEDIATE")
            self._rows(batch)
        except sqlite3.Error as error:
            raise self._undone(error) from None

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._undone(error) from None
        if self._fresh:
            if len(self._sets) >= MOST_KNOWN:
                self._sets.clear()
            self._sets.update(self._fresh)
            self._fresh.clear()

    def knows(self, material: Material) -> bool:
        """Whether these contents are stored, as far as anybody here knows."""
        return id(material) in self._sets

    def _undone(self, error: sqlite3.Error) -> Exception:
        """What is to be raised for an error; nothing of the batch is left, nor of what was known of its contents."""
        self._forget()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as worse:
            error = worse
        busy = isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in ("locked", "busy"))
        return Busy() if busy else failed(self._place, "written", error)

    def _rows(self, batch: Batch) -> None:
        many = self._connection.executemany
        if batch.opened:
            self._insert(batch.opened.values())
        if batch.calls:
            calls = batch.calls.values()
            self._many(_CALL, 10, [value for each in calls for value in (each.trace.sequence, *each.row, *each.ended)])
        if batch.ended_calls:
            many(_CALL_DONE, [(*ended, trace.sequence, number) for trace, number, ended in batch.ended_calls])
        if batch.ended:
            many(_DONE, [(*done.row, done.no_log, trace.sequence) for trace, done in batch.ended])
            many(_RECORD_DONE, [(done.words, done.data, trace.sequence) for trace, done in batch.ended])

    def _insert(self, traces: Iterable[NewTrace]) -> None:
        known = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'traces'").fetchone()
        sequence = int(known[0]) if known else 0
        program = writer()
        rows: list[object] = []
        records: list[object] = []
        for trace in traces:
            sequence += 1
            trace.sequence = sequence
            done = trace.done
            rows += (sequence, *trace.row, program, self._set(trace.material))
            if done is None:
                rows += _NOT_ENDED
                records += (sequence, *trace.begun())
            else:
                rows += done.row
                records += (sequence, done.words, done.data)
        self._many(_TRACE, 19, rows)
        self._many(_RECORD, 3, records)

    def _many(self, statement: str, width: int, values: list[object]) -> None:
        """All rows, 32 at a time, the rest by powers of two: so few texts that each is prepared once."""
        run = self._connection.execute
        start, left = 0, len(values) // width
        while left:
            rows = min(MOST_ROWS, 1 << (left.bit_length() - 1))
            end = start + rows * width
            run(_text(statement, width, rows), values[start:end])
            start, left = end, left - rows

    def _forget(self) -> None:
        self._sets.clear()
        self._fresh.clear()

    def _set(self, material: Material) -> int:
        known = self._sets.get(id(material)) or self._fresh.get(id(material))
        if known is not None:
            return known[1]
        run, names = self._connection.execute, material.names
        row = run(SET, names).fetchone()
        if row is None:
            for kind, name in names.items():
                if run(_KNOWN, (kind, name)).fetchone() is None:
                    size, data = _content(material, kind)
                    run(_KEEP, (kind, name, size, data))
            row = run(_KEEP_SET, names).fetchone()
        self._fresh[id(material)] = material, int(row[0])
        return int(row[0])

    def fold(self, *, all_of_it: bool = False) -> int:
        """Fold the log into the file without holding up writers; gives the pages that are left in it."""
        mode = "RESTART" if all_of_it else "PASSIVE"
        try:
            row = self._folder.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error:
            return 0
        return max(int(row[1]) - int(row[2]), 0) if not all_of_it else 0

    def close(self) -> None:
        """End it."""
        self._folder.close()
        self._connection.close()


@cache
def _text(statement: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return statement + ", ".join([row] * rows)


def _content(material: Material, kind: str) -> tuple[int, bytes]:
    if kind == "catalog":
        return len(material.catalog.content), material.catalog.blob
    found = {
        "policy": lambda: material.policy_content,
        "sources": lambda: material.sources.content,
        "state": lambda: material.state_content,
        "verdicts": lambda: material.verdicts.content,
    }[kind]()
    return len(found), packed(found)


_TRACE: Final = """INSERT INTO traces (sequence, trace_id, time_ms, tenant, no_log, emulated, winner, writer, contents,
    outcome, offer, provider, model, region, attempts, tokens_in, tokens_out, cost_usd, latency_ms) VALUES """
_NOT_ENDED: Final = (None, None, None, None, None, 0, None, None, None, None)
_RECORD: Final = "INSERT INTO records (sequence, words, data) VALUES "
_CALL: Final = """INSERT INTO calls (sequence, number, place, attempt, provider, began_ms,
    ended_ms, kind, http_status, latency_ms) VALUES """
_CALL_DONE: Final = """UPDATE calls SET ended_ms = ?, kind = ?, http_status = ?, latency_ms = ?
    WHERE sequence = ? AND number = ?"""
_DONE: Final = """UPDATE traces SET outcome = ?, offer = ?, provider = ?, model = ?, region = ?, attempts = ?,
    tokens_in = ?, tokens_out = ?, cost_usd = ?, latency_ms = ?, no_log = ? WHERE sequence = ?"""
_RECORD_DONE: Final = "UPDATE records SET words = ?, data = ? WHERE sequence = ?"
_KNOWN: Final = "SELECT 1 FROM contents WHERE kind = ? AND sha256 = ?"
_KEEP_SET: Final = f"""INSERT INTO sets ({", ".join(KINDS)}) VALUES ({", ".join(f":{kind}" for kind in KINDS)})
    RETURNING id"""  # noqa: S608 - fixed words
_KEEP: Final = "INSERT OR IGNORE INTO contents (kind, sha256, size, data) VALUES (?, ?, ?, ?)"
