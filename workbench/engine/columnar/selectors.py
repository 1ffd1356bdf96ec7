"""Selectors over arrays of places and scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.engine.columnar.columns import Numbers, Places
from workbench.engine.columnar.memory import Mask
from workbench.engine.columnar.predicates import holds
from workbench.engine.columnar.view import View
from workbench.engine.minstd import Minstd
from workbench.engine.reference.selectors import positions

Term = list[Any]
Ranking = tuple[Places, Numbers]
"""Indices into the pool, and the score of each."""
Selector = Callable[[Term, Ranking, View, int], Ranking]

_SHORT: Final = 200
"""Up to here a stable sort is the fastest, on scores that the processor has not just sorted."""
_WINDOW: Final = 64
"""How many weights are summed first, in the hope that the rest adds nothing."""


def select(term: Term, survivors: Ranking, view: View, limit: int) -> Ranking:
    """The survivors that the selector keeps, best first; of those, only the first `limit` are needed."""
    return SELECTORS[term[0]](term, survivors, view, limit)


def best_first(scores: Numbers) -> Places:
    """The permutation to descending scores, NaN last, ties in input order."""
    keys = -scores
    if len(keys) <= _SHORT:
        return keys.argsort(kind="stable")
    order = keys.argsort()
    ascending = keys.take(order)
    tied = ascending[1:] == ascending[:-1]
    if math.isnan(ascending.item(-1)):
        tied |= np.isnan(ascending[:-1])
    return _in_input_order(order, tied) if tied.any() else order


def _in_input_order(order: Places, tied: Mask) -> Places:
    """Each run of ties in ascending places, which the quick sort has lost: sorted by (run, place) as one integer."""
    bits = len(order).bit_length()
    merged = np.empty(len(order), dtype=np.int64)
    merged[0] = 0
    np.add.accumulate(np.logical_not(tied, out=tied), dtype=np.int64, out=merged[1:])
    merged <<= bits
    merged |= order
    merged.sort()
    merged &= (1 << bits) - 1
    return merged.astype(np.intp, copy=False)


def _argmax(_term: Term, survivors: Ranking, _view: View, _limit: int) -> Ranking:
    places, scores = survivors
    order = best_first(scores)
    return places.take(order), scores.take(order)


def _ordered(_term: Term, survivors: Ranking, _view: View, _limit: int) -> Ranking:
    return survivors


def _top_k(term: Term, survivors: Ranking, view: View, limit: int) -> Ranking:
    count = min(int(term[1]), len(survivors[0]))
    places, scores = select(term[2], survivors, view, min(count, limit))
    return places[:count], scores[:count]


def _prefer(term: Term, survivors: Ranking, view: View, _limit: int) -> Ranking:
    places, scores = select(term[2], survivors, view, len(survivors[0]))
    order = np.logical_not(holds(term[1], view)[places]).argsort(kind="stable")
    return places[order], scores[order]


def _chain(term: Term, survivors: Ranking, view: View, _limit: int) -> Ranking:
    routes = view.columns.route()
    table = np.zeros(len(routes.values), dtype=np.intp)
    for route, place in positions(term[1]).items():
        code = routes.place.get(route)
        if code is not None:
            table[code] = place
    at = table[routes.codes[survivors[0]]]
    listed = np.flatnonzero(at)
    order = listed[at[listed].argsort(kind="stable")]
    return survivors[0][order], -at[order].astype(np.float64)


def _sample(term: Term, survivors: Ranking, view: View, limit: int) -> Ranking:
    places, scores = survivors
    ranked = best_first(scores)
    temperature = max(float(term[1]), 0.0)
    weights = geometric(len(ranked), temperature / (temperature + 1.0))
    drawn = draw(weights, min(limit, len(ranked)), Minstd(view.context.seed or 0))
    order = ranked[drawn]
    return places[order], scores[order]


def geometric(count: int, factor: float) -> Numbers:
    """1 and each next one times `factor`, by repeated multiplication."""
    weights = np.full(count, factor)
    weights[:1] = 1.0
    return np.multiply.accumulate(weights)


def draw(weights: Numbers, count: int, generator: Minstd) -> list[int]:
    """The first `count` ranks drawn without replacement. `weights` must not ascend."""
    remaining: Places = np.arange(len(weights), dtype=np.intp)
    drawn: list[int] = []
    for _ in range(count):
        running = _running(weights[remaining], _WINDOW)
        threshold = generator.draw() * float(running[-1])
        place = min(int(running.searchsorted(threshold)), len(running) - 1)
        drawn.append(remaining.item(place))
        remaining = np.concatenate((remaining[:place], remaining[place + 1 :]))
    return drawn


def _running(weights: Numbers, window: int) -> Numbers:
    """Running sums up to where they stop growing: smaller weights than one that adds nothing add nothing."""
    while window < len(weights):
        running = np.add.accumulate(weights[:window])
        if running[-1] == running[-2]:
            return running
        window *= 8
    return np.add.accumulate(weights)


SELECTORS: Final[dict[str, Selector]] = {
    "argmax": _argmax,
    "ordered": _ordered,
    "top_k": _top_k,
    "prefer": _prefer,
    "chain": _chain,
    "sample": _sample,
}
