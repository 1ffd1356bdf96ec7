"""The fallback machine on a virtual clock: every action, the breakers, the caps, and whose state a failure touches."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from workbench.engine.context import Context
from workbench.engine.decide import decide, when_well
from workbench.engine.fallback import MOST_ATTEMPTS, MOST_SHUT, Call, Cascade, Finished, fallback, narrow
from workbench.engine.health import HOST, Health
from workbench.engine.pool import Pool
from workbench.engine.virtual import Ladder, Simulated, drive
from workbench.language.admission import Admitted, check
from workbench.language.signature import ACTIONS, FAIL_REASONS
from workbench.language.vocabulary import CORE

Behaviour = Callable[[Call], Simulated]


def offer(provider: str, family: str = "m") -> dict[str, Any]:
    return {"provider_id": provider, "model_family": family, "served_model_id": family}


POOL = Pool([offer("a"), offer("b"), offer("c", "n"), offer("a", "n"), offer("d")], CORE)
OK = Simulated(10.0)


def policy(base: dict[str, Any] | None = None, **overrides: dict[str, Any]) -> Admitted:
    plan: list[Any] = ["always", base or {"action": "next_candidate"}]
    for reason, action in overrides.items():
        plan = ["override", plan, reason, action]
    return check(["policy", ["top"], ["zero"], ["argmax"], ["id"], plan], CORE)


def run(
    plan: Admitted, behaviour: Behaviour, health: Health | None = None, *,
    order: Sequence[int] = (0, 1, 2, 3, 4), tenant: str = "t", now: float = 0.0, deadline_ms: float = 50_000,
) -> Ladder:  # fmt: skip
    cascade = Cascade(plan, tuple(order), POOL, Context(), tenant)
    machine = fallback(cascade, Health() if health is None else health, now=now, deadline_ms=deadline_ms)
    return drive(machine, behaviour, now=now)


def failing(kinds: dict[str, str], **more: Any) -> Behaviour:
    """Providers fail with a kind each; the others answer."""

    def behave(call: Call) -> Simulated:
        kind = kinds.get(POOL.candidates[call.index]["provider_id"])
        return OK if kind is None else Simulated(10.0, kind, **more)

    return behave


def called(ladder: Ladder) -> list[int]:
    return [rung.call.index for rung in ladder.rungs if rung.call is not None]


def events(finished: Finished) -> list[str]:
    return [entry["event"] for entry in finished.path]


def test_the_first_answers() -> None:
    ladder = run(policy(), failing({}))
    assert ladder.finished.outcome == "ok"
    assert ladder.finished.index == 0
    assert called(ladder) == [0]
    assert ladder.finished.path == (
        {"event": "attempted", "provider_id": "a", "model_family": "m", "attempt": 1, "latency_ms": 10.0},
    )


def test_next_candidate_goes_down_the_order() -> None:
    ladder = run(policy(), failing({"a": "server_error", "b": "timeout"}))
    assert called(ladder) == [0, 1, 2]
    assert ladder.finished.outcome == "ok"


def test_exhausted_names_the_last_reason_and_nobody_is_no_candidates() -> None:
    everyone = failing(dict.fromkeys("abcd", "timeout"))
    assert run(policy(), everyone).finished.outcome == "exhausted: timeout"
    assert run(policy(), everyone, order=()).finished.outcome == "no_candidates"


def test_abort_ends_with_the_bare_reason() -> None:
    ladder = run(policy(bad_request={"action": "abort"}), failing({"a": "bad_request"}))
    assert ladder.finished.outcome == "bad_request"
    assert called(ladder) == [0]


def test_retry_same_waits_and_counts_across_kinds() -> None:
    retry = {"action": "retry_same", "attempts": 3, "backoff_ms": [100, 200]}
    kinds = iter(["server_error", "timeout", "server_error", "timeout"])
    ladder = run(
        policy(server_error=retry, timeout=retry),
        lambda call: Simulated(10.0, next(kinds)) if call.index == 0 else OK,
    )
    assert called(ladder) == [0, 0, 0, 0, 1]
    assert [rung.took_ms for rung in ladder.rungs if rung.call is None] == [100, 200, 200]
    retries = [entry for entry in ladder.finished.path if entry["event"] == "retry_scheduled"]
    assert [(entry["attempt"], entry["backoff_ms"]) for entry in retries] == [(2, 100), (3, 200), (4, 200)]


@pytest.mark.parametrize(
    ("then", "outcome", "calls"),
    [("abort", "server_error", [0, 0]), ("next_candidate", "ok", [0, 0, 1]), ("disable_provider", "ok", [0, 0, 1])],
)
def test_then_action(then: str, outcome: str, calls: list[int]) -> None:
    plan = policy(server_error={"action": "retry_same", "then_action": then})
    ladder = run(plan, failing({"a": "server_error"}))
    assert ladder.finished.outcome == outcome
    assert called(ladder) == calls


def test_the_same_model_elsewhere_or_nobody() -> None:
    plan = policy(model_unavailable={"action": "next_provider_same_model"})
    ladder = run(plan, failing({"c": "model_unavailable"}), order=(2, 1, 3))
    assert called(ladder) == [2, 3]
    ladder = run(plan, failing({"a": "model_unavailable"}), order=(2, 3, 0))
    assert ladder.finished.outcome == "ok"
    ladder = run(plan, failing(dict.fromkeys("ac", "model_unavailable")), order=(2, 3, 0, 1))
    assert called(ladder) == [2, 3]
    assert ladder.finished.outcome == "exhausted: model_unavailable"


def test_a_disabled_provider_is_skipped_for_five_minutes() -> None:
    health = Health()
    plan = policy(auth_error={"action": "disable_provider"})
    ladder = run(plan, failing({"a": "auth_error"}), health, order=(0, 3, 1))
    assert called(ladder) == [0, 1]
    assert events(ladder.finished) == ["attempted", "provider_disabled", "skipped", "attempted"]
    assert ladder.finished.path[2]["reason"] == "disabled_provider"
    assert called(run(plan, failing({}), health, now=299_000)) == [1]
    assert called(run(plan, failing({}), health, now=301_000)) == [0]


def test_three_failures_in_a_row_open_the_breaker_and_one_success_resets() -> None:
    health = Health()
    for _ in range(2):
        run(policy(), failing({"a": "server_error"}), health)
    run(policy(), failing({}), health)
    for _ in range(3):
        assert called(run(policy(), failing({"a": "server_error"}), health))[0] == 0
    ladder = run(policy(), failing({}), health, now=1_000)
    assert called(ladder) == [1]
    assert ladder.finished.path[0]["reason"] == "breaker_open"
    assert called(run(policy(), failing({}), health, now=40_000)) == [0]


@pytest.mark.parametrize("kind", ["bad_request", "content_filter", "context_overflow"])
def test_the_clients_own_faults_never_open_a_breaker(kind: str) -> None:
    health = Health()
    plan = policy({"action": "next_candidate", "open_breaker_ms": 60_000})
    for _ in range(10):
        run(plan, failing({"a": kind}), health, order=(0, 1))
    assert list(health.known(1.0)) == []


def test_local_faults_and_cancelled_calls_never_open_a_breaker() -> None:
    health = Health()
    for _ in range(10):
        run(policy(), lambda call: Simulated(1.0, "timeout", local=True) if call.index == 0 else OK, health)
    assert list(health.known(1.0)) == []


def test_the_longer_time_wins_and_a_plan_may_ask_for_five_minutes_at_most() -> None:
    health = Health()
    plan = policy(rate_limit={"action": "next_candidate", "open_breaker_ms": 1e308})
    run(plan, failing({"a": "rate_limit"}), health, order=(0, 1))
    assert health.recovers_at("t", "a", 10.0) == 300_010.0
    health = Health()
    plan = policy(rate_limit={"action": "next_candidate", "open_breaker_ms": 1_000})
    run(plan, failing({"a": "rate_limit"}, retry_after_ms=90_000), health, order=(0, 1))
    assert health.recovers_at("t", "a", 10.0) == 90_010.0
    run(plan, failing({"b": "rate_limit"}), health, order=(0, 1), now=20.0)
    assert health.recovers_at("t", "a", 30.0) == 90_010.0


def test_an_expired_breaker_lets_exactly_one_probe_through() -> None:
    health = Health()
    health.hold("t", "a", 0.0, 1_000)
    cascade = Cascade(policy(), (0, 1), POOL, Context(), "t")
    first = [next(fallback(cascade, health, now=2_000.0)) for _ in range(100)]
    probes = [step for step in first if isinstance(step, Call) and step.index == 0]
    assert len(probes) == 1
    health.released("t", "a")
    assert called(run(policy(), failing({}), health, now=2_000.0)) == [0]
    assert called(run(policy(), failing({}), health, now=2_001.0)) == [0]


def test_a_failed_probe_opens_the_breaker_again() -> None:
    health = Health()
    health.hold("t", "a", 0.0, 1_000)
    run(policy(), failing({"a": "server_error"}), health, order=(0, 1), now=2_000.0)
    assert health.blocked("t", "a", 3_000.0) == "breaker_open"


def test_where_everyone_is_blocked_the_best_open_breaker_is_probed() -> None:
    health = Health()
    health.disable("t", "a", 0.0)
    health.hold("t", "b", 0.0, 60_000)
    health.hold("t", "d", 0.0, 30_000)
    ladder = run(policy(), failing({}), health, order=(0, 1, 4))
    assert called(ladder) == [1]
    assert ladder.finished.outcome == "ok"


def test_where_everyone_is_disabled_each_time_of_recovery_is_told() -> None:
    health = Health()
    health.disable("t", "a", 0.0)
    health.disable(HOST, "b", 0.0, 60_000)
    ladder = run(policy(), failing({}), health, order=(0, 1), now=10_000)
    assert ladder.finished.outcome == "exhausted: no_candidates"
    assert ladder.finished.recovery == ((0, 290_000.0), (1, 50_000.0))
    assert called(ladder) == []


def test_where_the_filter_left_nobody_those_who_are_only_out_are_told_and_not_called() -> None:
    health = Health()
    health.hold("t", "b", 0.0, 60_000)
    context = Context(state={"breakers": {"b": True}})
    up = ["and", ["provider_eq", "b"], ["not", ["is", "breaker_open"]]]
    only_b = check(["policy", up, ["zero"], ["argmax"], ["id"], ["always", {"action": "next_candidate"}]], CORE)
    assert decide(only_b, POOL, context).order == ()
    out = when_well(only_b, POOL, context)
    cascade = Cascade(only_b, (), POOL, context, "t", out=out)
    ladder = drive(fallback(cascade, health, now=20_000), failing({}), now=20_000)
    assert ladder.finished.outcome == "no_candidates"
    assert ladder.finished.recovery == tuple((index, 40_000.0) for index in out)
    assert out
    assert called(ladder) == []
    assert when_well(only_b, POOL, Context()) == ()


def test_what_a_tenants_plan_causes_holds_for_that_tenant_alone() -> None:
    health = Health()
    hostile = policy({"action": "disable_provider", "open_breaker_ms": 1e308})
    for _ in range(1_000):
        run(hostile, failing(dict.fromkeys("abcd", "timeout")), health, tenant="hostile")
    assert called(run(policy(), failing({}), health, tenant="other", now=1.0)) == [0]
    assert health.as_state("other", 1.0) == {"breakers": {}, "disabled": {}}


def test_what_the_host_vouches_for_holds_for_everyone() -> None:
    health = Health()
    for _ in range(3):
        run(policy(), failing({"a": "server_error"}, measured=True), health, tenant="one")
    assert called(run(policy(), failing({}), health, tenant="other", now=1_000.0)) == [1]


def test_after_the_first_byte_nothing_falls_back() -> None:
    plan = policy({"action": "retry_same", "attempts": 5})
    ladder = run(plan, failing({"a": "stream_interrupted"}, committed=True))
    assert ladder.finished.outcome == "stream_interrupted"
    assert called(ladder) == [0]
    assert ladder.finished.path[0]["action_suppressed"] == "committed"


def test_retry_after_is_waited_for_only_where_it_fits() -> None:
    plan = policy(rate_limit={"action": "retry_same", "backoff_ms": 100})
    ladder = run(plan, failing({"a": "rate_limit"}, retry_after_ms=5_000), order=(0, 1))
    assert [rung.took_ms for rung in ladder.rungs if rung.call is None] == [5_000]
    health = Health()
    ladder = run(plan, failing({"a": "rate_limit"}, retry_after_ms=40_000), health, order=(0, 1))
    assert called(ladder) == [0, 1]
    assert health.recovers_at("t", "a", 10.0) >= 40_000


def test_retry_after_keeps_the_breaker_open_where_the_plan_goes_on() -> None:
    health = Health()
    run(policy(), failing({"a": "rate_limit"}, retry_after_ms=7_000), health, order=(0, 1))
    assert health.blocked("t", "a", 6_000.0) == "breaker_open"
    assert health.blocked("t", "a", 7_011.0) is None
    health = Health()
    run(policy(), failing({"a": "bad_request"}, retry_after_ms=7_000), health, order=(0, 1))
    assert health.blocked("t", "a", 6_000.0) is None


def test_a_final_failure_is_not_tried_again() -> None:
    plan = policy(network_error={"action": "retry_same", "attempts": 3})
    ladder = run(plan, failing({"a": "network_error"}, final=True))
    assert called(ladder) == [0, 1]


def test_what_nothing_can_be_sent_to_is_no_attempt_and_its_like_are_passed_over() -> None:
    rows = [{**offer("a", f"m{n}"), "auth_env": f"KEY_{n % 20}", "base_url": "https://a.example"} for n in range(40)]
    pool = Pool([*rows, {**offer("b"), "auth_env": "KEY_0", "base_url": "https://b.example"}], CORE)

    def behave(call: Call) -> Simulated:
        return Simulated(1.0, "auth_error", local=True, unconfigured=True) if call.index < 40 else OK

    plan = policy(auth_error={"action": "retry_same", "attempts": 3, "backoff_ms": 5})
    health = Health()
    ladder = drive(fallback(Cascade(plan, tuple(range(41)), pool, Context(), "t"), health, now=0.0), behave)
    assert called(ladder) == [*range(20), 40]
    assert events(ladder.finished) == ["attempted"] * 20 + ["skipped"] * 20 + ["attempted"]
    assert {entry["reason"] for entry in ladder.finished.path if "reason" in entry} == {"not_configured"}
    assert (ladder.finished.outcome, ladder.finished.index) == ("ok", 40)
    assert health.blocked("t", "a", 30.0) is None, "a key that is not set says nothing of its provider"
    health.failed("t", "b", 0.0, open_ms=60_000, retry_after_ms=None, host=False)
    ladder = drive(fallback(Cascade(plan, tuple(range(41)), pool, Context(), "t"), health, now=0.0), behave)
    assert called(ladder)[-1] == 40, "where nothing was sent, the best open breaker is probed"
    ladder = drive(fallback(Cascade(plan, tuple(range(40)), pool, Context(), "t"), health, now=0.0), behave)
    assert ladder.finished.outcome == "exhausted: auth_error"


def rows(*named: tuple[str, str, str]) -> Pool:
    """Offers by provider, family and address; nothing can be sent to the address `shut`."""
    return Pool([{**offer(p, f), "auth_env": p.upper(), "base_url": url} for p, f, url in named], CORE)


def walk(pool: Pool, plan: Admitted, health: Health, good: str = "", kind: str = "auth_error") -> Ladder:
    """Down the whole pool; the provider `good` answers, the others fail with a rate limit."""

    def behave(call: Call) -> Simulated:
        row = pool.candidates[call.index]
        if row["base_url"] == "shut":
            return Simulated(1.0, kind, local=True, unconfigured=True)
        return OK if row["provider_id"] == good else Simulated(1.0, "rate_limit")

    cascade = Cascade(plan, tuple(range(len(pool.candidates))), pool, Context(), "t")
    return drive(fallback(cascade, health, now=0.0), behave)


def test_the_same_model_elsewhere_stays_the_same_where_it_passes_over_a_door() -> None:
    plan = policy(model_unavailable={"action": "next_provider_same_model"})
    pool = rows(("a", "m", "shut"), ("a", "m", "shut"), ("b", "n", "open"), ("c", "m", "open"))
    ladder = walk(pool, plan, Health(), "c", "model_unavailable")
    assert called(ladder) == [0, 3]


def test_a_probe_is_of_somebody_the_walk_came_to() -> None:
    health = Health()
    health.failed("t", "b", 0.0, open_ms=60_000, retry_after_ms=None, host=False)
    plan = policy(auth_error={"action": "next_provider_same_model"})
    pool = rows(("a", "m", "shut"), ("b", "n", "open"))
    ladder = walk(pool, plan, health)
    assert (called(ladder), ladder.finished.outcome) == ([0], "exhausted: auth_error")
    pool = rows(("b", "m", "shut"), ("b", "n", "open"), ("a", "n", "shut"))
    ladder = walk(pool, policy(), health, "b")
    assert (called(ladder), ladder.finished.index) == ([2, 0, 1], 1), "a probe that could not be sent is none"


def test_what_is_told_is_the_failure_of_what_was_sent() -> None:
    pool = rows(("a", "m", "shut"), ("b", "n", "open"), ("c", "m", "shut"))
    assert walk(pool, policy(), Health()).finished.outcome == "exhausted: rate_limit"


def test_a_missing_key_does_not_disable_its_provider() -> None:
    pool = rows(("a", "m", "shut"), ("a", "n", "open"))
    ladder = walk(pool, policy(auth_error={"action": "disable_provider"}), Health(), "a")
    assert (called(ladder), ladder.finished.index) == ([0, 1], 1)


def test_keys_and_addresses_that_are_not_set_are_looked_for_no_more_than_so_often() -> None:
    pool = rows(*((f"p{number}", "m", "shut") for number in range(MOST_SHUT + 20)))
    assert len(called(walk(pool, policy(), Health()))) == MOST_SHUT


def test_a_plan_that_ends_with_a_missing_key_ends() -> None:
    plan = policy(auth_error={"action": "abort"})
    ladder = run(plan, failing({"a": "auth_error"}, local=True, unconfigured=True))
    assert (called(ladder), ladder.finished.outcome) == ([0], "auth_error")


def test_each_attempt_gets_the_request_as_transformed_for_its_candidate() -> None:
    term = ["policy", ["top"], ["zero"], ["argmax"], ["when", ["provider_eq", "b"], ["set_param", "temperature", 0.5]],
            ["always", {"action": "next_candidate"}]]  # fmt: skip
    ladder = run(check(term, CORE), failing({"a": "timeout"}))
    requests = [rung.call.request for rung in ladder.rungs if rung.call is not None]
    assert requests == [{}, {"temperature": 0.5}]


def test_a_message_is_cut() -> None:
    machine = fallback(Cascade(policy(), (0,), POOL, Context(), "t"), Health(), now=0.0)
    call = next(machine)
    assert isinstance(call, Call)
    from workbench.engine.fallback import Outcome

    with pytest.raises(StopIteration) as stop:
        machine.send(Outcome(1.0, "server_error", message="x" * 1_000))
    assert len(stop.value.value.path[0]["error_message"]) == 300


def test_a_request_narrows_and_never_widens() -> None:
    assert narrow((4, 2, 1), POOL, family="m") == (4, 1)
    assert narrow((4, 2, 1), POOL, provider="a") == ()
    assert narrow((3, 0), POOL, family="n", provider="a") == (3,)


def _random_action(dice: random.Random) -> dict[str, Any]:
    action: dict[str, Any] = {"action": dice.choice(ACTIONS)}
    if dice.random() < 0.6:
        action["attempts"] = dice.choice([0, 1, 3, 50, 1e308, -1, 0.5])
    if dice.random() < 0.6:
        action["backoff_ms"] = dice.choice([0, 10, 1e9, -5, [1, 1e308], [], [100, 200, 400]])
    if dice.random() < 0.4:
        action["then_action"] = dice.choice(ACTIONS)
    if dice.random() < 0.3:
        action["open_breaker_ms"] = dice.choice([0, 1e308, -1, 100])
    return action


def test_no_plan_breaks_the_caps() -> None:
    """Random plans against providers that all fail: attempts, waits and the wall stay inside the bounds."""
    dice = random.Random(20261122)
    for _ in range(2_000):
        plan = policy(_random_action(dice), **{r: _random_action(dice) for r in dice.sample(FAIL_REASONS, 5)})
        latency = dice.choice([0.0, 5.0, 700.0, 60_000.0])
        after = dice.choice([None, 0.0, 400.0, 299_000.0])

        def behave(call: Call, latency: float = latency, after: float | None = after) -> Simulated:
            return Simulated(latency, FAIL_REASONS[(call.index + call.attempt) % 13], retry_after_ms=after)

        ladder = run(plan, behave, order=[0, 1, 2, 3, 4] * 4)
        assert len(called(ladder)) <= MOST_ATTEMPTS
        assert all(0 < rung.took_ms <= 30_000 for rung in ladder.rungs if rung.call is None)
        assert ladder.elapsed_ms <= 50_000
        assert ladder.finished.outcome != "ok"
        tries = [entry["attempt"] for entry in ladder.finished.path if entry["event"] == "attempted"]
        assert max(tries) <= 6
