"""The smallest change: it admits, and nothing smaller does. Held against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engine.worlds import pools
from tests.scale import scaled
from tests.strategies import SAMPLE, preds
from tests.whatif.worlds import decided, offers, sample, tenants
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.engine.reference import holds, scene_of
from workbench.engine.reference.predicates import verdict
from workbench.errors import CompileError
from workbench.language.admission import check
from workbench.rulebook.schema import Fact
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.changes import ClauseText, for_tenant, with_facts
from workbench.whatif.near.near import near, nearest, with_edits
from workbench.whatif.near.repairs import leaves, repair

Term = list[Any]


def truth(term: Term, values: Iterator[bool]) -> bool:
    """The truth of a predicate whose leaves have these values, in the order of `leaves`."""
    if term[0] == "not":
        return not truth(term[1], values)
    if term[0] in {"and", "or"}:
        parts = [truth(part, values) for part in term[1:]]
        return all(parts) if term[0] == "and" else any(parts)
    return next(values)


def fewest_flips(term: Term, held: list[bool], fixed: list[bool]) -> int | None:
    """How many leaves must turn for the predicate to hold, by trying every set of them; None where none does."""
    free = [place for place, stuck in enumerate(fixed) if not stuck]
    for size in range(len(free) + 1):
        for chosen in itertools.combinations(free, size):
            turned = [value != (place in chosen) for place, value in enumerate(held)]
            if truth(term, iter(turned)):
                return size
    return None


@settings(max_examples=scaled(40, 5_000))
@given(st.data())
def test_a_repaired_clause_admits_and_no_fewer_parts_would(data: st.DataObject) -> None:
    pool: Pool = data.draw(pools().filter(lambda made: len(made) > 0))
    clause = check(data.draw(preds(SAMPLE, depth=2)), SAMPLE, sort="Pred")
    index = data.draw(st.integers(0, len(pool) - 1))
    parts = list(leaves(clause.normal))
    assume(len(parts) <= 9)
    scene = scene_of(clause, pool, Context())
    held = [verdict(part, pool.candidates[index], scene) is None for part in parts]
    wanted = fewest_flips(clause.normal, held, [part[0] in {"meets_req", "scope_matches"} for part in parts])
    found = repair(clause, index, pool, Context())
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert len(found.parts) == wanted
    assert holds(found.term, pool.candidates[index], pool, Context()) is None


def test_a_threshold_moves_to_the_offers_own_value_and_the_next_double_is_too_far() -> None:
    pool = Pool([{"price_out": 7.25}], SAMPLE)
    for text, wanted in (("le", 7.25), ("ge", 7.25), ("eq", 7.25)):
        start = 1 if text != "ge" else 9
        found = repair(check(["cmp", "price_out", text, start], SAMPLE, sort="Pred"), 0, pool, Context())
        assert found is not None
        assert found.term.normal == ["cmp", "price_out", text, wanted]
    strict = repair(check(["cmp", "price_out", "lt", 1], SAMPLE, sort="Pred"), 0, pool, Context())
    assert strict is not None
    assert strict.term.normal[3] == 7.250000000000001


def test_a_list_grows_by_the_offers_name_and_a_ban_shrinks_by_it() -> None:
    pool = Pool([{"provider_id": "mistral", "region_us": True}], SAMPLE)
    allowed: Term = ["or", ["provider_eq", "azure"], ["provider_eq", "openai"]]
    grown = repair(check(allowed, SAMPLE, sort="Pred"), 0, pool, Context())
    assert grown is not None
    assert [part[1] for part in grown.term.normal[1:]] == ["azure", "mistral", "openai"]
    banned: Term = ["not", ["or", ["provider_eq", "azure"], ["provider_eq", "mistral"]]]
    shrunk = repair(check(banned, SAMPLE, sort="Pred"), 0, pool, Context())
    assert shrunk is not None
    assert shrunk.term.normal == ["not", ["provider_eq", "azure"]]
    region = repair(check(["is", "region_eu"], SAMPLE, sort="Pred"), 0, pool, Context())
    assert region is not None
    assert region.term.normal == ["or", ["is", "region_eu"], ["is", "region_us"]]


def test_an_unknown_price_can_not_be_admitted_by_a_bound() -> None:
    found = repair(check(["cmp", "price_out", "le", 5], SAMPLE, sort="Pred"), 0, Pool([{}], SAMPLE), Context())
    assert found is not None
    assert found.parts[0].kind == "dropped"
    assert found.term.normal == ["top"]


def test_what_only_a_request_decides_has_no_repair() -> None:
    context = Context({"requirements": {"needs": ["tools"]}})
    assert repair(check(["meets_req"], SAMPLE, sort="Pred"), 0, Pool([{}], SAMPLE), context) is None


@settings(max_examples=scaled(25, 2_000))
@given(tenants(), offers())
def test_the_changed_clauses_admit_the_offer_and_each_of_them_is_needed(tenant: Tenant, index: int) -> None:
    state = sample().with_tenant(tenant)
    before = decided(state, tenant)
    assume(before is not None)
    found = near(state, tenant.id, index, Evaluator())
    assert found.admitted == (before is not None and before.reason(index) is None)
    if found.admitted or found.by_clauses is None:
        return
    for left_out in (None, *found.against):
        kept = [one for one in found.against if one is not left_out]
        if left_out is not None and left_out.where == "guard":
            continue
        made = with_edits(state, tenant, kept, dict(found.facts_first), Evaluator())
        assert made is not None
        after = decided(made[0], made[0].tenant(tenant.id))
        assert after is not None
        assert (after.reason(index) is None) == (left_out is None)
        if left_out is None:
            assert after.place(index) == found.by_clauses.place
            assert len(after.order) == found.by_clauses.of


@settings(max_examples=scaled(12, 1_000))
@given(tenants(), offers())
def test_a_route_of_facts_admits_and_no_part_of_it_does(tenant: Tenant, index: int) -> None:
    state = sample().with_tenant(tenant)
    assume(decided(state, tenant) is not None)
    for route in near(state, tenant.id, index, Evaluator()).routes.found:
        for chosen in subsets(route.facts):
            after = decided(state, with_facts(tenant, dict(chosen), state.rulebook))
            admitted = after is not None and after.reason(index) is None
            assert admitted == (len(chosen) == len(route.facts))


def subsets(facts: tuple[tuple[str, Fact], ...]) -> Iterator[tuple[tuple[str, Fact], ...]]:
    for size in range(len(facts) + 1):
        yield from itertools.combinations(facts, size)


@settings(max_examples=scaled(8, 500))
@given(tenants(), offers())
def test_where_one_fact_would_do_the_search_finds_one(tenant: Tenant, index: int) -> None:
    state = sample().with_tenant(tenant)
    before = decided(state, tenant)
    assume(before is not None and before.reason(index) is not None)
    evaluator = Evaluator()
    admitting = {
        name
        for name, value in one_fact_changes(state, tenant, index)
        if (outcome := evaluator.outcome(state, with_facts(tenant, {name: value}, state.rulebook))).decision is not None
        and outcome.decision.reason(index) is None
    }
    found = near(state, tenant.id, index, evaluator).routes.found
    assert {route.facts[0][0] for route in found if len(route.facts) == 1} == admitting


def one_fact_changes(state: Any, tenant: Tenant, index: int) -> Iterator[tuple[str, Fact]]:
    """Every value of every fact, numbers from a fine grid and the offer's own figures."""
    own = {v for v in state.pool.candidates[index].values() if isinstance(v, str)}
    figures = [v for v in state.pool.candidates[index].values() if isinstance(v, float) and 0 <= v <= 1]
    for name, known in state.rulebook.schema.fields.items():
        if known.kind == "flag":
            yield from ((name, value) for value in (True, False))
        elif known.kind == "number":
            yield from ((name, value) for value in [k / 100 for k in range(101)] + figures)
        elif known.kind == "list":
            held = tenant.facts[name]
            assert isinstance(held, tuple)
            yield from ((name, tuple(w for w in held if w != word)) for word in held)
            yield from ((name, (*held, word)) for word in own if word not in held)
        else:
            yield from ((name, value) for value in known.values)
    for name in ("tokens_in", "tokens_out"):
        yield from ((name, float(value)) for value in (0, 1, 9_999, 10_000, 100_000))


