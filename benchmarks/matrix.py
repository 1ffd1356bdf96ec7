"""The matrix of 1,000 tenants, beside DuckDB and Polars doing the same filter, join and ranking; radar and drill.

    python -m benchmarks.matrix [--json]

Tenants have the sample's rulebook and facts drawn at random; the offers are the sample's catalog, also thrice of it
cut at 2,500. `cells` are places and rules of every tenant and offer, from decisions that are there; `whole` compiles
and decides too. The peers get the distinct policies' clauses and every clause's verdict on every offer ready-made as
tables: they join, take the first clause that fails, and rank who is left by the run's cost. What they find is compared
with ours first. A peer that is not installed is named in a note. All is processor time, of all threads together.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Work, medians
from benchmarks.tables import Cell, Table, script
from workbench.engine import explain
from workbench.engine.pool import Pool
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Evaluation, Evaluator
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.drill.run import drill_all
from workbench.whatif.drill.trouble import Trouble, trouble_of
from workbench.whatif.matrix.exports import as_csv
from workbench.whatif.matrix.grid import Matrix, filters_of
from workbench.whatif.matrix.sheet import Asked, sheet
from workbench.whatif.radar import radar

TENANTS: Final = 1_000
SIZES: Final = (851, 2_500)
TARGET_MS: Final = 500.0


def tenants(state: WorkspaceState) -> tuple[Tenant, ...]:
    """That many tenants whose facts and workloads are drawn at random, the same every time."""
    rng = random.Random(2026)  # noqa: S311 - not a secret
    providers = ("openai", "azure", "anthropic", "mistral", "amazon-bedrock", "google-vertex")
    made: list[Tenant] = []
    for place in range(TENANTS):
        base = rng.choice(state.tenants)
        facts = dict(base.facts)
        for name, field in state.rulebook.schema.fields.items():
            if field.kind == "choice":
                facts[name] = rng.choice(field.values)
            elif field.kind == "flag":
                facts[name] = rng.random() < 0.3
            elif field.kind == "list":
                facts[name] = tuple(rng.sample(providers, rng.randrange(4)))
        facts["quality_floor"] = rng.choice((0.5, 0.55, 0.6))
        workload = replace(base.workload, tokens_in=float(rng.choice((1_000, 5_000, 20_000))))
        made.append(replace(base, id=f"t{place:04}", facts=MappingProxyType(facts), workload=workload, overrides=()))
    return tuple(made)


def state_of(size: int) -> WorkspaceState:
    """The sample with so many offers and the tenants."""
    state = open_workspace(sample_root()).state
    catalog = state.catalog
    times = -(-size // len(catalog))
    offers = tuple(
        replace(offer, served_model_id=f"{offer.served_model_id}-{turn}" if turn else offer.served_model_id)
        for turn in range(times)
        for offer in catalog.offers
    )[:size]
    rows = (catalog.candidates * times)[:size]
    known = replace(catalog, offers=offers, candidates=rows)
    return replace(state, catalog=known, pool=Pool(rows, catalog.vocabulary), tenants=tenants(state))


@dataclass(frozen=True, slots=True)
class Job:
    """Distinct policies as tables, and what ours finds of them."""

    clauses: dict[str, NDArray[Any]]
    """`policy`, `place`, `clause`: which clause stands where in which policy."""
    fails: dict[str, NDArray[Any]]
    """`clause`, `offer`: the pairs where the clause rejects the offer."""
    costs: dict[str, NDArray[Any]]
    """`policy`, `offer`, `cost`: of those that pass nothing is known here; every pair."""
    first: NDArray[np.int64]
    """Per policy and offer: the place of the first clause that fails, -1 where none does."""
    winners: NDArray[np.int64]


def job(evaluation: Evaluation) -> Job:
    """The distinct policies of an evaluation."""
    state = evaluation.state
    distinct = {o.compiled.policy.encoding: o for o in evaluation.outcomes.values() if o.compiled is not None}
    ids: dict[str, int] = {}
    masks: list[NDArray[np.bool_]] = []
    rows: list[tuple[int, int, int]] = []
    first: list[NDArray[np.int64]] = []
    prices = [state.pool.columns.raw(name) for name in ("price_in", "price_out")]
    costs: list[NDArray[np.float64]] = []
    for policy, outcome in enumerate(distinct.values()):
        stage = np.full(len(state.pool), -1, dtype=np.int64)
        clauses = filters_of(state, outcome)
        for place in reversed(range(len(clauses))):
            term = clauses[place].term
            assert term is not None
            clause = ids.setdefault(term.encoding, len(ids))
            if clause == len(masks):
                masks.append(explain.mask(term, state.pool, state.context))
            stage[~masks[clause]] = place
            rows.append((policy, place, clause))
        first.append(stage)
        load = outcome.tenant.workload
        costs.append(load.tokens_in * prices[0] + load.tokens_out * prices[1])
    pairs = [np.flatnonzero(~mask) for mask in masks]
    table = np.array(rows, dtype=np.int32)
    offers = np.arange(len(state.pool), dtype=np.int32)
    return Job(
        {name: table[:, k] for k, name in enumerate(("policy", "place", "clause"))},
        {
            "clause": np.concatenate([np.full(len(pair), k, np.int32) for k, pair in enumerate(pairs)]),
            "offer": np.concatenate(pairs).astype(np.int32),
        },
        {
            "policy": np.repeat(np.arange(len(distinct), dtype=np.int32), len(offers)),
            "offer": np.tile(offers, len(distinct)),
            "cost": np.nan_to_num(np.concatenate(costs), nan=np.inf),
        },
        np.array(first),
        np.array([-1 if o.winner is None else o.winner for o in distinct.values()]),
    )


SQL: Final = """
WITH failed AS (
  SELECT c.policy, f.offer, min(c.place) AS place FROM clauses c JOIN fails f USING (clause) GROUP BY ALL
)
SELECT k.policy, k.offer, coalesce(failed.place, -1) AS place,
  CASE WHEN failed.place IS NULL
    THEN row_number() OVER (PARTITION BY k.policy, failed.place IS NULL ORDER BY k.cost, k.offer) END AS rank
