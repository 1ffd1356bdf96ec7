"""The cache of decisions when several ask at once, as threads of screens do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.session import evaluation
from workbench.session.evaluation import Evaluator
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root


@pytest.fixture(scope="module")
def state() -> WorkspaceState:
    """The sample's."""
    return open_workspace(sample_root()).state


def dearer(state: WorkspaceState) -> WorkspaceState:
    """The same with the winner's place taken by others: what was first costs most."""
    winner = Evaluator().outcome(state, state.tenants[0]).winner
    assert winner is not None
    rows: list[dict[str, Any]] = [dict(row) for row in state.pool.candidates]
    rows[winner]["price_in"] = rows[winner]["price_out"] = 9e6
    return replace(state, pool=Pool(rows, state.vocabulary))


def test_a_decision_in_the_middle_of_another_is_kept_for_its_own_population(
    state: WorkspaceState, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, tenant, shared = dearer(state), state.tenants[0], Evaluator()
    alone = [Evaluator().outcome(each, tenant).winner for each in (state, other)]
    assert alone[0] != alone[1]
    real, inside = evaluation.decide, [True]

    def interrupted(*arguments: Any) -> Any:
        if inside and inside.pop():
            shared.outcome(other, tenant)
        return real(*arguments)

    monkeypatch.setattr(evaluation, "decide", interrupted)
    assert [shared.outcome(each, tenant).winner for each in (state, other)] == alone
    assert [shared.outcome(each, tenant).winner for each in (other, state)] == alone[::-1]


def test_another_context_is_another_question(state: WorkspaceState) -> None:
    tenant, shared = state.tenants[0], Evaluator()
    seeded = replace(state, context=Context({}, {}, 7.0))
    compiled = shared.outcome(state, tenant).compiled
    assert compiled is not None
    first, _ = shared.decision(state, compiled.policy)
    second, _ = shared.decision(seeded, compiled.policy)
    assert first is not second
