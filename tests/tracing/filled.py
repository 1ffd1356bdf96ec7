"""Stores with traces of every kind, written by the real recorder from the sample's decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.traces.worlds import LOGGING, NOON, QUIET, Case, case, kept, sample
from workbench.traces.parts.words import Identifier
from workbench.traces.record import About, Exchange, Record, Usage, make_trace, settle
from workbench.traces.recorder import Recorder
from workbench.traces.store import TraceStore

ANSWERED: Sequence[Mapping[str, Any]] = ({},)
FAILED_OVER: Sequence[Mapping[str, Any]] = (
    {"kind": "rate_limit", "http_status": 429, "message": "slow down", "facts": {"retry_after_ms": 1000.0}},
    {},
)
EXHAUSTED: Sequence[Mapping[str, Any]] = ({"kind": "server_error", "http_status": 500, "message": "broken"},)
SECOND = 1_000


def record(made: Case, trace_id: str, time_ms: int = NOON, *, emulated: bool = False) -> Record:
    """The record of a decision under an id of one's own."""
    about = About(sample().rulebook.sha256, time_ms, Identifier(trace_id), emulated)
    return make_trace(made.tenant, made.compiled, kept(), made.context, made.decision, about=about)


def called(
    store: TraceStore, trace_id: str, ways: Sequence[Mapping[str, Any]] = ANSWERED, *, tenant: str = LOGGING,
    time_ms: int = NOON, emulated: bool = False, text: str = "hello",
) -> None:  # fmt: skip
    """A call that went as `ways` say."""
    made = case(tenant)
    going = Recorder(store).start(record(made, trace_id, time_ms, emulated=emulated))
    going.before(made.decision.order[0], 1, time_ms)
    going.after(None, 200, 40.0, time_ms + 40)
    going.end(
        made.call(ways), usage=Usage(120, 30, 20, 0.0012, "reported", 9.0, 70.0),
        exchange=Exchange({"messages": [{"role": "user", "content": text}]}, {"content": f"answer to {text}"}),
    )  # fmt: skip
    assert going.recorder.lost == 0


def decided(store: TraceStore, trace_id: str, *, tenant: str = LOGGING, time_ms: int = NOON) -> None:
    """A decision without a call."""
    store.finish(settle(record(case(tenant), trace_id, time_ms)))


def begun(store: TraceStore, trace_id: str, *, time_ms: int = NOON) -> None:
    """A call that nobody ended."""
    made = case()
    Recorder(store).start(record(made, trace_id, time_ms)).before(made.decision.order[0], 1, time_ms)


def fill(store: TraceStore) -> None:
    """One of each kind, a second apart, oldest first."""
    called(store, "ta01ok")
    called(store, "ta02over", FAILED_OVER, time_ms=NOON + SECOND, emulated=True, text="needle")
    called(store, "ta03quiet", EXHAUSTED, tenant=QUIET, time_ms=NOON + 2 * SECOND, text="never written")
    decided(store, "ta04decided", time_ms=NOON + 3 * SECOND)
    begun(store, "tb05begun", time_ms=NOON + 4 * SECOND)
