"""How long one decision takes, at 15, 300, 2,500 and 10,000 offers: reference beside columnar, in one run.

    python -m benchmarks.engine [--json]

`columnar` decides a policy that was not decided before, over a catalog that was: order, scores and the reason of each
rejected offer as arrays, with the masks of its clauses kept, as they are after the first tenant. `masks forgotten`
drops those each time; `tuples` also makes Python tuples of everything; `new health` brings other breakers each time;
`first` builds the columns too, which happens once per catalog.
"""

from __future__ import annotations

import sys
from itertools import count
from typing import Any, Final

from benchmarks.measure import Work, firsts, medians
from benchmarks.offers import CONTEXT, FILTERS, VOCABULARY, offers, policy_of
from benchmarks.tables import Cell, Table, script
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted

SIZES: Final = (15, 300, 2_500, 10_000)


def candidates(policy: Admitted, pool: Pool) -> dict[str, Work]:
    """All ways of deciding one policy over one pool."""
    turns = count()

    def cold() -> object:
        pool.columns.forget()
        return decide(policy, pool, CONTEXT)

    def tuples() -> object:
        decision = decide(policy, pool, CONTEXT)
        return decision.order, decision.scores, decision.rejected

    def new_health() -> object:
        return decide(policy, pool, Context(CONTEXT.request, {"breakers": {f"p{next(turns) % 30}": True}}))

    return {
        "reference": lambda: decide(policy, pool, CONTEXT, evaluator="reference"),
        "columnar": lambda: decide(policy, pool, CONTEXT),
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
    for name in FILTERS:
        rows: list[tuple[Cell, ...]] = []
        policy = policy_of(name)
        for size in SIZES:
            listed = offers(size)
            pool = Pool(listed, VOCABULARY)
            decision = decide(policy, pool, CONTEXT)
            assert decision == decide(policy, pool, CONTEXT, evaluator="reference")
            took = medians(candidates(policy, pool))
            ratio = took["reference"] / took["columnar"]
            rows.append((float(size), float(decision.survivors), *took.values(), ratio, first(policy, listed)))
        head = ("offers", "survivors", "reference µs", "columnar µs", "masks forgotten µs", "tuples µs")
        head = (*head, "new health µs", "reference / columnar", "first µs")
        tables.append(Table(f"engine-{name}", f"One decision, uncached, policy `{name}`", head, tuple(rows)))
    return tables


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