FROM costs k LEFT JOIN failed USING (policy, offer)
"""


def duckdb(work: Job) -> Work:
    """The join in SQL, over tables that DuckDB holds itself, with both cores."""
    peer: Any = import_module("duckdb")
    polars: Any = import_module("polars")
    base = peer.connect()
    for name, columns in (("clauses", work.clauses), ("fails", work.fails), ("costs", work.costs)):
        base.register("given", polars.DataFrame(columns).to_arrow())
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM given")  # noqa: S608 - names of our own

    def run() -> Any:
        return base.execute(SQL).fetchnumpy()

    found = run()
    order = np.lexsort((found["offer"], found["policy"]))
    _same(work, found["place"][order], found["rank"][order])
    return run


def polars(work: Job) -> Work:
    """The same join in Polars' own words, lazily."""
    peer: Any = import_module("polars")
    clauses, fails, costs = (peer.DataFrame(each).lazy() for each in (work.clauses, work.fails, work.costs))
    failed = clauses.join(fails, on="clause").group_by("policy", "offer").agg(peer.col("place").min())
    passes = peer.col("place").is_null()
    ranked = peer.when(passes).then(peer.struct("cost", "offer").rank("ordinal").over(["policy", passes]))
    plan = costs.join(failed, on=["policy", "offer"], how="left").with_columns(ranked.alias("rank"))

    def run() -> Any:
        return plan.collect()

    found = run().sort("policy", "offer")
    _same(work, found["place"].fill_null(-1).to_numpy(), found["rank"].fill_null(0).to_numpy())
    return run


def _same(work: Job, place: NDArray[Any], rank: NDArray[Any]) -> None:
    """Whether a peer found our rules and our winners."""
    shape = work.first.shape
    assert (np.ma.filled(place, -1).reshape(shape) == work.first).all(), "other rules"
    ranks = np.ma.filled(rank, 0).reshape(shape)
    found = np.where((ranks == 1).any(axis=1), (ranks == 1).argmax(axis=1), -1)
    assert (found == work.winners).mean() > 0.99, "other winners"  # a float's tie apart


PEERS: Final[dict[str, Callable[[Job], Work]]] = {"DuckDB": duckdb, "Polars": polars}


def measure() -> list[Table]:
    """One table for the matrix, one for what else is asked of all tenants."""
    rows: list[tuple[Cell, ...]] = []
    more: list[tuple[Cell, ...]] = []
    notes = [f"{name} was skipped: it is not installed" for name in PEERS if find_spec(name.lower()) is None]
    for size in SIZES:
        state = state_of(size)
        evaluation = Evaluator().evaluate(state)
        work = job(evaluation)

        def cells(evaluation: Evaluation = evaluation) -> object:
            matrix = Matrix(evaluation)
            return [matrix.line(tenant) for tenant in matrix.tenants]

        def whole(state: WorkspaceState = state, cells: Callable[[Evaluation], object] = cells) -> object:
            return cells(Evaluator().evaluate(state))

        peers = {name: make(work) for name, make in PEERS.items() if find_spec(name.lower()) is not None}
        took = medians({"cells": cells, "whole": whole, **peers}, passes=2, rounds=3)
        times = [took["whole"] / 1000, took["cells"] / 1000]
        others = [took[name] / 1000 if name in took else None for name in PEERS]
        ratios = [None if other is None else other / times[1] for other in others]
        met = "met" if times[0] <= TARGET_MS else "missed"
        rows.append((float(size), float(len(work.winners)), *times, TARGET_MS, met, *others, *ratios))
        more.append((float(size), *others_of(evaluation)))
    head = ("offers", "distinct policies", "whole ms", "cells ms", "target ms", "", *(f"{name} ms" for name in PEERS))
    head = (*head, *(f"{name} / cells" for name in PEERS))
    asked = ("offers", "a screenful ms", "only differences ms", "CSV ms", "radar ms", "drill ms")
    return [
        Table("matrix", f"Places and rules of {TENANTS:,} tenants", head, tuple(rows), tuple(notes)),
        Table("matrix-more", f"What else is asked of {TENANTS:,} tenants", asked, tuple(more)),
    ]


def others_of(evaluation: Evaluation) -> list[float]:
    """Milliseconds of a screenful of new cells, only differences, CSV, the radar, a drill of all."""
    trouble = Trouble(trouble_of(evaluation.state, ["amazon-bedrock", "azure"]))

    def screenful() -> object:
        found = sheet(Matrix(evaluation), Asked())
        return [found.texts(row)[:12] for row in range(40)]

    known = Matrix(evaluation)
    works: dict[str, Work] = {
        "screenful": screenful,
        "differences": lambda: sheet(Matrix(evaluation), Asked(differences=True)),
        "csv": lambda: as_csv(sheet(known, Asked())),
        "radar": lambda: radar(evaluation),
        "drill": lambda: drill_all(evaluation, trouble),
    }
    return [took / 1000 for took in medians(works, passes=1, rounds=3).values()]


if __name__ == "__main__":
    sys.exit(script(__doc__, measure))
