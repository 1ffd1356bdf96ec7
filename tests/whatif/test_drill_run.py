"""A drill is the fallback machine on a virtual clock: its ladder, times, costs and ends, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.whatif.worlds import sample
from workbench.engine.fallback import Call, Cascade, fallback
from workbench.engine.faults import FAULTS, FaultPlan, simulated
from workbench.engine.health import Health
from workbench.engine.virtual import Simulated, drive
from workbench.errors import CompileError, UsageError
from workbench.rulebook.tenant import Override
from workbench.session.evaluation import Evaluation, Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.drill.reports import all_report, drill_report
from workbench.whatif.drill.run import Drilled, drill, drill_all
from workbench.whatif.drill.trouble import Trouble, trouble_of
from workbench.whatif.drill.words import ending, ladder, milliseconds


def acme(*overrides: Override) -> tuple[WorkspaceState, Outcome]:
    """The sample's tenant with seventeen candidates or more, and some clauses of its own."""
    state = sample()
    tenant = replace(state.tenant("acme-eu"), overrides=overrides)
    return state, Evaluator().outcome(state, tenant)


def plan(text: str) -> Override:
    return Override("own-plan", None, 1, "fallback", text)


def run(outcome: Outcome, *faults: str, down: tuple[str, ...] = (), latency: float = 100.0) -> Drilled:
    return drill(sample(), outcome, Trouble(trouble_of(sample(), down, faults), latency_ms=latency))


def kinds(drilled: Drilled) -> list[str]:
    return [step.kind for step in drilled.steps]


def provider(outcome: Outcome, place: int) -> str:
    assert outcome.decision is not None
    return sample().catalog.offers[outcome.decision.order[place]].provider


def test_without_trouble_the_winner_answers_once() -> None:
    _, outcome = acme()
    drilled = run(outcome)
    assert (drilled.end, drilled.offer, drilled.calls, drilled.elapsed_ms) == ("answered", outcome.winner, 1, 100.0)
    assert drilled.cost_bound == outcome.cost_per_run
    assert not drilled.stranded
    assert drilled.assumed


def test_waits_and_retries_stand_on_the_clock_one_after_the_other() -> None:
    _, outcome = acme(plan("on server_error: retry 2 after [250 ms, 1 s], then next; otherwise: next"))
    first = provider(outcome, 0)
    drilled = run(outcome, f"{first}=server_error")
    assert kinds(drilled)[:5] == ["call", "wait", "call", "wait", "call"]
    assert [step.at_ms for step in drilled.steps[:5]] == [0, 100, 350, 450, 1450]
    assert [step.took_ms for step in drilled.steps[:5]] == [100, 250, 100, 1000, 100]
    assert [step.attempt for step in drilled.steps[:5] if step.kind == "call"] == [1, 2, 3]
    assert drilled.offer is not None
    assert sample().catalog.offers[drilled.offer].provider != first


def test_every_call_is_counted_into_the_bound() -> None:
    state, outcome = acme(plan("otherwise: next"))
    drilled = run(outcome, down=(provider(outcome, 0),))
    calls = [step for step in drilled.steps if step.kind == "call"]
    assert drilled.calls == len(calls) > 1
    costs = [step.cost for step in calls]
    assert None not in costs
    assert math.isclose(drilled.cost_bound or 0, sum(cost or 0 for cost in costs))
    assert costs[-1] is not None
    row = state.catalog.candidates[calls[-1].offer or 0]
    assert math.isclose(costs[-1], (20_000 * row["price_in"] + 1_000 * row["price_out"]) / 1e6)


def test_an_unknown_price_leaves_the_bound_unknown() -> None:
    state = sample()
    tenant = replace(state.tenant("acme-eu"), overrides=())
    outcome = Evaluator().outcome(state, tenant)
    assert outcome.decision is not None
    unknown = next(i for i, row in enumerate(state.catalog.candidates) if "price_in" not in row)
    order = replace(outcome.decision, order_array=outcome.decision.order_array[:1] * 0 + unknown)
    drilled = run(replace(outcome, decision=order))
    assert drilled.offer == unknown
    assert drilled.cost_bound is None
    assert "unknown sum" in drill_report(state, outcome, drilled, Trouble()).text()


def test_a_breaker_opens_for_as_long_as_the_plan_says_and_its_provider_is_skipped() -> None:
    _, outcome = acme(plan("on rate_limit: next, open breaker 30 s; otherwise: next"))
    assert outcome.decision is not None
    down = [sample().catalog.offers[index].provider for index in outcome.decision.order]
    twice = next(name for name in dict.fromkeys(down) if down.count(name) > 1)
    others = [name for name in dict.fromkeys(down) if name != twice]
    drilled = run(outcome, f"{twice}=rate_limit", down=tuple(others))
    opened = [step for step in drilled.steps if step.kind == "breaker" and step.provider == twice]
    assert [step.took_ms for step in opened] == [30_000]
    assert [s.failure for s in drilled.steps if s.kind == "skipped" and s.provider == twice] == ["breaker_open"] * (
        down.count(twice) - 1
    )
    assert drilled.end == "exhausted"


