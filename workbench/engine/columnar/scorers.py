"""Scorers over the survivors' columns. Each step is one IEEE operation per candidate, in the reference's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.engine.columnar.columns import Numbers, Places, filled
from workbench.engine.columnar.predicates import holds
from workbench.engine.columnar.view import View
from workbench.engine.values import number, text

Term = list[Any]
Scorer = Callable[[Term, Places, View], Numbers]


def scores(term: Term, survivors: Places, view: View) -> Numbers:
    """One score per survivor; the array may be a column's own: do not write to it."""
    return SCORERS[term[0]](term, survivors, view)


def _zero(_term: Term, survivors: Places, _view: View) -> Numbers:
    return np.zeros(len(survivors))


def _lit(term: Term, survivors: Places, _view: View) -> Numbers:
    return np.full(len(survivors), float(term[1]))


def _field(term: Term, survivors: Places, view: View) -> Numbers:
    column = view.numbers(term[1])
    return column if len(survivors) == len(column) else column.take(survivors)


def _add(term: Term, survivors: Places, view: View) -> Numbers:
    total = scores(term[1], survivors, view) + 0.0
    for child in term[2:]:
        total += scores(child, survivors, view)
    return total


def _scale(term: Term, survivors: Places, view: View) -> Numbers:
    return float(term[1]) * scores(term[2], survivors, view)


def _gate(term: Term, survivors: Places, view: View) -> Numbers:
    return np.where(holds(term[1], view)[survivors], scores(term[2], survivors, view), 0.0)


def _neg(term: Term, survivors: Places, view: View) -> Numbers:
    return 1.0 - scores(term[1], survivors, view)


def _normalize(term: Term, survivors: Places, view: View) -> Numbers:
    inner = scores(term[1], survivors, view)
    if not len(inner):
        return inner
    low, high = np.minimum.reduce(inner), np.maximum.reduce(inner)
    width = high - low
    if 0.0 < width < np.inf:
        # At the ends the division is exact: 0 and 1. Less -0 no zero comes out as -0, as -0 less 0 would.
        return (inner - (low or -0.0)) / width
    if high == np.inf and -np.inf < low < np.inf:
        # The usual case of unknown prices: every finite distance is 0 of an infinite one.
        return (inner == np.inf).astype(np.float64)
    return _normalize_unbounded(inner)


def _normalize_unbounded(inner: Numbers) -> Numbers:
    low, high = np.fmin.reduce(inner), np.fmax.reduce(inner)
    if not high > low:
        return np.zeros(len(inner))
    share = (inner - low) / (high - low)
    share[np.isnan(share) | (inner <= low)] = 0.0
    share[inner >= high] = 1.0
    return share


def _clamp(term: Term, survivors: Places, view: View) -> Numbers:
    return held(scores(term[3], survivors, view), float(term[1]), float(term[2]))


def held(values: Numbers, low: float, high: float) -> Numbers:
    """Below `low` gives `low`, else above `high` gives `high`, in this order."""
    return np.where(values < low, low, np.where(values > high, high, values))


def _quality(_term: Term, survivors: Places, view: View) -> Numbers:
    measured = filled(view.averages("last_quality_eval"), view.columns.raw("quality_hint"))
    return held(filled(measured, 0.5)[survivors], 0.0, 1.0)


def _speed(_term: Term, survivors: Places, view: View) -> Numbers:
    measured = view.averages("ema_latency_ms")[survivors]
    share = held(1.0 - measured / np.float64(_requirement(view, "max_latency_ms", 5000.0)), 0.0, 1.0)
    return np.where(np.isnan(measured), 0.5, share)


def _cost(_term: Term, survivors: Places, view: View) -> Numbers:
    price_in = filled(view.averages("price_in"), 0.0)[survivors]
    price_out = filled(view.averages("price_out"), 0.0)[survivors]
    spent_in = price_in * _requirement(view, "estimated_input_tokens", 1000.0)
    spent_out = price_out * _requirement(view, "estimated_output_tokens", 500.0)
    usd = (spent_in + spent_out) / 1e6
    share = held(1.0 - usd / np.float64(_requirement(view, "max_cost_usd", 0.01)), 0.0, 1.0)
    return np.where(usd <= 0.0, 1.0, share)


def _free_credit(_term: Term, survivors: Places, view: View) -> Numbers:
    threshold = number(view.context.state.get("free_credit_threshold_usd"))
    enough = view.credits() >= (1.0 if threshold is None else threshold)
    return enough[survivors].astype(np.float64)


def _partner(_term: Term, survivors: Places, view: View) -> Numbers:
    tiers = view.tiers()
    worth = {"partner": 1.0, "marketplace": 0.5}
    table = np.array([worth.get(text(tier) or "", 0.0) for tier in tiers.values], dtype=np.float64)
    return tiers.spread(table)[survivors]


def _requirement(view: View, name: str, default: float) -> float:
    value = number(view.context.requirements.get(name))
    return default if value is None else value


SCORERS: Final[dict[str, Scorer]] = {
    "zero": _zero,
    "lit": _lit,
    "field": _field,
    "add": _add,
    "scale": _scale,
    "gate": _gate,
    "neg": _neg,
    "normalize": _normalize,
    "clamp": _clamp,
    "quality": _quality,
    "speed": _speed,
    "cost": _cost,
    "free_credit": _free_credit,
    "partner": _partner,
}
