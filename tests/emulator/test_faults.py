"""The grammar of faults: read and written, everything wrong told at once, the same seed the same faults."""

from __future__ import annotations

import pytest

from tests.emulator.drills import POOL, cascade
from workbench.engine.fallback import fallback
from workbench.engine.faults import FAULTS, Fault, FaultPlan, names_of, parse_fault, parse_faults, simulated
from workbench.engine.health import Health
from workbench.engine.virtual import drive
from workbench.errors import UsageError
from workbench.gateway.classify import is_detail
from workbench.language.signature import FAIL_REASONS

NAMES = names_of(POOL.candidates)


def test_every_reason_is_a_fault_and_every_fault_promises_words_of_the_classifier() -> None:
    assert tuple(FAULTS)[: len(FAIL_REASONS)] == FAIL_REASONS
    for kind in FAULTS.values():
        for told in (kind.plain, kind.streamed, kind.before_output):
            if told is not None and told.reason is not None:
                assert told.reason in FAIL_REASONS
                assert told.detail is not None
                assert is_detail(told.detail)
                assert told.committed <= (told.reason in {"stream_interrupted", "content_filter"})


@pytest.mark.parametrize("reason", FAIL_REASONS)
def test_a_reason_is_played_as_itself(reason: str) -> None:
    kind = FAULTS[reason]
    assert reason in {kind.plain.reason, kind.streamed.reason}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("alpha=rate_limit", Fault("alpha", None, "rate_limit")),
        ("alpha=rate_limit:30s", Fault("alpha", None, "rate_limit", 30_000)),
        ("alpha/m-1=cut_after:20@0.3", Fault("alpha", "m-1", "cut_after", 20, 0.3)),
        ("*=slow:250ms", Fault("*", None, "slow", 250)),
        ("*/served/m:1@2=down@1", Fault("*", "served/m:1@2", "down")),
        ("beta=cut_after", Fault("beta", None, "cut_after", 3)),
        (" beta=stall_after:0@.5 ", Fault("beta", None, "stall_after", 0, 0.5)),
    ],
)
def test_a_text_is_a_fault_and_back(text: str, fault: Fault) -> None:
    assert parse_fault(text, NAMES) == fault
    assert parse_fault(str(fault), NAMES) == fault


def test_everything_wrong_is_told_at_once_with_a_way_out() -> None:
    with pytest.raises(UsageError) as refused:
        parse_faults(["alpa=rate_limt@2", "alpha=slow:5", "alpha/m1=cut_after:x", "alpha", "beta=down:1@0"], NAMES)
    findings = refused.value.findings
    assert [finding.code for finding in findings] == [
        "fault_provider", "fault_probability", "fault_kind", "fault_argument", "fault_model", "fault_argument",
        "fault_form", "fault_probability", "fault_argument",
    ]  # fmt: skip
    assert all(finding.hint for finding in findings)
    assert findings[0].hint == "did you mean 'alpha'?"
    assert findings[2].hint == "did you mean 'rate_limit'?"
    assert findings[4].hint == "did you mean 'm-1'?"


@pytest.mark.parametrize(
    "text",
    ["", "=", "=down", "a=", "a/=down", "a=down@", "a=down@nan", "a=down@1e-1", "a=down@1.1", "a=down@0", "a=slow:-1s",
     "a=slow:301s", "a=slow:", "a=cut_after:1.5", "a=cut_after:100001", "a=cut_after:٣", "\x1b[2J", "a=" + "x" * 600],
)  # fmt: skip
def test_rubbish_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_fault(text)
    assert "\x1b" not in str(refused.value)


def test_the_same_seed_and_calls_give_the_same_faults_and_others_do_not() -> None:
    faults = parse_faults(["alpha=rate_limit@0.4", "*=down@0.3"])

    def played(seed: int, between: bool) -> list[str | None]:
        plan = FaultPlan(faults, seed=seed)
        found: list[str | None] = []
        for _ in range(200):
            struck = plan.next("alpha", "m-1")
            found.append(struck and struck.kind)
            if between:
                plan.next("beta", "m-1")
        return found

    assert played(1, between=False) == played(1, between=False)
    assert played(1, between=False) != played(2, between=False)
    only = [kind for kind in played(1, between=True) if kind == "rate_limit"]
    assert 50 < len(only) < 110
    assert [k == "rate_limit" for k in played(1, between=True)] == [
        k == "rate_limit" for k in played(1, between=False)
    ]  # fmt: skip


def test_faults_strike_whom_they_name_and_the_first_one_wins() -> None:
    plan = FaultPlan(parse_faults(["alpha/m-1=down", "alpha=slow", "*/m-2=hang"]))
    assert str(plan.next("alpha", "m-1", "served/m:1@2")) == "alpha/m-1=down"
    assert str(plan.next("alpha", "other")) == "alpha=slow:2s"
    assert str(plan.next("beta", "x", "m-2")) == "*/m-2=hang"
    assert plan.next("beta", "x") is None
    assert plan.spares("beta", "x")
    assert not plan.spares("beta", "m-2")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_a_drill_is_told_what_the_table_promises(name: str, streamed: bool) -> None:
    fault = parse_fault(f"alpha={name}")

    def answer(call: object) -> object:
        return simulated(fault, streamed=streamed, usual_ms=100.0)

    ladder = drive(fallback(cascade(), Health(), now=0.0), answer)  # pyright: ignore[reportArgumentType]
    outcome = ladder.rungs[0].outcome
    assert outcome is not None
    told = fault.about.told(fault.arg, streamed=streamed)
    assert (outcome.kind, outcome.committed, outcome.local) == (told.reason, told.committed, told.local)
    assert outcome.latency_ms <= 50_000
    if told.committed:
        assert len([rung for rung in ladder.rungs if rung.call]) == 1


def test_a_drill_keeps_the_time_limits_of_the_request() -> None:
    slow = parse_fault("alpha=slow:20s")
    assert simulated(slow, streamed=False, usual_ms=100.0).latency_ms == 20_100
    assert simulated(slow, streamed=False, request={"timeout_ms": 500}).kind == "timeout"
    late = simulated(parse_fault("alpha=first_token:2s"), streamed=True, request={"first_token_timeout_ms": 800})
    assert (late.latency_ms, late.kind) == (800.0, "timeout")
    assert simulated(parse_fault("alpha=hang"), streamed=False, request={"timeout_ms": 700}).latency_ms == 700
    waits = simulated(parse_fault("alpha=rate_limit:30s"), streamed=True, usual_ms=50.0)
    assert (waits.kind, waits.http_status, waits.retry_after_ms) == ("rate_limit", 429, 30_000)
    assert simulated(None, streamed=True, usual_ms=5.0).kind is None
