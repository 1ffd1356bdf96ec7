"""How the shared store is reached: migrations all or nothing, newer schemas read only, no password in any message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.traces.later import LATER, NEXT
from tests.traces.test_store import ROOT, fill
from tests.traces.worlds import NOON, case
from workbench.errors import TraceError
from workbench.traces.databases.postgres import open_postgres
from workbench.traces.databases.schema import MIGRATIONS, Migration
from workbench.traces.opening import open_store
from workbench.traces.recorder import Recorder
from workbench.traces.replay import replay
from workbench.traces.store import TraceStore


def count(store: TraceStore) -> int:
    return len(store.rows(now_ms=NOON))


def test_a_migration_keeps_what_is_there_and_an_older_program_only_reads(database: str) -> None:
    store = open_store(database)
    fill(store)
    store.close()
    newer = TraceStore(*open_postgres(database, migrations=LATER))
    assert count(newer) == 7
    with newer.database.read() as execute:
        assert execute("SELECT label FROM traces LIMIT 1", {}) == [(None,)]
    newer.close()
    older = open_store(database)
    assert [finding.code for finding in older.notices] == ["trace_read_only"]
    assert replay(older.get("t000001")).same
    recorder = Recorder(older)
    recorder.decided(case().record(50))
    assert recorder.lost == 1
    older.close()


def test_a_migration_that_fails_changes_nothing(database: str) -> None:
    store = open_store(database)
    fill(store)
    broken = (
        *MIGRATIONS,
        Migration(NEXT, "a mistake", ("ALTER TABLE traces ADD COLUMN label TEXT", "CREATE NONSENSE")),
    )
    with pytest.raises(TraceError, match="syntax"):
        open_postgres(database, migrations=broken)
    with store.database.read() as execute:
        assert execute("SELECT max(version) FROM migrations", {}) == [(NEXT - 1,)]
    assert count(store) == 7
    store.close()


def test_a_server_that_went_away_loses_a_write_and_says_so(database: str) -> None:
    store = open_store(database)
    name = database.rpartition("?")[0].rpartition("/")[2]
    admin = sa.create_engine(
        sa.make_url(database.replace(f"/{name}?", "/postgres?")).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
    )
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
    recorder = Recorder(store)
    recorder.decided(case().record(1))
    assert recorder.lost == 1
    assert isinstance(recorder.last_error, TraceError)
    store.close()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:hunter2@127.0.0.1:1/x",
        "postgresql://me:hunter2@/x?host=/nowhere",
        "postgresql://me:hunter2@h:port/x",
        "postgres://me:hunter2@127.0.0.1:1/x",
    ],
)
def test_an_address_that_leads_nowhere_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(TraceError) as refused:
        open_store(address)
    assert "hunter2" not in str(refused.value)


def test_values_never_stand_in_an_error(database: str) -> None:
    store = open_store(database)
    with pytest.raises(TraceError) as failed, store.database.write() as execute:
        execute("INSERT INTO nowhere VALUES (:words)", {"words": "my prompt"})
    assert "my prompt" not in str(failed.value)
    store.close()


def test_without_the_extra_it_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from workbench.errors import TraceError\nfrom workbench.traces.opening import open_store\n"
        "try:\n    open_store('postgresql://h/x')\nexcept TraceError as error:\n    sys.stdout.write(str(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "policy-workbench[sql]" in done.stdout


def test_the_embedded_store_needs_no_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = sys.modules['psycopg'] = None\n"
        "from workbench.traces.opening import open_store\n"
        "open_store(sys.argv[1]).close()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "traces.db")], cwd=ROOT, check=True)
    assert (tmp_path / "traces.db").stat().st_size > 0
