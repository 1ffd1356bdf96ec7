"""A whole run: results and errors in files, the same bytes however often it was stopped, sums that agree."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.worlds import ROWS, batch_of, plan_of, sample
from workbench.errors import WorkspaceError
from workbench.whatif.changes import ClauseText, with_clause
from workbench.whatif.fleet.answer import answer
from workbench.whatif.fleet.arrow import Batch, load, pa
from workbench.whatif.fleet.asked import ask
from workbench.whatif.fleet.deciding.batch import decide_batch
from workbench.whatif.fleet.deciding.rows import decide_rows
from workbench.whatif.fleet.loaded import load as load_base
from workbench.whatif.fleet.plan import FleetPlan
from workbench.whatif.fleet.run import Work, run
from workbench.whatif.fleet.sample import sample_batches
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.sources.parquet import ParquetSource
from workbench.whatif.fleet.totals import Totals

GROUP = 50


def _written(path: Path, batches: list[Batch]) -> ParquetSource:
    load("pyarrow.parquet").write_table(pa.Table.from_batches(batches), path, row_group_size=GROUP)
    return ParquetSource(path)


@pytest.fixture
def source(tmp_path: Path) -> ParquetSource:
    """Ten batches of made-up tenants, two of them unreadable."""
    batch = next(iter(sample_batches(sample(), 10 * GROUP)))
    ids = batch.column(0).to_pylist()
    ids[3], ids[333] = "Not A Name", "=1+1"
    return _written(tmp_path / "tenants.parquet", [batch.set_column(0, "id", pa.array(ids))])


def _sides(floor: str = "0.4") -> tuple[Side, Side]:
    state = sample()
    changed = state.with_rulebook(with_clause(state.rulebook, ClauseText("free-floor", floor)))
    return Side.of(state), Side.of(changed)


def _plan(source: ParquetSource) -> FleetPlan:
    before, after = _sides()
    table = load("pyarrow.parquet").read_table(source.name)
    return plan_of(sample(), table.to_batches()[0], before=before, after=after, by=("plan", "region"))


def _stopping_after(pieces: int) -> Callable[[], bool]:
    seen: list[int] = []

    def stop() -> bool:
        seen.append(1)
        return len(seen) >= pieces

    return stop


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(source: ParquetSource, tmp_path: Path, ending: str) -> None:
    plan = _plan(source)
    whole, halves = tmp_path / f"whole{ending}", tmp_path / f"halves{ending}"
    work = Work(plan, whole, tmp_path / "whole.errors.csv", part_rows=2 * GROUP)
    straight = run(source, work)
    assert not straight.stopped
    again = replace(work, out=halves, errors=tmp_path / "halves.errors.csv", resume=True)
    first = run(source, again, cancelled=_stopping_after(8))
    assert first.stopped
    assert first.kept == tmp_path / f"halves{ending}.parts"
    second = run(source, again, cancelled=_stopping_after(2))
    assert second.stopped
    last = run(source, again)
    assert last.totals.wire() == straight.totals.wire()
    assert halves.read_bytes() == whole.read_bytes()
    assert (tmp_path / "halves.errors.csv").read_bytes() == (tmp_path / "whole.errors.csv").read_bytes()
    assert not list(tmp_path.glob("*.parts"))


def test_parts_of_a_stopped_run_can_be_read(source: ParquetSource, tmp_path: Path) -> None:
    work = Work(_plan(source), tmp_path / "out.parquet", part_rows=2 * GROUP)
    stopped = run(source, work, cancelled=_stopping_after(7))
    assert stopped.kept is not None
    parts = sorted(stopped.kept.glob("part-*.parquet"))
    rows = load("pyarrow.parquet").read_table(parts).num_rows
    assert rows == stopped.totals.rows > 2 * GROUP


def test_a_checkpoint_of_something_else_is_refused(source: ParquetSource, tmp_path: Path) -> None:
    plan = _plan(source)
    work = Work(plan, tmp_path / "out.parquet", part_rows=GROUP, resume=True)
    assert run(source, work, cancelled=_stopping_after(8)).stopped
    with pytest.raises(WorkspaceError, match="nothing to resume"):
        run(source, replace(work, plan=replace(plan, by=("plan",))))
    other = Path(source.name)
    rows = load("pyarrow.parquet").read_table(other)
    load("pyarrow.parquet").write_table(rows.slice(1), other, row_group_size=GROUP)
    with pytest.raises(WorkspaceError, match="nothing to resume"):
        run(ParquetSource(other), work)


def test_a_source_of_other_tenants_is_noticed_where_no_file_says_so(source: ParquetSource, tmp_path: Path) -> None:
    work = Work(_plan(source), tmp_path / "out.parquet", part_rows=GROUP, resume=True)
    assert run(source, work, cancelled=_stopping_after(8)).stopped
    changed = load("pyarrow.parquet").read_table(source.name).slice(1)
    load("pyarrow.parquet").write_table(changed, source.name, row_group_size=GROUP)
    other = ParquetSource(Path(source.name))
    other.stamp = source.stamp
    with pytest.raises(WorkspaceError) as raised:
        run(other, work)
    assert "it has other tenants than the run that was stopped" in str(raised.value)


def test_what_has_no_policy_is_in_the_errors_file(source: ParquetSource, tmp_path: Path) -> None:
    plan = _plan(source)
    errors = tmp_path / "errors.csv"
    result = run(source, Work(plan, None, errors))
    with errors.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["id"]) for row in rows] == [("4", "Not A Name"), ("334", "=1+1")]
    assert rows[0]["reason"] == "`Not A Name` is no tenant id"
    assert result.totals.invalid == 2
    assert [error.row for error in result.totals.errors] == [4, 334]


def test_the_file_says_what_the_sums_say(source: ParquetSource, tmp_path: Path) -> None:
    plan = _plan(source)
    out = tmp_path / "out.parquet"
    totals = run(source, Work(plan, out)).totals
    rows = load("pyarrow.parquet").read_table(out).to_pylist()
    assert len(rows) == totals.rows == 10 * GROUP
    assert sum(row["movement"] != "same" for row in rows) == totals.changed > 0
    after, before = (sum(row[name] or 0.0 for row in rows) for name in ("cost_per_month", "before_cost_per_month"))
    assert isclose(totals.total().after, after)
    assert isclose(totals.total().before, before)
    assert [named.id for named in totals.moved] == [r["id"] for r in rows if r["movement"] not in ("same", "lost")]
    assert len({row["policy"] for row in rows if row["policy"]}) == len(totals.policies)


def test_an_empty_source_gives_an_empty_file(tmp_path: Path) -> None:
    batch = batch_of([{"id": "a", "plan": "free"}]).slice(1)
    source = _written(tmp_path / "none.parquet", [batch])
    out = tmp_path / "out.parquet"
    totals = run(source, Work(plan_of(sample(), batch), out)).totals
    assert totals.rows == 0
    assert load("pyarrow.parquet").read_table(out).num_rows == 0


def _streamed(batch: Batch, plan: FleetPlan) -> Totals:
    totals = Totals.of(plan)
    totals.add(decide_rows(batch, plan), plan, 1)
    return totals


@given(rows=st.lists(ROWS, min_size=1, max_size=12), floor=st.sampled_from(("0.2", "0.4", "0.9")))
def test_a_loaded_base_answers_as_a_run_does(rows: list[dict[str, Any]], floor: str, tmp_path_factory: Any) -> None:
    batch = batch_of(rows)
    before, after = _sides(floor)
    plan = plan_of(sample(), batch, after=after, before=before, by=("plan",))
    source = _written(tmp_path_factory.mktemp("base") / "base.parquet", [batch])
    base = load_base(source, plan)
    for sides in ((after, before), (after.without(frozenset(("azure",))), after), (after, None)):
        asked = replace(plan, after=sides[0], before=sides[1])
        assert _rounded(ask(base, *sides)) == _rounded(_streamed(batch, asked))


def _rounded(totals: Totals) -> dict[str, Any]:
    """Everything that is said, sums to a part in a million and groups in order."""
    wire = totals.wire()
    wire["groups"] = sorted(
        [value if not isinstance(value, float) else float(f"{value:.6g}") for value in group]
        for group in wire["groups"]
    )
    wire["policies"] = len(wire["policies"])
    return wire


def test_checkpoints_keep_sums_to_the_bit(source: ParquetSource) -> None:
    totals = run(source, Work(_plan(source))).totals
    assert Totals.read(json.loads(json.dumps(totals.wire()))).wire() == totals.wire()


def test_movements_are_those_of_the_workspace(source: ParquetSource) -> None:
    plan = _plan(source)
    totals = run(source, Work(plan)).totals
    report = answer(totals, source="base")
    moved = report.document["movements"]
    assert {row["direction"] for row in moved} <= {"dearer", "cheaper", "moved", "lost", "gained"}
    assert sum(row["tenants"] for row in moved) == report.document["changed"] == totals.changed
    decided = decide_batch(load("pyarrow.parquet").read_table(source.name).combine_chunks().to_batches()[0], plan)
    for row in decided.to_pylist():
        if row["movement"] == "same":
            assert (row["winner"], row["cost_per_run"]) == (row["before_winner"], row["before_cost_per_run"])
        elif row["movement"] in ("dearer", "cheaper"):
            assert (row["cost_per_run"] > row["before_cost_per_run"]) == (row["movement"] == "dearer")
