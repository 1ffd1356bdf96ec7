"""Why a decision is as it is: what each clause removes, where the next thresholds lie, what a score is made of.

Counts whole populations by masks; only `observe` looks at a single offer. Renders nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.engine import columnar
from workbench.engine.columnar.columns import Numbers
from workbench.engine.columnar.memory import Mask
from workbench.engine.columnar.scorers import scores
from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.engine.verdicts import Verdict, observe
from workbench.errors import UsageError
from workbench.language.admission import Admitted, Term

__all__ = [
    "Funnel",
    "ScorePart",
    "Threshold",
    "Verdict",
    "funnel",
    "margin",
    "mask",
    "observe",
    "score_parts",
    "survivor_scores",
    "thresholds",
    "together",
]


@dataclass(frozen=True, eq=False)
class Funnel:
    """What each of several predicates removes. All counts are offers; the lists are aligned with the predicates."""

    steps: tuple[tuple[int, int], ...]
    """Removed here and left after it, one predicate after the other."""
    alone: tuple[int, ...]
    """Removed by this predicate if it stood by itself."""
    only: tuple[int, ...]
    """Removed by this predicate and by no other."""
    survivors: Mask


class Threshold(NamedTuple):
    """One value that a comparison could be set to, and how many offers would then pass everything."""

    value: float
    admits: int


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One summand of a score."""

    term: Term
    """The summand as it stands in the normal form."""
    value: float
    """Before its weight."""
    contribution: float
    """What it adds to the score."""


def mask(predicate: Admitted, pool: Pool, context: Context) -> Mask:
    """Where an admitted predicate holds; read it, do not write to it."""
    return columnar.holds(predicate, pool, context)


def together(predicates: Sequence[Admitted], pool: Pool, context: Context) -> Mask:
    """Where all of the predicates hold; everywhere if there are none."""
    alive = np.ones(len(pool), dtype=np.bool_)
    for predicate in predicates:
        np.logical_and(alive, mask(predicate, pool, context), out=alive)
    return alive


def funnel(predicates: Sequence[Admitted], pool: Pool, context: Context) -> Funnel:
    """What each predicate removes in the order given, by itself, and that no other removes."""
    masks = [mask(predicate, pool, context) for predicate in predicates]
    failures = np.zeros(len(pool), dtype=np.uint16)
    alive = np.ones(len(pool), dtype=np.bool_)
    steps: list[tuple[int, int]] = []
    left = len(pool)
    for held in masks:
        np.logical_and(alive, held, out=alive)
        failures += ~held
        before, left = left, int(np.count_nonzero(alive))
        steps.append((before - left, left))
    alone = tuple(len(pool) - int(np.count_nonzero(held)) for held in masks)
    single = failures == 1
    only = tuple(int(np.count_nonzero(single & ~held)) for held in masks)
    return Funnel(tuple(steps), alone, only, alive)


def thresholds(
    predicate: Admitted, others: Mask, pool: Pool, context: Context, *, each_way: int = 3
) -> tuple[Threshold, ...]:
    """The values at which a comparison's count changes, ascending, around the present one, with exact counts.

    `predicate` is a `cmp` (its negation counts as the opposite one); `others` is where everything else holds. Of the
    offers there, the nearest `each_way` distinct values below and above are given, beside the present bound itself;
    where the catalog has a value that nobody there reaches, the nearest such too. Raises `UsageError` for another term.
    """
    name, relation, bound = _comparison(predicate.normal)
    view = columnar.View(pool.columns, predicate.version, context)
    column = view.numbers(name)
    reachable = np.sort(column[others])
    distinct = _finite(reachable)
    beyond = _beyond(_finite(column), distinct)
    values = np.concatenate((distinct, beyond))
    values.sort()
    below = values[values < bound][-each_way:]
    above = values[values > bound][:each_way]
    chosen: list[float] = [*below.tolist(), bound, *above.tolist()]
    return tuple(Threshold(value, _COUNTS[relation](reachable, value)) for value in chosen)


