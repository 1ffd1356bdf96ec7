"""Where tokens and spending are kept: tables of a SQLite file of their own, or of a PostgreSQL database.

Owns the tables and how a place is opened. The connections, and what keeps a file safe, are those of the trace store.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from workbench.errors import Finding, Place, TraceError, WorkbenchError
from workbench.traces.databases.address import checked, is_address
from workbench.traces.databases.base import Database, Execute
from workbench.traces.databases.schema import Migration
from workbench.traces.databases.sqlite import ELSEWHERE, open_sqlite

Result = TypeVar("Result")


class CallersError(WorkbenchError):
    """The store of tokens cannot be used."""

    exit_code = 1


TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS caller_tokens (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, tenants TEXT, routes TEXT,
        rate_per_minute INTEGER, concurrency INTEGER, budget_usd DOUBLE PRECISION,
        created_ms BIGINT NOT NULL, expires_ms BIGINT, revoked_ms BIGINT)""",
    """CREATE TABLE IF NOT EXISTS caller_spending (
        token TEXT NOT NULL, month TEXT NOT NULL, nano_usd BIGINT NOT NULL, calls BIGINT NOT NULL,
        PRIMARY KEY (token, month))""",
    """CREATE TABLE IF NOT EXISTS caller_holds (
        lease TEXT PRIMARY KEY, token TEXT NOT NULL, month TEXT NOT NULL, nano_usd BIGINT NOT NULL,
        expires_ms BIGINT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS caller_holds_by_token ON caller_holds (token, month)",
    """CREATE TABLE IF NOT EXISTS caller_rates (
        name TEXT PRIMARY KEY, due_ms DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS caller_places (
        lease TEXT NOT NULL, name TEXT NOT NULL, expires_ms BIGINT NOT NULL, PRIMARY KEY (name, lease))""",
    """CREATE TABLE IF NOT EXISTS shared_health (
        origin TEXT NOT NULL, scope TEXT NOT NULL, provider TEXT NOT NULL, why TEXT NOT NULL, until_ms BIGINT NOT NULL,
        PRIMARY KEY (origin, scope, provider, why))""",
)
_MIGRATIONS: Final = (Migration(1, "tokens, spending, limits and health", TABLES),)
_LOCK: Final = 7_266_401_919
"""The advisory lock that one process at a time makes the tables under: any fixed number."""


def open_tables(place: Path | str) -> Database:
    """The tables at a path, or at `postgresql://...`, made where they are missing. Raises `CallersError`."""
    with ours():
        if isinstance(place, str) and is_address(place):
            return _postgres(checked(place))
        path = Path(place)
        _look(path)
        return open_sqlite(path, migrations=_MIGRATIONS)[0]


def _look(path: Path) -> None:
    """Refuse a file that is no store of ours, instead of putting another in its place. Raises `CallersError`.

    SQLite itself looks: where this process has the file open already, closing it by hand would take every lock of
    SQLite's from it (POSIX), and the next process would throw the write-ahead log away under it.
    """
    if not path.exists():
        return
    if path.is_file() and not os.access(path, os.R_OK):
        finding = Finding("permission denied", "token_file", Place(str(path)), _ours(ELSEWHERE))
        raise CallersError("the tokens cannot be read", [finding])
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            finding = Finding("this is no store of tokens", "token_file", Place(str(path)), "name another file")
            raise CallersError("the tokens cannot be read", [finding]) from None


def _postgres(address: str) -> Database:
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - needs the extra

        from workbench.traces.databases.postgres import PostgresDatabase, engine_of  # noqa: PLC0415 - as above
    except ImportError:
        finding = Finding("PostgreSQL needs the extra `sql`", "extra", hint="pip install 'policy-workbench[sql]'")
        raise CallersError("the tokens cannot be read", [finding]) from None
    engine = engine_of(address)
    database = PostgresDatabase(engine, writable=True)
    with database.write() as execute:
        execute("SELECT pg_advisory_xact_lock(:key)", {"key": _LOCK})
        for statement in TABLES:
            execute(statement, {})
    del sa
    return database


@contextmanager
def ours() -> Generator[None]:
    """The store's own errors in words about tokens."""
    try:
        yield
    except TraceError as error:
        findings = [replace(each, hint=None if each.hint is None else _ours(each.hint)) for each in error.findings]
        raise CallersError(_ours(error.title), findings) from None


def _ours(text: str) -> str:
    """What is said of traces, said of tokens."""
    told = text.replace("the traces in", "the tokens in").replace("a trace store", "a store of tokens")
    return told.replace("--traces", "--tokens")


def reading(database: Database, look: Callable[[Execute], Result]) -> Result:
    """What `look` finds in one state of the tables. Raises `CallersError`."""
    with ours(), database.read() as execute:
        return look(execute)


def writing(database: Database, change: Callable[[Execute], Result]) -> Result:
    """What `change` gives; durable when it returns, or not done at all. Raises `CallersError`."""
    with ours(), database.write() as execute:
        return change(execute)
