"""Every row of the fault matrix over real sockets: plain and streamed, logging and not, first and last candidate."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.gateway.calls import KEY, PATIENT, PROMPT, SHORT, Made, call, candidate, cascade, transport
from tests.gateway.faults import CASES, Fault, Mode
from tests.gateway.server import FaultServer, serving
from tests.gateway.wire import WORD, answered, error
from tests.timing import in_time
from workbench.gateway.classify import is_detail
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.events import Failed
from workbench.gateway.records import Attempt, LoggedAttempt
from workbench.language.signature import FAIL_REASONS

DEADLINE_MS = 600
PATIENCE_MS = 20_000
CANARIES = ("CANARY", KEY, PROMPT, WORD)


@pytest.mark.parametrize(("fault", "mode"), CASES, ids=[f"{fault.name} / {mode}" for fault, mode in CASES])
async def test_a_fault_gets_its_name_and_the_plan_its_way(fault: Fault, mode: Mode) -> None:
    stream = mode == "stream"
    limits, deadline_ms = (SHORT, DEADLINE_MS) if fault.silent else (PATIENT, PATIENCE_MS)
    async with transport() as wire, serving(fault.script, answered(stream), error(404, "gone")) as servers:
        bad, good, gone = servers
        first = [candidate(0, bad.url, fault.kind), candidate(1, good.url)]
        last = [candidate(0, gone.url), candidate(1, bad.url, fault.kind)]
        runs = [(down, no_log) for down in (first, last) for no_log in (False, True)]

        async def every() -> list[Made]:
            return await asyncio.gather(
                *(
                    call(wire, cascade(down), stream=stream, no_log=no_log, deadline_ms=deadline_ms, limits=limits)
                    for down, no_log in runs
                )
            )

        made = await in_time(every, lambda made: max(each.seconds for each in made), latest(fault))
    for (down, no_log), each in zip(runs, made, strict=True):
        judge(fault, each, last=down is last, no_log=no_log)
    judge_requests(bad, fault)


def latest(fault: Fault) -> float:
    """The seconds after which its answer is late: a deadline is kept within a quarter of one."""
    return (DEADLINE_MS + 250) / 1000 if fault.silent else PATIENCE_MS / 1000


def judge(fault: Fault, made: Made, *, last: bool, no_log: bool) -> None:
    answer = made.answer
    assert made.seconds <= latest(fault)
    attempt = answer.attempts[1 if last else 0]
    assert attempt.error_kind == fault.reason
    assert attempt.detail == fault.detail
    assert attempt.retry_after_ms == fault.retry_ms
    assert attempt.committed == (fault.committed or (fault.reason is None and made.answer.committed))
    assert answer.outcome == outcome(fault, last=last)
    assert (answer.finished.outcome, answer.finished.path) == (answer.outcome, answer.path)
    if fault.reason is None:
        judge_reply(fault, made)
    judge_records(made, no_log=no_log)
    if fault.committed:
        assert attempt.action == "abort"
        assert attempt.action_suppressed == "committed"
        assert answer.attempts[-1] is attempt, "a call was made after the answer had begun"


def outcome(fault: Fault, *, last: bool) -> str:
    if fault.reason is None:
        return "ok"
    if fault.committed:
        return fault.reason
    if not last:
        return "exhausted: timeout" if fault.detail == "deadline" else "ok"
    return f"exhausted: {fault.reason}"


def judge_reply(fault: Fault, made: Made) -> None:
    reply = made.answer.reply
    assert reply is not None
    assert reply.text == fault.text
    assert fault.warning is None or fault.warning in reply.warnings
    said = "".join(event.text for event in made.events if isinstance(event, Delta))
    assert said in ("", reply.text)


def judge_records(made: Made, *, no_log: bool) -> None:
    assert [intent.sequence for intent in made.recorder.intents] == [each.sequence for each in made.answer.attempts]
    assert [each.sequence for each in made.recorder.outcomes] == [each.sequence for each in made.answer.attempts]
    assert len(made.answer.attempts) == len([entry for entry in made.answer.path if entry["event"] == "attempted"])
    kept: list[object] = [made.recorder.intents, made.recorder.outcomes, made.answer.attempts, made.answer.path]
    kept += [event for event in made.events if isinstance(event, Failed)]
    written = repr(kept)
    assert KEY not in written
    for each in made.answer.attempts:
        assert each.error_kind is None or each.error_kind in FAIL_REASONS
        assert each.detail is None or is_detail(each.detail)
        assert type(each) is (Attempt if no_log else LoggedAttempt)
    if no_log:
        assert not [word for word in CANARIES if word in written]


def judge_requests(server: FaultServer, fault: Fault) -> None:
    """What went out: to the row's address, with its model and its key, and asking for no compression."""
    for got in server.received:
        assert got.line.startswith("POST ")
        assert got.headers["accept-encoding"] == "identity"
        assert "cookie" not in got.headers
        assert KEY not in got.line
        assert any(KEY in value for value in got.headers.values())
        assert PROMPT.encode() in got.body


async def test_the_providers_words_are_kept_for_a_tenant_that_logs() -> None:
    """The control: the same canary that no `no_log` record holds is in a logging tenant's."""
    words = f"no {KEY} for you {WORD}\x1b[31m"
    async with transport() as wire, serving(error(401, words)) as (bad,):
        made = await call(wire, cascade([candidate(0, bad.url)]), no_log=False)
        quiet = await call(wire, cascade([candidate(0, bad.url)]), no_log=True)
    (attempt,) = made.answer.attempts
    assert isinstance(attempt, LoggedAttempt)
    assert attempt.error_message is not None
    assert WORD in attempt.error_message
    assert "***" in attempt.error_message
    assert KEY not in attempt.error_message
    assert "\x1b" not in attempt.error_message
    assert WORD in repr(made.answer.path)
    assert "CANARY" not in repr([quiet.answer, quiet.recorder, quiet.events])


@pytest.mark.parametrize("flag", [True, None, "false", "False", 0, 1, "", [], {}])
async def test_only_false_itself_lets_words_be_kept(flag: Any) -> None:
    async with transport() as wire, serving(error(500, "x")) as (bad,):
        made = await call(wire, cascade([candidate(0, bad.url)]), no_log=flag)
    assert type(made.answer.attempts[0]) is Attempt
    assert "CANARY" not in repr([made.answer, made.recorder, made.events])
