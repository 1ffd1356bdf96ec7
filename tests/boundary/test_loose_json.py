"""The loose JSON reader of test documents: what it lets through, and what it still refuses with its place."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest

from workbench.boundary.loose_json import KEPT_DEPTH, loads
from workbench.errors import DocumentError

LIMIT = 1 << 20


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xef\xbb\xbf[1, 1.5, -0]", [1, 1.5, 0]),
        (b"9007199254740993", 9007199254740992.0),
        (b"1" * 30, float("1" * 30)),
        (b"1e999", math.inf),
        (b"-Infinity", -math.inf),
        (b'"\\ud800"', "\ud800"),
        (b'"\xed\xa0\x80"', "\ud800"),
        (b'"a\tb\x7f"', "a\tb\x7f"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_read(data: bytes, value: Any) -> None:
    found = loads(data, source="in.json", max_bytes=LIMIT)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("count", [10, 100_000])
def test_what_is_too_deep_is_cut_and_the_rest_stays(count: int) -> None:
    deep = b'{"]": [' * count + b"1" + b"]}" * count
    found: Any = loads(b"[" + deep + b', "[\\"", ' + deep + b", 7]", source="in.json", max_bytes=1 << 24)
    assert (len(found), found[1], found[3]) == (4, '["', 7)
    levels: int = 1
    inner: Any = found[2]
    while isinstance(inner, dict | list) and inner:
        inner = cast("dict[str, Any]", inner)["]"] if isinstance(inner, dict) else cast("list[Any]", inner)[0]
        levels += 1
    assert (levels, inner) == ((21, 1) if count == 10 else (KEPT_DEPTH - 1, {}))


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"", "syntax", 1, 0),
        (b'[1,\n "a" 2]', "syntax", 2, 5),
        (b"[\xff]", "encoding", None, None),
        (b" " * (LIMIT + 1), "too_large", None, None),
        (b"[" * 100_000, "syntax", 1, 0),
    ],
)
def test_refused(data: bytes, code: str, line: int | None, column: int | None) -> None:
    with pytest.raises(DocumentError) as caught:
        loads(data, source="in.json", max_bytes=LIMIT)
    (finding,) = caught.value.findings
    assert (finding.code, finding.place.source) == (code, "in.json")
    assert (finding.place.line, finding.place.column) == (line, column)
