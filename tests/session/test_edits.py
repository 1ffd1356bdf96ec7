"""Edits: what each does to the clauses, whom it touches, and what it refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import AdmissionError, ClauseError, WorkbenchError
from workbench.rulebook.clause import Clause
from workbench.session.edits import (
    AddClause,
    DeleteClause,
    DuplicateClause,
    Edit,
    EditClause,
    MoveClause,
    NegateClause,
    RevertOverride,
    ToggleClause,
)
from workbench.session.evaluation import Outcome
from workbench.session.policy_edits import EditPolicy
from workbench.session.session import Session
from workbench.session.targets import EditRefused, Scope
from workbench.session.tenant_edits import EditFact, EditSlot
from workbench.session.workspace import open_workspace, sample_root

EU, VIP = "acme-eu", "lumenor-vip"


def outcome(session: Session, tenant_id: str) -> Outcome:
    return session.shown.outcomes[tenant_id]


def clause(session: Session, tenant_id: str, clause_id: str) -> Clause:
    compiled = outcome(session, tenant_id).compiled
    assert compiled is not None
    return next(c for c in (*compiled.clauses, *compiled.slots.values()) if c.id == clause_id)


def filter_ids(session: Session, tenant_id: str) -> list[str]:
    compiled = outcome(session, tenant_id).compiled
    assert compiled is not None
    return [c.id for c in compiled.clauses]


def test_raising_a_rule_moves_every_tenant_it_applies_to_and_undo_takes_it_back(session: Session) -> None:
    before = {key: o.winner for key, o in session.shown.outcomes.items()}
    preview = session.commit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"))
    assert VIP in preview.touched
    assert len(preview.touched) > 1
    moved = {key for key, movement in session.movements.items() if movement.moved}
    assert VIP in moved
    assert moved <= set(preview.touched)
    assert moved == {key for key, o in session.shown.outcomes.items() if o.winner != before[key]}
    assert session.undo() == "edit vip-floor"
    assert {key: o.winner for key, o in session.shown.outcomes.items()} == before
    assert session.redo() == "edit vip-floor"
    assert outcome(session, VIP).winner != before[VIP]


def test_the_same_edit_for_one_tenant_is_an_override_and_moves_nobody_else(session: Session) -> None:
    edit = EditClause(tenant_id=VIP, clause_id="vip-floor", scope="tenant", text="bench_intelligence >= 0.62")
    preview = session.commit(edit)
    assert preview.touched == (VIP,)
    assert [key for key, movement in session.movements.items() if movement.moved] == [VIP]
    changed = clause(session, VIP, "vip-floor")
    assert changed.origin == "override"
    assert changed.replaced_text == "bench_intelligence >= 0.6"
    session.commit(RevertOverride(tenant_id=VIP, clause_id="vip-floor"))
    assert clause(session, VIP, "vip-floor").origin == "rule"


def test_half_typed_text_keeps_the_last_good_result_marked_stale(session: Session) -> None:
    good = session.preview_edit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"))
    assert good.evaluation is not None
    assert not session.stale
    half = session.preview_edit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= "))
    assert isinstance(half.error, ClauseError)
    assert half.error.column == len("bench_intelligence >= ") or half.error.column == len("bench_intelligence >=")
    assert half.error.expected
    assert session.stale
    assert session.shown is good.evaluation
    session.cancel_preview()
    assert not session.stale
    assert session.shown is session.evaluation


def test_an_undeclared_field_is_refused_with_a_suggestion(session: Session) -> None:
    preview = session.preview_edit(EditClause(tenant_id=EU, clause_id="eu-residency", text="regoin = eu"))
    assert isinstance(preview.error, AdmissionError)
    assert any("region" in (finding.hint or "") for finding in preview.error.findings)


@pytest.mark.parametrize("scope", ["rule", "tenant"])
def test_switching_off_and_on_gives_the_same_policy_again(session: Session, scope: Scope) -> None:
    before = outcome(session, EU).compiled
    session.commit(ToggleClause(tenant_id=EU, clause_id="eu-residency", scope=scope))
    off = clause(session, EU, "eu-residency")
    assert not off.enabled
    assert off.term is None
    assert outcome(session, EU).survivors > 23
    session.commit(ToggleClause(tenant_id=EU, clause_id="eu-residency", scope=scope))
    after = outcome(session, EU).compiled
    assert before is not None
    assert after is not None
    assert after.policy == before.policy
    assert clause(session, EU, "eu-residency").origin == "rule"


def test_adding_for_the_tenant_and_for_the_rule(session: Session) -> None:
    session.commit(AddClause(EU, "price_out <= 10"))
    assert clause(session, EU, "own-1").origin == "own"
    session.commit(AddClause(EU, "supports tools", "rule", "eu-residency"))
    added = clause(session, EU, "eu-residency.2")
    assert added.rule_id == "eu-residency"
    assert "eu-residency.2" in filter_ids(session, "brueckwald")


def test_duplicate_negate_delete(session: Session) -> None:
    session.commit(DuplicateClause(tenant_id=EU, clause_id="eu-residency", scope="tenant"))
    assert clause(session, EU, "own-1").shown == "region = eu"
    session.commit(NegateClause(tenant_id=EU, clause_id="own-1"))
    assert outcome(session, EU).winner is None
    session.commit(NegateClause(tenant_id=EU, clause_id="own-1"))
    assert clause(session, EU, "own-1").shown == "region = eu"
    session.commit(DeleteClause(tenant_id=EU, clause_id="own-1"))
    assert "own-1" not in filter_ids(session, EU)
    session.commit(DeleteClause(tenant_id=EU, clause_id="eu-residency", scope="tenant"))
    assert not clause(session, EU, "eu-residency").enabled


def test_negating_keeps_the_name_of_the_tenants_fact(session: Session) -> None:
    edit = NegateClause(tenant_id="halvorsen", clause_id="enterprise-approved", scope="tenant")
    session.commit(edit)
    assert "$approved_providers" in clause(session, "halvorsen", "enterprise-approved").text
    session.commit(edit)
    assert clause(session, "halvorsen", "enterprise-approved").text == "provider in $approved_providers"


def test_moving_changes_the_funnel_and_no_decision(session: Session) -> None:
    before = filter_ids(session, EU)
    policy = outcome(session, EU).compiled
    session.commit(MoveClause(tenant_id=EU, clause_id="eu-residency", offset=-1))
    after = filter_ids(session, EU)
    assert after != before
    assert sorted(after) == sorted(before)
    assert after.index("eu-residency") == before.index("eu-residency") - 1
    moved = outcome(session, EU).compiled
    assert policy is not None
    assert moved is not None
    assert moved.policy == policy.policy


def test_what_holds_for_everyone_cannot_be_changed(session: Session) -> None:
    bank = "corvane-bank"
    session.commit(ToggleClause(tenant_id=bank, clause_id="sensitive-data.2", scope="tenant"))
    assert "default.no-log" in filter_ids(session, bank)
    with pytest.raises(EditRefused):
        session.commit(ToggleClause(tenant_id=bank, clause_id="default.no-log"))


def test_a_fact_changes_the_policy_and_an_unknown_fact_is_an_error(session: Session) -> None:
    session.commit(EditFact(EU, "region", "global"))
    assert "eu-residency" not in filter_ids(session, EU)
    session.commit(EditFact(EU, "region", None))
    lost = outcome(session, EU)
    assert lost.mark == "error"
    assert any("region" in finding.reason and EU in finding.reason for finding in lost.errors)
    with pytest.raises(EditRefused):
        session.commit(EditFact(EU, "region", "mars"))


def test_a_slot_for_one_tenant(session: Session) -> None:
    session.commit(EditSlot(EU, "select", "top 3"))
    decision = outcome(session, EU).decision
    assert decision is not None
    assert len(decision.order) == 3
    session.commit(DeleteClause(tenant_id=EU, clause_id="own-1", scope="tenant"))
    decision = outcome(session, EU).decision
    assert decision is not None
    assert len(decision.order) > 3


def test_policy_ir_typed_as_json_becomes_clauses(session: Session) -> None:
    compiled = outcome(session, EU).compiled
    assert compiled is not None
    term = json.loads(json.dumps(compiled.policy.normal))
    term[1] = [*term[1], ["cmp", "price_out", "le", 10]]
    term[3] = ["top_k", 2, ["argmax"]]
    session.commit(EditPolicy(EU, json.dumps(term)))
    after = outcome(session, EU)
    assert after.compiled is not None
    assert after.compiled.policy.normal[3] == ["top_k", 2, ["argmax"]]
    own = [c for c in after.compiled.clauses if c.origin == "own"]
    assert [c.shown for c in own] == ["price_out <= 10"]
    assert after.decision is not None
    assert len(after.decision.order) == 2


def test_policy_ir_without_a_rules_clause_switches_it_off_for_the_tenant(session: Session) -> None:
    compiled = outcome(session, EU).compiled
    assert compiled is not None
    term = json.loads(json.dumps(compiled.policy.normal))
    term[1] = [child for child in term[1] if child != ["is", "region_eu"]]
    session.commit(EditPolicy(EU, json.dumps(term)))
    assert not clause(session, EU, "eu-residency").enabled
    assert clause(session, "brueckwald", "eu-residency").enabled


def test_policy_ir_that_drops_a_guard_is_refused(session: Session) -> None:
    bank = outcome(session, "corvane-bank").compiled
    assert bank is not None
    term = json.loads(json.dumps(bank.policy.normal))
    term[1] = ["top"]
    before = session.state
    with pytest.raises(WorkbenchError):
        session.commit(EditPolicy("corvane-bank", json.dumps(term)))
    assert session.state is before


TEXTS = st.sampled_from(
    ["region = eu", "price_out <= 10", "no_log", "bench_intelligence >= 0.55", "not dpa", "nonsense ="]
)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    tenant = draw(st.sampled_from([EU, VIP, "halvorsen", "brueckwald"]))
    target = draw(st.sampled_from(["standard-floor", "vip-floor", "eu-residency", "eu-processors", "own-1", "default"]))
    scope: Scope = draw(st.sampled_from(["rule", "tenant"]))
    kind = draw(st.integers(0, 6))
    made: tuple[Edit, ...] = (
        EditClause(tenant_id=tenant, clause_id=target, scope=scope, text=draw(TEXTS)),
        ToggleClause(tenant_id=tenant, clause_id=target, scope=scope),
        DuplicateClause(tenant_id=tenant, clause_id=target, scope=scope),
        NegateClause(tenant_id=tenant, clause_id=target, scope=scope),
        DeleteClause(tenant_id=tenant, clause_id=target, scope=scope),
        MoveClause(tenant_id=tenant, clause_id=target, scope=scope, offset=draw(st.sampled_from([-1, 1]))),
        AddClause(tenant, draw(TEXTS), scope, target),
    )
    return made[kind]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(edits(), max_size=8))
def test_undoing_everything_is_where_it_began(sequence: list[Edit]) -> None:
    session = Session(open_workspace(sample_root()))
    first = session.state
    made = 0
    for edit in sequence:
        before = session.state
        try:
            session.commit(edit)
        except WorkbenchError:
            assert session.state is before
        made += session.state is not before
    while session.undo() is not None:
        made -= 1
    assert made == 0
    assert session.state == first
    assert not session.dirty
