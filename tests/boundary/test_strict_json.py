"""The strict JSON loader: RELIABILITY R5, R44 and rows 4-6, 9, 21, 25, 27-30 of its section 3."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.timing import least
from workbench.boundary.strict_json import MAX_BYTES, canonical, dumps, loads
from workbench.errors import DocumentError, Finding

QUADRATIC = 1.0
"""Seconds. Linear work on 256 KiB takes hundredths of one, quadratic work takes many."""


def refusal(data: bytes | str, **options: Any) -> Finding:
    with pytest.raises(DocumentError) as caught:
        loads(data, source="in.json", **options)
    (finding,) = caught.value.findings
    assert finding.place.source == "in.json"
    assert finding.reason.isprintable()
    assert len(finding.reason) <= 512
    return finding


def at(data: bytes | str, **options: Any) -> tuple[str, int | None, int | None]:
    finding = refusal(data, **options)
    return finding.code, finding.place.line, finding.place.column


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ('"é"', "é"),
        (b" [ ] ", []),
        (rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\\\\\"[[["', '\\\\"[[['),
        (b'{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}', {"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}),
    ],
)
def test_reads_what_is_json(data: bytes | str, value: object) -> None:
    assert loads(data) == value


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("9007199254740993", 9007199254740992.0),
        ("9007199254740992", 9007199254740992),
        ("-9007199254740993", -9007199254740992.0),
        ("9223372036854775808", 2.0**63),
        ("99999999999999999999", 1e20),
        ("0", 0), ("-0", 0), ("0.0", 0.0), ("1e308", 1e308), ("1e-999", 0.0),
        ("0.12345678901234567890", 0.12345678901234568),
    ],
)  # fmt: skip
def test_every_number_is_a_double(literal: str, value: float) -> None:
    read = loads(literal)
    assert isinstance(read, int | float)
    assert read == value
    assert float(read) == float(literal)
    assert isinstance(read, float) or abs(read) <= 2**53


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"", "syntax", 1, 0),
        (b'{"a": 1,\n "b": }', "syntax", 2, 6),
        (b"[1, 2", "syntax", 1, 5),
        (b'{"a": 1} x', "syntax", 1, 9),
        (b'"a\nb"', "syntax", 1, 2),
        (b"\x00", "syntax", 1, 0),
        (b'["a\x00b"]', "syntax", 1, 3),
        (b'[1,\n NaN]', "not_a_number", 2, 1),
        (b"[Infinity]", "not_a_number", 1, 1),
        (b'["-Infinity", -Infinity]', "not_a_number", 1, 14),
        (b'["1e999",\n 1, 1e999]', "too_large_number", 2, 4),
        (b"-1e400", "too_large_number", 1, 0),
        (b"1" + b"0" * 400 + b".0", "too_large_number", 1, 0),
        (b'["123456789012345678901", 123456789012345678901]', "too_many_digits", 1, 26),
        (b"[" + b"7" * 5000 + b"]", "too_many_digits", 1, 1),
        (b'{"no_log": true,\n "no_log": false}', "duplicate_key", 2, 1),
        (rb'{"x": {"a": 1}, "a": 1, "\u0061": 2}', "duplicate_key", 1, 24),
        (b'[{}, {"a": [{"a": 1}], "b": "\\"a\\":", "b": 0}]', "duplicate_key", 1, 38),
        (rb'["a", "\ud800"]', "surrogate", 1, 7),
        (rb'["\udc00"]', "surrogate", 1, 2),
        (rb'["\ud800\ud800\udc00"]', "surrogate", 1, 2),
        (rb'["\ud83d\ude00\ude00"]', "surrogate", 1, 14),
        (rb'["\\\ud800"]', "surrogate", 1, 4),
        (rb'{"\uDBFF": 1}', "surrogate", 1, 2),
        ('["a\ud800"]', "surrogate", 1, 3),
        (b'["\xed\xa0\x80"]', "surrogate", 1, 2),
        (b'["a",\n"\xc3\xa9\xff"]', "encoding", 2, 2),
        (b"[" * 81 + b"]" * 81, "too_deep", 1, 80),
        (b'["[[[",\n' + b"[" * 80 + b"]" * 80 + b"]", "too_deep", 2, 79),
    ],
)  # fmt: skip
def test_refuses_with_line_and_column(data: bytes | str, code: str, line: int, column: int) -> None:
    assert at(data) == (code, line, column)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_other_encodings_are_named(encoding: str) -> None:
    finding = refusal('{"a": 1}'.encode(encoding))
    assert finding.code == "encoding"
    assert encoding[:6].upper() in finding.reason


def test_a_byte_order_mark_only_where_it_is_allowed() -> None:
    data = b'\xef\xbb\xbf{"a": 1}'
    assert refusal(data).code == "bom"
    assert loads(data, bom=True) == {"a": 1}
    assert at(b"\xef\xbb\xbf\n[", bom=True)[:2] == ("syntax", 2)


def test_size_is_checked_before_anything_else() -> None:
    assert refusal(b"\xff" * (MAX_BYTES + 1)).code == "too_large"
    assert refusal("é" * 6, max_bytes=11).code == "too_large"
    assert loads(b" " * (MAX_BYTES - 1) + b"1") == 1
    assert len(str(loads(b'"' + b"a" * MAX_BYTES + b'"', max_bytes=2 * MAX_BYTES))) == MAX_BYTES


def test_depth_does_not_depend_on_the_interpreter() -> None:
    at_limit = b"[" * 80 + b"]" * 80
    assert json.loads(dumps(loads(at_limit))) == json.loads(at_limit)
    assert refusal(b"[" * 100_000 + b"]" * 100_000).code == "too_deep"
    assert refusal(b'{"a":' * 20_000).code == "too_deep"
    assert refusal(b"[" * 100_000 + b"]" * 100_000, max_depth=200_000).code == "too_deep"


SIZE = 256 * 1024
HOSTILE = {
    "open brackets": b"[" * SIZE,
    "deep at the end": b"[" + b"[]," * (SIZE // 3 - 60) + b"[" * 100,
    "deep behind strings": b"[" + b'"",' * (SIZE // 3 - 60) + b"[" * 100,
    "zeros": b"[" + b"0," * (SIZE // 2 - 2) + b"0]",
    "empty objects": b"[" + b"{}," * (SIZE // 3 - 2) + b"0]",
    "late duplicate": b"[" + b'{"":1},' * (SIZE // 7 - 3) + b'{"a":1,"a":2}]',
    "late duplicate in one object": b"{" + b",".join(b'"%x":1' % n for n in range(20_000)) + b',"1":1}',
    "escaped quotes": b'"' + b'\\"' * (SIZE // 2 - 2) + b'"',
    "escaped quotes, no end": b'"\\"' * (SIZE // 3),
    "backslashes": b'"' + b"\\" * (SIZE - 2),
    "surrogate pairs, one lone": b'"' + rb"\ud83d\ude00" * (SIZE // 12 - 2) + rb'\ud83d"',
    "digits": b"1" * SIZE,
    "late overflow": b"[" + b"0.1," * (SIZE // 4 - 3) + b"1e999]",
    "late NaN": b"[" + b"1," * (SIZE // 2 - 3) + b"NaN]",
    "late bad byte": b'"' + b"a\n" * (SIZE // 2 - 2) + b"\xff",
    "blanks": b" " * SIZE,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_take_linear_time(name: str) -> None:
    def read() -> None:
        try:
            loads(HOSTILE[name])
        except DocumentError as error:
            assert len(error.findings) == 1  # noqa: PT017 - some of them are valid

    assert least(read, enough=QUADRATIC) <= QUADRATIC


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=6), inner, max_size=6)


values = st.recursive(cast("st.SearchStrategy[object]", scalars), nested, max_leaves=40)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    assert loads(dumps(value)) == value
    assert loads(dumps(value, indent=2)) == value
    assert loads(canonical(value)) == value


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0dD8 1e-.nNaI\n\ud800', max_size=80))
def test_any_input_gives_a_value_or_a_refusal(data: bytes | str) -> None:
    try:
        value = loads(data)
    except DocumentError:
        return
    text = data if isinstance(data, str) else data.decode("utf-8")
    assert value == json.loads(text)
    assert loads(dumps(value)) == value


@given(st.text(alphabet='[]{}"\\a', max_size=60))
def test_the_depth_scan_agrees_with_the_parser(text: str) -> None:
    """Wherever the parser is content, the scan counted the depth that the value really has."""
    try:
        value = json.loads(text)
    except ValueError:
        return
    deep = depth(value)
    if deep:
        assert refusal(text, max_depth=deep - 1).code == "too_deep"
    assert loads(text, max_depth=deep) == value


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, cast("dict[str, object]", value).values()), default=0)
    return 1 + max(map(depth, cast("list[object]", value)), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}, {1, 2}, b"x"])
def test_only_json_is_written(value: object) -> None:
    with pytest.raises(DocumentError):
        dumps(value)
    with pytest.raises(DocumentError):
        canonical(value)


def test_the_canonical_form_is_sorted_compact_and_utf8() -> None:
    assert canonical({"b": [1, "é"], "a": {"d": None, "c": 0.5}}) == '{"a":{"c":0.5,"d":null},"b":[1,"é"]}'.encode()
    assert dumps({"b": 1, "a": "é"}) == '{"b": 1, "a": "é"}'
    with pytest.raises(DocumentError):
        canonical("\ud800")
