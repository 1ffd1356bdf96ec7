"""What a trace costs, in milliseconds: a begin and its intent beside a bare commit on the same disk, and long lists.

    python -m benchmarks.traces [--json]

Asserts nothing. The first two figures take turns, so that a slow disk shows in both.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.tables import Table, script
from tests.traces.worlds import NOON, case
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.record import finish
from workbench.traces.store import Intent

ROUNDS = 300
LISTED = 10_000


def durable(folder: Path) -> tuple[float, float]:
    """Medians in ms: a bare commit of a kilobyte, and a trace with the intent of its first call."""
    store, made = open_store(folder / "state" / "traces.db"), case()
    ended = made.call([{}])
    bare: list[float] = []
    ours: list[float] = []
    with contextlib.closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("CREATE TABLE rows (data BLOB)")
        for number in range(ROUNDS):
            start = time.perf_counter()
            raw.execute("INSERT INTO rows VALUES (?)", (b"x" * 1000,))
            between = time.perf_counter()
            record = made.record(number)
            store.begin(record, Intent(1, made.decision.order[0], 1, NOON))
            ours.append(time.perf_counter() - between)
            bare.append(between - start)
            store.finish(finish(record, ended))
    store.close()
    return median(bare) * 1e3, median(ours) * 1e3


def listed(folder: Path) -> dict[str, float]:
    """Medians in ms of listing 10,000 traces, by filter."""
    store, made = open_store(folder / "many.db"), case()
    ended = made.call([{}])
    for number in range(LISTED):
        store.finish(finish(made.record(number), ended))
    found: dict[str, float] = {}
    filters = {
        "all": Filter(),
        "that hold a text": Filter(text="acme"),
        "of a tenant, answered": Filter(tenant="acme-eu", outcome="ok"),
    }
    for name, wanted in filters.items():
        times: list[float] = []
        for _ in range(7):
            start = time.perf_counter()
            store.rows(wanted, now_ms=NOON)
            times.append(time.perf_counter() - start)
        found[name] = median(times) * 1e3
    store.close()
    return found


def measure() -> list[Table]:
    """One table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, ours = durable(folder)
        rows = [("a bare commit", bare), ("a trace and its intent, durable", ours)]
        rows += [(f"list 10,000 traces: {what}", took) for what, took in listed(folder).items()]
    return [Table("traces", "Traces", ("what", "ms"), tuple(rows))]


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
