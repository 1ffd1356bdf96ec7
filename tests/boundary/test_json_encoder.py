"""The encoder that is made once writes what the standard library writes, and refuses what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.boundary.strict_json import encoder

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.booleans())
def test_it_writes_the_same(value: Any, sort_keys: bool) -> None:
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys, separators=(",", ":"))
    assert encoder(sort_keys=sort_keys)(value) == plain


@pytest.mark.parametrize(
    ("value", "refusal"),
    [(float("nan"), ValueError), ([float("inf")], ValueError), ({1, 2}, TypeError), ({"a": object()}, TypeError)],
)
def test_it_refuses_the_same(value: Any, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        encoder()(value)


def test_what_holds_itself_ends() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        encoder()(value)
