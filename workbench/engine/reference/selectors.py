"""Selectors order the survivors they keep; that order is the fallback sequence (LANGUAGE.md 6.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, Final, NamedTuple

from workbench.engine.minstd import Minstd
from workbench.engine.reference.fields import Candidate, Scene, family, provider
from workbench.engine.reference.predicates import Term, verdict


class Ranked(NamedTuple):
    """One survivor on its way through the selector."""

    place: int
    """Its index into the pool."""
    candidate: Candidate
    score: float


Selector = Callable[[Term, list[Ranked], Scene], list[Ranked]]


def select(term: Term, survivors: list[Ranked], scene: Scene) -> list[Ranked]:
    """The survivors that the selector keeps, best first."""
    return SELECTORS[term[0]](term, survivors, scene)


def _best_first(ranked: Ranked) -> tuple[bool, float]:
    """Descending score; one that is not a number comes after every other. Sorting is stable: ties keep their order."""
    return (True, 0.0) if math.isnan(ranked.score) else (False, -ranked.score)


def _argmax(_term: Term, survivors: list[Ranked], _scene: Scene) -> list[Ranked]:
    return sorted(survivors, key=_best_first)


def _ordered(_term: Term, survivors: list[Ranked], _scene: Scene) -> list[Ranked]:
    return survivors


def _top_k(term: Term, survivors: list[Ranked], scene: Scene) -> list[Ranked]:
    return select(term[2], survivors, scene)[: int(term[1])]


def _prefer(term: Term, survivors: list[Ranked], scene: Scene) -> list[Ranked]:
    inner = select(term[2], survivors, scene)
    return sorted(inner, key=lambda ranked: verdict(term[1], ranked.candidate, scene) is not None)


def _chain(term: Term, survivors: list[Ranked], _scene: Scene) -> list[Ranked]:
    position = positions(term[1])
    listed: list[tuple[int, Ranked]] = []
    for ranked in survivors:
        at = position.get((provider(ranked.candidate), family(ranked.candidate)))
        if at is not None:
            listed.append((at, ranked._replace(score=float(-at))))
    return [ranked for _, ranked in sorted(listed, key=lambda pair: pair[0])]


def positions(chain: list[Mapping[str, Any]]) -> dict[tuple[str | None, str | None], int]:
    """The 1-based place of each listed (provider, family); of two equal entries the later counts."""
    return {
        (entry.get("provider", entry.get("provider_id")), entry.get("model", entry.get("model_family"))): place
        for place, entry in enumerate(chain, start=1)
    }


def _sample(term: Term, survivors: list[Ranked], scene: Scene) -> list[Ranked]:
    remaining = sorted(survivors, key=_best_first)
    temperature = max(float(term[1]), 0.0)
    weights = geometric(len(remaining), temperature / (temperature + 1.0))
    generator = Minstd(scene.context.seed or 0)
    drawn: list[Ranked] = []
    while remaining:
        running = list(accumulate(weights))
        threshold = generator.draw() * running[-1]
        place = next((i for i, total in enumerate(running) if total >= threshold), len(running) - 1)
        drawn.append(remaining.pop(place))
        del weights[place]
    return drawn


def geometric(count: int, factor: float) -> list[float]:
    """1 and each next one times `factor`, by repeated multiplication."""
    weight, weights = 1.0, list[float]()
    for _ in range(count):
        weights.append(weight)
        weight *= factor
    return weights


SELECTORS: Final[dict[str, Selector]] = {
    "argmax": _argmax,
    "ordered": _ordered,
    "top_k": _top_k,
    "prefer": _prefer,
    "chain": _chain,
    "sample": _sample,
}
