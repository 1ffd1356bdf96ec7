"""What each form means."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.errors import ClauseError
from workbench.language.admission import check
from workbench.language.clause_text import (
    parse_condition,
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
    to_text,
)
from workbench.language.clause_text import parser as parser_module
from workbench.language.clause_text.spelling import PHRASES
from workbench.language.vocabulary import CORE, Category, Field, Vocabulary

Term = list[Any]
FLAG: Term = ["is", "no_log"]
CHEAP: Term = ["cmp", "price_out", "le", 5]

PREDICATES: list[tuple[str, Term]] = [
    ("provider in [openai, mistral]", ["or", ["provider_eq", "openai"], ["provider_eq", "mistral"]]),
    ("provider not in [deepseek]", ["not", ["provider_eq", "deepseek"]]),
    ("provider not in [a, b]", ["not", ["or", ["provider_eq", "a"], ["provider_eq", "b"]]]),
    ("provider in []", ["bot"]),
    ("provider not in []", ["top"]),
    ("provider in [a, b,]", ["or", ["provider_eq", "a"], ["provider_eq", "b"]]),
    ("region = eu", ["is", "region_eu"]),
    ("region_eu", ["is", "region_eu"]),
    ("region == eu", ["is", "region_eu"]),
    ("region is eu", ["is", "region_eu"]),
    ("region != eu", ["not", ["is", "region_eu"]]),
    ("region is not eu", ["not", ["is", "region_eu"]]),
    ("not region = eu", ["not", ["is", "region_eu"]]),
    ("region in [eu, 'us']", ["or", ["is", "region_eu"], ["is", "region_us"]]),
    ("model = gpt-5.5", ["family_eq", "gpt-5.5"]),
    ('model = "4o \\"mini\\" \\u00e9\\ud83d\\ude00"', ["family_eq", '4o "mini" é😀']),
    ("served_by = azure", ["served_by_eq", "azure"]),
    ("tier >= marketplace", ["min_tier", "marketplace"]),
    ("tier > marketplace", ["min_tier", "partner"]),
    ("tier > partner", ["bot"]),
    ("tier <= marketplace", ["not", ["min_tier", "partner"]]),
    ("tier <= partner", ["not", ["bot"]]),
    ("tier < marketplace", ["not", ["min_tier", "marketplace"]]),
    ("tier = partner", ["tier_eq", "partner"]),
    ("tier != partner", ["not", ["tier_eq", "partner"]]),
    ("bench_intelligence >= 0.57", ["cmp", "bench_intelligence", "ge", 0.57]),
    ("price_in≤-1e-3", ["cmp", "price_in", "le", -0.001]),
    ("price_in <> .5", ["cmp", "price_in", "ne", 0.5]),
    ("no_log", FLAG),
    ("no_log = true", FLAG),
    ("no_log != true", ["not", FLAG]),
    ("no_log is false", ["not", FLAG]),
    ("not no_log", ["not", FLAG]),
    ("NOT no_log AND has_tee", ["and", ["not", FLAG], ["is", "has_tee"]]),
    ("meets_req and scope_matches", ["and", ["meets_req"], ["scope_matches"]]),
    ("always or never", ["or", ["top"], ["bot"]]),
    ("top or bot", ["or", ["top"], ["bot"]]),
    ("supports tools", ["has_cap", "supports_tools"]),
    ("has capability streaming", ["has_cap", "streaming"]),
    ("no_log or has_tee and dpa", ["or", FLAG, ["and", ["is", "has_tee"], ["is", "dpa"]]]),
    ("(no_log or has_tee) and dpa", ["and", ["or", FLAG, ["is", "has_tee"]], ["is", "dpa"]]),
    ("not no_log and dpa", ["and", ["not", FLAG], ["is", "dpa"]]),
    ("not (no_log and dpa)", ["not", ["and", FLAG, ["is", "dpa"]]]),
    ("no_log\n  and price_out <= 5", ["and", FLAG, CHEAP]),
    ('["in","provider",["openai","anthropic"]]', ["or", ["provider_eq", "openai"], ["provider_eq", "anthropic"]]),
    ('["not_in","region",["eu"]]', ["not", ["is", "region_eu"]]),
    ('["eq","region","eu"]', ["is", "region_eu"]),
    ('["ne","tier","partner"]', ["not", ["tier_eq", "partner"]]),
    (' ["cmp","bench_intelligence","ge",0.5]', ["cmp", "bench_intelligence", "ge", 0.5]),
]


@pytest.mark.parametrize(("text", "term"), PREDICATES)
def test_a_predicate_means_its_term(text: str, term: Term) -> None:
    assert parse_pred(text, SAMPLE).term == term


PRICE: Term = ["field", "price_out"]
SCORERS: list[tuple[str, Term]] = [
    ("price_out", PRICE),
    ("zero", ["zero"]),
    ("0.5", ["lit", 0.5]),
    ("cheapest by price_out", ["neg", ["normalize", PRICE]]),
    ("lowest by price_out", ["neg", ["normalize", PRICE]]),
    ("highest by price_out", ["normalize", PRICE]),
    ("1 - price_out", ["neg", PRICE]),
    ("2 - price_out", ["add", ["lit", 2], ["scale", -1, PRICE]]),
    ("price_out - 1", ["add", PRICE, ["lit", -1]]),
    ("1 - price_out - tok_s", ["add", ["neg", PRICE], ["scale", -1, ["field", "tok_s"]]]),
    ("-price_out", ["scale", -1, PRICE]),
    ("2 * price_out", ["scale", 2, PRICE]),
    ("price_out * 2", ["scale", 2, PRICE]),
    ("2 * 3 * price_out", ["scale", 2, ["scale", 3, PRICE]]),
    ("2 * 3", ["scale", 2, ["lit", 3]]),
    ("1 - 2*price_out", ["neg", ["scale", 2, PRICE]]),
    ("clamp(price_out, 0, 10)", ["clamp", 0, 10, PRICE]),
    ("price_out if no_log", ["gate", FLAG, PRICE]),
    ("price_out where no_log", ["gate", FLAG, PRICE]),
    ("price_out + 1 if no_log or dpa else 0", ["gate", ["or", FLAG, ["is", "dpa"]], ["add", PRICE, ["lit", 1]]]),
    ("composite cost", ["cost"]),
    (
        "0.7 * normalize(bench_intelligence) + 0.3 * (1 - normalize(price_in))",
        [
            "add",
            ["scale", 0.7, ["normalize", ["field", "bench_intelligence"]]],
            ["scale", 0.3, ["neg", ["normalize", ["field", "price_in"]]]],
        ],
    ),
    ('["neg",["field","price_in"]]', ["neg", ["field", "price_in"]]),
]


@pytest.mark.parametrize(("text", "term"), SCORERS)
def test_a_scorer_means_its_term(text: str, term: Term) -> None:
    assert parse_scorer(text, SAMPLE).term == term


SELECTIONS: list[tuple[str, Term, Term | None]] = [
    ("best first", ["argmax"], None),
    ("best first by price_out", ["argmax"], PRICE),
    ("keep order", ["ordered"], None),
    ("sample 0.5", ["sample", 0.5], None),
    ("sample at 0.5", ["sample", 0.5], None),
    ("top 3", ["top_k", 3, ["argmax"]], None),
    ("top 3 by price_out", ["top_k", 3, ["argmax"]], PRICE),
    ("top 3 by cheapest by price_out", ["top_k", 3, ["argmax"]], ["neg", ["normalize", PRICE]]),
    ("top 3 of (sample 0.5 by price_out)", ["top_k", 3, ["sample", 0.5]], PRICE),
    ("prefer no_log, then best first", ["prefer", FLAG, ["argmax"]], None),
    ("prefer no_log, best first", ["prefer", FLAG, ["argmax"]], None),
    (
        "prefer no_log, then prefer dpa, then top 2",
        ["prefer", FLAG, ["prefer", ["is", "dpa"], ["top_k", 2, ["argmax"]]]],
        None,
    ),
    ("chain []", ["chain", []], None),
    (
        'chain [mistral/mistral-large-3, openrouter/meta/llama-4, "01-ai"/yi, {provider_id: a, model: "b c"}]',
        [
            "chain",
            [
                {"provider": "mistral", "model": "mistral-large-3"},
                {"provider": "openrouter", "model": "meta/llama-4"},
                {"provider": "01-ai", "model": "yi"},
                {"provider_id": "a", "model": "b c"},
            ],
        ],
        None,
    ),
    ('["top_k",2,["ordered"]]', ["top_k", 2, ["ordered"]], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "selector", "scorer"), SELECTIONS)
def test_a_selection_means_its_selector_and_scorer(text: str, selector: Term, scorer: Term | None) -> None:
    read = parse_selection(text, SAMPLE)
    assert (read.selector, read.scorer) == (selector, scorer)


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("next", {"action": "next_candidate"}),
    ("next, open breaker 30 s", {"action": "next_candidate", "open_breaker_ms": 30_000}),
    (
        "retry 2 after 200 ms, 600 ms, then next",
        {"action": "retry_same", "attempts": 2, "backoff_ms": [200, 600], "then_action": "next_candidate"},
    ),
    ("retry after 1 min", {"action": "retry_same", "backoff_ms": 60_000}),
    (
        "retry 2 after [200 ms] then stop",
        {"action": "retry_same", "attempts": 2, "backoff_ms": [200], "then_action": "abort"},
    ),
    ("retry 1 after []", {"action": "retry_same", "attempts": 1, "backoff_ms": []}),
    ("disable provider", {"action": "disable_provider"}),
    ("same model elsewhere", {"action": "next_provider_same_model"}),
    ("stop", {"action": "abort"}),
    ("abort", {"action": "abort"}),
    ("stop with attempts = 2, odd = 0.5", {"action": "abort", "attempts": 2, "odd": 0.5}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "action"), ACTIONS)
def test_an_action_means_its_record(text: str, action: dict[str, Any]) -> None:
    plan = parse_fallback(f"on rate_limit: {text}; otherwise: {text}", SAMPLE).term
    assert plan == ["override", ["always", action], "rate_limit", action]
    check(plan, SAMPLE, sort="FailPlan")


def test_a_plan_is_read_line_by_line() -> None:
    plan = parse_fallback("on rate_limit, timeout: next\n\non unknown: stop\n", SAMPLE).term
    going_on = {"action": "next_candidate"}
    assert plan == [
        "override",
        ["override", ["override", ["always", going_on], "rate_limit", going_on], "timeout", going_on],
        "unknown",
        {"action": "abort"},
    ]


TRANSFORMS: list[tuple[str, Term]] = [
    ("set temperature 0.2", ["set_param", "temperature", 0.2]),
    ("set temperature = 0.2", ["set_param", "temperature", 0.2]),
    ("set logprobs to false", ["set_param", "logprobs", False]),
    ('set mode "false"', ["set_param", "mode", "false"]),
    ("set seed from_ctx", ["set_param", "seed", "from_ctx"]),
    ("clamp max_tokens 1..4096", ["clamp_param", "max_tokens", 1, 4096]),
    ("clamp temperature -.5...5", ["clamp_param", "temperature", -0.5, 0.5]),
    ("seed as seed", ["inject_seed", "seed"]),
    ("jitter temperature by 0.1", ["jitter", "temperature", 0.1]),
    ("filter text [redact, {strength: 2}, {}]", ["filter_text", ["redact", {"strength": 2}, {}]]),
    ("filter image []", ["filter_image", []]),
    ("custom trim", ["custom", "trim"]),
    ("unchanged", ["id"]),
    ("set a 1, set b 2; set c 3", ["seq", ["set_param", "a", 1], ["set_param", "b", 2], ["set_param", "c", 3]]),
    ("when no_log: set a 1, set b 2", ["seq", ["when", FLAG, ["set_param", "a", 1]], ["set_param", "b", 2]]),
    ("when no_log: (set a 1 then set b 2)", ["when", FLAG, ["seq", ["set_param", "a", 1], ["set_param", "b", 2]]]),
]


@pytest.mark.parametrize(("text", "term"), TRANSFORMS)
def test_a_transform_means_its_term(text: str, term: Term) -> None:
    assert parse_transform(text, SAMPLE).term == term
    check(term, SAMPLE, sort="Xform")


# ---- bindings

FACTS = {"approved": ["openai", "mistral"], "none": (), "place": "eu", "most": 5, "share": 0.5, "strict": True}


@pytest.mark.parametrize(
    ("text", "term", "names"),
    [
        ("provider in $approved", ["or", ["provider_eq", "openai"], ["provider_eq", "mistral"]], ("approved",)),
        ("provider not in $none", ["top"], ("none",)),
        ("region = $place and price_out <= $most", ["and", ["is", "region_eu"], CHEAP], ("place", "most")),
        ("region in [$place, us]", ["or", ["is", "region_eu"], ["is", "region_us"]], ("place",)),
        ("no_log = $strict or no_log = $strict", ["or", FLAG, FLAG], ("strict",)),
        ('["in","provider","$approved"]', ["or", ["provider_eq", "openai"], ["provider_eq", "mistral"]], ("approved",)),
        (
            '["and",["eq","region","$place"],["cmp","price_out","le","$most"]]',
            ["and", ["is", "region_eu"], CHEAP],
            ("place", "most"),
        ),
    ],
)  # fmt: skip
def test_a_binding_stands_for_a_fact(text: str, term: Term, names: tuple[str, ...]) -> None:
    read = parse_pred(text, SAMPLE, FACTS)
    assert (read.term, read.names) == (term, names)


def test_bindings_stand_in_every_other_text_too() -> None:
    assert parse_scorer("$share * price_out", SAMPLE, FACTS).term == ["scale", 0.5, PRICE]
    assert parse_selection("top $most", SAMPLE, FACTS).selector == ["top_k", 5, ["argmax"]]
    assert parse_transform("set temperature $share", SAMPLE, FACTS).term == ["set_param", "temperature", 0.5]
    retry = parse_fallback("otherwise: retry $most after $share s", SAMPLE, FACTS)
    assert retry.term == ["always", {"action": "retry_same", "attempts": 5, "backoff_ms": 500}]
    assert retry.names == ("most", "share")


def test_the_facts_are_not_touched() -> None:
    parse_pred('["in","provider","$approved"]', SAMPLE, FACTS)
    assert FACTS["approved"] == ["openai", "mistral"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("provider in $missing", 12),
        ("provider in $place", 12),
        ("provider = $approved", 11),
        ("provider = $most", 11),
        ("price_out <= $place", 13),
        ("price_out <= $strict", 13),
        ("region = $most", 9),
        ('["in","provider","$missing"]', 17),
    ],
)
def test_a_binding_of_the_wrong_sort_is_named(text: str, column: int) -> None:
    with pytest.raises(ClauseError) as caught:
        parse_pred(text, SAMPLE, FACTS)
    assert caught.value.column == column
    assert text[column:].strip('"]') in caught.value.findings[0].reason


def test_a_value_that_the_fact_has_and_the_category_lacks_is_named() -> None:
    with pytest.raises(ClauseError, match="mars"):
        parse_pred("region = $place", SAMPLE, {"place": "mars"})


def test_without_a_tenant_there_are_no_bindings() -> None:
    with pytest.raises(ClauseError, match="tenant"):
        parse_pred("provider in $approved", SAMPLE)


# ---- conditions

TENANT = Vocabulary({}, {}).extend(
    [Field("dpa_signed", "Bool", False), Field("seats", "Num", 0.0)],
    [Category("plan", ("free", "vip")), Category("tier", ("gold", "lead"))],
)


def test_a_condition_is_over_the_tenants_fields() -> None:
    read = parse_condition("plan in [free, vip] and not dpa_signed and seats >= 5 and tier = gold", TENANT)
    assert read.term == [
        "and",
        ["or", ["is", "plan_free"], ["is", "plan_vip"]],
        ["not", ["is", "dpa_signed"]],
        ["cmp", "seats", "ge", 5],
        ["is", "tier_gold"],
    ]
    assert parse_condition(to_text(read.term, TENANT), TENANT) == read
    assert parse_condition('["eq","plan","free"]', TENANT).term == ["is", "plan_free"]
    assert parse_condition("always", TENANT).term == ["top"]


@pytest.mark.parametrize(
    "text",
    ["provider = openai", "supports tools", "has capability x", "meets_req", "scope_matches", "plan = $x",
     '["eq","provider","openai"]', '["and",["meets_req"]]', "[]", "[1]"],
)  # fmt: skip
def test_a_condition_knows_nothing_else(text: str) -> None:
    with pytest.raises(ClauseError):
        parse_condition(text, TENANT)


# ---- the parser itself


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    # States are numbered anew by each build, so the stamp is compared, and below what is read.
    assert parser_module.shipped(), "run python -m workbench.language.clause_text.parser > grammar_table.json"
    assert json.loads(parser_module.table()).keys() == {"stamp", "data", "memo"}


def test_tables_and_grammar_read_alike() -> None:
    built, loaded = parser_module.build(), parser_module.parser()
    for text, _ in PREDICATES:
        if not text.lstrip().startswith("["):
            assert built.parse(text, start="pred") == loaded.parse(text, start="pred")


def test_every_keyword_has_its_words() -> None:
    keywords = {t.name: t for t in parser_module.build().terminals if t.priority and t.name != "NUMBER"}
    assert keywords.keys() == PHRASES.keys()
    for name, phrase in PHRASES.items():
        after = "(" if name == "NORMALIZE" else " "
        assert re.compile(keywords[name].pattern.to_regexp()).match(phrase + after), name


def test_importing_clause_text_does_not_import_lark() -> None:
    script = "import sys, workbench.language.clause_text; print('lark' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("text", ["(" * 20_000 + "no_log" + ")" * 20_000, "not " * 20_000 + "no_log"])
def test_no_depth_of_text_exhausts_the_stack(text: str) -> None:
    term = parse_pred(text, CORE).term
    assert term[0] in ("is", "not")


def test_depth_in_scores_plans_and_conditions() -> None:
    assert parse_scorer("(" * 20_000 + "price_in" + ")" * 20_000, CORE).term == ["field", "price_in"]
    assert parse_transform("(" * 5_000 + "unchanged" + ")" * 5_000, CORE).term == ["id"]
    with pytest.raises(ClauseError):
        parse_pred("(" * 20_000, CORE)
    with pytest.raises(ClauseError):
        parse_pred("[" * 20_000, CORE)


def test_an_enormous_text_is_refused_unread() -> None:
    with pytest.raises(ClauseError, match="characters"):
        parse_pred("no_log " * 400_000, CORE)
