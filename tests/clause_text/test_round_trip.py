"""What is written is read back: for every admissible term, `parse(to_text(t))` has t's normal form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import SAMPLE, failplans, numbers, preds, scorers, selectors, texts, xforms
from workbench.language.admission import check
from workbench.language.clause_text import (
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
    selection_to_text,
    to_text,
)
from workbench.language.signature import V1, V2, Sort, Version
from workbench.language.vocabulary import CORE, CORE_V1, Category, Field, Vocabulary

Term = list[Any]

ODD_NAMES = (
    "", " ", "a b", 'say "x"', "it's", "back\\slash", "and", "OR", "not", "in", "is", "if", "by", "then", "top", "bot",
    "always", "never", "true", "false", "zero", "provider", "model", "tier", "served_by", "meets_req", "scope_matches",
    "supports", "has", "has capability", "normalize", "clamp", "composite", "cheapest", "cheapest by", "best first",
    "on", "otherwise", "$name", "$", "5", "4o-mini", "-1", "gpt-5.5", "mistral-large-3@eu", "a/b:c", "a:", ":a", "a/",
    "/a", "a.", "a-", "-a", "a+", "[", "]", "(a)", "a,b", "a;b", "a..b", "1..2", "é", "日本", "ſ", "K", "x\u0301",
    "new\nline", "tab\t", "nul\x00", "\u202e", "\u2028", "\U0001f600", "\U000e0001", "\x7f", "\ufeff", "{", "a}", "#",
    "select", "end", "$END", "price_in", "ms", "s", "1e5", "inf", "nan", "None", "null", "where", "then next",
)  # fmt: skip


def same(term: Term, read: Term, sort: Sort, vocabulary: Vocabulary = SAMPLE, version: Version = V2) -> None:
    """Both are admitted, and are the same term in normal form."""
    expected = check(term, vocabulary, version=version, sort=sort)
    assert check(read, vocabulary, version=version, sort=sort) == expected, to_text(term, vocabulary)


@given(preds())
def test_predicates_come_back(term: Term) -> None:
    same(term, parse_pred(to_text(term, SAMPLE), SAMPLE).term, "Pred")


@given(scorers())
def test_scorers_come_back(term: Term) -> None:
    same(term, parse_scorer(to_text(term, SAMPLE), SAMPLE).term, "Scorer")


@given(preds(version=V1, depth=2))
def test_predicates_of_v1_come_back(term: Term) -> None:
    same(term, parse_pred(to_text(term, SAMPLE), SAMPLE).term, "Pred", version=V1)


@given(scorers(version=V1, depth=3))
def test_scorers_of_v1_come_back(term: Term) -> None:
    same(term, parse_scorer(to_text(term, SAMPLE), SAMPLE).term, "Scorer", version=V1)


@given(selectors())
def test_selectors_come_back(term: Term) -> None:
    read = parse_selection(to_text(term, SAMPLE), SAMPLE)
    assert read.scorer is None
    same(term, read.selector, "Selector")


@given(selectors(depth=2), scorers(depth=2))
def test_selectors_come_back_with_their_scorer(selector: Term, scorer: Term) -> None:
    read = parse_selection(selection_to_text(selector, scorer, SAMPLE), SAMPLE)
    assert read.scorer is not None
    same(selector, read.selector, "Selector")
    same(scorer, read.scorer, "Scorer")


@given(xforms())
def test_transforms_come_back(term: Term) -> None:
    same(term, parse_transform(to_text(term, SAMPLE), SAMPLE).term, "Xform")


@given(failplans())
def test_failure_plans_come_back(term: Term) -> None:
    same(term, parse_fallback(to_text(term, SAMPLE), SAMPLE).term, "FailPlan")


@settings(max_examples=150)
@given(preds(depth=3), scorers(depth=3))
def test_writing_is_canonical(term: Term, scorer: Term) -> None:
    once = to_text(term, SAMPLE)
    assert to_text(parse_pred(once, SAMPLE).term, SAMPLE) == once
    once = to_text(scorer, SAMPLE)
    assert to_text(parse_scorer(once, SAMPLE).term, SAMPLE) == once


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_comes_back(name: str) -> None:
    for op in ("provider_eq", "family_eq", "served_by_eq", "has_cap"):
        term: Term = ["and", [op, name], ["not", [op, name]], ["or", [op, name], [op, "other"]]]
        same(term, parse_pred(to_text(term, CORE), CORE).term, "Pred", CORE)
    links = [{"provider": name, "model": "m"}, {"provider": "p", "model": name}, {"provider_id": name, "model": name}]
    chain: Term = ["chain", links]
    same(chain, parse_selection(to_text(chain, CORE), CORE).selector, "Selector", CORE)
    steps: Term = [
        "seq", ["set_param", name, name], ["inject_seed", name], ["clamp_param", name, 0, 1], ["jitter", name, 1],
        ["custom", name], ["filter_text", [name, {name: 1}]],
    ]  # fmt: skip
    same(steps, parse_transform(to_text(steps, CORE), CORE).term, "Xform", CORE)
    plan: Term = ["override", ["always", {"action": "abort", name: 2}], name, {"action": "next_candidate"}]
    same(plan, parse_fallback(to_text(plan, CORE), CORE).term, "FailPlan", CORE)


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if name and name not in CORE.fields])
def test_any_declared_name_comes_back(name: str) -> None:
    vocabulary = CORE.extend([Field(name, "Num", 0.0)])
    comparison: Term = ["cmp", name, "le", 5]
    same(comparison, parse_pred(to_text(comparison, vocabulary), vocabulary).term, "Pred", vocabulary)
    score: Term = ["add", ["neg", ["normalize", ["field", name]]], ["gate", ["not", comparison], ["field", name]]]
    same(score, parse_scorer(to_text(score, vocabulary), vocabulary).term, "Scorer", vocabulary)

    vocabulary = CORE.extend([Field(name, "Bool", False)])
    flag: Term = ["or", ["is", name], ["not", ["is", name]]]
    same(flag, parse_pred(to_text(flag, vocabulary), vocabulary).term, "Pred", vocabulary)

    vocabulary = CORE.extend((), [Category(name, ("eu", name, "5 x"))])
    region: Term = ["and", ["is", f"{name}_eu"], ["or", ["is", f"{name}_{name}"], ["is", f"{name}_5 x"]]]
    same(region, parse_pred(to_text(region, vocabulary), vocabulary).term, "Pred", vocabulary)


@given(texts(), texts())
def test_any_text_comes_back_as_a_name(provider: str, model: str) -> None:
    both: Term = ["and", ["provider_eq", provider], ["family_eq", model]]
    term: Term = ["or", both, ["has_cap", provider], ["served_by_eq", model]]
    same(term, parse_pred(to_text(term, CORE), CORE).term, "Pred", CORE)


@given(numbers())
def test_any_number_comes_back(value: float) -> None:
    term: Term = ["cmp", "price_in", "le", value]
    read = parse_pred(to_text(term, CORE), CORE).term
    assert float(read[3]) == float(value)
    same(term, read, "Pred", CORE)
    plan: Term = ["always", {"action": "retry_same", "backoff_ms": value, "open_breaker_ms": value, "attempts": value}]
    same(plan, parse_fallback(to_text(plan, CORE), CORE).term, "FailPlan", CORE)


@given(st.sampled_from(["quality", "quality_hint"]))
def test_a_field_of_v1_and_the_composite_of_that_name_stay_apart(name: str) -> None:
    term: Term = ["add", ["field", name], ["quality"]]
    same(term, parse_scorer(to_text(term, CORE_V1), CORE_V1).term, "Scorer", CORE, V1)


def nested(op: str, leaf: Term, depth: int) -> Term:
    """`op` around `leaf`, the whole `depth` deep."""
    term = leaf
    for _ in range(depth - 1):
        term = [op, *([leaf] if op in ("and", "or", "add") and term is not leaf else []), term]
    return term


@pytest.mark.parametrize("op", ["not", "and", "or"])
def test_the_deepest_predicate_comes_back(op: str) -> None:
    term = nested(op, ["is", "no_log"], 64)
    same(term, parse_pred(to_text(term, CORE), CORE).term, "Pred", CORE)


@pytest.mark.parametrize("wrap", [["neg"], ["normalize"], ["scale", 2], ["gate", ["is", "no_log"]], ["clamp", 0, 1]])
def test_the_deepest_scorer_comes_back(wrap: Term) -> None:
    term: Term = ["field", "price_in"]
    for _ in range(62):
        term = [*wrap, term]
    same(term, parse_scorer(to_text(term, CORE), CORE).term, "Scorer", CORE)


def test_the_deepest_alternation_comes_back() -> None:
    term: Term = ["is", "no_log"]
    for level in range(62):
        term = ["and" if level % 2 else "or", term, ["cmp", "price_in", "le", level]]
    same(term, parse_pred(to_text(term, CORE), CORE).term, "Pred", CORE)


def test_the_deepest_plans_selectors_and_transforms_come_back() -> None:
    plan: Term = ["always", {"action": "abort"}]
    selector: Term = ["ordered"]
    step: Term = ["inject_seed", "seed"]
    for level in range(62):
        plan = ["override", plan, f"reason{level}", {"action": "next_candidate"}]
        selector = ["prefer", ["is", "no_log"], selector] if level % 2 else ["top_k", level + 1, selector]
        step = ["when", ["is", "no_log"], step] if level % 2 else ["seq", step, ["id"]]
    same(plan, parse_fallback(to_text(plan, CORE), CORE).term, "FailPlan", CORE)
    same(selector, parse_selection(to_text(selector, CORE), CORE).selector, "Selector", CORE)
    same(step, parse_transform(to_text(step, CORE), CORE).term, "Xform", CORE)


@settings(deadline=None, max_examples=20)  # each is thousands of nodes
@given(st.integers(1000, 4000))
def test_thousands_of_nodes_come_back(count: int) -> None:
    term: Term = ["or", *(["provider_eq", f"p{number}"] for number in range(count))]
    same(term, parse_pred(to_text(term, CORE), CORE).term, "Pred", CORE)
    score: Term = ["add", *(["lit", number] for number in range(count))]
    same(score, parse_scorer(to_text(score, CORE), CORE).term, "Scorer", CORE)


def test_the_largest_terms_come_back() -> None:
    names: Term = ["or", *(["provider_eq", "\x01" * 250 + f"{number:04d}"] for number in range(960))]
    assert len(to_text(names, CORE)) > 1_400_000
    same(names, parse_pred(to_text(names, CORE), CORE).term, "Pred", CORE)
    costly: Term = ["and", *(["cmp", "price_in", "le", -1.5e21 - number * 1e17] for number in range(4095))]
    same(costly, parse_pred(to_text(costly, CORE), CORE).term, "Pred", CORE)
    recipes: Term = ["seq", *(["filter_text", ["a", {"b": number}] * 32] for number in range(400))]
    same(recipes, parse_transform(to_text(recipes, CORE), CORE).term, "Xform", CORE)
