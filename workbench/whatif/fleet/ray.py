"""A fleet on Ray: every batch of a Dataset through `decide_batch`, on as many machines as Ray has.

Thin on purpose: the plan is sent by content, each worker reads it once, and what comes back is plain columns.
"""

from __future__ import annotations

from typing import Any

from workbench.whatif.fleet.arrow import pa
from workbench.whatif.fleet.deciding.batch import decide_batch, plain, result_schema
from workbench.whatif.fleet.plan import FleetPlan


def decide_dataset(dataset: Any, plan: FleetPlan, **settings: Any) -> Any:
    """The decisions on a Ray Dataset of tenants, lazily, as a Dataset of the columns in docs/fleet.md.

    `settings` go to `map_batches`: `batch_size`, `num_cpus`, `concurrency`, ...
    """
    return dataset.map_batches(_Task(plan), batch_format="pyarrow", **settings)


class _Task:
    """What Ray sends to its workers."""

    def __init__(self, plan: FleetPlan) -> None:
        self._plan = plan

    def __call__(self, table: Any) -> Any:
        schema = result_schema(self._plan, plain=True)
        batches = [plain(decide_batch(batch, self._plan)) for batch in table.to_batches()]
        return pa.Table.from_batches([batch.cast(schema) for batch in batches], schema=schema)
