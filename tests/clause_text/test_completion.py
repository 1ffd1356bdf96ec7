"""What is offered at the cursor, which a `|` marks in each text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SAMPLE, preds
from workbench.errors import ClauseError
from workbench.language.clause_text import Completion, complete, parse_pred, to_text
from workbench.language.clause_text.completion import EditorKind
from workbench.language.signature import FAIL_REASONS
from workbench.language.vocabulary import CORE, Category, Field, Vocabulary

VALUES = {
    "provider": ["openai", "mistral", "01-ai"],
    "model": ["gpt-5.5", "mistral-large-3"],
    "served_by": ["azure"],
    "capability": ["supports_tools", "supports_vision", "streaming"],
}


def offers(marked: str, kind: EditorKind = "pred", vocabulary: Vocabulary = SAMPLE) -> tuple[Completion, ...]:
    cursor = marked.index("|")
    text = marked.replace("|", "", 1)
    return complete(text, cursor, vocabulary, values=VALUES, kind=kind, bindings=("approved", "limit"))


def texts(marked: str, kind: EditorKind = "pred", vocabulary: Vocabulary = SAMPLE) -> list[str]:
    return [offer.text for offer in offers(marked, kind, vocabulary)]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("pri|", ["price_in", "price_out"]),
        ("PRI|", ["price_in", "price_out"]),
        ("pri|ce", ["price_in", "price_out"]),
        ("price_out |", ["<", "<=", "=", "!=", ">=", ">"]),
        ("region |", ["=", "!=", "in", "not in"]),
        ("tier |", ["<", "<=", "=", "!=", ">=", ">", "in", "not in"]),
        ("price_out <= |", ["$approved", "$limit"]),
        ("price_out <= $l|", ["$limit"]),
        ("region = |", ["eu", "us", "global", "unknown", "$approved", "$limit"]),
        ("region = u|", ["us", "unknown", "eu"]),
        ("region in |", ["[", "$approved", "$limit"]),
        ("region in [|", ["eu", "us", "global", "unknown", "$approved", "$limit"]),
        ("region in [eu, |", ["us", "global", "unknown", "$approved", "$limit"]),
        ("no_log |", ["and", "or"]),
        ("no_log|", [" and", " or"]),
        ("no_log a|", ["and"]),
        ("region = eu |", ["and", "or"]),
        ("no_log = |", ["true", "false", "$approved", "$limit"]),
        ("provider = mist|", ["mistral"]),
        ("provider = mis|t and no_log", ["mistral"]),
        ("provider = 0|", ['"01-ai"']),
        ('provider = "01|', ['"01-ai"']),
        ("model in [gpt-5.5, |", ["mistral-large-3", "$approved", "$limit"]),
        ("served_by = |", ["azure", "$approved", "$limit"]),
        ("tier >= |", ["fallback", "marketplace", "partner", "$approved", "$limit"]),
        ("provider no|", ["not in"]),
        ("provider not |", ["not in"]),
        ("provider not i|", ["not in"]),
        ("supports |", ["tools", "vision"]),
        ("has capability s|", ["supports_tools", "supports_vision", "streaming"]),
        ("has cap|", ["has capability"]),
        ("(price_out <= 5 |", ["and", "or"]),
        ("regoin = eu |", ["and", "or"]),
        ("price_out price_in |", []),
        ('["in", |', []),
    ],
)
def test_predicates_are_completed(marked: str, expected: list[str]) -> None:
    assert texts(marked) == expected


@pytest.mark.parametrize(
    ("kind", "marked", "expected"),
    [
        ("scorer", "cheapest by latency_|", ["latency_ms"]),
        ("scorer", "price_out |", ["if"]),
        ("scorer", "0.5 * norm|", ["normalize("]),
        ("scorer", "price_out if no_l|", ["no_log"]),
        ("scorer", "composite s|", ["speed", "cost"]),
        ("selection", "|", ["prefer", "top", "best first", "keep order", "sample", "chain"]),
        ("selection", "top 3 |", ["by", "of"]),
        ("selection", "best |", ["best first"]),
        ("selection", "chain [mis|", ["mistral/"]),
        ("fallback", "|", ["on", "otherwise"]),
        ("fallback", "on |", list(FAIL_REASONS)),
        ("fallback", "on rate_limit: |", ["retry", "next", "stop", "disable provider", "same model elsewhere"]),
        ("fallback", "on rate_limit: same |", ["same model elsewhere"]),
        ("fallback", "on rate_limit: next, open breaker 30 |", ["ms", "s", "min"]),
        ("transform", "set t|", ["temperature", "top_p"]),
        ("transform", "fil|", ["filter text", "filter image"]),
    ],
)
def test_other_text_is_completed(kind: EditorKind, marked: str, expected: list[str]) -> None:
    assert [text for text in texts(marked, kind) if not text.startswith("$")][: len(expected)] == expected


def test_a_clause_may_begin_with_any_field() -> None:
    found = texts("|")
    assert {"region", "provider", "model", "tier", "price_in", "no_log", "meets_req", "not", "supports"} <= set(found)
    assert "region_eu" not in found
    assert not any(text.startswith("$") for text in found)
    assert texts("no_log and not (|") == found


def test_a_condition_offers_the_tenants_fields_alone() -> None:
    tenant = Vocabulary({}, {}).extend([Field("dpa_signed", "Bool", False)], [Category("plan", ("free", "vip"))])
    assert texts("|", "condition", tenant) == ["plan", "dpa_signed", "always", "never", "not"]
    assert [text for text in texts("plan = |", "condition", tenant) if text[0] != "$"] == ["free", "vip"]


def test_an_offer_says_sort_unit_and_meaning() -> None:
    (offer,) = offers("price_o|ld <= 5")
    assert offer == Completion(
        "price_out", 0, 9, "price_out", "number · USD per million tokens · price of output tokens"
    )
    (flag,) = offers("has_t|")
    assert flag.detail.startswith("yes or no · ")


def test_a_name_that_needs_quotes_is_offered_with_them() -> None:
    vocabulary = CORE.extend([Field("two words", "Num", 0.0)])
    (offer,) = offers("two|", vocabulary=vocabulary)
    assert (offer.text, offer.label) == ('"two words"', "two words")


def error_column(text: str) -> int:
    """Where the text stops being a clause; its end where it is one."""
    try:
        parse_pred(text, SAMPLE)
    except ClauseError as error:
        return error.column
    return len(text)


@given(preds(depth=3), st.data())
def test_an_offer_never_breaks_what_was_right(term: list[object], data: st.DataObject) -> None:
    """At any place of a clause: put in, an offer is not itself the error."""
    text = to_text(term, SAMPLE)
    cursor = data.draw(st.integers(0, len(text)))
    for offer in complete(text, cursor, SAMPLE, values=VALUES):
        assert 0 <= offer.start <= cursor <= offer.end <= len(text)
        filled = text[: offer.start] + offer.text
        assert error_column(filled) >= len(filled), filled
