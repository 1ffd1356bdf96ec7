"""Numbers among the options: neither infinite nor `nan`, which no bound keeps out."""

from __future__ import annotations

import pytest

from tests.cli.command import call


@pytest.mark.parametrize(
    "words",
    [
        ("token", "new", "x", "--budget"), ("serve", "--port", "0", "--deadline"),
        ("emulate", "--port", "0", "--latency"), ("emulate", "--port", "0", "--tokens-per-second"),
        ("call", "acme-eu", "hello", "--max-cost"), ("drill", "acme-eu", "--latency"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "NaN"])
def test_what_is_no_finite_number_is_refused_as_one_out_of_range_is(words: tuple[str, ...], number: str) -> None:
    ran = call(*words, number)
    assert ran.code == 2
    assert f"`{words[-1]}` can't be used" in ran.err
