"""The same behaviour of every store: what is written, listed, searched, pruned."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.traces.worlds import LOGGING, NOON, QUIET, Case, case
from workbench.engine.fallback import Finished
from workbench.errors import TraceError
from workbench.traces.databases.places import gone, writer
from workbench.traces.document import document
from workbench.traces.listing import LONGEST_MS, Filter, unfinished
from workbench.traces.opening import open_store
from workbench.traces.record import Exchange, Record, Usage, finish, settle
from workbench.traces.recorder import Recorder
from workbench.traces.replay import replay
from workbench.traces.store import CallEnd, Intent, TraceStore

FAILED = [{"kind": "rate_limit", "http_status": 429, "message": "slow down"}, {}]
ROOT = Path(__file__).parents[2]


def called(made: Case, number: int, said: Exchange | None = None, *, time_ms: int = NOON) -> Record:
    """The record of a call that went over to a second provider."""
    usage = Usage(10.0, 20.0, None, 0.001, "reported")
    return finish(made.record(number, time_ms=time_ms), made.call(FAILED), usage=usage, exchange=said)


def fill(store: TraceStore) -> None:
    """Seven traces: four called, two decided, one of a quiet tenant."""
    for number in range(4):
        said = Exchange({"messages": [f"Grüße {number}%_!"]}, "fine")
        store.finish(called(case(), number, said, time_ms=NOON + number * 1000))
    for number in (4, 5):
        store.finish(settle(case("ladle-free").record(number, time_ms=NOON + number * 1000)))
    store.finish(called(case(QUIET), 6, Exchange("secret", "secret")))


def ids(store: TraceStore, wanted: Filter) -> list[str]:
    return [row.trace_id for row in store.rows(wanted, now_ms=NOON)]


@pytest.mark.parametrize("tenant", [LOGGING, QUIET])
def test_what_is_written_around_a_call_reads_back(store: TraceStore, tenant: str) -> None:
    made = case(tenant)
    record = made.record(1)
    first, second = made.decision.order[:2]
    sequence = store.begin(record, Intent(1, first, 1, NOON))
    store.intend(record, Intent(2, second, 1, NOON + 50), CallEnd(1, NOON + 40, "rate_limit", 429, 40.0))
    ended = finish(record, made.call(FAILED), exchange=Exchange("hello", ["hi"]))
    assert store.finish(ended, CallEnd(2, NOON + 90, None, 200, 38.0)) == sequence
    read = store.get("t000001")
    assert read == Record(ended.trace, ended.material, sequence)
    assert document(read) == document(Record(ended.trace, ended.material, sequence))
    kinds = [(c.number, c.index, c.kind, c.http_status, c.ended_ms) for c in store.calls("t000001")]
    assert kinds == [(1, first, "rate_limit", 429, NOON + 40), (2, second, None, 200, NOON + 90)]
    row = store.rows(now_ms=NOON)[0]
    assert (row.tenant, row.outcome, row.no_log, row.sequence) == (tenant, "ok", tenant == QUIET, sequence)
    assert row.attempts == 2
    assert replay(read).same


def test_a_trace_that_was_never_begun_is_stored_whole_at_its_end(store: TraceStore) -> None:
    store.finish(called(case(), 1))
    assert store.get("t000001").trace.result is not None


def test_contents_are_stored_once(store: TraceStore) -> None:
    for number in range(5):
        store.finish(called(case(), number))
    with store.database.read() as execute:
        counts = dict(execute("SELECT kind, count(*) FROM contents GROUP BY kind", {}))
    assert counts == {"catalog": 1, "policy": 1, "sources": 1, "state": 1, "verdicts": 1}
    store.finish(called(case(QUIET), 9))
    with store.database.read() as execute:
        counts = dict(execute("SELECT kind, count(*) FROM contents GROUP BY kind", {}))
    assert counts == {"catalog": 1, "policy": 2, "sources": 2, "state": 1, "verdicts": 2}


def test_filters(store: TraceStore) -> None:
    fill(store)
    everything = [f"t{number:06d}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert ids(store, Filter()) == everything
    assert ids(store, Filter(tenant=QUIET)) == ["t000006"]
    assert ids(store, Filter(outcome="decided")) == ["t000005", "t000004"]
    assert ids(store, Filter(outcome="ok")) == ["t000006", "t000003", "t000002", "t000001", "t000000"]
    assert ids(store, Filter(outcome="failed")) == ids(store, Filter(outcome="exhausted")) == []
    assert ids(store, Filter(since_ms=NOON + 3000, until_ms=NOON + 5000)) == ["t000004", "t000003"]
    assert ids(store, Filter(text="GRÜSSE 2")) == ["t000002"]
    assert ids(store, Filter(text="secret")) == []
    assert ids(store, Filter(text="slow down", tenant=LOGGING)) == everything[3:]
    provider = store.rows(Filter(tenant=LOGGING), now_ms=NOON)[0].provider
    assert provider is not None
    assert ids(store, Filter(provider=provider, tenant=LOGGING)) == everything[3:]
    assert [row.trace_id for row in store.rows(now_ms=NOON, limit=2, before=3)] == ["t000001", "t000000"]


@pytest.mark.parametrize("text", ["%", "_", "!", "2%_!", "0%_!"])
def test_signs_of_a_search_are_plain_text(store: TraceStore, text: str) -> None:
    fill(store)
    wanted = [f"t00000{n}" for n in (3, 2, 1, 0) if text in f"Grüße {n}%_!"]
    assert ids(store, Filter(text=text)) == wanted


HOSTILE = [
    "'; DROP TABLE traces; --",
    '" OR 1=1',
    ":tenant",
    "%(x)s",
    "\x00",
    "\ud800",
    "\x1b[2J",
    "x" * 5000,
    "é\u202e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_filter_and_field_is_only_text(store: TraceStore, text: str) -> None:
    fill(store)
    for wanted in (Filter(tenant=text), Filter(provider=text), Filter(outcome=text)):
        assert ids(store, wanted) == []
    recorder, made = Recorder(store), case()
    going = recorder.start(made.record(50))
    going.before(made.decision.order[0], 1, NOON)
    going.after("server_error", 500, 40.0, NOON)
    ended = Finished(
        "ok", made.decision.order[0], ({**made.call([{}]).path[0], "error_message": text, "detail": text},)
    )
    going.end(ended, exchange=Exchange({text: [text]}, text))
    assert recorder.lost == 0, recorder.last_error
    assert ids(store, Filter(text=text))[:1] == ["t000050"]
    assert store.get("t000050").trace == going.record.trace
    for place in (text, "1;DROP TABLE", "%00", "t" * 10_000):
        with pytest.raises(TraceError, match="no such trace"):
            store.get(place)
    assert len(ids(store, Filter())) == 8


def test_sequence_numbers_order_traces_whatever_the_clock_does(store: TraceStore) -> None:
    day = 24 * 60 * 60 * 1000
    for number, jump in enumerate((0, day, -day, 0)):
        store.finish(called(case(), number, time_ms=NOON + jump))
    rows = store.rows(now_ms=NOON)
    assert [row.trace_id for row in rows] == ["t000003", "t000002", "t000001", "t000000"]
    assert [row.sequence for row in rows] == sorted((row.sequence for row in rows), reverse=True)


def test_without_an_outcome_it_is_in_flight_or_interrupted(opened: Callable[[], TraceStore], place: str) -> None:
    store = opened()
    store.begin(case().record(1), Intent(1, case().decision.order[0], 1, NOON))
    done = run_child(place, "begin", "7")
    assert done.returncode != 0
    found = {row.trace_id: row.outcome for row in store.rows(now_ms=NOON)}
    assert found == {"t000001": "in flight", "t000007": "interrupted"}
    assert ids(store, Filter(outcome="interrupted")) == ["t000007"]
    assert ids(store, Filter(outcome="in flight")) == ["t000001"]
    assert {d["trace_id"]: d["outcome"] for d in store.documents(now_ms=NOON)} == found
    assert store.calls("t000007")[0].ended_ms is None
    assert unfinished(writer(), LONGEST_MS + 1) == "interrupted"
    assert gone("elsewhere:1") is None


def run_child(place: str, what: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Another process, which uses the same store."""
    command = [sys.executable, "-m", "tests.traces.child", place, what, *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def test_prune_deletes_what_it_means_and_what_only_that_named(store: TraceStore) -> None:
    fill(store)
    store.begin(case().record(70), Intent(1, case().decision.order[0], 1, NOON))
    assert store.prune(Filter(tenant=LOGGING), now_ms=NOON) == 4
    assert ids(store, Filter()) == ["t000070", "t000006", "t000005", "t000004"]
    assert store.prune(Filter(), now_ms=NOON) == 3
    assert store.prune(Filter(), now_ms=NOON + 2 * LONGEST_MS) == 1
    with store.database.read() as execute:
        left = [execute(f"SELECT count(*) FROM {t}", {})[0][0] for t in ("contents", "sets", "records", "calls")]  # noqa: S608
    assert left == [0, 0, 0, 0]
    fill(store)
    assert replay(store.get("t000000")).same


def test_four_processes_write_and_a_fifth_prunes(opened: Callable[[], TraceStore], place: str) -> None:
    opened()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(5) as pool:
        jobs = [pool.apply_async(write_many, (place, n * 1000, 40)) for n in range(4)]
        jobs.append(pool.apply_async(prune_while_written, (place, 4 * 20)))
        lost = [job.get(timeout=90) for job in jobs]
    assert lost == [0] * 5
    store = open_store(place)
    store.prune(Filter(tenant=LOGGING), now_ms=NOON)
    rows = store.rows(now_ms=NOON)
    assert len(rows) == 4 * 20, "the quiet half is never pruned"
    assert all(replay(store.get(row.trace_id)).same for row in rows[::20])
    store.close()


def write_many(place: str, first: int, count: int) -> int:
    """Write traces, every second one of a quiet tenant; gives how many writes were lost."""
    recorder = Recorder(open_store(place))
    for number in range(first, first + count):
        made = case(QUIET if number % 2 else LOGGING)
        going = recorder.start(made.record(number))
        going.before(made.decision.order[0], 1, NOON)
        going.after(None, 200, 40.0, NOON)
        going.end(made.call([{}]))
    if recorder.last_error is not None:
        raise recorder.last_error
    return recorder.lost


def prune_while_written(place: str, quiet: int) -> int:
    """Delete every finished trace of the logging tenant again and again, until all the quiet ones are there."""
    store = open_store(place)
    while len(store.rows(Filter(tenant=QUIET, outcome="ok"), now_ms=NOON)) < quiet:
        store.prune(Filter(tenant=LOGGING, outcome="ok"), now_ms=NOON)
    return 0


def test_a_write_that_fails_is_counted_and_goes_no_further(store: TraceStore) -> None:
    recorder, made = Recorder(store), case()
    with store.database.write() as execute:
        execute("DROP TABLE calls", {})
    going = recorder.start(made.record(1))
    assert not going.before(made.decision.order[0], 1, NOON)
    assert recorder.lost == 1
    assert isinstance(recorder.last_error, TraceError)
    going.after(None, 200, 40.0, NOON)
    ended = going.end(made.call([{}]), exchange=Exchange("prompt", "answer"))
    assert ended.trace.result is not None
    assert recorder.lost == 2
    assert "prompt" not in str(recorder.last_error)
    nowhere = Recorder(None)
    nowhere.decided(made.record(2))
    assert nowhere.lost == 1


@pytest.mark.parametrize("said", [float("nan"), "\ud800", {"deep": None}, object(), {1: b"x"}])
def test_no_text_that_a_caller_has_fails_the_write(store: TraceStore, said: object) -> None:
    nested: object = said
    for _ in range(3000 if isinstance(said, dict) else 0):
        nested = [nested]
    recorder, made = Recorder(store), case()
    recorder.start(made.record(1)).end(made.call([{}]), exchange=Exchange(nested, "x" * (9 * 1024 * 1024)))
    assert recorder.lost == 0, recorder.last_error
    assert document(store.get("t000001"))["exchange"]["response"] == {"left_out": f"{9 * 1024 * 1024 + 2} bytes"}
