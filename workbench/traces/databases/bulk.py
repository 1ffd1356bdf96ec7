"""Many traces in one transaction of an SQLite file, with one statement for each table.

Owns a connection of its own, used by one thread at a time, and another one to fold the log meanwhile. What it writes is
what `store` writes; contents that are stored already are not looked for again, until one of them turns out to be gone.
"""

from __future__ import annotations

import json
import sqlite3
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
"""Rows of one statement; what each statement costs is shared by them."""
MOST_LOG: Final = 4_000
"""Pages of the log, from which on it is begun anew."""
_FOLD_MS: Final = 50
"""Longest that folding the log waits for readers, while nobody can write."""


Call = tuple[int, int, int, str, int]
"""number, place, attempt, provider, began_ms."""
CallEnded = tuple[int | None, str | None, int | None, float | None]
"""ended_ms, kind, http_status, latency_ms."""
State = tuple[
    str | None, str | None, str | None, str | None, str | None,
    int, float | None, float | None, float | None, float | None,
]  # fmt: skip
"""How a trace is: outcome, offer, provider, model, region, attempts, tokens in and out, cost, latency."""
BEGUN: Final[State] = (None, None, None, None, None, 0, None, None, None, None)
NOT_ENDED: Final[CallEnded] = (None, None, None, None)


@dataclass(slots=True)
class TraceRows:
    """What a trace is in the store, or shall be; `sequence` is filled in when it is inserted."""

    material: Material
    row: tuple[str, int, str, int, int, str | None]
    """Id, time, tenant, no_log, emulated, winner."""
    state: State = BEGUN
    words: str = ""
    data: bytes = b""
    calls: dict[int, Call] = field(default_factory=dict[int, Call])
    """By their number."""
    sequence: int = 0


@dataclass(slots=True)
class Batch:
    """Rows that become durable together: what begins and ends in one batch is written once."""

    opened: dict[int, TraceRows] = field(default_factory=dict[int, TraceRows])
    """The traces that are not stored yet, by whose they are."""
    ended: list[TraceRows] = field(default_factory=list[TraceRows])
    """Stored ones whose state is another now."""
    calls: dict[tuple[int, int], tuple[TraceRows, int, CallEnded]] = field(
        default_factory=dict[tuple[int, int], tuple[TraceRows, int, CallEnded]]
    )
    """The calls that are new or are over: of which trace, which, and how it ended."""


class Busy(Exception):
    """Somebody else writes; nothing was done."""


