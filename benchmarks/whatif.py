"""What-if over a thousand tenants: compared before and after a rule, diffed, priced; and one tenant's questions.

The tenants are the sample's, each a hundred and twenty-five times with other workloads and floors, so that most of the
policies are distinct. Times are those of the questions alone: reading and compiling the workspace is not in them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from benchmarks.tables import Cell, Table, show
from workbench.session.evaluation import Evaluator
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.changes import Changes, apply_changes, read_clauses
from workbench.whatif.compare import before_and_after, tenants_side_by_side
from workbench.whatif.differ.decisions import diff
from workbench.whatif.differ.sources import Side
from workbench.whatif.facts import suppose_all, what_matters
from workbench.whatif.margin.margin import margin
from workbench.whatif.near.near import near
from workbench.whatif.rule_cost import dearest_rules

TENANTS = 1_000
ROUNDS = 5


def many(count: int) -> WorkspaceState:
    """The sample's state with `count` tenants, no two of one workload."""
    state = open_workspace(sample_root()).state
    made = [
        replace(known, id=f"{known.id}-{k:04}", workload=replace(known.workload, tokens_in=1_000.0 + 7 * k))
        for k, known in ((k, state.tenants[k % len(state.tenants)]) for k in range(count))
    ]
    return replace(state, tenants=tuple(sorted(made, key=lambda tenant: tenant.id)))


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds of processor time of one run, median."""
    took: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        took.append((time.process_time() - start) * 1e3)
    return median(took)


def measure() -> Table:
    """Every question with its time."""
    state = many(TENANTS)
    changes = Changes({}, read_clauses(["free-floor=0.4", "vip-floor=0.62"]))
    after = apply_changes(state, None, changes)
    sides = Side("before", "workspace", "", state), Side("after", "workspace", "", after)
    kept = Evaluator()
    kept.evaluate(state)
    sample = open_workspace(sample_root()).state
    index = sample.catalog.find("openai/gpt-5.6-sol@global")
    both = ["acme-eu", "corvane-bank", "halvorsen", "ladle-free"]
    rows: tuple[tuple[Cell, ...], ...] = (
        ("another floor, 1,000 tenants before and after", timed(lambda: suppose_all(state, changes, Evaluator()))),
        ("diff of two workspaces, 1,000 tenants each", timed(lambda: diff(*sides))),
        ("rule cost, 1,000 tenants", timed(lambda: dearest_rules(state, Evaluator()), 1)),
        ("compare four tenants", timed(lambda: tenants_side_by_side(sample, both, Evaluator()))),
        ("compare one before and after", timed(lambda: before_and_after(sample, apply_changes(sample, None, changes),
                                                                        "ladle-free", Evaluator()))),
        ("which facts matter, one tenant", timed(lambda: what_matters(sample, "acme-eu", Evaluator()))),
        ("near, three clauses and four facts", timed(lambda: near(sample, "brueckwald", index, Evaluator()))),
        ("margin, 388 survivors", timed(lambda: margin(sample, "ladle-free", Evaluator()))),
    )  # fmt: skip
    return Table("whatif", "What if, over 851 offers", ("what", "ms"), rows)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    show([measure()], as_json=parser.parse_args().json)


if __name__ == "__main__":
    main()
