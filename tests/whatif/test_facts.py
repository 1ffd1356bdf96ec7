"""Supposed facts and clauses decide what an edited file decides; every fact that matters is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from tomlkit.items import Table

from tests.scale import scaled
from tests.whatif.worlds import decided, sample, tenants, values
from workbench.errors import RulebookError, UsageError
from workbench.rulebook.schema import Fact
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.changes import Changes, ClauseText, apply_changes, read_clauses, read_facts, with_facts
from workbench.whatif.facts import suppose, suppose_all, what_matters
from workbench.whatif.trials import between, crossings, fields_of, values_to_try


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample workspace."""
    root = tmp_path / "policies"
    shutil.copytree(sample_root(), root)
    return root


def edited(folder: Path, tenant: str, facts: dict[str, Fact | None]) -> None:
    """Write the facts into the tenant's file."""
    path = folder / "tenants" / f"{tenant}.toml"
    document = tomlkit.parse(path.read_text())
    for name, value in facts.items():
        table = document["workload" if name in {"tokens_in", "tokens_out", "runs_per_month"} else "facts"]
        assert isinstance(table, Table)
        if value is None:
            table.pop(name, None)  # pyright: ignore[reportUnknownMemberType]
        else:
            table[name] = list(value) if isinstance(value, tuple) else value
    path.write_text(tomlkit.dumps(document))


@pytest.mark.parametrize(
    ("tenant", "words", "unset"),
    [
        ("quillfern-trial", ["dpa_signed=true"], []),
        ("acme-eu", ["plan=enterprise", "approved_providers=azure,mistral", "quality_floor=0.45"], []),
        ("halvorsen", ["approved_providers+=azure", "approved_providers-=openai"], []),
        ("corvane-bank", ["region=global", "tokens_in=60000"], []),
        ("corvane-bank", [], ["blocked_providers"]),
        ("ladle-free", [], ["no_log"]),
        ("ladle-free", [], ["tokens_in", "runs_per_month"]),
    ],
)
def test_supposed_facts_decide_what_the_edited_file_does(
    folder: Path, tenant: str, words: list[str], unset: list[str]
) -> None:
    workspace = open_workspace(folder)
    state = workspace.state
    facts = read_facts(state.tenant(tenant), state.rulebook, words, unset)
    from workbench.session.workspace import default_workload

    supposed = suppose(state, tenant, Changes(facts), Evaluator(), default_workload(workspace.settings))
    edited(folder, tenant, facts)
    after = open_workspace(folder).state
    outcome = Evaluator().outcome(after, after.tenant(tenant))
    assert supposed.after.survivors == outcome.survivors
    assert supposed.after.cost_per_run == outcome.cost_per_run
    assert [finding.reason for finding in supposed.after.errors] == [finding.reason for finding in outcome.errors]
    assert supposed.after.winner == (None if outcome.winner is None else after.catalog.offer_id(outcome.winner))
    assert supposed.after.runs_per_month == outcome.tenant.workload.runs_per_month


def test_a_supposed_rule_decides_what_the_edited_rulebook_does(folder: Path) -> None:
    state = open_workspace(folder).state
    every = suppose_all(
        state, Changes({}, read_clauses(["free-floor=0.4", "vip-floor=bench_intelligence >= 0.62"])), Evaluator()
    )
    path = folder / "rulebook.toml"
    text = path.read_text().replace('"ge", 0.2]', '"ge", 0.4]').replace('>= 0.6"', '>= 0.62"')
    path.write_text(text)
    after = open_workspace(folder).state
    found = Evaluator().evaluate(after).outcomes
    for one in every:
        winner = found[one.tenant].winner
        assert one.after.winner == (None if winner is None else after.catalog.offer_id(winner))
        assert one.after.survivors == found[one.tenant].survivors
    moved = {one.tenant: one.monthly for one in every if one.winner_changed}
    assert set(moved) == {"ladle-free", "lumenor-vip", "halvorsen"}
    assert round(moved["ladle-free"] or 0, 6) == 1.92


def test_signing_the_dpa_opens_what_its_clause_held_back() -> None:
    state = sample()
    found = suppose(state, "quillfern-trial", Changes({"dpa_signed": True}), Evaluator())
    assert [blame.clause.id for blame in found.opened.by] == ["unsigned-dpa"]
    assert found.opened.by[0].offers == len(found.opened.offers) == found.after.survivors - found.before.survivors
    assert not found.closed.offers
    assert [(change.name, change.before, change.after) for change in found.facts] == [("dpa_signed", False, True)]
    assert [row.id for row in found.clauses] == ["unsigned-dpa"]


@settings(max_examples=scaled(40, 1_000))
@given(st.data())
def test_what_opens_and_what_closes_is_what_passes_on_one_side_only(data: st.DataObject) -> None:
    tenant: Tenant = data.draw(tenants())
    state = sample().with_tenant(tenant)
    name = data.draw(st.sampled_from(list(state.rulebook.schema.fields)))
    value = data.draw(values(state.rulebook.schema.fields[name]))
    found = suppose(state, tenant.id, Changes({name: value}), Evaluator())
    before = decided(state, tenant)
    after = decided(state, with_facts(tenant, {name: value}, state.rulebook))
    was: set[int] = set() if before is None else set(before.survivor_indices)
    now: set[int] = set() if after is None else set(after.survivor_indices)
    assert set(found.opened.offers) == now - was
    assert set(found.closed.offers) == was - now
    for passage, held in ((found.opened, before), (found.closed, after)):
        if held is not None:
            assert all(passage.against)