class BulkSqlite:
    """Writes batches. Raises `TraceError`, or `Busy` at once where it was told not to wait."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._place = database.place
        self._connection = database.another()
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._connection.execute("PRAGMA temp_store = MEMORY")
        self._folder = database.another()
        self._folder.execute(f"PRAGMA busy_timeout = {_FOLD_MS}")
        self._sets: dict[tuple[str, ...], int] = {}
        """The number of each set of contents that is stored, by their names: none of the contents stays for it."""
        self._fresh: dict[tuple[str, ...], int] = {}
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
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else may be kept from writing
            raise self._undone(error) from None

    def _again(self, batch: Batch) -> None:
        """The same once more: what a prune took is stored again."""
        try:
            self._connection.execute("ROLLBACK")
            self._sets.clear()
            self._fresh.clear()
            self._connection.execute("BEGIN IMMEDIATE")
            self._rows(batch)
        except Exception as error:  # noqa: BLE001 - as above
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
        return material.key in self._sets

    def _undone(self, error: Exception) -> Exception:
        """What is to be raised for an error; nothing of the batch is left."""
        self._fresh.clear()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as worse:
            error = worse
        busy = isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in ("locked", "busy"))
        return Busy() if busy else failed(self._place, "written", error)

    def _rows(self, batch: Batch) -> None:
        run, program = self._connection.execute, writer()
        if batch.opened:
            known = run("SELECT seq FROM sqlite_sequence WHERE name = 'traces'").fetchone()
            for sequence, trace in enumerate(batch.opened.values(), int(known[0]) + 1 if known else 1):
                trace.sequence = sequence
        there = self._there(batch)
        rows: list[object] = []
        records: list[object] = []
        for trace in (*batch.opened.values(), *batch.ended):
            sequence = trace.sequence
            if sequence in there:
                rows += (sequence, *trace.row, program, self._set(trace.material), *trace.state)
                records += (sequence, trace.words, trace.data)
        self._many(_TRACE, 19, rows)
        self._many(_RECORD, 3, records)
        calls: list[object] = []
        for trace, number, ended in batch.calls.values():
            if trace.sequence in there:
                calls += (trace.sequence, *trace.calls[number], *ended)
        self._many(_CALL, 10, calls)

    def _there(self, batch: Batch) -> set[int]:
        """The new traces, and those of the others that nobody has pruned meanwhile."""
        there = {trace.sequence for trace in batch.opened.values()}
        stored = {trace.sequence for trace in batch.ended} | {trace.sequence for trace, _, _ in batch.calls.values()}
        stored -= there
        if stored:
            rows = self._connection.execute(_THERE, (json.dumps(sorted(stored)),))
            there.update(int(row[0]) for row in rows)
        return there

    def _many(self, statement: tuple[str, str], width: int, values: list[object]) -> None:
        """All rows, 32 at a time, the rest by powers of two: so few texts that each is prepared once."""
        run = self._connection.execute
        start, left = 0, len(values) // width
        while left:
            rows = min(MOST_ROWS, 1 << (left.bit_length() - 1))
            end = start + rows * width
            run(_text(statement, width, rows), values[start:end])
            start, left = end, left - rows

    def _set(self, material: Material) -> int:
        key = material.key
        known = self._sets.get(key) or self._fresh.get(key)
        if known is not None:
            return known
        run, names = self._connection.execute, material.names
        row = run(SET, names).fetchone()
        if row is None:
            for kind, name in names.items():
                if run(_KNOWN, (kind, name)).fetchone() is None:
                    size, data = _content(material, kind)
                    run(_KEEP, (kind, name, size, data))
            row = run(_KEEP_SET, names).fetchone()
        self._fresh[key] = int(row[0])
        return int(row[0])

    def fold(self) -> None:
        """Fold the log into the file without holding up writers; where it is long, hold them up and begin it anew.

        While others write, a log is never folded to its end by itself, and only one that is can begin anew.
        """
        try:
            _, pages, _ = self._folder.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > MOST_LOG:
                self._folder.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.Error:
            pass  # the next time, or whoever closes the store

    def close(self) -> None:
        """End it."""
        self._folder.close()
        self._connection.close()


@cache
def _text(statement: tuple[str, str], width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{statement[0]}{', '.join([row] * rows)}{statement[1]}"


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


_TRACE: Final = (
    """INSERT INTO traces (sequence, trace_id, time_ms, tenant, no_log, emulated, winner, writer, contents,
    outcome, offer, provider, model, region, attempts, tokens_in, tokens_out, cost_usd, latency_ms) VALUES """,
    """ ON CONFLICT (sequence) DO UPDATE SET no_log = excluded.no_log, outcome = excluded.outcome,
    offer = excluded.offer, provider = excluded.provider, model = excluded.model, region = excluded.region,
    attempts = excluded.attempts, tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out,
    cost_usd = excluded.cost_usd, latency_ms = excluded.latency_ms""",
)
_RECORD: Final = (
    "INSERT INTO records (sequence, words, data) VALUES ",
    " ON CONFLICT (sequence) DO UPDATE SET words = excluded.words, data = excluded.data",
)
_CALL: Final = (
    """INSERT INTO calls (sequence, number, place, attempt, provider, began_ms,
    ended_ms, kind, http_status, latency_ms) VALUES """,
    """ ON CONFLICT (sequence, number) DO UPDATE SET ended_ms = excluded.ended_ms, kind = excluded.kind,
    http_status = excluded.http_status, latency_ms = excluded.latency_ms""",
)
_THERE: Final = "SELECT t.sequence FROM json_each(?) j JOIN traces t ON t.sequence = j.value"
_KNOWN: Final = "SELECT 1 FROM contents WHERE kind = ? AND sha256 = ?"
_KEEP_SET: Final = f"""INSERT INTO sets ({", ".join(KINDS)}) VALUES ({", ".join(f":{kind}" for kind in KINDS)})
    RETURNING id"""  # noqa: S608 - fixed words
_KEEP: Final = "INSERT OR IGNORE INTO contents (kind, sha256, size, data) VALUES (?, ?, ?, ?)"
