"""A store of each kind for every test that asks for one; PostgreSQL is a real server in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from workbench.traces import grouped
from workbench.traces.databases import sqlite
from workbench.traces.opening import open_store
from workbench.traces.store import TraceStore


@pytest.fixture(autouse=True)
def closed_after_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a kill in a test leaves open ends with the test: since Python 3.13 it is a warning in whichever is next."""
    connections: list[sqlite3.Connection] = []
    threads: list[ThreadPoolExecutor] = []
    connect: Callable[..., sqlite3.Connection] = vars(sqlite)["_connect"]

    def noted(*args: Any, **named: Any) -> sqlite3.Connection:
        connections.append(connect(*args, **named))
        return connections[-1]

    def started(*args: Any) -> ThreadPoolExecutor:
        threads.append(ThreadPoolExecutor(*args))
        return threads[-1]

    monkeypatch.setattr(sqlite, "_connect", noted)
    monkeypatch.setattr(grouped, "ThreadPoolExecutor", started)
    yield
    for thread in threads:
        thread.shutdown()  # a connection that is closed under a thread's hands takes the interpreter with it
    for connection in connections:
        connection.close()


@pytest.fixture(autouse=True)
def disk_that_never_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is slow for a moment, as other tests make it, turns the journal off; no test is about that one."""
    monkeypatch.setattr(grouped, "STALL_S", float("inf"))
    monkeypatch.setattr(grouped, "SLOW_S", float("inf"))


def _program(name: str) -> str:
    """The path of one of PostgreSQL's own programs."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        missing = "no PostgreSQL server here: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a fresh PostgreSQL server, without a database; only its own socket reaches it."""
    initdb, control = _program("initdb"), _program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="wbpg", dir="/tmp"))
    owner = None
    if os.getuid() == 0:  # the server refuses to run as root
        owner = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"})
        os.chown(folder, owner.pw_uid, owner.pw_gid)

    def run(*words: str) -> None:
        account = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": ()}
        subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL, **account)  # pyright: ignore[reportCallIssue, reportArgumentType]

    data, log = str(folder / "data"), str(folder / "log")
    run(initdb, "-D", data, "-U", "wb", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(control, "-D", data, "-l", log, "-o", options, "-w", "start")
    yield f"postgresql://wb@/%s?host={folder}"
    run(control, "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def database(server: str) -> str:
    """The address of an empty database: always the same one, emptied, which is quicker than a new one."""
    with _connected(server % "postgres") as connection:
        if connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = 'traces'")).first() is None:
            connection.execute(sa.text("CREATE DATABASE traces"))
    with _connected(server % "traces") as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    return server % "traces"


@contextmanager
def _connected(address: str) -> Generator[sa.Connection]:
    url = sa.make_url(address).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made: a path, or an address."""
    if request.param == "sqlite":
        return str(tmp_path / "state" / "traces.db")
    return request.getfixturevalue("database")


@pytest.fixture
def opened(place: str) -> Iterator[Callable[[], TraceStore]]:
    """Opens the store, as often as a test likes; all are closed at its end."""
    stores: list[TraceStore] = []

    def again() -> TraceStore:
        stores.append(open_store(place))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], TraceStore]) -> TraceStore:
    """An empty store."""
    return opened()
