"""Side by side, and left out: every cell is what a decision says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings

from tests.scale import scaled
from tests.whatif.worlds import decided, sample, tenants
from workbench.errors import UsageError
from workbench.rulebook.tenant import Tenant
from workbench.session.edits import ToggleClause
from workbench.session.evaluation import Evaluator
from workbench.session.views import checks
from workbench.whatif.changes import Changes, apply_changes, read_clauses
from workbench.whatif.compare import before_and_after, tenants_side_by_side
from workbench.whatif.report import Report, Sheet
from workbench.whatif.reports.compare import compare_report
from workbench.whatif.rule_cost import dearest_rules, rule_costs


def test_every_cell_is_what_the_tenants_decision_says() -> None:
    state, evaluator = sample(), Evaluator()
    names = ["acme-eu", "corvane-bank", "alba-clinic", "ladle-free"]
    found = tenants_side_by_side(state, names, evaluator)
    for place, name in enumerate(names):
        outcome = evaluator.outcome(state, state.tenant(name))
        assert outcome.decision is not None
        for row in found.offers:
            cell = row.cells[place]
            assert cell.place == outcome.decision.place(row.index)
            assert (cell.fate == "rejected") == (outcome.decision.reason(row.index) is not None)
            if cell.fate == "rejected" and row.index % 40 == 0:
                failed = tuple(c.clause.id for c in checks(state, outcome, row.index) if not c.passed)
                assert cell.clauses == failed


def test_clauses_of_one_rule_stand_in_one_row() -> None:
    found = tenants_side_by_side(sample(), ["brueckwald", "halvorsen"], Evaluator())
    rows = {row.id: row for row in found.clauses}
    assert rows["contract-floor"].words(0) == "bench_intelligence >= 0.52"
    assert rows["contract-floor"].words(1) == "bench_intelligence >= 0.55"
    assert rows["contract-floor"].differs
    assert not rows["vip-floor"].differs
    assert rows["eu-residency"].words(1) is None
    assert len(rows) == len(found.clauses)


def test_before_and_after_shows_the_change_alone() -> None:
    state = sample()
    after = apply_changes(state, "ladle-free", Changes({}, read_clauses(["free-floor=0.4"])))
    found = before_and_after(state, after, "ladle-free", Evaluator())
    assert [row.id for row in found.clauses if row.differs] == ["free-floor"]
    assert sum(row.differs for row in found.offers) == 144 + 1
    report = compare_report(found, everything=False)
    assert len(report.document["offers"]) == 145
    whole = compare_report(found, everything=True)
    assert len(whole.document["offers"]) == len(state.pool)


@pytest.mark.parametrize(
    "names", [["acme-eu"], ["acme-eu", "acme-eu"], ["a", "b", "c", "d", "e"], ["acme-eu", "nobody"]]
)
def test_what_can_not_be_compared_is_refused(names: list[str]) -> None:
    with pytest.raises(UsageError):
        tenants_side_by_side(sample(), names, Evaluator())


@settings(max_examples=scaled(15, 500))
@given(tenants())
def test_a_clause_costs_what_switching_it_off_saves(tenant: Tenant) -> None:
    state = sample().with_tenant(tenant)
    if decided(state, tenant) is None:
        return
    evaluator = Evaluator()
    found = rule_costs(state, tenant.id, evaluator)
    for cost in found.clauses:
        if cost.clause.rule_id is None:
            continue
        off = ToggleClause(tenant.id, cost.clause.id, "tenant").apply(state)
        without = evaluator.outcome(off, off.tenant(tenant.id))
        assert cost.without.cost_per_run == without.cost_per_run
        assert cost.without.survivors == without.survivors >= cost.with_it.survivors
        if cost.per_million is not None and without.cost_per_run is not None:
            held = found.summary.cost_per_run
            assert held is not None
            assert cost.per_million == (held - without.cost_per_run) * 1e6


def test_the_sums_over_all_tenants_are_the_tenants_own() -> None:
    totals, every = dearest_rules(sample(), Evaluator())
    assert [t.per_month or 0.0 for t in totals] == sorted((t.per_month or 0.0 for t in totals), reverse=True)
    by_id = {total.clause_id: total for total in totals}
    for name in ("vip-floor", "eu-residency", "default.3"):
        costs = [c for tenant in every for c in tenant.clauses if c.clause.id == name]
        known = [c.per_month for c in costs if c.changes_winner and c.per_month is not None]
        total = by_id[name].per_month
        assert (total is None) == (not known and any(c.changes_winner for c in costs))
        assert total is None or math.isclose(total, sum(known))
        assert by_id[name].tenants == len(costs)
        assert len(by_id[name].moved) == sum(c.changes_winner for c in costs)
    assert by_id["standard-floor"].unknown == ("quillfern-trial",)


def test_a_guard_comes_back_where_the_clause_that_made_it_needless_goes() -> None:
    found = rule_costs(sample(), "corvane-bank", Evaluator())
    quiet = next(cost for cost in found.clauses if cost.clause.id == "sensitive-data.2")
    assert quiet.passing == 0


def test_a_report_is_safe_to_open_and_the_same_each_time() -> None:
    sheet = Sheet("", ("name", "figure"), (("=cmd()", "-5"), ("a\x1b[31m", "1.5"), ("@x", "-")))
    report = Report("t\x1b", ("l\x07",), (sheet,), sheet, {"a": "\u202e"})
    assert report.csv().splitlines()[1:] == ["'=cmd(),-5", "a␛[31m,1.5", "'@x,-"]
    assert "\x1b" not in report.text() + report.csv() + report.json()
    assert "\u202e" not in report.json()
    assert report.files("a")["a.csv"] == report.csv().encode()
    assert report.json().startswith('{\n  "schema": 1,')
