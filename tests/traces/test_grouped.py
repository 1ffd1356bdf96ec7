"""Many traces in one transaction: what one of them does wrong costs no other, and whoever waits is always told."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.traces.worlds import LOGGING, NOON, QUIET, case
from workbench.errors import TraceError, WorkbenchError
from workbench.traces.databases import bulk
from workbench.traces.databases.bulk import BulkSqlite
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.grouped import PATIENCE_S, GroupedWriter
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.parts.asked import Asked
from workbench.traces.parts.words import Ending
from workbench.traces.record import Result
from workbench.traces.sinks import BulkSink, sink_for
from workbench.traces.store import CallEnd, Intent, TraceStore
from workbench.traces.template import Own, Summary, Template
from workbench.traces.writes import Begun, Ended, OpenTrace

INTENT = Intent(1, 0, 1, NOON)
TEMPLATES = {tenant: Template(case(tenant).record(0)) for tenant in (LOGGING, QUIET)}


MANY = 20


@pytest.fixture(params=["journal", "no journal"])
def writer(request: pytest.FixtureRequest, store: TraceStore) -> GroupedWriter:
    """A writer into the store, with a journal and as where none can be kept."""
    if request.param == "journal":
        return GroupedWriter(sink_for(store))
    assert isinstance(store.database, SqliteDatabase)
    return GroupedWriter(BulkSink(BulkSqlite(store.database)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TraceStore]:
    """A store in a file."""
    with closing(open_store(tmp_path / "traces.db")) as made:
        yield made


def opened(number: int, tenant: str = LOGGING) -> OpenTrace:
    """One trace of a decision that many share."""
    return OpenTrace(TEMPLATES[tenant], Own(f"t{number:06}", NOON, Asked(), None))


def ended(trace: OpenTrace) -> Ended:
    """The end of a trace whose only call went well."""
    summary = Summary("ok", 0, 1, 1.0, 1.0, 0.0, 1.0)
    return Ended(trace, Result(Ending("ok"), 0, 1.0), (), None, CallEnd(1, NOON, None, 200, 1.0), summary)


async def begun(writer: GroupedWriter, traces: list[OpenTrace]) -> list[bool]:
    """Whether each intent is durable."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Future[bool]] = [loop.create_future() for _ in traces]
    for trace, told in zip(traces, waiting, strict=True):
        writer.begin(trace, INTENT, None, told.set_result)
    async with asyncio.timeout(30):
        return await asyncio.gather(*waiting)


@pytest.mark.parametrize("count", [1, 2, MANY - 1, MANY, 3 * MANY])
async def test_every_intent_is_on_the_disk_when_it_is_told(
    store: TraceStore, writer: GroupedWriter, count: int
) -> None:
    traces = [opened(n) for n in range(count)]
    assert await begun(writer, traces) == [True] * count
    assert store.count() == count
    for trace in traces:
        writer.end(ended(trace))
    await writer.close()
    assert {row.outcome for row in store.rows(now_ms=NOON)} == {"ok"}
    assert len(store.calls("t000000")) == 1


@pytest.mark.parametrize("others", [0, 3, 3 * MANY])
async def test_a_trace_that_begins_and_ends_at_once_is_one(
    store: TraceStore, writer: GroupedWriter, others: int
) -> None:
    """A caller that has gone while its intent waits."""
    gone = opened(999)
    writer.begin(gone, INTENT, None, lambda _kept: None)
    writer.end(ended(gone))
    assert await begun(writer, [opened(n) for n in range(others)]) == [True] * others
    await writer.close()
    assert (store.count(), writer.lost) == (others + 1, 0)
    assert store.get("t000999").trace.result is not None


@pytest.mark.parametrize("others", [3, 3 * MANY])
async def test_one_that_cannot_be_written_takes_no_other_with_it(
    store: TraceStore, writer: GroupedWriter, others: int
) -> None:  # fmt: skip
    assert await begun(writer, [opened(5)]) == [True]
    again = [opened(5), *(opened(n) for n in range(10, 10 + others))]
    told = await begun(writer, again)  # of one in a journal it comes out later
    assert told[1:] == [True] * others
    await writer.close()
    assert (store.count(), writer.lost) == (others + 1, 1)


