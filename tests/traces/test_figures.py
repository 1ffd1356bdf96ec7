"""What a trace costs: measured beside a bare commit on the same disk, so that a slow disk fails nothing."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from statistics import median

from tests.traces.worlds import NOON, case
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.record import finish
from workbench.traces.store import Intent


def test_a_trace_is_durable_within_two_milliseconds_beside_the_disk(tmp_path: Path) -> None:
    store, made = open_store(tmp_path / "state" / "traces.db"), case()
    ended = made.call([{}])
    bare: list[float] = []
    ours: list[float] = []
    with contextlib.closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("CREATE TABLE rows (data BLOB)")
        for number in range(120):
            start = time.perf_counter()
            raw.execute("INSERT INTO rows VALUES (?)", (b"x" * 1000,))
            between = time.perf_counter()
            record = made.record(number)
            store.begin(record, Intent(1, made.decision.order[0], 1, NOON))
            ours.append(time.perf_counter() - between)
            bare.append(between - start)
            store.finish(finish(record, ended))
    store.close()
    assert median(ours) - median(bare) <= 0.002, f"{median(ours) * 1e3:.2f} ms beside {median(bare) * 1e3:.2f} ms"


def test_ten_thousand_traces_list_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    store, made = open_store(tmp_path / "traces.db"), case()
    store.finish(finish(made.record(0), made.call([{}])))
    with store.database.write() as execute:
        for table, keys in (("traces", "sequence, trace_id"), ("records", "sequence")):
            names = [row[1] for row in execute(f"PRAGMA table_info({table})", {})]
            rest = ", ".join(name for name in names if name not in keys.split(", "))
            copy = "1 + n, 'c' || n" if table == "traces" else "1 + n"
            execute(
                f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9999)"  # noqa: S608
                f" INSERT INTO {table} ({keys}, {rest}) SELECT {copy}, {rest} FROM c, {table} WHERE sequence = 1",
                {},
            )
    for wanted in (Filter(), Filter(text="acme"), Filter(tenant="acme-eu", outcome="ok")):
        times: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            rows = store.rows(wanted, now_ms=NOON)
            times.append(time.perf_counter() - start)
            assert len(rows) == 10_000
        assert min(times) <= 0.1, f"{min(times) * 1e3:.0f} ms"
    store.close()
