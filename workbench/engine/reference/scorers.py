"""Scorers over the survivors in catalog order, as IEEE doubles (LANGUAGE.md 6.3, 6.5)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from workbench.engine.reference.fields import Candidate, Scene, averages, credit_entry, number_field
from workbench.engine.reference.predicates import Term, verdict
from workbench.engine.values import number, text

Population = Sequence[Candidate]
Scorer = Callable[[Term, Population, Scene], list[float]]


def scores(term: Term, population: Population, scene: Scene) -> list[float]:
    """One score per member of the population."""
    return SCORERS[term[0]](term, population, scene)


def _zero(_term: Term, population: Population, _scene: Scene) -> list[float]:
    return [0.0] * len(population)


def _lit(term: Term, population: Population, _scene: Scene) -> list[float]:
    return [float(term[1])] * len(population)


def _field(term: Term, population: Population, scene: Scene) -> list[float]:
    return [number_field(term[1], candidate, scene) for candidate in population]


def _add(term: Term, population: Population, scene: Scene) -> list[float]:
    totals = [0.0] * len(population)
    for child in term[1:]:
        totals = [total + part for total, part in zip(totals, scores(child, population, scene), strict=True)]
    return totals


def _scale(term: Term, population: Population, scene: Scene) -> list[float]:
    return [float(term[1]) * score for score in scores(term[2], population, scene)]


def _gate(term: Term, population: Population, scene: Scene) -> list[float]:
    inner = scores(term[2], population, scene)
    return [
        score if verdict(term[1], candidate, scene) is None else 0.0
        for candidate, score in zip(population, inner, strict=True)
    ]


def _neg(term: Term, population: Population, scene: Scene) -> list[float]:
    return [1.0 - score for score in scores(term[1], population, scene)]


def _normalize(term: Term, population: Population, scene: Scene) -> list[float]:
    inner = scores(term[1], population, scene)
    known = [score for score in inner if not math.isnan(score)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return [_share(score, low, high) for score in inner]


def _share(score: float, low: float, high: float) -> float:
    if high <= low:
        return 0.0
    if score >= high:
        return 1.0
    if score <= low:
        return 0.0
    share = (score - low) / (high - low)
    return 0.0 if math.isnan(share) else share


def _clamp(term: Term, population: Population, scene: Scene) -> list[float]:
    low, high = float(term[1]), float(term[2])
    return [held(score, low, high) for score in scores(term[3], population, scene)]


def held(value: float, low: float, high: float) -> float:
    """Below `low` gives `low`, else above `high` gives `high`, in this order."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def _each(score: Callable[[Candidate, Scene], float]) -> Scorer:
    return lambda _term, population, scene: [score(candidate, scene) for candidate in population]


def _quality(candidate: Candidate, scene: Scene) -> float:
    measured = number(averages(candidate, scene).get("last_quality_eval"))
    hint = number(candidate.get("quality_hint"))
    known = hint if measured is None else measured
    return held(0.5 if known is None else known, 0.0, 1.0)


def _speed(candidate: Candidate, scene: Scene) -> float:
    measured = number(averages(candidate, scene).get("ema_latency_ms"))
    if measured is None:
        return 0.5
    return held(1.0 - ratio(measured, requirement(scene, "max_latency_ms", 5000.0)), 0.0, 1.0)


def _cost(candidate: Candidate, scene: Scene) -> float:
    measured = averages(candidate, scene)
    spent_in = (number(measured.get("price_in")) or 0.0) * requirement(scene, "estimated_input_tokens", 1000.0)
    spent_out = (number(measured.get("price_out")) or 0.0) * requirement(scene, "estimated_output_tokens", 500.0)
    usd = (spent_in + spent_out) / 1e6
    if usd <= 0.0:
        return 1.0
    return held(1.0 - ratio(usd, requirement(scene, "max_cost_usd", 0.01)), 0.0, 1.0)


def _free_credit(candidate: Candidate, scene: Scene) -> float:
    left = credit_entry(candidate, scene)
    threshold = number(scene.context.state.get("free_credit_threshold_usd"))
    return 1.0 if left is not None and left >= (1.0 if threshold is None else threshold) else 0.0


def _partner(candidate: Candidate, _scene: Scene) -> float:
    return {"partner": 1.0, "marketplace": 0.5}.get(text(candidate.get("tier")) or "", 0.0)


def requirement(scene: Scene, name: str, default: float) -> float:
    """A number among the request's requirements, or its default."""
    value = number(scene.context.requirements.get(name))
    return default if value is None else value


def ratio(part: float, whole: float) -> float:
    """Division as IEEE defines it, by zero too."""
    if whole != 0.0:
        return part / whole
    if part == 0.0 or math.isnan(part):
        return math.nan
    return math.copysign(math.inf, part) * math.copysign(1.0, whole)


SCORERS: Final[dict[str, Callable[[Any, Population, Scene], list[float]]]] = {
    "zero": _zero,
    "lit": _lit,
    "field": _field,
    "add": _add,
    "scale": _scale,
    "gate": _gate,
    "neg": _neg,
    "normalize": _normalize,
    "clamp": _clamp,
    "quality": _each(_quality),
    "speed": _each(_speed),
    "cost": _each(_cost),
    "free_credit": _each(_free_credit),
    "partner": _each(_partner),
}
