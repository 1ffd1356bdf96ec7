"""Takes over what the journals of ended processes hold and the store does not: calls that nobody knows the end of."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import Finding, Place, WorkbenchError
from workbench.traces.databases.base import SET
from workbench.traces.databases.journal import left_journals, taken_over
from workbench.traces.parts.catalogs import packed
from workbench.traces.record import KINDS, SCHEMA
from workbench.traces.template import words_of

MOST_BYTES: Final = 4 * 1024 * 1024


def take_over(connection: sqlite3.Connection, store: Path) -> list[Finding]:
    """Store what is missing, journal by journal; gives what could not be read, as findings."""
    found: list[Finding] = []
    for path in left_journals(store):
        try:
            with taken_over(path) as left:
                if left is not None:
                    unread = _store(connection, *left)
                    if unread:
                        found.append(_finding(path, f"{unread} intents of an ended process could not be read"))
        except OSError as error:
            found.append(_finding(path, f"the intents of an ended process were left where they are: {error.strerror}"))
        except sqlite3.OperationalError as error:
            found.append(_finding(path, f"the intents of an ended process were left where they are: {error}"))
    return found


def _finding(path: Path, reason: str) -> Finding:
    return Finding(reason, "trace_journal", Place(str(path)), "calls that were under way may be missing", "warning")


def _store(connection: sqlite3.Connection, writer: str, entries: list[bytes]) -> int:
    """One transaction; gives how many entries are none."""
    unread = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for entry in entries:
            try:
                _one(connection, writer, cast("dict[str, Any]", strict_json.loads(entry, source="a journal")))
            except (WorkbenchError, sqlite3.IntegrityError, LookupError, TypeError, ValueError):
                unread += 1
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return unread


def _one(connection: sqlite3.Connection, writer: str, entry: dict[str, Any]) -> None:
    head = entry["head"]
    trace_id = str(head["trace_id"])
    row = connection.execute("SELECT sequence, outcome FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
    sequence = _insert(connection, writer, entry) if row is None else int(row[0])
    before = entry.get("before")
    if before is not None:
        connection.execute(_CALL_ENDED, (*before[1:], sequence, before[0]))
    connection.execute(_CALL, (sequence, *entry["call"]))


def _insert(connection: sqlite3.Connection, writer: str, entry: dict[str, Any]) -> int:
    head, kind = entry["head"], entry["kind"]
    names = {each: head[f"{'population' if each == 'catalog' else each}_sha256"] for each in KINDS}
    contents = connection.execute(SET, names).fetchone()
    trace_id, tenant = str(head["trace_id"]), str(head["tenant"])
    row = (
        trace_id, int(head["time_ms"]), tenant, int(kind == "quiet"), int(head["emulated"]), entry["winner"], writer,
        None if contents is None else contents[0],
    )  # fmt: skip
    sequence = int(connection.execute(_TRACE, row).fetchone()[0])
    data = strict_json.canonical({"kind": kind, "schema": SCHEMA, "trace": {"head": head}})
    connection.execute(_RECORD, (sequence, words_of(trace_id, tenant), packed(data)))
    return sequence


_TRACE: Final = """INSERT INTO traces
    (trace_id, time_ms, tenant, no_log, emulated, winner, writer, contents, attempts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING sequence"""
_RECORD: Final = "INSERT INTO records (sequence, words, data) VALUES (?, ?, ?)"
_CALL: Final = """INSERT OR IGNORE INTO calls (sequence, number, place, attempt, provider, began_ms)
    VALUES (?, ?, ?, ?, ?, ?)"""
_CALL_ENDED: Final = """UPDATE calls SET ended_ms = ?, kind = ?, http_status = ?, latency_ms = ?
    WHERE sequence = ? AND number = ?"""
