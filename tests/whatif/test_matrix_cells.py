"""Cells of the matrix say what `explain` says; columns of several offers, filters and differences add nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.whatif.worlds import offers, sample, tenants
from workbench.errors import UsageError
from workbench.rulebook.tenant import Override, Tenant
from workbench.session import views
from workbench.session.evaluation import Evaluation, Evaluator
from workbench.whatif.matrix.axis import BYS, By, axis
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.sheet import ORDERS, Asked, sheet


def evaluated(*found: Tenant) -> Evaluation:
    """These tenants under the sample's rulebook; each gets an id of its own."""
    named = tuple(replace(tenant, id=f"t{place}") for place, tenant in enumerate(found))
    return Evaluator().evaluate(replace(sample(), tenants=named))


def explained(evaluation: Evaluation, tenant: str, index: int) -> tuple[int | None, str | None]:
    """Place and first rule against the offer, from `views.why` alone."""
    why = views.why(evaluation.state, evaluation.outcomes[tenant], index)
    failed = next((check.clause for check in why.checks if not check.passed), None)
    return why.place, None if failed is None else failed.rule


@settings(max_examples=scaled(40, 400))
@given(tenants(), st.lists(offers(), min_size=1, max_size=20))
def test_a_cell_is_what_explain_says(tenant: Tenant, indices: list[int]) -> None:
    evaluation = evaluated(tenant)
    matrix = Matrix(evaluation)
    for index in indices:
        cell = matrix.cell("t0", index)
        place, rule = explained(evaluation, "t0", index)
        assert (cell.place, cell.rule, cell.offer) == (place, rule, index)
        assert cell.text == (str(place) if place is not None else rule)
        assert cell.kind == ("winner" if place == 1 else "ranked" if place else "rejected")


@settings(max_examples=scaled(10, 100))
@given(tenants(), st.sampled_from([by for by in BYS if by != "offer"]), st.data())
def test_a_column_of_several_offers_says_the_best_of_them(tenant: Tenant, by: By, data: st.DataObject) -> None:
    evaluation = evaluated(tenant)
    single, several = Matrix(evaluation), Matrix(evaluation, by)
    column = data.draw(st.integers(0, len(several.axis.names) - 1))
    members = several.axis.members(column)
    cells = [single.cell("t0", index) for index in members]
    places = [cell.place for cell in cells if cell.place is not None]
    found = several.cell("t0", column)
    assert found.place == min(places, default=None)
    assert found.offer in members
    if places:
        return
    rules = [clause.rule for clause in _filters(evaluation)]
    farthest = max(_stage(evaluation, index) for index in members)
    assert found.rule == rules[farthest]
    assert found.offer == next(index for index in members if _stage(evaluation, index) == farthest)


def _filters(evaluation: Evaluation) -> list[views.Clause]:
    compiled = evaluation.outcomes["t0"].compiled
    assert compiled is not None
    return [clause for clause in compiled.clauses if clause.slot == "filter" and clause.term is not None]


def _stage(evaluation: Evaluation, index: int) -> int:
    checks = views.checks(evaluation.state, evaluation.outcomes["t0"], index)
    return next(place for place, check in enumerate(checks) if not check.passed)


def test_every_offer_stands_in_one_column() -> None:
    catalog = sample().catalog
    for by in BYS:
        found = axis(catalog, by)
        assert len(set(found.names)) == len(found.names)
        assert sorted(index for k in range(len(found.names)) for index in found.members(k)) == list(range(len(catalog)))
        assert found.sizes.tolist() == [len(found.members(k)) for k in range(len(found.names))]


def test_what_the_selector_does_not_keep_is_no_rejection() -> None:
    keeps = Override("own-1", None, 1, "select", "top 2")
    matrix = Matrix(evaluated(replace(sample().tenant("acme-eu"), overrides=(keeps,))))
    outcome = matrix.outcome("t0")
    assert outcome.decision is not None
    left = set(outcome.decision.survivor_indices) - set(outcome.decision.order)
    assert left
    for index in left:
        assert matrix.cell("t0", index).kind == matrix.cell("t0", index).text == "not kept"
    column = matrix.axis.of_offer[outcome.decision.order[0]]
    assert matrix.cell("t0", int(column)).kind == "winner"


