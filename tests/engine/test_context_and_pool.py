"""What a context makes of odd input, and what a pool keeps."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.strategies import SAMPLE
from workbench.engine.columnar import memory
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.explain import mask
from workbench.engine.pool import Pool
from workbench.language.admission import check


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (42, 42),
        (42.0, 42),
        (1.5, 1.5),
        (2**53 + 1, 2**53),  # the double that other readers see
        (-7, -7),
        (True, None),
        ("42", None),
        (None, None),
        (math.nan, None),
        (math.inf, None),
        (10**400, None),
    ],
)
def test_seeds(seed: Any, expected: float | None) -> None:
    assert Context(seed=seed).seed == expected
    assert type(Context(seed=seed).seed) is type(expected)


@pytest.mark.parametrize("document", [None, [], {}, 5, {"request": [], "state": [], "seed": None}, {"request": "x"}])
def test_empty_records_may_be_written_otherwise(document: Any) -> None:
    assert Context.of(document) == Context()
    assert Context.of(document).requirements == {}


def test_a_context_from_its_wire_form() -> None:
    context = Context.of({"request": {"requirements": {"tier": "partner"}}, "state": {"credits": {}}, "seed": 3})
    assert context == Context({"requirements": {"tier": "partner"}}, {"credits": {}}, 3)
    assert context.requirements == {"tier": "partner"}


def test_kept_masks_are_bounded_and_the_least_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT_MASKS", 3)
    pool = Pool([{"price_in": 1}], SAMPLE)
    kept = pool.columns.memory._masks  # pyright: ignore[reportPrivateUsage]

    def look(bound: int) -> None:
        mask(check(["cmp", "price_in", "le", bound], SAMPLE), pool, Context())

    for bound in (1, 2, 3, 1, 4):
        look(bound)
    assert [key[1][3] for key in kept] == [3, 1, 4]  # type: ignore[index]


def test_kept_plans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT_PLANS", 2)
    pool = Pool([{"price_in": 1}], SAMPLE)
    for bound in range(5):
        keep = ["cmp", "price_in", "le", bound]
        term = ["policy", keep, ["zero"], ["argmax"], ["id"], ["always", {"action": "abort"}]]
        assert decide(check(term, SAMPLE), pool).survivors == (bound >= 1)
    assert len(pool.columns.memory._plans) == 2  # pyright: ignore[reportPrivateUsage]


def test_a_kept_mask_cannot_be_written_to() -> None:
    pool = Pool([{"no_log": True}], SAMPLE)
    for term in (["is", "no_log"], ["has_cap", "supports_tools"], ["cmp", "price_in", "le", 1]):
        found = mask(check(term, SAMPLE), pool, Context())
        with pytest.raises(ValueError, match="read-only"):
            found[0] = False