def test_stopping_is_not_the_same_as_running_out() -> None:
    _, outcome = acme(plan("on bad_request: stop; otherwise: next"))
    drilled = run(outcome, "*=bad_request")
    assert (drilled.end, drilled.calls, drilled.outcome, drilled.stranded) == ("stopped", 1, "bad_request", True)
    nobody = drill(sample(), Evaluator().outcome(sample(), sample().tenant("alba-clinic")), Trouble())
    assert (nobody.end, nobody.calls, nobody.steps, nobody.cost_bound) == ("nobody", 0, (), 0)


def test_nothing_lasts_longer_than_the_deadline() -> None:
    _, outcome = acme(plan("otherwise: next"))
    drilled = run(outcome, "*=hang")
    assert drilled.elapsed_ms == 50_000
    assert drilled.stranded


@settings(max_examples=scaled(40, 400))
@given(
    st.lists(
        st.tuples(st.sampled_from(["*", "azure", "openai", "mistral"]), st.sampled_from(sorted(FAULTS))), max_size=4
    ),
    st.sampled_from(["", "@0.5"]),
    st.booleans(),
    st.integers(0, 5),
)
def test_the_ladder_is_the_machines_own(found: list[tuple[str, str]], chance: str, streamed: bool, seed: int) -> None:
    state, outcome = acme()
    assert outcome.compiled is not None
    assert outcome.decision is not None
    faults = trouble_of(state, (), [f"{name}={kind}{chance}" for name, kind in found])
    trouble = Trouble(faults, seed, 700.0, streamed)
    drilled = drill(state, outcome, trouble)
    plan_ = FaultPlan(faults, seed=seed)

    def answer(call: Call) -> Simulated:
        row = state.pool.candidates[call.index]
        fault = plan_.next(row["provider_id"], row["model_family"], row["served_model_id"])
        return simulated(fault, streamed=streamed, request=call.request, usual_ms=700.0)

    cascade = Cascade(outcome.compiled.policy, outcome.decision.order, state.pool, state.context, "acme-eu")
    alone = drive(fallback(cascade, Health(), now=0.0), answer)
    timed = [step for step in drilled.steps if step.kind in ("call", "wait")]
    assert [(s.at_ms, s.took_ms, s.offer) for s in timed] == [
        (rung.at_ms, rung.took_ms, rung.call.index if rung.call else None) for rung in alone.rungs
    ]
    assert (drilled.outcome, drilled.offer, drilled.elapsed_ms) == (
        alone.finished.outcome, alone.finished.index, alone.elapsed_ms,
    )  # fmt: skip
    assert drill(state, outcome, trouble) == drilled, "the same trouble, the same drill"


def test_all_tenants_are_each_drilled_by_themselves() -> None:
    evaluation = Evaluator().evaluate(sample())
    trouble = Trouble(trouble_of(sample(), ["amazon-bedrock"]))
    found = drill_all(evaluation, trouble)
    assert found == tuple(drill(sample(), outcome, trouble) for outcome in evaluation.outcomes.values())
    report = all_report(evaluation, found, trouble)
    assert report.document["stranded"] == [one.tenant for one in found if one.stranded]
    assert report.table.rows[0][0] in report.document["stranded"], "those that end with nobody come first"


def test_a_tenant_without_a_policy_has_no_drill_and_stops_nobody() -> None:
    lacking = replace(sample().tenant("brueckwald"), facts={"plan": "enterprise"})
    outcome = Evaluator().outcome(sample(), lacking)
    with pytest.raises(CompileError):
        drill(sample(), outcome, Trouble())
    other = Evaluator().outcome(sample(), sample().tenant("acme-eu"))
    both = Evaluation(sample(), {"a": outcome, "b": other})
    assert [one.tenant for one in drill_all(both, Trouble())] == ["acme-eu"]


def test_trouble_is_toggled_and_told() -> None:
    trouble = Trouble().toggled("azure")
    assert trouble.down == ("azure",)
    assert trouble.toggled("azure") == Trouble()
    (fault,) = trouble_of(sample(), (), ["openai=slow:3s"])
    assert trouble.with_fault(fault).words() == ("azure down", "openai=slow:3s")
    assert trouble.with_fault(fault).with_fault(fault) == trouble
    assert trouble_of(sample(), ["azure", "azure"], []) == trouble.faults


def test_everything_wrong_in_the_trouble_is_told_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        trouble_of(sample(), ["azur"], ["openai=nonsense", "x"])
    assert len(refused.value.findings) == 3
    assert [str(each.place) for each in refused.value.findings] == [
        "--down azur",
        "--fault openai=nonsense",
        "--fault x",
    ]
    with pytest.raises(UsageError) as typed:
        trouble_of(sample(), (), ["openai=nonsense"], options=False)
    assert "--" not in str(typed.value.findings[0]), "nothing was written as an option"


def test_the_drawn_ladder_has_a_rung_for_each_call_and_ends_with_the_end() -> None:
    _, outcome = acme(plan("otherwise: next"))
    drilled = run(outcome, down=(provider(outcome, 0), provider(outcome, 1)))
    drawn = ladder(sample(), drilled)
    assert sum("●" in line for line in drawn) == drilled.calls
    assert drawn[-1].endswith(ending(sample(), drilled))


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0 ms"), (850, "850 ms"), (1000, "1 s"), (12_500, "12.5 s"), (50_000, "50 s")]
)
def test_times_are_said_as_people_write_them(value: float, said: str) -> None:
    assert milliseconds(value) == said
