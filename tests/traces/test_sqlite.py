"""How the embedded store is opened: private, healthy, and never a crash whatever lies at its place."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.traces.later import LATER, NEXT
from tests.traces.test_store import FAILED, ROOT, fill
from tests.traces.worlds import NOON, case
from workbench.errors import TraceError
from workbench.traces.databases.places import locked, system_of
from workbench.traces.databases.schema import MIGRATIONS, Migration
from workbench.traces.databases.sqlite import WAL_LIMIT, SqliteDatabase, open_sqlite
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.record import KINDS, Exchange, finish
from workbench.traces.recorder import Recorder
from workbench.traces.replay import replay
from workbench.traces.store import TraceStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "traces.db"


def filled(path: Path) -> None:
    """A closed store with seven traces."""
    store = open_store(path)
    fill(store)
    store.close()


def count(store: TraceStore) -> int:
    return len(store.rows(now_ms=NOON))


def test_folder_and_files_are_for_nobody_else(path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(path)
        fill(store)
    finally:
        os.umask(before)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert set(modes) == {"traces.db", "traces.db-wal", "traces.db-shm", ".traces.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()
    path.chmod(0o644)
    store = open_store(path)
    assert [finding.code for finding in store.notices] == ["trace_mode"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_the_settings_that_durability_rests_on(path: Path) -> None:
    database, _ = open_sqlite(path)
    with database.read() as execute:
        found = {n: execute(f"PRAGMA {n}", {})[0][0] for n in ("journal_mode", "synchronous", "busy_timeout")}
        found["secure_delete"] = execute("PRAGMA secure_delete", {})[0][0]
        found["limit"] = execute("PRAGMA journal_size_limit", {})[0][0]
    wanted = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "secure_delete": 1, "limit": WAL_LIMIT}
    assert found == wanted
    database.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = open_store(path)
    fill(store)
    assert count(store) == 7
    store.close()


def damage_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 2048] = os.urandom(2048)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["random", "text", "truncated", "damaged"])
def test_a_damaged_store_is_kept_aside_and_a_new_one_begun(path: Path, how: str) -> None:
    filled(path)
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "damaged":
        damage_middle(path)
    else:
        path.write_bytes(os.urandom(8192) if how == "random" else b"these are my notes\n" * 200)
    before = path.read_bytes()
    store = open_store(path)
    assert [finding.code for finding in store.notices] == ["trace_corrupt"]
    assert count(store) == 0
    fill(store)
    store.close()
    kept = list(path.parent.glob("traces.db.corrupt-*"))
    assert [each.read_bytes() for each in kept] == [before]
    assert kept[0].name in str(store.notices[0])
    again = open_store(path)
    assert (count(again), again.notices) == (7, ())
    again.close()


def test_of_a_newer_program_it_is_read_and_not_written(path: Path) -> None:
    filled(path)
    with contextlib.closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("INSERT INTO migrations VALUES (99, 'from the future')")
    before = path.read_bytes()
    store = open_store(path)
    assert [finding.code for finding in store.notices] == ["trace_read_only"]
    assert count(store) == 7
    assert replay(store.get("t000001")).same
    recorder = Recorder(store)
    recorder.decided(case().record(50))
    assert recorder.lost == 1
    store.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_user_who_may_not_write_can_read(what: str) -> None:
    open_folder = Path("/tmp") / f"wbro-{os.getpid()}-{what}"
    path = open_folder / "traces.db"
    try:
        filled(path)
        for each in (*open_folder.iterdir(), open_folder):
            each.chmod(0o555 if each.is_dir() else 0o444)
        if what == "file":
            open_folder.chmod(0o777)
        command = [sys.executable, "-m", "tests.traces.child", str(path), "as_nobody"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "opened False 7 trace_mode trace_read_only", done.stderr
    finally:
        open_folder.chmod(0o700)
        shutil.rmtree(open_folder)


def test_locked_all_the_while_it_is_refused_in_words(path: Path) -> None:
    filled(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TraceError) as refused:
            open_sqlite(path, busy_ms=20)
        other.execute("ROLLBACK")
    assert refused.value.findings[0].code == "trace_busy"
    assert not list(path.parent.glob("*corrupt*"))


def test_locked_after_it_was_opened_a_write_is_lost_and_counted(path: Path) -> None:
    store = TraceStore(*open_sqlite(path, busy_ms=20))
    recorder = Recorder(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder.decided(case().record(1))
        other.execute("ROLLBACK")
    assert recorder.lost == 1
    assert recorder.last_error is not None
    assert recorder.last_error.findings[0].code == "trace_busy"
    recorder.decided(case().record(2))
    assert recorder.lost == 1
    store.close()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe", "missing root"])
def test_what_is_no_file_is_refused(path: Path, kind: str, tmp_path: Path) -> None:
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "elsewhere").write_text("mine")
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "file" / "traces.db"
        path.parent.write_text("a file where a folder should be")
    with pytest.raises(TraceError):
        open_store(path)
    if kind == "link":
        assert (tmp_path / "elsewhere").read_text() == "mine"


def test_a_forked_process_may_not_use_an_open_store(path: Path) -> None:
    database, _ = open_sqlite(path)
    database._process += 1  # pyright: ignore[reportPrivateUsage] - as in a fork
    with pytest.raises(TraceError, match="forked"), database.read():
        pass
    database.close()


BROKEN = (*MIGRATIONS, Migration(NEXT, "a mistake", ("ALTER TABLE traces ADD COLUMN label TEXT", "CREATE NONSENSE")))


def columns(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return {row[1] for row in raw.execute("PRAGMA table_info(traces)")}


def test_a_migration_keeps_what_is_there_and_a_copy_of_before(path: Path) -> None:
    filled(path)
    store = TraceStore(*open_sqlite(path, migrations=LATER))
    assert count(store) == 7
    assert "label" in columns(path)
    store.close()
    kept = path.with_name(f"traces.db.schema-{NEXT - 1}")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "label" not in columns(kept)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        ".traces.db.lock",
        "traces.db",
        f"traces.db.schema-{NEXT - 1}",
    ]
    older = open_store(path)
    assert [finding.code for finding in older.notices] == ["trace_read_only"]
    older.close()


FIRST = (
    """CREATE TABLE uses (
        sequence BIGINT NOT NULL REFERENCES traces (sequence) ON DELETE CASCADE, kind TEXT NOT NULL,
        sha256 TEXT NOT NULL, PRIMARY KEY (sequence, kind),
        FOREIGN KEY (kind, sha256) REFERENCES contents (kind, sha256))""",
    *(
        f"INSERT INTO uses SELECT t.sequence, '{kind}', s.{kind} FROM traces t JOIN sets s ON s.id = t.contents"  # noqa: S608
        for kind in KINDS
    ),
    "CREATE INDEX uses_by_content ON uses (kind, sha256)",
    "DROP INDEX traces_by_contents",
    "ALTER TABLE traces DROP COLUMN contents",
    "DROP TABLE sets",
    "DELETE FROM migrations WHERE version > 1",
)
"""From the second schema back to the first, which no program writes any more."""


def test_a_store_of_the_first_schema_is_taken_over(path: Path) -> None:
    filled(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for statement in FIRST:
            raw.execute(statement)
    assert "contents" not in columns(path)
    store = open_store(path)
    assert count(store) == 7
    for row in store.rows(now_ms=NOON):
        assert replay(store.get(row.trace_id)).same
    assert store.prune(Filter(), now_ms=NOON) > 0
    store.close()


def test_a_migration_that_fails_in_rehearsal_changes_nothing(path: Path) -> None:
    filled(path)
    with pytest.raises(TraceError, match="syntax"):
        open_sqlite(path, migrations=BROKEN)
    assert "label" not in columns(path)
    store = open_store(path)
    assert count(store) == 7
    store.close()


MIGRATE = """
import os, signal, sys
from pathlib import Path
from tests.traces.later import LATER
from workbench.traces.databases import sqlite
line, at = int(sys.argv[2]), 0
def trace(frame, event, _):
    global at
    if frame.f_code.co_filename == sqlite.__file__ and event == "line":
        at += 1
        if at == line:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace
