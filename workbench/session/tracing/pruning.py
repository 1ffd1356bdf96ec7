"""Deleting traces: counted first, then done; and the copy that may be made before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import Finding, Place, TraceError
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.listing import Filter
from workbench.traces.store import TraceStore


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a deletion would do; `run` does it."""

    store: TraceStore
    wanted: Filter | None
    """None where nothing is meant."""
    now_ms: int
    count: int
    """How many traces would go; a call that may be in flight is not among them."""
    total: int
    """How many there are."""

    def run(self) -> int:
        """Delete them; gives how many. Their text is gone from SQLite's files then. Raises `TraceError`."""
        return 0 if self.wanted is None else self.store.prune(self.wanted, now_ms=self.now_ms)


def pruning(store: TraceStore, wanted: Filter, *, now_ms: int, keep: int | None = None) -> Pruning:
    """What deleting the traces that a filter means would do; with `keep`, the newest of the store stay."""
    narrowed = _older(wanted, store, keep)
    total = store.count()
    count = 0 if narrowed is None else store.count(narrowed, now_ms=now_ms)
    return Pruning(store, narrowed, now_ms, count, total)


def _older(wanted: Filter, store: TraceStore, keep: int | None) -> Filter | None:
    """The filter up to the newest trace that there is now: what is written while a person is asked was not counted."""
    last = store.nth_newest((keep or 0) + 1)
    return None if last is None else replace(wanted, up_to=last)


def back_up(store: TraceStore, target: Path) -> None:
    """Copy the whole store to a new file (0600), while others go on writing.

    Raises `TraceError` where the file exists, cannot be written, or the store is no file.
    """
    database = store.database
    if not isinstance(database, SqliteDatabase):
        finding = Finding("only a store in a file is copied from here", "trace_backup", hint="use `pg_dump`")
        raise TraceError("the traces were not copied, and none was deleted", [finding])
    try:
        database.backup(target)
    except TraceError as error:
        hint = "name a file that does not exist yet"
        reason = error.findings[0].reason if error.findings else error.title
        finding = Finding(reason, "trace_backup", Place(str(target)), hint)
        raise TraceError("the traces were not copied, and none was deleted", [finding]) from None