def score_parts(
    policy: Admitted, index: int, decision: Decision, pool: Pool, context: Context
) -> tuple[ScorePart, ...]:
    """The summands of an offer's score, in normal-form order; one part where the score is no sum.

    Empty for an offer that the filter turned away. Under a `chain` the score is the place in it, and that the one part.
    """
    if decision.reason(index) is not None:
        return ()
    chain = _chain(policy.slot("select").normal)
    if chain is not None:
        place = decision.place(index)
        score = math.nan if place is None else decision.scores[place - 1]
        return (ScorePart(chain, score, score),)
    scorer = policy.slot("rank").normal
    survivors = np.array(decision.survivor_indices, dtype=np.intp)
    at = int(survivors.searchsorted(index))
    view = columnar.View(pool.columns, policy.version, context)
    with np.errstate(all="ignore"):
        return tuple(
            ScorePart(part, _value(part, survivors, at, view), float(scores(part, survivors, view)[at]))
            for part in (scorer[1:] if scorer[0] == "add" else [scorer])
        )


def survivor_scores(policy: Admitted, decision: Decision, pool: Pool, context: Context) -> tuple[float, ...]:
    """What the scorer gives each survivor, kept by the selector or not, aligned with `decision.survivor_indices`."""
    survivors = np.array(decision.survivor_indices, dtype=np.intp)
    view = columnar.View(pool.columns, policy.version, context)
    with np.errstate(all="ignore"):
        return tuple(scores(policy.slot("rank").normal, survivors, view).tolist())


def margin(decision: Decision, index: int) -> float | None:
    """By how much an offer's score is ahead of the next in the order; None for the last, or where it has no meaning."""
    place = decision.place(index)
    if place is None or place >= len(decision.order):
        return None
    ahead = decision.scores[place - 1] - decision.scores[place]
    return None if math.isnan(ahead) else ahead


def _value(part: Term, survivors: NDArray[np.intp], at: int, view: columnar.View) -> float:
    inner = part[2] if part[0] == "scale" else part
    return float(scores(inner, survivors, view)[at])


def _chain(selector: Term) -> Term | None:
    while selector[0] in {"top_k", "prefer"}:
        selector = selector[2]
    return selector if selector[0] == "chain" else None


_OPPOSITE: Final = {"lt": "ge", "le": "gt", "eq": "ne", "ne": "eq", "ge": "lt", "gt": "le"}


def _comparison(term: Term) -> tuple[str, str, float]:
    if term[0] == "not" and term[1][0] == "cmp":
        name, relation, bound = term[1][1:]
        return name, _OPPOSITE[relation], float(bound)
    if term[0] != "cmp":
        raise UsageError("thresholds are those of one comparison of a number")
    name, relation, bound = term[1:]
    return name, relation, float(bound)


def _finite(column: Numbers) -> Numbers:
    return np.unique(column[np.isfinite(column)])


def _beyond(known: Numbers, reached: Numbers) -> Numbers:
    """The catalog's nearest values outside of those reached: where the count becomes nobody, or everybody."""
    if not len(reached):
        return known
    return np.concatenate((known[known < reached[0]][-1:], known[known > reached[-1]][:1]))


def _at_most(ascending: Numbers, value: float) -> int:
    return int(ascending.searchsorted(value, side="right"))


def _under(ascending: Numbers, value: float) -> int:
    return int(ascending.searchsorted(value, side="left"))


_COUNTS: Final[dict[str, Callable[[NDArray[Any], float], int]]] = {
    "lt": _under,
    "le": _at_most,
    "gt": lambda ascending, value: len(ascending) - _at_most(ascending, value),
    "ge": lambda ascending, value: len(ascending) - _under(ascending, value),
    "eq": lambda ascending, value: _at_most(ascending, value) - _under(ascending, value),
    "ne": lambda ascending, value: len(ascending) - _at_most(ascending, value) + _under(ascending, value),
}
"""How many of ascending values pass, by relation."""
