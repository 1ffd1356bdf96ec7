"""Margins of small catalogs, in which every offer stands at an end of some range."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.calls.places import LOUD, offer, write_workspace
from tests.scale import scaled
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import open_workspace
from workbench.whatif.margin.margin import margin, with_number

PRICES = (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0)
GRID = (*(step / 4 for step in range(100)), 1e3, 1e6)
MIXED = "0.7 * (1 - normalize(price_in + price_out)) + 0.3 * (1 - normalize(price_out))"
LIFTED = (169, 208)
"""A rival that grows dearer stretches the range in which the winner leads a third offer, which then wins."""


@pytest.mark.parametrize("seed", [*LIFTED, *range(1, scaled(8, 160))])
def test_no_value_flips_that_is_nearer_than_what_was_told(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows = [
        {**offer(place), "price_in": chance.choice(PRICES), "price_out": chance.choice(PRICES)} for place in range(4)
    ]
    weight, first = chance.choice([0.3, 0.5, 0.7]), chance.random() < 0.5
    ranking = f"{weight} * (1 - normalize(price_in)) + {round(1 - weight, 1)} * (1 - normalize(price_out))"
    root = write_workspace(
        tmp_path, ["http://127.0.0.1:1"] * 4, offers=rows, rank=ranking if first or seed in LIFTED else MIXED
    )
    state = open_workspace(root).state
    evaluator = Evaluator()
    outcome, found = evaluator.outcome(state, state.tenant(LOUD)), margin(state, LOUD, evaluator)
    assert outcome.compiled is not None
    for name in {each.offer for each in (*found.flips, *found.firm)}:
        index = state.catalog.find(name)
        for field in ("price_in", "price_out"):
            now = state.pool.candidates[index][field]
            told = {f.flips > now: f for f in found.flips if (f.offer, f.field) == (name, field)}
            proven = all(each.exact for each in told.values()) and not any(
                "prove" in each.why for each in found.firm if (each.offer, each.field) == (name, field)
            )
            for value in GRID:
                moved = list(state.pool.candidates)
                moved[index] = with_number(moved[index], field, value)
                order = decide(outcome.compiled.policy, Pool(moved, state.vocabulary), state.context).order
                if value == now or not proven or order[:1] == (outcome.winner,):
                    continue
                assert (value > now) in told, (name, field, value)
                assert abs(told[value > now].flips - now) <= abs(value - now)