@settings(max_examples=scaled(4, 200))
@given(tenants(), st.data())
def test_no_value_has_an_effect_that_the_tried_ones_do_not_show(tenant: Tenant, data: st.DataObject) -> None:
    state = sample().with_tenant(tenant)
    evaluator = Evaluator()
    base = evaluator.outcome(state, tenant).winner
    matters = {one.field.name: one for one in what_matters(state, tenant.id, evaluator).facts}
    for known in fields_of(state):
        if known.kind == "list" or known.name == "runs_per_month":
            continue
        value = data.draw(
            st.floats(0, 200_000).map(round) if known.maximum == 1e12 else values(known), label=known.name
        )
        outcome = evaluator.outcome(state, with_facts(tenant, {known.name: value}, state.rulebook))
        if outcome.compiled is not None and outcome.winner != base:
            assert matters[known.name].matters, (known.name, value)


def test_every_choice_and_flag_and_entry_is_tried() -> None:
    state = sample()
    tenant = state.tenant("halvorsen")
    fields = state.rulebook.schema.fields
    assert [trial.value for trial in values_to_try(state, tenant, fields["region"])] == ["eu", "us"]
    assert [trial.value for trial in values_to_try(state, tenant, fields["dpa_signed"])] == [False]
    entries = values_to_try(state, tenant, fields["approved_providers"])
    assert [trial.words for trial in entries[:2]] == ["- openai", "- anthropic"]
    assert len(entries) == 2 + len(state.catalog.values["provider"]) - 2
    work = next(one for one in fields_of(state) if one.name == "tokens_in")
    assert {trial.value for trial in values_to_try(state, tenant, work)} == {10_000.0, 10_001.0}


def test_the_facts_that_matter_come_first() -> None:
    found = what_matters(sample(), "acme-eu", Evaluator())
    names = [one.field.name for one in found.facts if one.matters]
    assert names == [one.field.name for one in found.facts[: len(names)]]
    assert set(names) == {"plan", "vip_support", "dpa_signed", "no_log", "region"}


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_value_between_lies_between(a: float, b: float) -> None:
    low, high = sorted((a, b))
    found = between(low, high, whole=False)
    assert found is None or low < found < high


def test_a_ranking_that_weighs_with_a_number_turns_where_it_is_told_to() -> None:
    lines = [(4.0, 1.0), (2.0, 5.0), (1.0, 30.0)]

    def cheapest(value: float) -> int:
        return min(range(3), key=lambda k: (lines[k][0] * value + lines[k][1], k))

    found = crossings(cheapest, 0, 1_000, whole=True)
    assert found == ((2.0, 3.0), (25.0, 26.0))
    for until, first in found:
        assert cheapest(until) != cheapest(first)


def test_a_clause_of_one_tenant_is_another_for_it_alone() -> None:
    state = sample()
    changes = Changes({}, (ClauseText("vip-floor", "bench_intelligence >= 0.62", tenant_only=True),))
    after = apply_changes(state, "lumenor-vip", changes)
    moved = [t.id for t in state.tenants if _winner(state, t.id) != _winner(after, t.id)]
    assert moved == ["lumenor-vip"]


def _winner(state: object, tenant: str) -> int | None:
    from workbench.session.state import WorkspaceState

    assert isinstance(state, WorkspaceState)
    return Evaluator().outcome(state, state.tenant(tenant)).winner


@pytest.mark.parametrize(
    ("words", "unset", "said"),
    [
        (["plan=gold"], [], "`plan` cannot be `gold`"),
        (["plann=vip"], [], "there is no fact `plann`"),
        (["dpa_signed=maybe"], [], "must be true or false"),
        (["quality_floor=7"], [], "at most 1"),
        (["tokens_in=-1"], [], "between 0"),
        (["plan"], [], "no NAME=VALUE"),
        (["plan+=x"], [], "no list"),
        (["approved_providers-=nobody"], [], "does not hold `nobody`"),
        (["plan=vip"], ["plan"], "both set and unset"),
    ],
)
def test_a_fact_that_can_not_be_is_refused_in_words(words: list[str], unset: list[str], said: str) -> None:
    state = sample()
    tenant = state.tenant("halvorsen")
    with pytest.raises(UsageError) as caught:
        with_facts(tenant, read_facts(tenant, state.rulebook, words, unset), state.rulebook)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nowhere=0.4", "no clause `nowhere`"),
        ("sensitive-data=0.4", "alone is no clause"),
        ("vip-floor", "no CLAUSE=TEXT"),
        ("vip-floor=bench_intelligence >=", ""),
    ],
)
def test_a_clause_that_can_not_be_is_refused_in_words(word: str, said: str) -> None:
    with pytest.raises((UsageError, RulebookError)) as caught:
        apply_changes(sample(), None, Changes({}, read_clauses([word])))
    assert said in str(caught.value)