def test_what_is_nearest_has_the_fewest_clauses_against_it() -> None:
    state = sample()
    outcome = Evaluator().outcome(state, state.tenant("alba-clinic"))
    found = nearest(state, outcome, 20)
    counts = [count for _, count in found]
    assert counts == sorted(counts)
    for index, count in found[:5]:
        assert len(near(state, "alba-clinic", index, Evaluator()).against) == count


def test_the_guard_of_a_quiet_tenant_goes_with_the_fact_alone() -> None:
    state = sample()
    index = state.catalog.find("azure/gpt-5.6-luna@eu")
    found = near(state, "alba-clinic", index, Evaluator())
    assert found.facts_first == (("no_log", False),)
    assert found.by_clauses is not None
    assert found.by_clauses.place == 1


def test_an_envelope_is_told_as_what_it_is_and_changed_where_it_is_written() -> None:
    state = replace(sample(), envelope=check(["is", "region_eu"], sample().vocabulary, sort="Pred"))
    index = state.catalog.find("openai/gpt-5.6-sol@global")
    found = near(state, "ladle-free", index, Evaluator())
    assert [(one.check.clause.id, one.where, one.text) for one in found.against] == [
        ("envelope", "envelope", "region in [eu, global]")
    ]
    assert found.routes.stuck == ("envelope",)
    assert found.by_clauses is not None
    assert found.by_clauses.place is not None


def test_an_offer_that_the_selector_does_not_keep_is_told_how_many_it_would_have_to() -> None:
    state = for_tenant(sample(), "lumenor-vip", ClauseText("select", "top 3", tenant_only=True))
    whole = decided(sample(), sample().tenant("lumenor-vip"))
    assert whole is not None
    index = whole.order[9]
    found = near(state, "lumenor-vip", index, Evaluator())
    assert found.admitted
    assert found.standing is not None
    assert (found.standing.place, found.standing.keep) == (None, 10)
    for keep, place in ((9, None), (10, 10)):
        changed = for_tenant(sample(), "lumenor-vip", ClauseText("select", f"top {keep}", tenant_only=True))
        after = decided(changed, changed.tenant("lumenor-vip"))
        assert after is not None
        assert after.place(index) == place


def test_a_tenant_without_a_policy_has_nothing_near() -> None:
    state = open_workspace(sample_root()).state
    bare = with_facts(state.tenant("acme-eu"), {"plan": None}, state.rulebook)
    with pytest.raises(CompileError, match="no policy"):
        near(state.with_tenant(bare), "acme-eu", 0, Evaluator())
