"""Health that outlives a process: breakers, disables, fading measures, two processes at one file, two tenants."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calls.places import LOUD, QUIET, offer, world
from tests.gateway.server import serving
from tests.gateway.wire import DONE, data, error, finish, stream, text
from workbench.engine.health import HOST, Health
from workbench.engine.measures.decay import (
    HALF_LIFE_MS,
    LEAST_WEIGHT,
    Measured,
    Measures,
    Sample,
    of_wire,
    to_wire,
)
from workbench.gateway.records import Attempt
from workbench.session.calls.health.store import FILE, HealthStore, sample_of, tokens_per_second
from workbench.session.calls.health.view import health_view
from workbench.session.calls.places import KeptFile
from workbench.session.calls.question import Question

DAY_MS = 86_400_000.0
GOOD = stream(text("one "), text("two"), finish(), data({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 20}}), DONE, length=True)  # fmt: skip  # noqa: E501

samples = st.builds(
    Sample, st.floats(0, DAY_MS), st.booleans(), st.none() | st.floats(0, 1e5), st.none() | st.floats(0, 1e5),
    st.none() | st.floats(0, 1e4),
)  # fmt: skip


def attempt(provider: str = "p0", **facts: object) -> Attempt:
    """One attempt; a success where nothing else is said."""
    return Attempt("c", 1, "acme", 0, provider, "m0", 1, **{"latency_ms": 100.0, **facts})  # type: ignore[arg-type]


class Clocks:
    """A wall clock and a process's own, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.own = 1e12, 5_000.0

    def pass_by(self, ms: float) -> None:
        self.wall += ms
        self.own += ms

    def store(self, folder: Path, own: float = 0.0) -> HealthStore:
        """As another process would open it, whose clock began elsewhere."""
        made = HealthStore(KeptFile(folder / FILE), lambda: self.own + own, lambda: self.wall)
        made.refresh()
        return made


@given(st.lists(samples, min_size=1, max_size=12), st.integers(0, 12))
def test_measuring_apart_and_merging_is_measuring_together(given_: list[Sample], cut: int) -> None:
    together, left, right = Measures(), Measures(), Measures()
    for place, sample in enumerate(given_):
        together.add("p", "m", sample)
        (left if place < cut else right).add("p", "m", sample)
    left.merge(right.known)
    now = DAY_MS
    one, two = together.known["p", "m"], left.known["p", "m"]
    assert one.samples == two.samples == len(given_)
    assert one.weight(now) == pytest.approx(two.weight(now))  # pyright: ignore[reportUnknownMemberType]
    for name in ("success_rate", "latency_ms", "tok_s"):
        a, b = one.value(name, one.at), two.value(name, two.at)
        assert (a is None) == (b is None) or one.weight(one.at) < 2 * LEAST_WEIGHT
        if a is not None and b is not None:
            assert a == pytest.approx(b)  # pyright: ignore[reportUnknownMemberType]
    assert dict(of_wire(json.loads(json.dumps(to_wire(left.known))))) == left.known


def test_a_sample_weighs_half_after_an_hour_and_then_fades_away() -> None:
    known = Measured.of(Sample(0.0, True, latency_ms=100.0)).plus(Measured.of(Sample(HALF_LIFE_MS, True, 400.0)))
    assert known.value("latency_ms", HALF_LIFE_MS) == (0.5 * 100 + 400) / 1.5
    assert known.weight(HALF_LIFE_MS) == 1.5
    assert known.value("latency_ms", 3 * HALF_LIFE_MS) == known.value("latency_ms", HALF_LIFE_MS)
    assert known.value("latency_ms", 10 * HALF_LIFE_MS) is None
    assert known.weight(-DAY_MS) == 1.5, "a clock that went back fades nothing"


def test_only_what_speaks_of_the_provider_is_a_sample() -> None:
    assert sample_of(attempt(), 0.0) == Sample(0.0, True, 100.0)
    assert sample_of(attempt(error_kind="network_error", measured=True), 0.0) == Sample(0.0, ok=False)
    silent: tuple[dict[str, Any], ...] = (
        {"error_kind": "timeout"}, {"error_kind": "bad_request", "measured": True}, {"cancelled": True},
        {"error_kind": "auth_error", "local": True}, {"error_kind": "rate_limit"},
    )  # fmt: skip
    for said_nothing in silent:
        assert sample_of(attempt(**said_nothing), 0.0) is None, said_nothing


