"""How long one decision takes, at 15, 300, 2,500 and 10,000 offers: reference beside columnar, in one run.

    python -m benchmarks.engine [--json]

`columnar` decides a policy that was not decided before, over a catalog that was: order, scores and the reason of each
rejected offer as arrays, with the masks of its clauses kept, as they are after the first tenant. `masks forgotten`
drops those each time; `tuples` also makes Python tuples of everything; `new health` brings other breakers each time;
`first` builds the columns too, which happens once per catalog.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count, cycle
from typing import Any, Final

from benchmarks.measure import Work, firsts, medians
from benchmarks.offers import CONTEXT, FILTERS, VOCABULARY, offers, policies_with
from benchmarks.tables import Cell, Table, script
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted

SIZES: Final = (15, 300, 2_500, 10_000)


def candidates(policies: Sequence[Admitted], pool: Pool) -> dict[str, Work]:
    """All ways of deciding over one pool, another policy each time."""
    turns, places = cycle(policies), count()
    forgetful = Pool(pool.candidates, pool.vocabulary)

    def cold() -> object:
        forgetful.columns.memory.forget()
        return decide(next(turns), forgetful, CONTEXT)

    def tuples() -> object:
        decision = decide(next(turns), pool, CONTEXT)
        return decision.order, decision.scores, decision.rejected

    def new_health() -> object:
        return decide(next(turns), pool, Context(CONTEXT.request, {"breakers": {f"p{next(places) % 30}": True}}))

    return {
        "reference": lambda: decide(next(turns), pool, CONTEXT, evaluator="reference"),
        "columnar": lambda: decide(next(turns), pool, CONTEXT),
        "masks forgotten": cold,
        "tuples": tuples,
        "new health": new_health,
    }


def first(policy: Admitted, listed: list[dict[str, Any]]) -> float:
    """Microseconds of the first decision over a new pool."""

    def prepare() -> Work:
        pool = Pool(listed, VOCABULARY)
        return lambda: decide(policy, pool, CONTEXT)

    return firsts(prepare, 5)


def measure() -> list[Table]:
    """One table for each policy, microseconds."""
    tables: list[Table] = []
    for name, keep in FILTERS.items():
        rows: list[tuple[Cell, ...]] = []
        policies = policies_with(keep)
        for size in SIZES:
            listed = offers(size)
            pool = Pool(listed, VOCABULARY)
            decision = decide(policies[0], pool, CONTEXT)
            assert decision == decide(policies[0], pool, CONTEXT, evaluator="reference")
            took = medians(candidates(policies, pool))
            ratio = took["reference"] / took["columnar"]
            rows.append((float(size), float(decision.survivors), *took.values(), ratio, first(policies[0], listed)))
        head = ("offers", "survivors", "reference µs", "columnar µs", "masks forgotten µs", "tuples µs")
        head = (*head, "new health µs", "reference / columnar", "first µs")
        tables.append(Table(f"engine-{name}", f"One decision, uncached, policy `{name}`", head, tuple(rows)))
    return tables


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
