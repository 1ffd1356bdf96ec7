"""What a served call leaves behind: a record that decides again, and none of a quiet tenant's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.faults import PINNED, Faults
from tests.server_x.endpoint import Served, served
from workbench.errors import Finding, TraceError, WorkbenchError
from workbench.server.emulator import Running
from workbench.server.net.assembly import Plan, Process
from workbench.server.net.telling import Reloaded, Telling, TracesLost
from workbench.session.workspace import sample_root
from workbench.traces.parts.catalogs import unpacked
from workbench.traces.record import Trace
from workbench.traces.replay import replay
from workbench.traces.sinks import BulkSink
from workbench.traces.template import stored
from workbench.traces.wire import to_row

WORDS = "a word that nobody else uses: wombat-7391"


def record(endpoint: Served, answer: Any) -> Any:
    """The stored trace of an answer, once its end is written."""
    endpoint.stored()
    found = endpoint.process.traces.store().get(answer.json()["x_router"]["trace_id"])
    assert found.trace.result is not None
    return found


def test_a_trace_says_what_the_answer_said_and_decides_again(endpoint: Served) -> None:
    answer = endpoint.chat(tenant="acme-eu", requirements={"min_context": 200_000})
    found = record(endpoint, answer)
    told = answer.json()["x_router"]
    assert found.trace.head.tenant == "acme-eu"
    assert found.trace.head.policy_fingerprint == told["policy_fingerprint"]
    assert found.trace.head.emulated
    chosen = found.material.catalog.candidates[found.trace.result.chosen]
    assert chosen["provider_id"] == told["provider"]
    assert found.trace.result.usage.cost_usd == told["cost_usd"]
    assert replay(found).same
    calls = endpoint.process.traces.store().calls(told["trace_id"])
    assert [(call.number, call.kind, call.http_status) for call in calls] == [(1, None, 200)]


def test_the_stored_row_is_the_one_that_the_record_gives(endpoint: Served) -> None:
    bodies: list[dict[str, Any]] = [
        {"tenant": "acme-eu"},
        {},
        {"requirements": {"needs": ["tools"], "privacy": "no_log"}},
    ]
    for body in bodies:
        answer = endpoint.chat(compact=True, **body)
        if answer.status_code == 200:
            found = record(endpoint, answer)
            rows = _data(endpoint, answer.json()["x_router"]["trace_id"])
            assert unpacked(rows) == to_row(found.trace)


def _data(endpoint: Served, trace_id: str) -> bytes:
    database = endpoint.process.traces.store().database
    with database.read() as execute:
        rows = execute(
            "SELECT r.data FROM records r JOIN traces t ON t.sequence = r.sequence WHERE t.trace_id = :id",
            {"id": trace_id},
        )
    return bytes(rows[0][0])


@pytest.mark.parametrize("data", [b"", b"{}", b"x" * 4_096, b"y" * 4_097, bytes(range(256)) * 300])
def test_a_framed_row_reads_back(data: bytes) -> None:
    assert unpacked(stored(data)) == data


def test_retries_are_calls_of_one_trace(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=server_error")
    answer = endpoint.chat(model=PINNED, compact=True)
    found = record(endpoint, answer)
    calls = endpoint.process.traces.store().calls(answer.json()["x_router"]["trace_id"])
    assert len(calls) == len([step for step in found.trace.steps if step.event == "attempted"]) >= 2
    assert {call.kind for call in calls} == {"server_error"}


def test_a_quiet_tenants_words_are_nowhere_and_a_logging_ones_are(endpoint: Served) -> None:
    quiet = endpoint.chat(messages=[{"role": "user", "content": WORDS}], compact=True)
    asked = endpoint.chat(
        tenant="acme-eu",
        messages=[{"role": "user", "content": WORDS}],
        requirements={"privacy": "no_log"},
        compact=True,
    )
    loud = endpoint.chat(tenant="acme-eu", messages=[{"role": "user", "content": WORDS}], compact=True)
    assert WORDS.encode() in unpacked(_data(endpoint, _ended(endpoint, loud)))
    for answer in (quiet, asked):
        if answer.status_code == 200:
            assert not isinstance(record(endpoint, answer).trace, Trace)
            assert b"wombat" not in unpacked(_data(endpoint, _ended(endpoint, answer)))


def _ended(endpoint: Served, answer: Any) -> str:
    record(endpoint, answer)
    return answer.json()["x_router"]["trace_id"]


def test_a_store_that_fails_fails_no_call_and_is_told(emulation: Running, tmp_path: Path) -> None:
    place = tmp_path / "traces.db"
    place.mkdir()
    with served(tmp_path, emulation.url) as endpoint:
        answer = endpoint.chat(compact=True)
        assert answer.status_code == 200
        assert "trace_not_written" in answer.json()["x_router"]["warnings"]
        assert endpoint.process.notices


def test_that_traces_are_lost_is_told_once(emulation: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, str | None]] = []

    def broken(*_: object, **__: object) -> None:
        raise TraceError("the server has gone away")

    def heard(lost: int, error: WorkbenchError | None) -> None:
        told.append((lost, None if error is None else error.title))

    def prepare(process: Process) -> None:
        monkeypatch.setattr(process, "traces_fail", heard)

    with served(tmp_path, emulation.url, prepare=prepare) as endpoint:
        monkeypatch.setattr(BulkSink, "prepared", broken)
        monkeypatch.setattr(BulkSink, "announce", broken)
        for _ in range(3):
            assert endpoint.chat(tenant="acme-eu", compact=True).status_code == 200
        assert told == [(1, "the server has gone away")]
        monkeypatch.undo()


def test_what_is_said_of_lost_traces_has_the_reason(tmp_path: Path) -> None:
    process = Telling(Plan(sample_root(), str(tmp_path / "t.db"), folder=tmp_path))
    heard: list[Reloaded | TracesLost] = []
    process.hearers.append(heard.append)
    why = Finding("connection refused", "trace_database")
    process.traces_fail(1, TraceError("the traces cannot be written", [why]))
    process.traces_fail(6, None)
    lost, again = heard
    assert lost.wrong
    assert lost.sentences()[0].startswith("traces are being lost")
    assert "connection refused" in lost.sentences()[-1]
    assert lost.as_document()["event"] == "traces_lost"
    assert again.as_document() == {"event": "traces_written", "lost_total": 6, "reasons": []}
    assert "6 writes failed" in again.sentences()[0]