def test_speed_counts_from_the_first_token_on() -> None:
    assert tokens_per_second(attempt(tokens_out=11, first_token_ms=50.0, latency_ms=150.0)) == 100.0
    assert tokens_per_second(attempt(tokens_out=11, latency_ms=100.0)) == 110.0
    assert tokens_per_second(attempt(tokens_out=1)) is None
    assert tokens_per_second(attempt()) is None
    assert tokens_per_second(attempt(tokens_out=9, first_token_ms=100.0)) is None


def test_what_one_process_learnt_the_next_knows_whatever_its_clock(tmp_path: Path) -> None:
    clocks = Clocks()
    first = clocks.store(tmp_path)
    first.health.failed("acme", "p0", first.clock(), open_ms=30_000, retry_after_ms=None, host=False)
    first.health.disable("acme", "p1", first.clock())
    first.learn("acme", [attempt("p0", error_kind="rate_limit"), attempt("p1", error_kind="auth_error"), attempt("p2")])
    clocks.pass_by(10_000)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    later = clocks.store(tmp_path, own=77_777.0)
    view = health_view(later)
    assert [(row.tenant, row.provider, round(row.remaining_ms)) for row in view.out] == [
        ("acme", "p1", 290_000), ("acme", "p0", 20_000),
    ]  # fmt: skip
    assert [row.provider for row in view.measures] == ["p2"]
    assert view.measures[0].age_ms == 10_000
    assert later.as_state("other")["breakers"] == {}
    clocks.pass_by(400_000)
    over = clocks.store(tmp_path)
    assert health_view(over).out == ()
    over.health.begin("acme", "p0")
    assert over.health.blocked("acme", "p0", over.clock()) == "breaker_open", "after its time one probe, and no more"


def test_a_clock_that_jumps_keeps_nobody_out_for_longer_than_the_longest(tmp_path: Path) -> None:
    clocks = Clocks()
    first = clocks.store(tmp_path)
    first.health.failed("acme", "p0", first.clock(), open_ms=30_000, retry_after_ms=None, host=False)
    first.learn("acme", [attempt("p0", error_kind="rate_limit")])
    clocks.wall -= DAY_MS
    assert all(row.remaining_ms <= 300_000 for row in health_view(clocks.store(tmp_path)).out)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 9}', b'{"schema":1,"providers":[1,{"tenant":3}],"measures":[[],{"provider":1}]}'])  # fmt: skip  # noqa: E501
def test_a_file_that_is_none_counts_as_empty_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    store = HealthStore.at(tmp_path)
    assert health_view(store).out == ()
    store.learn("acme", [attempt()])
    assert health_view(HealthStore.at(tmp_path)).measures[0].samples == 1


def test_a_file_that_could_not_be_read_is_set_aside_and_not_lost(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"schema": 9, "providers": []}')
    HealthStore.at(tmp_path).learn("acme", [attempt()])
    (kept,) = tmp_path.glob(f"{FILE}.corrupt-*")
    assert kept.read_bytes() == b'{"schema": 9, "providers": []}'


def test_a_place_that_cannot_be_written_is_said_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = HealthStore.at(tmp_path / "file" / "below")
    store.learn("acme", [attempt()])
    assert store.file.trouble is not None
    assert health_view(store).measures[0].samples == 1


CHILD = """
import sys
from pathlib import Path
from tests.calls.test_health import attempt
from workbench.session.calls.health.store import HealthStore
for n in range(25):
    HealthStore.at(Path(sys.argv[1])).learn(sys.argv[2], [attempt("p" + sys.argv[2])] + [attempt("shared")])
"""


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    running = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), name], cwd=root) for name in ("0", "1")
    ]  # fmt: skip
    assert [child.wait() for child in running] == [0, 0]
    counted = {row.provider: row.samples for row in health_view(HealthStore.at(tmp_path)).measures}
    assert counted == {"p0": 25, "p1": 25, "shared": 50}


