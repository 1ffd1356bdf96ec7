"""What a person is told about text that is no clause: where, what was expected, what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SAMPLE, preds
from workbench.boundary.sanitiser import one_line
from workbench.errors import ClauseError
from workbench.language.clause_text import (
    parse_condition,
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
    to_text,
    tokens,
)


def refused(text: str, parse: Callable[..., object] = parse_pred) -> ClauseError:
    with pytest.raises(ClauseError) as caught:
        parse(text, SAMPLE)
    return caught.value


PREDICATES = [
    ("price_ouT <= 5", 0, "unknown field `price_ouT`", "`price_out`"),
    ("no_log and regoin = eu", 11, "unknown field `regoin`", "`region`"),
    ("region = eur", 9, "`eur` is no value of `region`", "`eu`"),
    ("region = mars", 9, "`mars` is no value of `region`", "one of `eu`, `us`, `global`, `unknown`"),
    ("tier >= prtner", 8, "`prtner` is no value of `tier`", "`partner`"),
    ("price_out <=", 12, "expected a number", None),
    ("price_out <= ", 13, "expected a number", None),
    ("price_out <= cheap", 13, "compared with a number, not `cheap`", None),
    ("price_out =< 5", 11, "expected a number", "write `<=`"),
    ("price_out < = 5", 12, "expected a number", "write `<=`"),
    ("5 <= price_out", 0, "expected a clause", "begins with the field"),
    ("provider = openai,mistral", 17, "not `,`", "in [a, b]"),
    ("has tools", 4, "not `tools`", "`has capability`"),
    ("price_out", 9, "is a number", "price_out <= 1"),
    ("price_out in [1]", 10, "is a number", "<="),
    ("no_log = 3", 9, "yes-or-no", "`no_log` or `not no_log`"),
    ("no_log >= true", 10, "yes-or-no", "`no_log` or `not no_log`"),
    ("no_log in [a]", 7, "yes-or-no", "`not no_log`"),
    ("no_log has_tee", 7, "expected `and`, `or`", None),
    ("no_log an has_tee", 7, "expected `and`", "`and`"),
    ("no_log && has_tee", 7, "expected `and`", "write `and`"),
    ("region", 6, "must be compared", "region = "),
    ("provider", 8, "must be compared", "provider = NAME"),
    ("region < eu", 7, "has no order", "=, !=, in or not in"),
    ("region eu", 7, "expected `=`, `!=`, `in` or `not in`, not `eu`", None),
    ("region =", 8, "a value of `region`: `eu`, `us`", None),
    ("region in [eu, ", 15, "a value of `region`", None),
    ("provider inn [a]", 9, "expected `=`", "`in`"),
    ("provider in (a, b)", 12, "a list such as [a, b], not `(`", None),
    ("provider in a", 12, "a list such as [a, b], not `a`", None),
    ("provider = and no_log", 11, "expected the name of a provider, not `and`", None),
    ("provider = 5", 11, "expected a name, not the number `5`", '"5"'),
    ("model = 4o-mini", 9, "`4o` is not a number", "quotes"),
    ("price_in <= 0.", 14, "a digit after `0.`", None),
    ("price_in <= 0x10", 13, "`0x10` is not a number", None),
    ("price_in <= 1_000", 13, "`1_000` is not a number", "`1000`"),
    ('model = "4o', 8, 'not `"4o`', "never closed"),
    ("(no_log", 7, "`)`", None),
    ("no_log)", 6, "not `)`", None),
    ("", 0, "expected a clause", None),
    ("not", 3, "expected a clause", None),
    ("no_log and", 10, "expected a clause", None),
    ("price_in <= 1e999", 12, "too large", None),
    ('model = "\\x"', 8, "no escape", None),
    ('model = "\\ud800"', 8, "surrogate", None),
    ("no_log ?", 7, "not `?`", None),
    ('["in","provider",["a"]', 22, "end", None),
    ('["in","provder",["a"]]', 0, "provder", "provider"),
]


@pytest.mark.parametrize(("text", "column", "reason", "hint"), PREDICATES)
def test_a_wrong_predicate_is_explained(text: str, column: int, reason: str, hint: str | None) -> None:
    error = refused(text)
    (finding,) = error.findings
    assert error.column == column
    assert reason in finding.reason
    assert (finding.hint is not None and hint in finding.hint) if hint else True
    assert finding.place.column in (column, None)


@pytest.mark.parametrize(
    ("text", "column", "reason", "hint"),
    [
        ("no_log", 0, "yes-or-no", "1 if no_log else 0"),
        ("prise_out", 0, "unknown field", "`price_out`"),
        ("price_in * price_out", 11, "multiplied by a number", None),
        ("cheapest", 0, "unknown field", "`cheapest by`"),
        ("cheapest price_out", 9, "not `price_out`", "write `cheapest by`"),
        ("cheapest by", 11, "expected a number field", None),
        ("price_in if", 11, "expected a clause", None),
        ("price_in if no_log else 1", 24, "only 0", None),
        ("composite speeed", 10, "unknown composite", "`speed`"),
        ("cost", 0, "unknown field", "composite cost"),
        ("price_in +", 10, "expected a number field, a number", None),
        ("clamp(price_in, 1)", 17, "`,`", None),
    ],
)
def test_a_wrong_scorer_is_explained(text: str, column: int, reason: str, hint: str | None) -> None:
    error = refused(text, parse_scorer)
    assert error.column == column
    assert reason in error.findings[0].reason
    assert hint is None or hint in (error.findings[0].hint or "")


@pytest.mark.parametrize(
    ("parse", "text", "column", "reason"),
    [
        (parse_selection, "top 0", 4, "whole number"),
        (parse_selection, "top 2.5", 4, "whole number"),
        (parse_selection, "top", 3, "expected a number"),
        (parse_selection, "best", 0, "`best first`"),
        (parse_selection, "chain [mistral]", 14, "no model"),
        (parse_selection, "prefer no_log,", 14, "`best first`"),
        (parse_fallback, "on ratelimit: next", 3, "unknown failure reason"),
        (parse_fallback, "on rate_limit:", 14, "`retry`"),
        (parse_fallback, "on rate_limit: retry 2 after 200", 32, "a unit"),
        (parse_fallback, "on rate_limit: retry 2, 200 ms", 24, "after"),
        (parse_fallback, "on rate_limit: next, k = 1", 21, "with"),
        (parse_fallback, "on timeout: next; on timeout: stop", 21, "twice"),
        (parse_fallback, "otherwise: next; otherwise: stop", 17, "twice"),
        (parse_fallback, "otherwise: next, open breaker 1 s, open breaker 2 s", 35, "twice"),
        (parse_fallback, "otherwise: retry with backoff_ms = 3", 22, "words of its own"),
        (parse_fallback, "", 0, "`on`"),
        (parse_transform, "set temperature", 15, "a value"),
        (parse_transform, "clamp max_tokens 1 2", 19, ".."),
        (parse_transform, "filter text [{a: 1, a: 2}]", 20, "twice"),
    ],
)
def test_other_wrong_text_is_explained(parse: Callable[..., object], text: str, column: int, reason: str) -> None:
    error = refused(text, parse)
    assert error.column == column
    assert reason in error.findings[0].reason


def test_what_could_follow_is_listed_for_programs() -> None:
    assert refused("price_out <=").expected == ("a number",)
    assert refused("price_out").expected == ("an operator",)
    assert refused("region = eur").expected == ("eu", "us", "global", "unknown")
    assert refused("no_log x").expected == ("and", "or", "the end")
    assert refused("price_out x").expected == ("<", "<=", "=", "!=", ">=", ">")


ALPHABET = st.one_of(
    st.sampled_from(["provider", "region", "no_log", "price_in", "and", "or", "not", "in", "[", "]", "(", ")", "=",
                     "<=", "5", "eu", ",", "$x", '"', "'", "top", "by", "on", ":", "then", "if", "*", "-", "set", "..",
                     "\\", "\n"]),
    st.text(max_size=4),
)  # fmt: skip


def explained(error: ClauseError, text: str) -> None:
    """It says why, and where in the text."""
    assert error.findings
    for finding in error.findings:
        assert one_line(finding.reason) == finding.reason
        assert one_line(finding.hint or "") == (finding.hint or "")
    assert 0 <= error.column <= len(text)


@given(st.lists(ALPHABET, max_size=12).map(" ".join), st.booleans())
def test_any_text_is_read_or_refused_and_nothing_else(text: str, squeezed: bool) -> None:
    text = text.replace(" ", "") if squeezed else text
    for parse in (parse_pred, parse_scorer, parse_selection, parse_fallback, parse_transform, parse_condition):
        try:
            parse(text, SAMPLE)
        except ClauseError as error:
            explained(error, text)


@given(preds(depth=3), st.data())
def test_every_beginning_of_a_clause_is_read_or_refused(term: list[object], data: st.DataObject) -> None:
    text = to_text(term, SAMPLE)
    cut = text[: data.draw(st.integers(0, len(text)))]
    try:
        parse_pred(cut, SAMPLE)
    except ClauseError as error:
        explained(error, cut)


@given(st.one_of(st.text(), st.lists(ALPHABET, max_size=12).map(" ".join)))
def test_tokens_cover_everything_that_is_seen(text: str) -> None:
    place = 0
    for start, end, _kind in tokens(text):
        assert place <= start < end <= len(text)
        assert not text[place:start].strip()
        place = end
    assert not text[place:].strip()


def test_tokens_have_kinds() -> None:
    text = "provider in [openai, $own] and price_in <= 5 or supports tools ?"
    kinds = [(text[start:end], kind) for start, end, kind in tokens(text)]
    assert kinds == [
        ("provider", "field"), ("in", "keyword"), ("[", "operator"), ("openai", "value"), (",", "operator"),
        ("$own", "binding"), ("]", "operator"), ("and", "keyword"), ("price_in", "field"), ("<=", "operator"),
        ("5", "number"), ("or", "keyword"), ("supports", "keyword"), ("tools", "value"), ("?", "error"),
    ]  # fmt: skip
