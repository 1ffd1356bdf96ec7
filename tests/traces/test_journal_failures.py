"""What a journal does where something else fails: who waits is told, what was told stays, and nothing comes back."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.traces.test_grouped import begun, ended, opened
from tests.traces.test_journal import abandon, kill, made
from tests.traces.worlds import NOON
from workbench.traces import grouped
from workbench.traces.databases import journal, leftover
from workbench.traces.databases.journal import MAGIC, Journal, left_journals, open_journal, taken_over
from workbench.traces.grouped import GroupedWriter
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.sinks import sink_for
from workbench.traces.store import Intent, TraceStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no journal without a lock")
BREAKS = "CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(FAIL, 'no room'); END"


@pytest.fixture
def store(tmp_path: Path) -> TraceStore:
    """A store in a file."""
    return open_store(tmp_path / "traces.db")


@pytest.fixture
async def writer(store: TraceStore) -> GroupedWriter:
    """A writer with a journal, the contents of `opened` stored."""
    found = GroupedWriter(sink_for(store))
    assert await begun(found, [opened(0)]) == [True]
    return found


def broken(*_: object) -> int:
    """What a failing disk does."""
    raise OSError(5, "Input/output error")


def locked(folder: Path) -> sqlite3.Connection:
    """Somebody who keeps all others from writing until it is closed."""
    other = sqlite3.connect(folder / "traces.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_a_mark_that_fails_stops_nobody(writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await begun(writer, [opened(1)]) == [True]
    monkeypatch.setattr(Journal, "_mark", broken)
    await writer.stored()
    assert await begun(writer, [opened(number) for number in range(2, 9)]) == [True] * 7
    await writer.close()
    assert writer.lost == 0


async def test_an_intent_that_cannot_be_announced_costs_no_other(writer: GroupedWriter) -> None:
    told: list[bool] = []
    writer.begin(opened(1), Intent(1, 10**6, 1, NOON), None, told.append)
    assert await begun(writer, [opened(2)]) == [True]
    await writer.close()
    assert (told, writer.lost) == ([False], 1)


async def test_what_was_announced_waits_for_whoever_writes_all_the_while(
    tmp_path: Path, store: TraceStore, writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "BUSY_MS", 50)
    with closing(locked(tmp_path)):
        assert await begun(writer, [opened(number) for number in range(1, 40)]) == [True] * 39
        for _ in range(10):
            await writer.stored()
        assert await begun(writer, [opened(number) for number in range(40, 50)]) == [True] * 10
    await writer.close()
    assert (store.count(), writer.lost) == (50, 0)


async def test_whoever_waits_on_a_slow_disk_is_told_by_the_journal_where_the_store_is_taken(
    tmp_path: Path, store: TraceStore, writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "BUSY_MS", 50)
    monkeypatch.setattr(grouped, "STALL_S", -1.0)  # whatever was written took long: the loop announces no more
    assert await begun(writer, [opened(1)]) == [True]
    await writer.stored()
    with closing(locked(tmp_path)):
        for first in (2, 10):
            assert await begun(writer, [opened(number) for number in range(first, first + 8)]) == [True] * 8
        assert store.count() == 2
    await writer.close()
    assert (store.count(), writer.lost) == (18, 0)
    assert not left_journals(tmp_path / "traces.db")


@pytest.mark.parametrize("how", ["killed", "closed"])
async def test_what_was_announced_and_never_stored_is_found_by_the_next(
    tmp_path: Path, writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(grouped, "BUSY_MS", 50)
    with closing(locked(tmp_path)):
        assert await begun(writer, [opened(number) for number in range(1, 40)]) == [True] * 39
        await writer.stored()
        if how == "killed":
            kill(writer)
        else:
            await writer.close()
            assert writer.lost == 39
    with closing(open_store(tmp_path / "traces.db")) as again:
        assert again.count() == 40


async def test_what_a_failing_store_lost_is_found_by_the_next(
    tmp_path: Path, store: TraceStore, writer: GroupedWriter
) -> None:
    with store.database.write() as execute:
        execute(BREAKS, {})
    assert await begun(writer, [opened(1)]) == [True]
    await writer.stored()
    with store.database.write() as execute:
        execute("DROP TRIGGER full", {})
    assert await begun(writer, [opened(2)]) == [True]
    await writer.close()
    assert writer.lost == 1
    with closing(open_store(tmp_path / "traces.db")) as again:
        assert again.count() == 3
        assert not left_journals(tmp_path / "traces.db")


async def test_a_call_that_was_pruned_while_it_ran_does_not_come_back(store: TraceStore, writer: GroupedWriter) -> None:
    long, other = opened(1), opened(2)
    assert await begun(writer, [long, other]) == [True, True]
    await writer.stored()
    assert store.prune(Filter(trace_id="t000001"), now_ms=NOON + 11 * 60 * 1000) == 1
    writer.begin(long, Intent(2, 1, 1, NOON), None, lambda _: None)
    writer.end(ended(long))
    writer.end(ended(other))
    await writer.close()
    assert {row.trace_id for row in store.rows(now_ms=NOON)} == {"t000000", "t000002"}
    assert writer.lost == 0


async def test_what_a_failing_journal_took_is_not_found_in_it(
    tmp_path: Path, store: TraceStore, writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = opened(1)
    with monkeypatch.context() as patched:
        patched.setattr(journal, "_sync", broken)
        assert await begun(writer, [failing]) == [True]
    writer.end(ended(failing))
    await writer.stored()
    assert store.prune(Filter(trace_id="t000001"), now_ms=NOON) == 1
    store.close()
    kill(writer)
    with closing(open_store(tmp_path / "traces.db")) as again:
        assert [row.trace_id for row in again.rows(now_ms=NOON)] == ["t000000"]


async def test_whoever_comes_after_the_end_is_told(store: TraceStore, writer: GroupedWriter) -> None:
    await writer.close()
    assert await begun(writer, [opened(1)]) == [False]
    assert store.count() == 1


@pytest.mark.parametrize("data", [b"", MAGIC[:3], MAGIC, MAGIC + b"\x05", MAGIC + b"\x03abc" + bytes(600)])
def test_a_journal_that_was_never_begun_is_taken_away(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / f"traces.db-intents-{0:016x}"
    path.write_bytes(data)
    with closing(open_store(tmp_path / "traces.db")) as opened_store:
        assert opened_store.notices == ()
    assert not path.exists()


SHAS = ",".join(f'"{name}_sha256":""' for name in ("population", "policy", "sources", "state", "verdicts"))
HEAD = '{"trace_id":"t1","tenant":"x","time_ms":%s,"emulated":false,' + SHAS + "}"


@pytest.mark.parametrize(
    "entry",
    [
        '{"kind":"full","winner":{},"head":' + HEAD % 1 + ',"call":[1,0,1,"p",1],"before":null}',
        '{"kind":"full","winner":null,"head":' + HEAD % "1e300" + ',"call":[1,0,1,"p",1],"before":null}',
        '{"kind":"full","winner":null,"head":' + HEAD % 1 + ',"call":[1,0,1],"before":null}',
        '{"kind":"full","winner":null,"head":' + HEAD % 1 + ',"call":[1,0,1,"p",1],"before":[1]}',
    ],
)
def test_an_odd_entry_is_kept_apart_whole(tmp_path: Path, entry: str) -> None:
    each = made(tmp_path)
    assert each.append([entry.encode()]) is not None
    abandon(each)
    with closing(open_store(tmp_path / "traces.db")) as store:
        assert [finding.code for finding in store.notices] == ["trace_journal"]
        assert store.count() == 0
    assert each.path.with_name(f"{each.path.name}.corrupt").exists()


def test_what_is_no_file_is_no_journal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"traces.db-intents-{1:016x}")
    (tmp_path / f"traces.db-intents-{2:016x}").mkdir()
    (tmp_path / f"traces.db-intents-{3:016x}").symlink_to(tmp_path / "elsewhere")
    signal.alarm(60)
    try:
        with closing(open_store(tmp_path / "traces.db")) as store:
            assert store.notices == ()
    finally:
        signal.alarm(0)
    assert len(list(tmp_path.glob("*-intents-*"))) == 3


async def test_a_store_with_a_longer_name_keeps_its_journal(tmp_path: Path) -> None:
    name = "traces.db-intents-x.db"
    store = open_store(tmp_path / name)
    writer = GroupedWriter(sink_for(store))
    assert await begun(writer, [opened(0)]) == [True]
    kill(writer)
    open_store(tmp_path / "traces.db").close()
    assert len(left_journals(tmp_path / name)) == 1


def test_a_journal_that_ends_while_it_is_looked_for_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    each = made(tmp_path)

    def found(place: Path) -> list[Path]:
        paths = left_journals(place)
        each.close()
        return paths

    monkeypatch.setattr(leftover, "left_journals", found)
    with closing(open_store(tmp_path / "traces.db")) as store:
        assert store.notices == ()


def test_a_journal_that_was_taken_under_its_makers_hands_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    real, done = fcntl.flock, list[bool]()

    def flock(handle: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX | fcntl.LOCK_NB and not done:
            done.append(True)
            for path in left_journals(tmp_path / "traces.db"):
                with taken_over(path):
                    pass
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert open_journal(tmp_path / "traces.db", "host:1") is None
    assert not list(tmp_path.glob("*-intents-*"))


async def test_the_store_is_free_for_others_after_a_batch_that_no_database_takes(
    tmp_path: Path, writer: GroupedWriter
) -> None:
    assert await begun(writer, [opened(1)]) == [True]
    writer.begin(opened(2), Intent(1, 0, 10**30, NOON), None, lambda _: None)
    await writer.stored()
    locked(tmp_path).close()
    await writer.close()
    assert writer.lost == 1
