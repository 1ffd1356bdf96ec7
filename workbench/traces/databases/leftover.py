"""Takes over what the journals of ended processes hold and the store does not: calls that nobody knows the end of."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import Finding, Place, WorkbenchError
from workbench.traces.databases.base import SET
from workbench.traces.databases.journal import Left, left_journals, taken_over
from workbench.traces.parts.catalogs import packed
from workbench.traces.record import KINDS, SCHEMA
from workbench.traces.template import words_of

_UNREAD: Final = (
    WorkbenchError, sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError,
    LookupError, TypeError, ValueError, OverflowError,
)  # fmt: skip
"""What an entry that is none leads to."""


def take_over(connection: sqlite3.Connection, store: Path) -> list[Finding]:
    """Store what is missing, journal by journal; gives what could not be read, as findings."""
    try:
        paths = left_journals(store)
    except OSError as error:
        return [_finding(store, f"whether intents of an ended process were left can't be told: {error.strerror}")]
    found: list[Finding] = []
    for path in paths:
        try:
            with taken_over(path) as left:
                if left is not None and (unread := _store(connection, left)):
                    left.damaged = True
                    found.append(_finding(path, f"{unread} intents of an ended process could not be read"))
        except FileNotFoundError:
            continue  # its process has ended well in the meantime
        except OSError as error:
            found.append(_finding(path, f"the intents of an ended process were left where they are: {error.strerror}"))
        except sqlite3.OperationalError as error:
            found.append(_finding(path, f"the intents of an ended process were left where they are: {error}"))
    return found


def _finding(path: Path, reason: str) -> Finding:
    return Finding(reason, "trace_journal", Place(str(path)), "calls that were under way may be missing", "warning")


def _store(connection: sqlite3.Connection, left: Left) -> int:
    """One transaction; gives how many entries are none."""
    unread, run = 0, connection.execute
    run("BEGIN IMMEDIATE")
    try:
        for entry in left.entries:
            run("SAVEPOINT entry")
            try:
                _one(connection, left.writer, cast("dict[str, Any]", strict_json.loads(entry, source="a journal")))
            except _UNREAD:
                run("ROLLBACK TO entry")
                unread += 1
            run("RELEASE entry")
        run("COMMIT")
    except BaseException:
        run("ROLLBACK")
        raise
    return unread


def _one(connection: sqlite3.Connection, writer: str, entry: dict[str, Any]) -> None:
    head = entry["head"]
    trace_id = str(head["trace_id"])
    row = connection.execute("SELECT sequence FROM traces WHERE trace_id = ?", (trace_id,)).fetchone()
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
