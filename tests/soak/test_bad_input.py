"""The table of bad input: each of it is refused at every door it can reach, with its place, soon and in little memory.

Doors: a term as it is (`check`, `find`, `lower`), JSON, TOML, clause text. What is timed is a guard against work that
grows with the input, not a benchmark.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.fuzz.harness import well_worded
from tests.strategies import SAMPLE
from tests.timing import least
from workbench.boundary import guarded_toml, strict_json
from workbench.errors import AdmissionError, ClauseError, DocumentError, Finding, WorkbenchError
from workbench.language.admission import check, find
from workbench.language.clause_text import (
    parse_fallback,
    parse_pred,
    parse_scorer,
    parse_selection,
    parse_transform,
    tokens,
)
from workbench.language.lowering import lower

MOST_BYTES = 64 * 1024 * 1024
GUARD_SECONDS = 1.0
"""Of processor time, memory being traced: many times what any of it takes, and far below what quadratic work would."""

Make = Callable[[], Any]


def measured(call: Callable[[Any], object], make: Make, error: type[WorkbenchError]) -> tuple[Finding, ...]:
    """The findings of a refusal that came soon and took little memory beside its input."""
    value = make()

    def refused() -> None:
        with pytest.raises(error):
            call(value)

    assert least(refused, enough=GUARD_SECONDS) <= GUARD_SECONDS
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            call(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert type(caught.value) is error
    assert caught.value.findings
    assert all(well_worded(finding.reason) for finding in caught.value.findings)
    assert len(str(caught.value)) < 4096
    return caught.value.findings


def nested(wrap: Callable[[Any], Any], inside: Any, levels: int = 100_000) -> Any:
    for _ in range(levels):
        inside = wrap(inside)
    return inside


LONG = 5_000_000
MANY = 200_000
ACTION = {"action": "abort"}

TERMS: list[tuple[str, Make, str, str]] = [
    ("depth of not", lambda: nested(lambda t: ["not", t], ["top"]), "depth", "$.not[1]"),
    ("depth of and", lambda: nested(lambda t: ["and", ["top"], t], ["top"]), "depth", "$.and[2]"),
    ("depth of brackets", lambda: nested(lambda t: [t], []), "op", "$"),
    ("depth in a parameter", lambda: ["filter_text", nested(lambda t: [t], [])], "recipe", "$.filter_text[1]"),
    ("depth in an action", lambda: ["always", nested(lambda t: {"k": t}, 1)], "number", "$.always[1]"),
    ("5 MB op", lambda: ["x" * LONG], "op", "$"),
    ("5 MB field", lambda: ["is", "x" * LONG], "field", "$.is[1]"),
    ("5 MB name", lambda: ["provider_eq", "x" * LONG], "size", "$.provider_eq[1]"),
    ("5 MB scalar", lambda: ["set_param", "p", "x" * LONG], "size", "$.set_param[2]"),
    ("5 MB relation", lambda: ["cmp", "price_in", "x" * LONG, 1], "relation", "$.cmp[2]"),
    ("5 MB tier", lambda: ["tier_eq", "x" * LONG], "tier", "$.tier_eq[1]"),
    ("5 MB step", lambda: ["filter_text", ["x" * LONG]], "size", "$.filter_text[1]"),
    ("5 MB action", lambda: ["always", {"action": "x" * LONG}], "action", "$.always[1]"),
    ("200,000 steps", lambda: ["filter_text", ["x"] * MANY], "size", "$.filter_text[1]"),
    ("200,000 links", lambda: ["chain", [{"provider": "p", "model": "m"}] * MANY], "size", "$.chain[1]"),
    ("200,000 knobs", lambda: ["always", {**ACTION, **{f"k{i}": 1 for i in range(MANY)}}], "size", "$.always[1]"),
    ("200,000 waits", lambda: ["always", {**ACTION, "backoff_ms": [1] * MANY}], "size", "$.always[1]"),
    ("200,000 children", lambda: ["or", *[["top"]] * MANY], "nodes", "$"),
    ("200,000 too many", lambda: ["not", *[["top"]] * MANY], "arity", "$"),
    ("null for a term", lambda: ["and", ["top"], None], "null", "$.and[2]"),
    ("null for a name", lambda: ["and", ["top"], ["provider_eq", None]], "null", "$.and[2].provider_eq[1]"),
    ("null in a recipe", lambda: ["filter_text", [None, "x"]], "null", "$.filter_text[1]"),
    ("null for a knob", lambda: ["always", {**ACTION, "k": None}], "null", "$.always[1]"),
    ("NaN", lambda: ["cmp", "price_in", "le", float("nan")], "number", "$.cmp[3]"),
    ("infinity", lambda: ["lit", float("-inf")], "number", "$.lit[1]"),
    ("5,000 digits", lambda: ["lit", 10**4_999], "number", "$.lit[1]"),
    ("true for a number", lambda: ["cmp", "price_in", "le", True], "number", "$.cmp[3]"),
    ("lone surrogate in a name", lambda: ["or", ["family_eq", "a\udc00"]], "surrogate", "$.or[1].family_eq[1]"),
    ("lone surrogate in a value", lambda: ["set_param", "p", "\ud800"], "surrogate", "$.set_param[2]"),
    ("lone surrogate in a key", lambda: ["always", {**ACTION, "\ud800": 1}], "surrogate", "$.always[1]"),
    ("lone surrogate for an op", lambda: ["\ud800"], "op", "$"),
]


@pytest.mark.parametrize(("make", "code", "path"), [row[1:] for row in TERMS], ids=[row[0] for row in TERMS])
def test_a_term_is_refused_at_its_place(make: Make, code: str, path: str) -> None:
    (finding,) = measured(lambda term: check(term, SAMPLE), make, AdmissionError)
    assert (finding.code, (finding.place.path or "")[: len(path)]) == (code, path)
    assert find(make(), SAMPLE)[0] == finding
    try:
        lower(make(), SAMPLE)
    except AdmissionError as error:
        findings = error.findings
    else:
        findings = ()
    assert all(well_worded(one.reason) for one in findings)


def test_a_number_beyond_64_bits_is_the_double_that_json_makes_of_it() -> None:
    """2^70 has 22 digits: refused as JSON, and as a term from Python the double it stands for."""
    assert measured(strict_json.loads, lambda: f'["lit", {2**70}]', DocumentError)[0].code == "too_many_digits"
    assert check(["lit", 2**70], SAMPLE).encoding == check(["lit", 2.0**70], SAMPLE).encoding
    assert check(["lit", 2**63], SAMPLE).encoding == check(strict_json.loads(f'["lit", {2**63}]'), SAMPLE).encoding


DOCUMENTS: list[tuple[str, Make, str, int | None]] = [
    ("depth", lambda: "[" * 100_000 + "]" * 100_000, "too_deep", 80),
    ("depth of records", lambda: '{"a":' * 40_000 + "1" + "}" * 40_000, "too_deep", 400),
    ("depth, never closed", lambda: "[" * 100_000, "too_deep", 80),
    ("5 MB string", lambda: json.dumps(["x" * LONG]), "too_large", None),
    ("200,000 entries", lambda: json.dumps(["filter_text", ["x"] * MANY]), "too_large", None),
    ("NaN", lambda: '["lit", NaN]', "not_a_number", 8),
    ("infinity", lambda: '["lit", -Infinity]', "not_a_number", 8),
    ("2^70", lambda: f'["lit", {2**70}]', "too_many_digits", 8),
    ("5,000 digits", lambda: '["lit", ' + "7" * 5_000 + "]", "too_many_digits", 8),
    ("1e999", lambda: '["lit", 1e999]', "too_large_number", 8),
    ("lone surrogate", lambda: '["family_eq", "\\ud800"]', "surrogate", 15),
    ("lone surrogate as bytes", lambda: b'["family_eq", "\xed\xa0\x80"]', "surrogate", 15),
    ("lone surrogate in text", lambda: '["family_eq", "\ud800"]', "surrogate", 15),
    ("key twice", lambda: '{"no_log": true, "no_log": false}', "duplicate_key", 17),
]


@pytest.mark.parametrize(("make", "code", "column"), [row[1:] for row in DOCUMENTS], ids=[row[0] for row in DOCUMENTS])
def test_json_is_refused_at_its_place(make: Make, code: str, column: int | None) -> None:
    (finding,) = measured(lambda data: strict_json.loads(data, source="in.json"), make, DocumentError)
    assert (finding.code, finding.place.source, finding.place.column) == (code, "in.json", column)
    assert finding.place.line == (None if column is None else 1)


TABLES: list[tuple[str, Make, str, int | None]] = [
    ("depth of arrays", lambda: b"a = " + b"[" * 100_000 + b"]" * 100_000, "too_deep", 1),
    ("depth of tables", lambda: b"a = " + b"{a=" * 60_000 + b"1" + b"}" * 60_000, "too_deep", 1),
    ("64 KiB dotted key", lambda: b"\n" + b".".join([b"a"] * 32_768) + b" = 1", "too_many_parts", 2),
    ("5 MB string", lambda: b'a = "' + b"x" * LONG + b'"', "too_large", None),
    ("200,000 entries", lambda: b"a = [" + b'"x",' * MANY + b"]", "too_large", None),
    ("NaN", lambda: b"b = 1\na = nan", "not_a_number", 2),
    ("infinity", lambda: b"a = [1, -inf]", "not_a_number", 1),
    ("2^70", lambda: b"a = %d" % (2**70), "too_many_digits", 1),
    ("5,000 digits", lambda: b"\n\na = " + b"7" * 5_000, "too_long", 3),
    ("lone surrogate", lambda: b'a = "\\ud800"', "syntax", 1),
    ("lone surrogate as bytes", lambda: b'a = "\xed\xa0\x80"', "encoding", 1),
    ("key twice", lambda: b"no_log = true\nno_log = false", "syntax", 2),
]


@pytest.mark.parametrize(("make", "code", "line"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_toml_is_refused_at_its_line(make: Make, code: str, line: int | None) -> None:
    (finding,) = measured(lambda data: guarded_toml.loads(data, source="in.toml"), make, DocumentError)
    assert (finding.code, finding.place.source, finding.place.line) == (code, "in.toml", line)


Parse = Callable[[str], object]
PARSERS: dict[str, Parse] = {
    "pred": lambda text: parse_pred(text, SAMPLE),
    "scorer": lambda text: parse_scorer(text, SAMPLE),
    "selection": lambda text: parse_selection(text, SAMPLE),
    "fallback": lambda text: parse_fallback(text, SAMPLE),
    "transform": lambda text: parse_transform(text, SAMPLE),
}
CLAUSES: list[tuple[str, Make]] = [
    ("depth of brackets", lambda: "(" * 100_000 + "no_log" + ")" * 100_000),
    ("depth of not", lambda: "not " * 100_000 + "no_log"),
    ("depth, never closed", lambda: "(" * 100_000),
    ("depth of json", lambda: "[" * 100_000 + "]" * 100_000),
    ("depth of minus", lambda: "-" * 100_000 + "1"),
    ("5 MB word", lambda: "x" * LONG),
    ("5 MB string", lambda: 'provider = "' + "x" * LONG + '"'),
    ("5 MB never closed", lambda: 'provider = "' + "x" * LONG),
    ("5 MB of blanks", lambda: " " * LONG),
    ("200,000 names", lambda: "provider in [" + "a, " * MANY + "b]"),
    ("200,000 clauses", lambda: "no_log and " * MANY + "no_log"),
    ("5,000 digits", lambda: "price_in <= " + "7" * 5_000),
    ("NaN", lambda: "price_in <= nan"),
    ("infinity", lambda: "price_in <= inf"),
    ("null", lambda: "provider = null <= null"),
    ("lone surrogate", lambda: 'provider = "\ud800"'),
    ("lone surrogate, bare", lambda: "provider = \ud800"),
    ("lone surrogate, escaped", lambda: 'provider = "\\ud800"'),
    ("NUL", lambda: "provider = a\x00b"),
]


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("make", [row[1] for row in CLAUSES], ids=[row[0] for row in CLAUSES])
def test_clause_text_is_refused_at_its_column(make: Make, kind: str) -> None:
    findings = measured(PARSERS[kind], make, ClauseError)
    assert all(finding.place.column is not None for finding in findings)


@pytest.mark.parametrize("make", [row[1] for row in CLAUSES], ids=[row[0] for row in CLAUSES])
def test_clause_text_is_coloured_in_linear_time(make: Make) -> None:
    text = make()[:200_000]
    assert least(lambda: tokens(text), enough=5 * GUARD_SECONDS) <= 5 * GUARD_SECONDS
    spans = tokens(text)
    assert all(0 <= first <= last <= len(text) for first, last, _ in spans)
