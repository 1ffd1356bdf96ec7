"""The embedded store: one SQLite file, safe for several processes and for a kill at any moment.

Owns how the file is opened: its mode, its journal, the look at its health. A file that is damaged is kept under another
name and a new one begun; one of a newer program is read and not written. Nothing is ever deleted here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from workbench.errors import Finding, Place, TraceError
from workbench.traces.databases.base import Execute, Row, failed
from workbench.traces.databases.leftover import take_over
from workbench.traces.databases.places import locked, network_file_system
from workbench.traces.databases.schema import APPLIED, DONE, MIGRATIONS, TABLE, Migration, newest, statements

BUSY_MS: Final = 5_000
WAL_LIMIT: Final = 64 * 1024 * 1024
_SIDE_FILES: Final = ("", "-wal", "-shm", "-journal")
_DAMAGED: Final = ("not a database", "malformed", "file is encrypted", "quick_check")
_SHUT: Final = ("unable to open", "readonly")
ELSEWHERE: Final = "name another place with --traces PLACE"


class SqliteDatabase:
    """One connection, used by one thread at a time."""

    sharing = ""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, writable: bool) -> None:
        self.place = str(path)
        self.path = path
        self.writable = writable
        self._connection = connection
        self._lock = threading.RLock()
        self._process = os.getpid()

    def another(self) -> sqlite3.Connection:
        """A further connection of the same kind, for whoever writes in bulk; its user closes it."""
        connection = _connect(self.path, BUSY_MS, read_only=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        return connection

    def read(self) -> contextlib.AbstractContextManager[Execute]:
        """A transaction that sees one state. Raises `TraceError`."""
        return self._transaction("BEGIN", "read")

    def write(self, *, alone: bool = False) -> contextlib.AbstractContextManager[Execute]:
        """A transaction, on the disk when it ends; SQLite has one writer at a time in any case."""
        del alone
        if not self.writable:
            raise TraceError(f"the traces in `{self.place}` are read only", [])
        return self._transaction("BEGIN IMMEDIATE", "written")

    @contextmanager
    def _transaction(self, begin: str, what: str) -> Generator[Execute]:
        if os.getpid() != self._process:
            raise TraceError("a trace store was carried into a forked process; open it anew there", [])
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    yield self._execute
                except BaseException:
                    self._connection.rollback()
                    raise
                self._connection.commit()
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.rollback()
                raise failed(self.place, what, error) from None

    def _execute(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def tidy(self) -> None:
        """Take what was deleted out of the write-ahead log and the file."""
        with self._lock:
            try:
                self._connection.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise failed(self.place, "tidied", error) from None

    def backup(self, target: Path) -> None:
        """Copy the whole store to a new file, while others go on writing. Raises `TraceError`."""
        with self._lock:
            try:
                _copy(self._connection, target)
            except (OSError, sqlite3.Error) as error:
                raise failed(str(target), "written", error) from None

    def close(self) -> None:
        """End it; the last one out folds the write-ahead log into the file."""
        with self._lock:
            self._connection.close()


def open_sqlite(
    path: Path, *, busy_ms: int = BUSY_MS, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[SqliteDatabase, tuple[Finding, ...]]:
    """The store at `path`, made where nothing is, and what a person should be told of it.

    Raises `TraceError` where it cannot be used at all: no file of ours, not readable, locked all the while.
    """
    found: list[Finding] = []
    try:
        made = _prepare(path, found)
        with locked(path):
            try:
                return _open(path, busy_ms, migrations, found), tuple(found)
            except sqlite3.DatabaseError as error:
                if made or not any(word in str(error) for word in _DAMAGED):
                    raise
                found.append(_set_aside(path, error))
            _create(path)
            return _open(path, busy_ms, migrations, found), tuple(found)
    except OSError as error:
        raise failed(str(path), "opened", error, ELSEWHERE) from None
    except sqlite3.Error as error:
        hint = ELSEWHERE if any(word in str(error) for word in _SHUT) else None
        raise failed(str(path), "opened", error, hint) from None


def _prepare(path: Path, found: list[Finding]) -> bool:
    """Folder and file, for nobody else's eyes; true where the file is new."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
        path.parent.chmod(0o700)
    with contextlib.suppress(FileExistsError, PermissionError):
        _create(path)
        return True
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise TraceError(f"`{path}` is no file that traces can be kept in", [])
    if status.st_mode & 0o077 and os.name == "posix":
        mine = status.st_uid == os.getuid()
        if mine:
            path.chmod(0o600)
        hint = "it is closed to them now" if mine else "its owner can close it: chmod 600"
        found.append(Finding("others could read the traces", "trace_mode", Place(str(path)), hint, "warning"))
    return False


