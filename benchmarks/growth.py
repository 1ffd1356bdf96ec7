"""How the time of a decision grows with offers and clauses, and what 10,000 offers weigh.

    python -m benchmarks.growth [--json]

The clauses are all different: thresholds, flags, providers, alternatives of them. Masks are kept, as they are after the
first tenant; `masks forgotten` works every clause out again. Memory is that of a process of its own, which imports the
workbench, then makes a pool and its columns; the offers as Python dicts are counted, and so are kept masks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle
from typing import Any, Final

from benchmarks.measure import medians
from benchmarks.offers import CONTEXT, VOCABULARY, offers, policies_with
from benchmarks.tables import Cell, Table, script
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.language.admission import Admitted

SIZES: Final = (15, 300, 2_500, 10_000, 100_000)
CLAUSES: Final = (1, 10, 100)

_WEIGHING: Final = """
import json, sys
from benchmarks.growth import filter_of
from benchmarks.offers import CONTEXT, VOCABULARY, offers, policy_with
from workbench.engine.decide import decide
from workbench.engine.pool import Pool

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

before = resident()
pool = Pool(offers(10_000), VOCABULARY)
offered = resident()
decide(policy_with(filter_of(10)), pool, CONTEXT)
decided = resident()
decide(policy_with(filter_of(100)), pool, CONTEXT)
print(json.dumps([before, offered - before, decided - before, resident() - before]))
"""


def filter_of(count: int) -> list[Any]:
    """An `and` of that many different clauses, most of which most offers pass."""
    kinds: list[list[Any]] = []
    for place in range(count):
        step = place // 5
        kinds.append(
            [
                ["cmp", "price_out", "le", 39.5 - step / 8],
                ["not", ["provider_eq", f"p{step}"]],
                ["cmp", "bench_intelligence", "ge", 0.01 + step / 256],
                ["or", ["is", "no_log"], ["cmp", "price_in", "le", 9.75 - step / 16]],
                ["not", ["and", ["is", "region_us"], ["cmp", "price_in", "ge", 9.875 - step / 16]]],
            ][place % 5]
        )
    return ["and", *kinds] if count > 1 else kinds[0]


def grown(policies: Sequence[Admitted], pool: Pool) -> dict[str, float]:
    """With masks kept and with masks forgotten, the policies taking turns."""
    turns = cycle(policies)
    forgetful = Pool(pool.candidates, pool.vocabulary)

    def cold() -> object:
        forgetful.columns.memory.forget()
        return decide(next(turns), forgetful, CONTEXT)

    return medians({"kept": lambda: decide(next(turns), pool, CONTEXT), "cold": cold}, passes=3)


def times() -> Table:
    """Offers down, clauses across, microseconds."""
    rows: list[tuple[Cell, ...]] = []
    for size in SIZES:
        row: list[Cell] = [float(size)]
        for count in CLAUSES:
            row += grown(policies_with(filter_of(count), 16), Pool(offers(size), VOCABULARY)).values()
        rows.append(tuple(row))
    head = (
        "offers",
        *(f"{count} clause{'s' * (count > 1)}{cold} µs" for count in CLAUSES for cold in ("", ", masks forgotten")),
    )
    return Table("growth", "One decision as offers and clauses grow", head, tuple(rows))


def memory() -> Table | None:
    """MiB over import of a pool of 10,000 offers; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    done = subprocess.run([sys.executable, "-c", _WEIGHING], capture_output=True, text=True, check=True)
    before, offered, decided, many = json.loads(done.stdout)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("the workbench and numpy imported", before, None),
        ("10,000 offers as dicts, over that", offered, None),
        ("with columns and one decision of 10 clauses", decided, 60.0),
        ("with one decision of 100 clauses more", many, None),
    )
    return Table("memory", "Memory of 10,000 offers", ("resident", "MiB", "target"), rows)


def measure() -> list[Table]:
    """Time and memory."""
    weighed = memory()
    return [times(), *([] if weighed is None else [weighed])]


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
