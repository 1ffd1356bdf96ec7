"""Filter, score, select over columns."""

from __future__ import annotations

import numpy as np

from workbench.engine.columnar import predicates
from workbench.engine.columnar.memory import Mask
from workbench.engine.columnar.scorers import scores
from workbench.engine.columnar.selectors import select
from workbench.engine.columnar.view import View
from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted


def evaluate(policy: Admitted, pool: Pool, context: Context) -> Decision:
    """The decision; see `decide`."""
    keep, scorer, selector = policy.normal[-5:-2]
    columns = pool.columns
    view = View(columns, policy.version, context)
    steps = columns.memory.planned(policy.encoding, lambda: predicates.plan(keep, policy.version))
    with np.errstate(all="ignore"):  # infinities are values here
        codes, reasons, alive = predicates.sift(steps, view)
        survivors = alive.nonzero()[0]
        ranking = survivors, scores(scorer, survivors, view)
        order, values = select(selector, ranking, view, len(survivors))
    return Decision(order, values, codes, reasons)


def holds(predicate: Admitted, pool: Pool, context: Context) -> Mask:
    """Where an admitted predicate holds; the mask may be a kept one, do not write to it."""
    return predicates.holds(predicate.normal, View(pool.columns, predicate.version, context))


def sift(predicate: Admitted, pool: Pool, context: Context) -> tuple[Decision, Mask]:
    """The filter's part of a decision alone, nobody ranked, and the mask of the survivors."""
    view = View(pool.columns, predicate.version, context)
    codes, reasons, alive = predicates.sift(predicates.plan(predicate.normal, predicate.version), view)
    return Decision(np.zeros(0, np.intp), np.zeros(0), codes, reasons), alive