def test_reset_forgets_what_it_is_told_to(tmp_path: Path) -> None:
    def fresh() -> HealthStore:
        store = HealthStore.at(tmp_path)
        store.reset()
        for tenant in ("a", "b"):
            store.health.disable(tenant, "p0", store.clock())
            store.learn(tenant, [attempt("p0")])
        store.learn("a", [attempt("p1")])
        return store

    store = fresh()
    assert store.reset(tenant="a") == 1
    assert [row.tenant for row in health_view(store).out] == ["b"]
    assert len(health_view(store).measures) == 2
    store = fresh()
    assert store.reset(provider="p0", family="m0") == 1
    assert len(health_view(store).out) == 2
    store = fresh()
    assert store.reset(provider="p0") == 3
    assert [row.provider for row in health_view(store).measures] == ["p1"]
    store = fresh()
    assert store.reset() == 4
    assert health_view(HealthStore.at(tmp_path)).measures == ()


def test_entries_go_out_and_in_as_they_are() -> None:
    health = Health()
    health.failed("a", "p", 1000.0, open_ms=None, retry_after_ms=None, host=True)
    health.disable("b", "q", 1000.0)
    copy = Health()
    copy.restore(health.entries(), 1000.0)
    assert copy.entries() == health.entries()
    assert set(health.entries({HOST})) == {(HOST, "p")}


async def test_a_tenants_hostile_calls_leave_another_tenants_order_byte_for_byte(tmp_path: Path) -> None:
    """Its own time limits, its breakers and disables reach nobody else; nor do they weigh on what was measured."""
    plan = "on rate_limit: disable provider; on server_error: next, open breaker 300 s; otherwise: disable provider"
    filters = ["not disabled and not breaker_open", "success_rate > 0.5"]
    scripts = [error(429), error(500), error(401), error(402)]
    async with serving(*scripts) as servers:
        urls = [server.url for server in servers]
        workspace, caller = world(tmp_path, urls, filters=filters, plan=plan)
        before = caller.prepare(workspace.state, QUIET, Question("x"))
        for _ in range(25):
            await caller.run(caller.prepare(workspace.state, LOUD, Question("x", deadline_ms=1500)))
        after = caller.prepare(workspace.state, QUIET, Question("x"))
        hostile = caller.prepare(workspace.state, LOUD, Question("x"))
        caller.traces.close()
    assert repr(after.decision).encode() == repr(before.decision).encode()
    assert before.cascade.order == after.cascade.order
    assert not hostile.cascade.order, "the control: it does reach the tenant itself"


async def test_what_was_measured_decides_where_the_policy_looks_at_it(tmp_path: Path) -> None:
    rows = [offer(0), offer(1)]
    async with serving(GOOD, GOOD) as servers:
        urls = [server.url for server in servers]
        workspace, caller = world(tmp_path, urls, offers=rows, rank="cheapest by price_in - 1000000 * tok_s")
        first = caller.prepare(workspace.state, LOUD, Question("x"))
        assert first.cascade.order == (0, 1)
        store = caller.health()
        store.learn(LOUD, [Attempt("c", 1, LOUD, 1, "p1", "m1", 1, latency_ms=100.0, tokens_out=100)])
        second = caller.prepare(workspace.state, LOUD, Question("x"))
        assert second.cascade.order == (1, 0)
        called = await caller.run(second)
        kept = caller.traces.store().get(called.trace_id)
        caller.traces.close()
    assert kept.material.catalog.candidates[1]["tok_s"] == 1000.0
    assert kept.material.verdicts.order == (1, 0)
    assert kept.trace.head.population_sha256 != first.record.trace.head.population_sha256


def test_a_file_that_is_written_again_and_again_leaves_no_garbage(tmp_path: Path) -> None:
    """An endpoint writes it every two seconds, and has nothing else for the collector to find."""
    kept = KeptFile(tmp_path / FILE)
    document: dict[str, Any] = {"schema": 1, "providers": [{"tenant": "é", "until": None}], "empty": {}}
    kept.change(lambda _: (document, None))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(20):
            kept.change(lambda _: (document, None))
        gc.collect()
        found = Counter(type(each).__qualname__ for each in cast("list[object]", gc.garbage))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert {name: count for name, count in found.items() if count >= 20} == {}
    assert kept.read() == document
    assert (tmp_path / FILE).read_text(encoding="utf-8").count("\n") == len(document) + 2
