"""Deleting deletes what was counted, whatever is written while a person is asked."""

from __future__ import annotations

from tests.traces.worlds import NOON
from tests.tracing.filled import called, fill
from workbench.session.tracing.pruning import pruning
from workbench.traces.listing import Filter
from workbench.traces.store import TraceStore

LATER = NOON + 86_400_000


def test_what_is_written_after_the_count_stays(store: TraceStore) -> None:
    fill(store)
    ok = Filter(outcome="ok")
    plans = [pruning(store, ok, now_ms=LATER), pruning(store, ok, now_ms=LATER, keep=0)]
    called(store, "tb01late", time_ms=NOON + 60_000)
    count = plans[0].count
    assert count
    assert [plan.run() for plan in plans] == [count, 0]
    assert [row.trace_id for row in store.rows(ok, now_ms=LATER)] == ["tb01late"]


def test_of_nothing_nothing_is_deleted(store: TraceStore) -> None:
    plan = pruning(store, Filter(), now_ms=LATER)
    called(store, "tb01late")
    assert (plan.count, plan.run(), store.count()) == (0, 0, 1)