def _create(path: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o600))


def _set_aside(path: Path, error: sqlite3.DatabaseError) -> Finding:
    name = f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    for side in _SIDE_FILES:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(path.with_name(name + side))
    reason = f"the traces were damaged ({error}); they are kept as `{name}`, and new ones begun"
    return Finding(reason, "trace_corrupt", Place(str(path)), "`sqlite3 FILE .recover` may get rows back", "warning")


def _open(path: Path, busy_ms: int, migrations: Sequence[Migration], found: list[Finding]) -> SqliteDatabase:
    reason = None if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "the file is read only"
    connection = _connect(path, busy_ms, read_only=reason is not None)
    try:
        version = _version(connection)
        if version > newest(migrations):
            reason = f"they are of a newer program (schema {version}, this one knows {newest(migrations)})"
        elif reason is None:
            _journal(connection, path, found)
        _check(connection)
        if reason is None:
            _migrate(connection, path, version, migrations)
            found += take_over(connection, path)
        else:
            found.append(_only_read(connection, path, reason, version))
    except BaseException:
        connection.close()
        raise
    return SqliteDatabase(path, connection, writable=reason is None)


def _check(connection: sqlite3.Connection) -> None:
    checked = connection.execute("PRAGMA quick_check(1)").fetchone()
    if checked != ("ok",):
        raise sqlite3.DatabaseError(f"quick_check: {checked}")


def _only_read(connection: sqlite3.Connection, path: Path, reason: str, version: int) -> Finding:
    if version == 0:
        raise sqlite3.OperationalError(f"{reason}, and there are no traces in it")
    connection.execute("PRAGMA query_only = ON")
    hint = "they can be read; nothing is added"
    return Finding(f"traces are not written: {reason}", "trace_read_only", Place(str(path)), hint, "warning")


def _connect(path: Path, busy_ms: int, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rw"
    if read_only and not path.with_name(path.name + "-wal").exists():
        mode = "ro&immutable=1"  # in a folder that takes no files, a WAL file cannot be read otherwise
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(
        address, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _journal(connection: sqlite3.Connection, path: Path, found: list[Finding]) -> None:
    if _version(connection) == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    system = network_file_system(path)
    wanted = "DELETE" if system else "WAL"
    mode = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    if system or mode != "wal":
        reason = f"the traces lie on a network file system ({system or 'no shared memory'})"
        hint = "slower, and for one host only; several hosts want PostgreSQL"
        found.append(Finding(reason, "trace_network", Place(str(path)), hint, "warning"))


def _version(connection: sqlite3.Connection) -> int:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
    return int(connection.execute(APPLIED).fetchone()[0] or 0) if known else 0


def _migrate(connection: sqlite3.Connection, path: Path, version: int, migrations: Sequence[Migration]) -> None:
    """From `version` to the newest: first on a copy, then in one transaction, with the copy of before kept beside."""
    todo = [migration for migration in migrations if migration.version > version]
    if not todo:
        return
    if version:
        kept = path.with_name(f"{path.name}.schema-{version}")
        with contextlib.suppress(FileNotFoundError):
            kept.unlink()  # left by a migration that was killed; the store itself is still as it was
        _copy(connection, kept)
        _rehearse(kept, todo)
    _apply(connection, todo)


def _rehearse(kept: Path, todo: Sequence[Migration]) -> None:
    trial = kept.with_name(f"{kept.name}.trial")
    with contextlib.suppress(FileNotFoundError):
        trial.unlink()
    with contextlib.closing(sqlite3.connect(kept)) as source:
        _copy(source, trial)
    try:
        with contextlib.closing(sqlite3.connect(trial, isolation_level=None)) as connection:
            _apply(connection, todo)
            _check(connection)
    finally:
        trial.unlink()


def _apply(connection: sqlite3.Connection, todo: Sequence[Migration]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(TABLE)
        for migration in todo:
            for statement in statements(migration, "sqlite"):
                connection.execute(statement)
            connection.execute(DONE, {"version": migration.version, "title": migration.title})
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    _create(target)
    with contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
