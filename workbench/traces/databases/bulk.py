"""Many traces in one transaction of an SQLite file, with one statement for each table.

Owns a connection of its own, used by one thread at a time, and another one to fold the log meanwhile. What it writes is
what `store` writes; contents that are stored already are not looked for again, until one of them turns out to be gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import TraceError
from workbench.traces.databases.base import failed
from workbench.traces.databases.places import writer
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.parts.catalogs import packed
from workbench.traces.record import Material

KINDS: Final = ("catalog", "policy", "sources", "state", "verdicts")
MOST_KNOWN: Final = 10_000
_FOLD_MS: Final = 50
"""Longest that folding the log waits for readers, while nobody can write."""


@dataclass(slots=True)
class NewTrace:
    """A trace to insert; `sequence` is filled in."""

    material: Material
    row: tuple[str, int, str, int, int, str | None]
    """Id, time, tenant, no_log, emulated, winner."""
    words: str
    data: bytes
    sequence: int = 0


@dataclass(slots=True)
class NewCall:
    """A call to insert: number, place, attempt, provider, began_ms."""

    trace: NewTrace
    row: tuple[int, int, int, str, int]


@dataclass(slots=True)
class CallDone:
    """How a call ended: ended_ms, kind, http_status, latency_ms; and its number."""

    trace: NewTrace
    row: tuple[int, str | None, int | None, float | None, int]


@dataclass(slots=True)
class TraceDone:
    """How a trace ended: outcome, provider, model, region, attempts, tokens in and out, cost, latency; words, data."""

    trace: NewTrace
    row: tuple[str, str | None, str | None, str | None, int, float | None, float | None, float | None, float | None]
    words: str
    data: bytes
    no_log: int


@dataclass(slots=True)
class Batch:
    """Rows that become durable together."""

    traces: list[NewTrace]
    calls: list[NewCall]
    ended_calls: list[CallDone]
    ended: list[TraceDone]

    def __len__(self) -> int:
        return len(self.traces) + len(self.calls) + len(self.ended_calls) + len(self.ended)


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
        self._stored: set[tuple[str, str]] = set()
        self._wait_ms = -1

    def write(self, batch: Batch, *, wait_ms: int) -> None:
        """All of a batch, durable when this returns."""
        self.begin(batch, wait_ms=wait_ms)
        self.commit()

    def begin(self, batch: Batch, *, wait_ms: int) -> None:
        """The rows of a batch, in a transaction that `commit` makes durable."""
        run = self._connection.execute
        try:
            if wait_ms != self._wait_ms:
                run(f"PRAGMA busy_timeout = {int(wait_ms)}")
                self._wait_ms = wait_ms
            run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise Busy from None
            raise failed(self._place, "written", error) from None
        try:
            self._rows(batch)
        except sqlite3.IntegrityError:
            run("ROLLBACK")
            self._stored.clear()  # what a prune took is stored again
            try:
                run("BEGIN IMMEDIATE")
                self._rows(batch)
            except sqlite3.Error as error:
                raise self._undone(error) from None
        except sqlite3.Error as error:
            raise self._undone(error) from None

    def commit(self) -> None:
        """Make durable what `begin` wrote."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._undone(error) from None

    def _undone(self, error: sqlite3.Error) -> TraceError:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        return failed(self._place, "written", error)

    def _rows(self, batch: Batch) -> None:
        many = self._connection.executemany
        if batch.traces:
            self._insert(batch.traces)
        if batch.calls:
            many(_CALL, [(each.trace.sequence, *each.row) for each in batch.calls])
        if batch.ended_calls:
            many(_CALL_DONE, [(*each.row[:4], each.trace.sequence, each.row[4]) for each in batch.ended_calls])
        if batch.ended:
            many(_DONE, [(*each.row, each.no_log, each.trace.sequence) for each in batch.ended])
            many(_RECORD_DONE, [(each.words, each.data, each.trace.sequence) for each in batch.ended])

    def _insert(self, traces: Sequence[NewTrace]) -> None:
        known = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'traces'").fetchone()
        sequence = int(known[0]) if known else 0
        program = writer()
        for trace in traces:
            sequence += 1
            trace.sequence = sequence
            self._keep(trace.material)
        many = self._connection.executemany
        many(_TRACE, [(trace.sequence, *trace.row, program) for trace in traces])
        many(_RECORD, [(trace.sequence, trace.words, trace.data) for trace in traces])
        many(_USES, [(trace.sequence, *_names(trace.material)) for trace in traces])

    def _keep(self, material: Material) -> None:
        for kind, name in zip(KINDS, _names(material), strict=True):
            if (kind, name) in self._stored:
                continue
            if len(self._stored) >= MOST_KNOWN:
                self._stored.clear()
            known = self._connection.execute(_KNOWN, (kind, name)).fetchone()
            if known is None:
                size, data = _content(material, kind)
                self._connection.execute(_KEEP, (kind, name, size, data))
            self._stored.add((kind, name))

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


def _names(material: Material) -> tuple[str, ...]:
    digests = material.digests
    return tuple(str(digests["population" if kind == "catalog" else kind]) for kind in KINDS)


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


_TRACE: Final = """INSERT INTO traces
    (sequence, trace_id, time_ms, tenant, no_log, emulated, winner, writer, attempts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"""
_RECORD: Final = "INSERT INTO records (sequence, words, data) VALUES (?, ?, ?)"
_USES: Final = """INSERT INTO uses (sequence, kind, sha256) VALUES
    (?1, 'catalog', ?2), (?1, 'policy', ?3), (?1, 'sources', ?4), (?1, 'state', ?5), (?1, 'verdicts', ?6)"""
_CALL: Final = "INSERT INTO calls (sequence, number, place, attempt, provider, began_ms) VALUES (?, ?, ?, ?, ?, ?)"
_CALL_DONE: Final = """UPDATE calls SET ended_ms = ?, kind = ?, http_status = ?, latency_ms = ?
    WHERE sequence = ? AND number = ?"""
_DONE: Final = """UPDATE traces SET outcome = ?, provider = ?, model = ?, region = ?, attempts = ?, tokens_in = ?,
    tokens_out = ?, cost_usd = ?, latency_ms = ?, no_log = ? WHERE sequence = ?"""
_RECORD_DONE: Final = "UPDATE records SET words = ?, data = ? WHERE sequence = ?"
_KNOWN: Final = "SELECT 1 FROM contents WHERE kind = ? AND sha256 = ?"
_KEEP: Final = "INSERT OR IGNORE INTO contents (kind, sha256, size, data) VALUES (?, ?, ?, ?)"