def test_a_tenant_without_a_policy_has_no_verdict() -> None:
    lacking = replace(sample().tenant("brueckwald"), facts={"plan": "enterprise"})
    matrix = Matrix(evaluated(lacking, sample().tenant("acme-eu")))
    assert {cell.text for cell in matrix.cells("t0", range(50))} == {"no policy"}
    assert matrix.cell("t0", 3).offer is None
    assert sheet(matrix, Asked(differences=True)).rows[0].tenant == "t0"


def test_tenants_of_one_policy_share_a_line_and_those_of_other_rules_do_not() -> None:
    acme = sample().tenant("acme-eu")
    own = Override("own-1", None, 1, "filter", "dpa")
    matrix = Matrix(evaluated(acme, acme, replace(acme, overrides=(own,))))
    assert matrix.line("t0") is matrix.line("t1")
    assert matrix.line("t0") is not matrix.line("t2")


def test_how_often_columns_are_chosen_is_counted_over_all_tenants() -> None:
    evaluation = Evaluator().evaluate(sample())
    for by in BYS:
        matrix = Matrix(evaluation, by)
        wins, admitted = matrix.wins(), matrix.admitted()
        for column in range(0, len(matrix.axis.names), 17):
            members = set(matrix.axis.members(column))
            outcomes = [o for o in evaluation.outcomes.values() if o.decision is not None]
            assert wins[column] == sum(outcome.winner in members for outcome in outcomes)
            assert admitted[column] == sum(
                not members.isdisjoint(outcome.decision.survivor_indices) for outcome in outcomes if outcome.decision
            )


def test_only_differences_leaves_out_what_all_say_and_no_tenant() -> None:
    acme = sample().tenant("acme-eu")
    matrix = Matrix(evaluated(acme, sample().tenant("lumenor-vip"), acme))
    whole, found = sheet(matrix, Asked(order="catalog")), sheet(matrix, Asked(order="catalog", differences=True))
    rows = [whole.texts(k) for k in range(3)]
    differing = [k for k in range(len(whole.columns)) if len({row[k] for row in rows}) > 1]
    assert [whole.columns[k] for k in differing] == list(found.columns)
    assert found.hidden == len(whole.columns) - len(differing)
    assert [(row.tenant, row.alike) for row in found.rows] == [("t0", ("t2",)), ("t1", ())]
    assert found.rows[0].label == "t0 +1"


def test_filters_look_at_facts_and_at_columns() -> None:
    matrix = Matrix(Evaluator().evaluate(sample()))
    found = sheet(matrix, Asked(tenants="plan=vip", columns="claude eu"))
    assert [row.tenant for row in found.rows] == ["lumenor-vip"]
    assert found.columns
    assert all("claude" in found.name(k) for k in range(len(found.columns)))
    assert not sheet(matrix, Asked(tenants="no such tenant")).rows


def test_rows_are_sorted_with_the_unknown_last_and_grouped() -> None:
    matrix = Matrix(Evaluator().evaluate(sample()))
    costs = [matrix.outcome(row.tenant).cost_per_run for row in sheet(matrix, Asked(sort="cost_per_run")).rows]
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known)
    assert costs[len(known) :] == [None] * (len(costs) - len(known))
    groups = [row.group for row in sheet(matrix, Asked(group="plan")).rows]
    assert groups == sorted(groups, key=str)


def test_columns_stand_by_choice_by_name_by_price_or_as_in_the_catalog() -> None:
    matrix = Matrix(Evaluator().evaluate(sample()))
    for order in ORDERS:
        assert sorted(sheet(matrix, Asked(order=order)).columns) == list(range(len(matrix.axis.names)))
    wins = matrix.wins()[list(sheet(matrix, Asked()).columns)].tolist()
    assert wins == sorted(wins, reverse=True)


@pytest.mark.parametrize("asked", [Asked(sort="plann"), Asked(group="plann"), Asked(order="prise")])
def test_an_unknown_wish_is_refused_with_a_suggestion(asked: Asked) -> None:
    matrix = Matrix(Evaluator().evaluate(sample()))
    with pytest.raises(UsageError) as refused:
        sheet(matrix, asked)
    assert "did you mean" in (refused.value.findings[0].hint or "")