async def test_what_was_undone_is_known_no_more(store: TraceStore, writer: GroupedWriter) -> None:
    """The number of a set of contents that was rolled back is another set's afterwards."""
    with store.database.write() as execute:
        execute("CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(FAIL, 'no room'); END", {})
    assert await begun(writer, [opened(2)]) == [False]
    with store.database.write() as execute:
        execute("DROP TRIGGER full", {})
    assert await begun(writer, [opened(3, QUIET)]) == [True]
    assert await begun(writer, [opened(4)]) == [True]
    await writer.close()
    for number, tenant in ((3, QUIET), (4, LOGGING)):
        kept = store.get(f"t{number:06}")
        assert kept.material.digests == TEMPLATES[tenant].material.digests


async def test_what_a_prune_took_is_stored_again(store: TraceStore, writer: GroupedWriter) -> None:
    assert await begun(writer, [opened(1)]) == [True]
    assert store.prune(Filter(), now_ms=2 * NOON) == 1
    assert await begun(writer, [opened(2)]) == [True]
    await writer.close()
    assert store.get("t000002").material.digests == TEMPLATES[LOGGING].material.digests


@pytest.mark.parametrize("count", [1, 3 * MANY])
async def test_whatever_goes_wrong_is_told_and_the_next_are_written(
    writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise sqlite3.DatabaseError("file is not a database")

    with monkeypatch.context() as patched:
        patched.setattr(BulkSink, "prepared", broken)
        assert await begun(writer, [opened(n) for n in range(count)]) == [False] * count
    assert writer.lost == count
    assert await begun(writer, [opened(500 + n) for n in range(count)]) == [True] * count
    await writer.close()


async def test_that_writes_fail_and_succeed_again_is_said_once_each(
    writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, said = [1_000.0], list[tuple[int, str | None]]()
    writer.clock = lambda: now[0]

    def heard(lost: int, error: WorkbenchError | None) -> None:
        said.append((lost, None if error is None else error.title))

    writer.heard = heard

    def broken(*_: object, **__: object) -> None:
        raise TraceError("the server has gone away")

    assert await begun(writer, [opened(1)]) == [True]
    assert said == []
    with monkeypatch.context() as patched:
        patched.setattr(BulkSink, "prepared", broken)
        patched.setattr(BulkSink, "announce", broken)
        for number in range(2, 5):
            assert await begun(writer, [opened(number)]) == [False]
    assert said == [(1, "the server has gone away")]
    assert await begun(writer, [opened(5)]) == [True]
    await writer.stored()
    assert len(said) == 1  # it may fail again in a moment
    now[0] += PATIENCE_S
    assert await begun(writer, [opened(6)]) == [True]
    await writer.stored()
    assert said[1:] == [(3, None)]
    await writer.close()


def test_the_log_stays_short_while_somebody_writes_all_the_time(
    store: TraceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_LOG", 100)
    sink, over, sizes = sink_for(store), threading.Event(), list[int]()

    def fold() -> None:
        while not over.wait(0.1):
            sink.tidy()

    folding = threading.Thread(target=fold)
    folding.start()
    for number in range(1_500):
        trace = opened(number)
        sink.prepared([Begun(trace, INTENT, None), ended(trace)])(5_000)
        time.sleep(0.0005)
        sizes.append((tmp_path / "traces.db-wal").stat().st_size)
    over.set()
    folding.join()
    sink.close()
    assert max(sizes) < 30_000_000  # of some 70
    assert store.count() == 1_500


async def test_nobody_waits_while_the_log_is_folded(writer: GroupedWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    folding, go_on = threading.Event(), threading.Event()

    def slow(_self: BulkSink) -> None:
        folding.set()
        go_on.wait(30)

    monkeypatch.setattr(BulkSink, "tidy", slow)
    assert await begun(writer, [opened(1)]) == [True]
    await asyncio.to_thread(folding.wait, 30)
    assert await begun(writer, [opened(10 + n) for n in range(3 * MANY)]) == [True] * (3 * MANY)
    go_on.set()
    await writer.close()