sys.settrace(trace)
sqlite.open_sqlite(Path(sys.argv[1]), migrations=LATER)
"""


def test_a_migration_killed_at_any_line_goes_through_the_next_time(path: Path, tmp_path: Path) -> None:
    filled(path)
    killed = 0
    for line in range(20, 140, 17):
        trial = tmp_path / f"at-{line}" / "traces.db"
        shutil.copytree(path.parent, trial.parent)
        done = subprocess.run(
            [sys.executable, "-c", MIGRATE, str(trial), str(line)], cwd=ROOT, check=False, capture_output=True
        )
        killed += done.returncode == -signal.SIGKILL
        store = TraceStore(*open_sqlite(trial, migrations=LATER))
        assert count(store) == 7
        assert replay(store.get("t000003")).same
        store.close()
        assert "label" in columns(trial)
        assert not list(trial.parent.glob("*.trial"))
    assert killed >= 5


def test_a_backup_is_whole_while_others_write(path: Path, tmp_path: Path) -> None:
    database, _ = open_sqlite(path)
    store = TraceStore(database)
    fill(store)
    copy = tmp_path / "backup.db"
    database.backup(copy)
    store.finish(finish(case().record(60), case().call(FAILED)))
    saved = open_store(copy)
    assert (count(saved), count(store)) == (7, 8)
    assert replay(saved.get("t000002")).same
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(TraceError):
        database.backup(copy)
    saved.close()
    store.close()


def test_kill_9_loses_no_trace_that_was_said_to_be_durable(path: Path) -> None:
    said = 0
    for turn in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.traces.child", str(path), "pour", str(turn * 100_000)], cwd=ROOT,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(20 + 15 * turn)]
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        store = open_store(path)
        assert store.notices == ()
        found = {row.trace_id: row.outcome for row in store.rows(now_ms=NOON)}
        numbers = [int(line) for line in lines if line.endswith(b"\n")]
        said += len(numbers)
        assert {f"t{number:06d}" for number in numbers} <= found.keys()
        assert set(found.values()) == {"interrupted"}
        assert all(store.calls(f"t{number:06d}") for number in numbers)
        store.close()
    assert said >= 100


def test_deleted_text_is_gone_from_the_files(path: Path) -> None:
    store = open_store(path)
    for number in range(50):
        said = Exchange("the canary sings " * 3000, None)
        store.finish(finish(case().record(number), case().call(FAILED), exchange=said))
    assert any(b"the canary sings" in each.read_bytes() for each in path.parent.iterdir()), "nothing to delete"
    before = path.stat().st_size
    assert store.prune(Filter(), now_ms=NOON) == 50
    assert not any(b"canary" in each.read_bytes() for each in path.parent.iterdir())
    assert path.stat().st_size < before
    store.close()


def test_a_network_file_system_is_told_from_a_disk() -> None:
    mounts = [
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
        "40 22 0:35 / /home rw - nfs4 server:/home rw",
        "41 40 0:36 / /home/me/local\\040disk rw - xfs /dev/vdb rw",
        "garbage",
    ]
    assert system_of("/home/me/traces.db", mounts) == "nfs4"
    assert system_of("/homes/traces.db", mounts) is None
    assert system_of("/home/me/local disk/traces.db", mounts) is None


def test_on_a_network_file_system_it_keeps_a_rollback_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def everywhere(_: Path) -> str:
        return "nfs4"

    monkeypatch.setattr("workbench.traces.databases.sqlite.network_file_system", everywhere)
    database, notices = open_sqlite(path)
    assert [finding.code for finding in notices] == ["trace_network"]
    with database.read() as execute:
        assert execute("PRAGMA journal_mode", {}) == [("delete",)]
    assert isinstance(database, SqliteDatabase)
    database.close()


def test_opening_waits_for_whoever_looks_at_the_store(path: Path) -> None:
    filled(path)
    code = (
        "import sys; from pathlib import Path; from workbench.traces.opening import open_store\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush(); open_store(Path(sys.argv[1])); sys.stdout.write('open')"
    )
    with locked(path):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        assert child.poll() is None
    rest, _ = child.communicate(timeout=30)
    assert rest == "open"
