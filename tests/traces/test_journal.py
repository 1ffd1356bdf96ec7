"""Intents on the disk before the store has them: what was told durable is there after any end, and only that."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.traces.test_grouped import LOGGING, QUIET, TEMPLATES, begun, opened
from tests.traces.worlds import NOON
from workbench.errors import WorkbenchError
from workbench.traces import grouped
from workbench.traces.databases import journal
from workbench.traces.databases.journal import HALF, Journal, Left, left_journals, open_journal, taken_over
from workbench.traces.databases.places import writer as program
from workbench.traces.grouped import GroupedWriter
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.parts.words import INTERRUPTED
from workbench.traces.sinks import BulkSink, sink_for
from workbench.traces.store import CallEnd, Intent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no journal without a lock")


def made(folder: Path) -> Journal:
    """A journal beside a store that need not exist."""
    found = open_journal(folder / "traces.db", "host:1")
    assert found is not None
    return found


def abandon(each: Journal) -> None:
    """Leave it as a kill does: its file stays, its lock goes."""
    os.close(each._handle)  # pyright: ignore[reportPrivateUsage] - nobody else could end it this way


def of(writer: GroupedWriter) -> Journal:
    """The journal that a writer announces in."""
    assert isinstance(writer.sink, BulkSink)
    assert writer.sink.journal is not None
    return writer.sink.journal


def kill(writer: GroupedWriter) -> None:
    """End it as a kill does: nothing is written from now on."""
    abandon(of(writer))
    writer.sink = None
    if writer._thread is not None:  # pyright: ignore[reportPrivateUsage] - as above
        writer._thread.shutdown()  # pyright: ignore[reportPrivateUsage]


def left(folder: Path) -> list[bytes]:
    """What the only journal of a folder has that may be missing."""
    (path,) = left_journals(folder / "traces.db")
    with taken_over(path) as found:
        assert found is not None
        return found.entries


@pytest.mark.parametrize("seed", range(12))
def test_what_is_not_stored_is_found_in_order_and_nothing_else(tmp_path: Path, seed: int) -> None:
    chance, each = random.Random(seed), made(tmp_path)
    waiting: list[tuple[journal.Position, list[bytes]]] = []
    for number in range(chance.randrange(1, 400)):
        size = chance.choice((0, 1, 300, 1_000, 20_000))
        entries = [b"%d.%d " % (number, part) + bytes(size) for part in range(chance.randrange(1, 6))]
        until = each.append(entries)
        if until is None:  # no room: the store has to catch up
            assert waiting
        else:
            waiting.append((until, entries))
        if until is None or chance.random() < 0.2:
            stored, waiting = waiting, waiting[chance.randrange(1, len(waiting) + 1) :]
            each.stored(stored[len(stored) - len(waiting) - 1][0])
    abandon(each)
    assert left(tmp_path) == [entry for _, entries in waiting for entry in entries]
    assert not list(left_journals(tmp_path / "traces.db"))


def test_there_is_no_room_before_the_store_has_caught_up(tmp_path: Path) -> None:
    each, big = made(tmp_path), bytes(HALF // 3)
    first, second = each.append([big, big]), each.append([big, big])
    assert first is not None
    assert second is not None
    assert each.append([big, big]) is None
    each.stored(first)
    assert each.append([big, big]) is None  # the second half has not been stored, but the first is not free yet
    each.stored(second)
    third = each.append([big, big])
    assert third is not None
    assert each.append([bytes(HALF + 1)]) is None
    each.close()
    assert not list(left_journals(tmp_path / "traces.db"))


@pytest.mark.parametrize("seed", range(20))
def test_of_a_damaged_journal_the_whole_entries_before_the_damage_are_found(tmp_path: Path, seed: int) -> None:
    chance, each = random.Random(seed), made(tmp_path)
    entries = [b"%d" % number * chance.randrange(1, 50) for number in range(100)]
    ends = [each.append([entry]) for entry in entries]
    abandon(each)
    broken = chance.randrange(len(entries))
    place = (ends[broken] or (0, 0))[1]
    with each.path.open("r+b") as file:
        file.seek(journal.BLOCK + HALF + place - 1)  # the first turn is the second half's
        file.write(b"\xff")
    assert left(tmp_path) == entries[:broken]


def test_a_journal_in_use_is_nobody_elses(tmp_path: Path) -> None:
    each = made(tmp_path)
    assert stat.S_IMODE(each.path.stat().st_mode) == 0o600
    with taken_over(each.path) as found:
        assert found is None
    assert each.path.exists()
    each.close()


def test_a_file_that_is_no_journal_stays(tmp_path: Path) -> None:
    path = tmp_path / "traces.db-intents-notes"
    path.write_text("my notes")
    open_store(tmp_path / "traces.db").close()
    assert path.read_text() == "my notes"


async def test_an_intent_is_told_before_the_store_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(tmp_path / "traces.db")) as store:
        writer = GroupedWriter(sink_for(store))
        assert await begun(writer, [opened(0)]) == [True]  # its contents are stored from now on
        with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody can store anything
            assert await begun(writer, [opened(number) for number in range(1, 40)]) == [True] * 39
            assert store.count() == 1
            other.execute("ROLLBACK")
        await writer.close()
        assert store.count() == 40
        assert not list(left_journals(tmp_path / "traces.db"))


async def killed(folder: Path, *, store_too: bool) -> None:
    """Announce intents of both kinds of tenant and leave everything as a kill does."""
    with pytest.MonkeyPatch.context() as patched, closing(open_store(folder / "traces.db")) as store:
        patched.setattr(grouped, "TOGETHER_S", 3_600.0)  # nothing is stored unasked
        writer = GroupedWriter(sink_for(store))
        assert await begun(writer, [opened(0), opened(1, QUIET)]) == [True, True]
        again = opened(2)
        assert await begun(writer, [again, opened(3, QUIET)]) == [True, True]
        told = asyncio.get_running_loop().create_future()
        before = CallEnd(1, NOON + 5, "rate_limit", 429, 5.0)
        writer.begin(again, Intent(2, 1, 1, NOON + 6), before, told.set_result)
        assert await told
        if store_too:
            await writer.stored()
        assert store.count() == (4 if store_too else 2)
        kill(writer)


@pytest.mark.parametrize("store_too", [False, True])
async def test_what_a_killed_process_announced_is_taken_over_once(tmp_path: Path, store_too: bool) -> None:
    await killed(tmp_path, store_too=store_too)
    for _ in range(2):
        with closing(open_store(tmp_path / "traces.db")) as store:
            assert store.notices == ()
            rows = {row.trace_id: row for row in store.rows(now_ms=2 * NOON)}
            assert sorted(rows) == [f"t{number:06}" for number in range(4)]
            assert {row.outcome for row in rows.values()} == {INTERRUPTED}
            assert (rows["t000003"].no_log, rows["t000002"].no_log) == (True, False)
            first, second = store.calls("t000002")
            assert (first.ended_ms, first.kind, first.http_status, first.latency_ms) == (
                NOON + 5, "rate_limit", 429, 5.0,
            )  # fmt: skip
            assert (second.number, second.index, second.began_ms, second.ended_ms) == (2, 1, NOON + 6, None)
            for number, tenant in ((2, LOGGING), (3, QUIET)):
                kept = store.get(f"t{number:06}")
                assert kept.material.digests == TEMPLATES[tenant].material.digests
                head = TEMPLATES[tenant].record.trace.head
                assert kept.trace.head.policy_fingerprint == head.policy_fingerprint
                assert store.count(Filter(text=f"T{number:06}")) == 1
                assert store.count(Filter(text=head.tenant)) >= 2
    assert not list(left_journals(tmp_path / "traces.db"))


async def test_what_was_stored_and_pruned_does_not_come_back(tmp_path: Path) -> None:
    await killed(tmp_path, store_too=True)
    with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
        other.execute("PRAGMA foreign_keys = ON")
        other.execute("DELETE FROM traces")  # as a prune does; one of ours would open the store, and take over first
    with closing(open_store(tmp_path / "traces.db")) as store:
        assert store.count() == 0


async def test_an_entry_that_is_none_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped, "TOGETHER_S", 3_600.0)  # nothing is stored unasked
    store = open_store(tmp_path / "traces.db")
    writer = GroupedWriter(sink_for(store))
    assert await begun(writer, [opened(0)]) == [True]
    kept = of(writer)
    for entry in (b"{", b"[]", b'{"head": {"trace_id": "t1"}}', b'{"head": 1}', b"\xff"):
        assert kept.append([entry]) is not None
    assert await begun(writer, [opened(1)]) == [True]
    kill(writer)
    with closing(open_store(tmp_path / "traces.db")) as again:
        assert [finding.code for finding in again.notices] == ["trace_journal"]
        assert "5 intents" in again.notices[0].reason
        assert {row.trace_id for row in again.rows(now_ms=2 * NOON)} == {"t000000", "t000001"}


async def test_contents_that_are_gone_cost_no_trace(tmp_path: Path) -> None:
    await killed(tmp_path, store_too=False)
    with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
        for table in ("traces", "sets", "contents"):
            other.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed words
    with closing(open_store(tmp_path / "traces.db")) as store:
        assert store.count() == 2
        with pytest.raises(WorkbenchError, match="cannot be read"):
            store.get("t000002")


async def test_a_store_that_somebody_else_writes_is_opened_and_the_journal_waits(tmp_path: Path) -> None:
    await killed(tmp_path, store_too=False)
    with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with closing(open_store(tmp_path / "traces.db")) as store:
            assert [finding.code for finding in store.notices] == ["trace_journal"]
            assert "left where they are" in store.notices[0].reason
    with closing(open_store(tmp_path / "traces.db")) as store:
        assert (store.count(), store.notices) == (4, ())


@pytest.mark.parametrize("name", ["pwrite", "fdatasync"])
async def test_where_the_journal_fails_intents_go_to_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with closing(open_store(tmp_path / "traces.db")) as store:
        writer = GroupedWriter(sink_for(store))
        assert await begun(writer, [opened(0)]) == [True]
        if name == "pwrite":
            monkeypatch.setattr(os, "pwrite", broken)
        else:
            monkeypatch.setattr(journal, "_sync", broken)
        assert await begun(writer, [opened(1), opened(2)]) == [True, True]
        assert store.count() == 3
        monkeypatch.undo()
        assert await begun(writer, [opened(3)]) == [True]  # what has failed once is not trusted again
        assert store.count() == 4
        await writer.close()
        assert writer.lost == 0


async def test_a_store_that_failed_is_waited_for_and_told(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "traces.db")) as store:
        writer = GroupedWriter(sink_for(store))
        assert await begun(writer, [opened(0)]) == [True]
        with store.database.write() as execute:
            execute("CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(FAIL, 'no room'); END", {})
        assert await begun(writer, [opened(1)]) == [True]  # it is in the journal
        await writer.stored()
        assert writer.lost == 1
        assert await begun(writer, [opened(2), opened(3)]) == [False, False]
        with store.database.write() as execute:
            execute("DROP TRIGGER full", {})
        assert await begun(writer, [opened(4)]) == [True]
        await writer.close()
        assert (writer.lost, store.count()) == (3, 2)


KILLS = 8


@pytest.mark.parametrize("seed", range(KILLS))
def test_kill_at_any_moment_loses_no_intent_that_was_told(tmp_path: Path, seed: int) -> None:
    place = tmp_path / "traces.db"
    with (tmp_path / "told").open("wb") as told:
        child = subprocess.Popen([sys.executable, "-m", "tests.traces.child", str(place), "announce"], stdout=told)
        chance = random.Random(seed)
        latest = time.monotonic() + 60
        while not (tmp_path / "told").stat().st_size and time.monotonic() < latest:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.4)
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    lines = (tmp_path / "told").read_bytes().split(b"\n")[:-1]
    announced = {line[2:].decode() for line in lines if line.startswith(b"b ")}
    finished = {line[2:].decode() for line in lines if line.startswith(b"e ")}
    assert announced
    with closing(open_store(place)) as store:
        assert store.notices == ()
        rows = {row.trace_id: row for row in store.rows(now_ms=NOON, limit=1_000_000)}
        assert announced <= set(rows)
        assert all(len(store.calls(trace_id)) == 1 for trace_id in sorted(announced)[-50:])
        assert {row.outcome for row in rows.values()} <= {"ok", INTERRUPTED}
        assert sum(row.outcome == "ok" for row in rows.values()) <= len(finished) + 64
    assert not list(left_journals(place))


def test_the_writers_name_is_kept(tmp_path: Path) -> None:
    each = open_journal(tmp_path / "traces.db", program())
    assert each is not None
    abandon(each)
    with taken_over(each.path) as found:
        assert found == Left(program(), [])
