"""The store that several hosts share: PostgreSQL, through SQLAlchemy and psycopg (the extra `sql`).

Owns how it is reached and how its tables are made; the statements are those of every other store. The password in an
address is never shown.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from workbench.errors import Finding, TraceError
from workbench.traces.databases.address import masked
from workbench.traces.databases.base import Execute, Row, failed
from workbench.traces.databases.schema import APPLIED, DONE, MIGRATIONS, TABLE, Migration, newest, statements

_LOCK: Final = 7_266_401_918
"""The advisory lock that one process at a time migrates under: any fixed number."""
_WAIT_S: Final = 5
SILENT_MS: Final = 10_000
"""How long a server may leave what was sent to it unacknowledged before its connection counts as broken."""


class PostgresDatabase:
    """A pool of connections to one database."""

    sharing = " FOR KEY SHARE"

    def __init__(self, engine: sa.Engine, *, writable: bool) -> None:
        self.place = masked(engine.url.render_as_string(hide_password=True))
        self.writable = writable
        self._engine = engine
        self._process = os.getpid()

    def read(self) -> AbstractContextManager[Execute]:
        """A transaction that sees one state. Raises `TraceError`."""
        return self._transaction("read", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def write(self, *, alone: bool = False) -> AbstractContextManager[Execute]:
        """A transaction, durable when it ends; `alone` waits for the writers at work and holds up the next."""
        if not self.writable:
            raise TraceError(f"the traces in `{self.place}` are read only", [])
        return self._transaction("written", "LOCK TABLE sets IN EXCLUSIVE MODE" if alone else None)

    @contextmanager
    def _transaction(self, what: str, first: str | None) -> Generator[Execute]:
        if os.getpid() != self._process:
            raise TraceError("a trace store was carried into a forked process; open it anew there", [])
        try:
            with self._engine.begin() as connection:
                if first is not None:
                    connection.execute(sa.text(first))

                def execute(statement: str, values: Mapping[str, Any]) -> list[Row]:
                    done = connection.execute(_prepared(statement), dict(values))
                    return [tuple(row) for row in done] if done.returns_rows else []

                yield execute
        except SQLAlchemyError as error:
            raise failed(self.place, what, _own_words(error)) from None

    def tidy(self) -> None:
        """Give the space of deleted rows back. PostgreSQL overwrites it as it is used again."""
        try:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM traces, records, calls, sets, contents"))
        except SQLAlchemyError as error:
            raise failed(self.place, "tidied", _own_words(error)) from None

    def close(self) -> None:
        """End every connection."""
        self._engine.dispose()


_STATEMENTS: Final[dict[str, sa.TextClause]] = {}


def _prepared(statement: str) -> sa.TextClause:
    """The statement as SQLAlchemy wants it; there are a few dozen, each made once."""
    found = _STATEMENTS.get(statement)
    if found is None:
        found = _STATEMENTS[statement] = sa.text(statement)
    return found


def _own_words(error: SQLAlchemyError) -> Exception:
    """The driver's first words: SQLAlchemy's own text repeats the statement with its values."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else RuntimeError(type(error).__name__)


def engine_of(address: str) -> sa.Engine:
    """Connections to `postgresql://...`, none of them made yet. Raises `TraceError` for what is no address."""
    try:
        url = sa.make_url(address)
        if url.get_backend_name() != "postgresql":
            raise TraceError("no address of a trace store", [Finding("begin it with `postgresql://`", "trace_address")])
        options: dict[str, Any] = {
            "connect_timeout": _WAIT_S, "options": f"-c lock_timeout={_WAIT_S}s -c synchronous_commit=on",
            "tcp_user_timeout": SILENT_MS, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
        }  # fmt: skip
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"), connect_args=options, pool_size=2, max_overflow=8,
            pool_pre_ping=True,
        )  # fmt: skip
    except (ArgumentError, NoSuchModuleError, ValueError):
        finding = Finding("it is not an address", "trace_address", hint="postgresql://USER@HOST/DATABASE")
        raise TraceError("no address of a trace store", [finding]) from None


def open_postgres(
    address: str, *, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[PostgresDatabase, tuple[Finding, ...]]:
    """The store at `postgresql://...`, its tables made or brought up to date, and what a person should be told.

    Raises `TraceError` where it cannot be reached or its tables cannot be made.
    """
    engine = engine_of(address)
    place = masked(engine.url.render_as_string(hide_password=True))
    try:
        version = _migrated(engine, migrations)
    except SQLAlchemyError as error:
        engine.dispose()
        raise failed(place, "opened", _own_words(error)) from None
    if version <= newest(migrations):
        return PostgresDatabase(engine, writable=True), ()
    reason = f"they are of a newer program (schema {version}, this one knows {newest(migrations)})"
    found = Finding(f"traces are not written: {reason}", "trace_read_only", hint="they can be read", severity="warning")
    return PostgresDatabase(engine, writable=False), (found,)


def _migrated(engine: sa.Engine, migrations: Sequence[Migration]) -> int:
    """Bring the tables up to date, all steps or none; gives the schema they have now."""
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(sa.text(TABLE))
        version = int(connection.execute(sa.text(APPLIED)).scalar() or 0)
        for migration in migrations:
            if migration.version > version:
                for statement in statements(migration, "postgresql"):
                    connection.execute(sa.text(statement))
                values = {"version": migration.version, "title": migration.title}
                connection.execute(sa.text(DONE), values)
        return max(version, newest(migrations))
