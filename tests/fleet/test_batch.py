"""A fleet's row and a tenant's file get the same decision and the same reasons, however odd the tenant."""

from __future__ import annotations

import math
import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.worlds import ROWS, Expected, batch_of, expected, plan_of, sample
from workbench.boundary.sanitiser import one_line
from workbench.whatif.changes import ClauseText, with_clause
from workbench.whatif.fleet.arrow import pa
from workbench.whatif.fleet.deciding.batch import decide_batch, result_schema
from workbench.whatif.fleet.side import Side

_PLAIN: dict[str, Any] = {
    "id": "a", "plan": "free", "region": "us", "data_class": "public", "dpa_signed": True, "vip_support": False,
    "no_log": False,
}  # fmt: skip


def _found(row: dict[str, Any]) -> Expected:
    reasons = tuple(row["errors"] or ())
    assert row["error"] == (reasons[0] if reasons else None)
    return Expected(row["winner"], row["cost_per_run"], row["survivors"], row["providers"], row["policy"], reasons)


@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_a_row_is_decided_as_its_file_would_be(rows: list[dict[str, Any]]) -> None:
    batch = batch_of(rows)
    decided = decide_batch(batch, plan_of(sample(), batch)).to_pylist()
    assert [_found(row) for row in decided] == [expected(row, sample()) for row in rows]
    for row, found in zip(rows, decided, strict=True):
        assert found["id"] == (one_line(row["id"], limit=200) if found["errors"] else row["id"])
        runs = row.get("runs_per_month")
        if found["winner"] is None or found["cost_per_run"] is None or runs is None:
            assert found["cost_per_month"] is None
        else:
            assert found["cost_per_month"] == found["cost_per_run"] * runs


CHANGES = (
    ClauseText("free-floor", "0.4"),
    ClauseText("eu-residency", None),
    ClauseText("vip-floor.when", "plan = vip or data_class = health"),
    ClauseText("contract-floor", "bench_intelligence >= $quality_floor and context >= 100000"),
    ClauseText("default.rank", "cheapest by price_out"),
    ClauseText("free-answers.transform", "unchanged"),
)


@given(rows=st.lists(ROWS, min_size=1, max_size=8), changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
def test_another_rulebook_decides_as_its_files_would(rows: list[dict[str, Any]], changes: list[ClauseText]) -> None:
    """Judges of rulebooks that differ little share what they know; what they share must be true of both."""
    state, batch = sample(), batch_of(rows)
    for change in changes:
        state = state.with_rulebook(with_clause(state.rulebook, change))
        plan = plan_of(sample(), batch, after=Side.of(state), before=Side.of(sample()))
        found = [_found(row) for row in decide_batch(batch, plan).to_pylist()]
        assert found == [expected(row, state) for row in rows]


@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_a_plan_means_the_same_in_another_process(rows: list[dict[str, Any]]) -> None:
    batch = batch_of(rows)
    plan = plan_of(sample(), batch, by=("plan", "region"))
    sent = pickle.loads(pickle.dumps(plan))  # noqa: S301 - our own bytes
    assert decide_batch(batch, sent).equals(decide_batch(batch, plan))


@given(rows=st.lists(ROWS, min_size=2, max_size=8), cut=st.integers(0, 7))
def test_how_rows_are_cut_into_batches_changes_nothing(rows: list[dict[str, Any]], cut: int) -> None:
    batch = batch_of(rows)
    plan = plan_of(sample(), batch, by=("plan",))
    cut = min(cut, len(rows))
    halves = [decide_batch(part, plan).to_pylist() for part in (batch.slice(0, cut), batch.slice(cut))]
    assert halves[0] + halves[1] == decide_batch(batch, plan).to_pylist()


def test_dictionaries_and_whole_numbers_are_read_like_plain_columns() -> None:
    rows = [{**_PLAIN, "id": str(k), "plan": plan} for k, plan in enumerate(("free", "trial", None, "gold"))]
    plain = batch_of(rows)
    odd = plain.set_column(1, "plan", plain.column(1).dictionary_encode()).set_column(0, "id", pa.array([0, 1, 2, 3]))
    assert decide_batch(odd, plan_of(sample(), odd)).equals(decide_batch(plain, plan_of(sample(), plain)))


def test_a_price_that_is_not_known_costs_nothing_that_anybody_could_add() -> None:
    batch = batch_of([_PLAIN])
    row = decide_batch(batch, plan_of(sample(), batch)).to_pylist()[0]
    assert row["cost_per_month"] is None
    assert math.isfinite(row["cost_per_run"])


def test_an_empty_batch_has_the_schema_of_every_other() -> None:
    batch = batch_of([{"id": "a", "plan": "free"}]).slice(1)
    plan = plan_of(sample(), batch, by=("plan",))
    assert decide_batch(batch, plan).schema.equals(result_schema(plan))
    assert decide_batch(batch, plan).num_rows == 0
