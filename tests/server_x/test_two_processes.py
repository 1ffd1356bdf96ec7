"""Two real processes, one of them killed under load: no answered call without its trace, no call charged twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.command import call
from tests.server_x.processes import child, load
from tests.server_x.shared_states import redis_server
from tests.traces import conftest as databases
from workbench.server.callers.tables import open_tables
from workbench.server.callers.tokens import Tokens, Wanted
from workbench.traces.opening import open_store

server = databases.server
database = databases.database
BUDGET = 50.0


@pytest.mark.parametrize("meeting", ["sqlite", "postgresql", "valkey"])
def test_a_killed_process_loses_no_trace_and_charges_nothing_twice(
    emulator: str, tmp_path: Path, request: pytest.FixtureRequest, meeting: str
) -> None:
    if meeting == "valkey":
        with redis_server() as address:
            _story(emulator, tmp_path, str(tmp_path / "traces.db"), address)
    elif meeting == "postgresql":
        address = request.getfixturevalue("database")
        _story(emulator, tmp_path, address, address)
    else:
        _story(emulator, tmp_path, str(tmp_path / "traces.db"), None)


def test_processes_behind_one_socket_keep_one_limit(emulator: str, tmp_path: Path) -> None:
    place = str(tmp_path / "tokens.db")
    words = ["--emulator", emulator, "--traces", str(tmp_path / "traces.db"), "--tokens", place, "--processes", "2"]
    body = {"tenant": "acme-eu", "compact": True, "messages": [{"role": "user", "content": "x"}]}
    with child(*words, "--tenant-rate", "6", XDG_STATE_HOME=str(tmp_path)) as made:
        codes: list[int] = []
        for _ in range(16):  # each on a connection of its own, so that both processes get some
            answer = httpx.post(f"{made.url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
            codes.append(answer.status_code)
    assert codes[:6] == [200] * 6
    assert set(codes[6:]) <= {200, 429}
    assert codes.count(200) < 12  # a call more for each ten seconds that this takes; two limits would let twelve in


def _story(emulator: str, folder: Path, traces: str, shared: str | None) -> None:
    tokens = folder / "tokens.db"
    store = Tokens(open_tables(tokens))
    token, secret = store.new(Wanted("busy", ("acme-eu",), budget_usd=BUDGET), round(time.time() * 1000))
    words = ["--emulator", emulator, "--traces", traces, "--tokens", str(tokens), "--require-token"]
    words += [] if shared is None else ["--shared", shared]
    with (
        child(*words, XDG_STATE_HOME=str(folder)) as one,
        child(*words, XDG_STATE_HOME=str(folder)) as two,
        load([one.url, two.url], secret, 8) as made,
    ):
        made.until(80)
        os.kill(one.process.pid, signal.SIGKILL)
        one.process.wait()
        made.until(160)
        made.stop.set()
    assert made.refused == []
    ids = [each["trace_id"] for each in made.answered]
    assert len(set(ids)) == len(ids)
    _every_trace_is_there(traces, ids)
    _nothing_is_charged_twice(tokens, shared, token.id, [each["cost_usd"] for each in made.answered], made.broken)


def _every_trace_is_there(place: str, ids: list[str]) -> None:
    store = open_store(place if "://" in place else Path(place))
    try:
        rows = {row.trace_id: row for row in store.rows(now_ms=round(time.time() * 1000), limit=10_000)}
    finally:
        store.close()
    assert [trace_id for trace_id in ids if trace_id not in rows] == []


def _nothing_is_charged_twice(tokens: Path, shared: str | None, token: str, costs: list[float], broken: int) -> None:
    """Every answer is charged, once; more only where the killed process had charged and could not answer any more."""
    nano, calls = _charged(tokens, shared, token)
    total, dearest = sum(round(cost * 1e9) for cost in costs), max(round(cost * 1e9) for cost in costs)
    assert len(costs) <= calls <= len(costs) + broken
    assert total <= nano <= total + broken * dearest


def _charged(tokens: Path, shared: str | None, token: str) -> tuple[int, int]:
    """As `workbench token list` shows it."""
    words = ["token", "list", "--json", "--tokens", str(tokens), *([] if shared is None else ["--shared", shared])]
    (row,) = [row for row in call(*words).json["tokens"] if row["id"] == token]
    return round(row["spent_usd"] * 1e9), row["calls"]
