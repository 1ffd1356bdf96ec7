"""What served calls measure decides the calls after them, where a policy looks at it; nothing else changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server_x.endpoint import Served, policy, served
from workbench.language.admission import check
from workbench.language.signature import Version
from workbench.server.emulator import Running
from workbench.server.net.assembly import Process
from workbench.server.watching.measuring import Measuring
from workbench.session.calls.health.measured import looks_at_measures
from workbench.session.calls.health.store import HealthStore
from workbench.traces.opening import open_store
from workbench.traces.replay import replay

QUICK = policy(["cmp", "latency_ms", "le", 60_000])
PLAIN = policy(["top"])


def quickly(process: Process) -> None:
    """Look for what was measured all the time."""

    async def start() -> None:
        measuring = process.host.measuring
        assert measuring is not None
        measuring.look_s = measuring.calm_s = 0.02

    process.host.starting.append(start)


def until(look: Callable[[], Any]) -> Any:
    """What `look` gives once it gives something."""
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


def ranked(endpoint: Served) -> set[tuple[str, str]]:
    rows = endpoint.post("/x/rank", {"policy_ir": QUICK}).json()["ranked"]
    return {(row["provider"], row["model_family"]) for row in rows}


def test_a_ceiling_on_latency_lets_pass_what_was_measured(emulation: Running, tmp_path: Path) -> None:
    with served(tmp_path, emulation.url, prepare=quickly) as endpoint:
        unknown = endpoint.chat(policy_ir=QUICK)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "no_candidates")
        assert ranked(endpoint) == set()
        first = endpoint.chat(policy_ir=PLAIN).json()["x_router"]
        pair = first["provider"], first["model_family"]
        assert until(lambda: ranked(endpoint)) == {pair}
        for path in (False, True):  # on the fast path, and as a stream
            answer = endpoint.chat(policy_ir=QUICK, stream=path)
            assert answer.status_code == 200
        again = endpoint.chat(policy_ir=QUICK).json()["x_router"]
        assert (again["provider"], again["model_family"]) == pair
        others = [row for row in again["decision_trace"]["rejected"] if row["provider"] != pair[0]]
        assert {rule["observed"] for row in others for rule in row["rules"]} == {"unknown"}
        endpoint.stored()
    store = open_store(tmp_path / "traces.db")
    try:
        record = store.get(again["trace_id"])
        assert record is not None
        assert replay(record).same
    finally:
        store.close()


def test_a_policy_that_does_not_look_is_decided_over_the_catalog_as_it_is(emulation: Running, tmp_path: Path) -> None:
    with served(tmp_path, emulation.url, prepare=quickly) as endpoint:
        before = endpoint.chat(policy_ir=PLAIN).json()["x_router"]["trace_id"]
        until(lambda: ranked(endpoint))
        after = endpoint.chat(policy_ir=PLAIN).json()["x_router"]["trace_id"]
        looking = endpoint.chat(policy_ir=QUICK).json()["x_router"]["trace_id"]
        endpoint.stored()
        populations = [
            endpoint.get(f"/x/traces/{trace_id}").json()["population_sha256"] for trace_id in (before, after, looking)
        ]
    assert populations[0] == populations[1] != populations[2]


def test_what_was_measured_outlives_the_process_and_is_shared(emulation: Running, tmp_path: Path) -> None:
    with served(tmp_path, emulation.url) as endpoint:  # at its usual pace: the end keeps what was measured
        first = endpoint.chat(policy_ir=PLAIN).json()["x_router"]
    kept = json.loads((tmp_path / "health-emulated.json").read_text())
    assert [row["model_family"] for row in kept["measures"]] == [first["model_family"]]
    (tmp_path / "again").mkdir()
    with served(tmp_path, emulation.url, prepare=quickly) as endpoint:
        assert endpoint.chat(policy_ir=QUICK).status_code == 200  # from the first call on


@pytest.mark.parametrize("broken", ["{", '{"schema": 9}'])
def test_a_file_that_cannot_be_read_or_written_costs_no_call_and_no_measure(
    emulation: Running, tmp_path: Path, broken: str
) -> None:
    (tmp_path / "health-emulated.json").write_text(broken)
    with served(tmp_path, emulation.url, prepare=quickly) as endpoint:
        assert endpoint.chat(policy_ir=PLAIN).status_code == 200
        assert until(lambda: ranked(endpoint))
        assert endpoint.chat(policy_ir=QUICK).status_code == 200


def test_values_hold_for_a_while_and_new_ones_count_at_once(tmp_path: Path) -> None:
    now = 1_000.0
    measuring = Measuring(lambda: HealthStore.at(tmp_path), clock=lambda: now)
    due = measuring._due  # pyright: ignore[reportPrivateUsage] - the rule itself is what is in question
    assert due({("a", "m"): {"latency_ms": 100.0}})
    measuring.fields, measuring._since = {("a", "m"): {"latency_ms": 100.0}}, now  # pyright: ignore[reportPrivateUsage]
    assert not due({("a", "m"): {"latency_ms": 110.0}})
    assert due({("a", "m"): {"latency_ms": 110.0, "tok_s": 5.0}})
    assert due({("a", "m"): {"latency_ms": 110.0}, ("b", "m"): {"success_rate": 1.0}})
    now += measuring.calm_s
    assert due({("a", "m"): {"latency_ms": 110.0}})


@pytest.mark.parametrize(
    ("term", "version", "looks"),
    [
        (["speed"], "sigma-pol/v1", True),
        (["field", "tok_s"], "sigma-pol/v2", True),
        (["field", "price_in"], "sigma-pol/v2", False),
    ],
)
def test_which_policies_look_at_measures(endpoint: Served, term: list[Any], version: Version, looks: bool) -> None:
    vocabulary = endpoint.process.host.state.session.vocabulary if endpoint.process.host.state else None
    assert vocabulary is not None
    assert looks_at_measures(check(term, vocabulary, version=version, sort="Scorer")) is looks
