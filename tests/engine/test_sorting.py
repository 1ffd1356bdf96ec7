"""The order of many scores: descending, what is not a number last, ties in input order, at every length."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from workbench.engine.columnar.selectors import best_first

ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0)


@pytest.mark.parametrize("length", [0, 1, 2, 199, 200, 201, 202, 255, 256, 257, 1023, 1024, 5000])
@pytest.mark.parametrize("values", [1, 2, 40, 10**6])
@pytest.mark.parametrize("odd", [0.0, 0.02, 0.5, 1.0])
def test_ties_keep_their_order(length: int, values: int, odd: float) -> None:
    rng = Random(f"{length} {values} {odd}")
    scores = [rng.choice(ODD) if rng.random() < odd else rng.randrange(values) / 7 for _ in range(length)]
    numbers = [place for place, score in enumerate(scores) if not math.isnan(score)]
    expected = sorted(numbers, key=lambda place: -scores[place])
    expected += [place for place, score in enumerate(scores) if math.isnan(score)]
    assert best_first(np.array(scores, dtype=np.float64)).tolist() == expected
