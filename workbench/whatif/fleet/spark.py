"""A fleet on Spark: every batch of a DataFrame through `decide_batch`, on as many machines as Spark has.

Thin on purpose: the plan is sent by content, each Python worker reads it once, and what comes back is plain columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workbench.whatif.fleet.arrow import Batch, load
from workbench.whatif.fleet.deciding.batch import decide_batch, plain, result_schema
from workbench.whatif.fleet.plan import FleetPlan


def decide_frame(frame: Any, plan: FleetPlan) -> Any:
    """The decisions on a Spark DataFrame of tenants, lazily, as a DataFrame of the columns in docs/fleet.md."""
    types = load("pyspark.sql.pandas.types", "spark")
    return frame.mapInArrow(_Task(plan), types.from_arrow_schema(result_schema(plan, plain=True)))


class _Task:
    """What Spark sends to its workers."""

    def __init__(self, plan: FleetPlan) -> None:
        self._plan = plan

    def __call__(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield plain(decide_batch(batch, self._plan))
