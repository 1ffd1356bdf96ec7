"""A batch of tenants decided: for each row the winner, its cost and its movement, as arrays; nothing of Arrow's output.

The facts that matter are combined to their distinct combinations; each is judged once; the answers are spread over the
rows again. What a month costs is the product of arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, UsageError
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.rulebook.tenant import Workload
from workbench.whatif.fleet.arrow import Array, Batch, pa
from workbench.whatif.fleet.deciding.cells import CELLS, Coded, coded, numbers
from workbench.whatif.fleet.deciding.checks import kind_of_field, unfit
from workbench.whatif.fleet.deciding.combine import Combined, combine
from workbench.whatif.fleet.deciding.ids import texts
from workbench.whatif.fleet.deciding.judge import Judge, Verdict
from workbench.whatif.fleet.plan import ID, Column, FleetPlan
from workbench.whatif.fleet.side import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOVEMENTS: Final = ("same", "dearer", "cheaper", "moved", "lost", "gained")
"""As `session.evaluation` names them; a row's movement is a place in this list."""
SAME, DEARER, CHEAPER, MOVED, LOST, GAINED = range(6)
UNSTATED: Final = "?"


@dataclass(frozen=True, slots=True)
class SideRows:
    """What one side says of every row. Costs in USD, NaN where unknown or nobody."""

    winner: Ints
    """Places in the side's catalog, -1 for nobody."""
    survivors: Ints
    providers: Ints
    cost_per_run: Floats
    cost_per_month: Floats
    verdicts: tuple[Verdict, ...]
    """By combination."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch of tenants decided."""

    ids: Array
    combined: Combined
    after: SideRows
    before: SideRows | None
    movement: NDArray[np.int8] | None
    segments: tuple[tuple[str, ...], ...]
    """The distinct segments of this batch."""
    segment: Ints
    """For each row the place of its segment."""
    errors: Mapping[int, tuple[str, ...]]
    """By row, in ascending order: every reason why the world after gives it no policy."""
    errors_before: Mapping[int, tuple[str, ...]]
    assumed_no_log: int
    """Rows that do not say `no_log = false` or `true`, and are treated as no_log."""


_JUDGES: Final[dict[tuple[int, Workload], Judge]] = {}
_MOST_JUDGES: Final = 8
_LOCK: Final = threading.Lock()


def judge_of(side: Side, workload: Workload) -> Judge:
    """The judge of a side in this process, with all that it has decided so far."""
    key = (id(side), workload)
    with _LOCK:
        known = _JUDGES.get(key)
        if known is None or known.side is not side:
            known = Judge(side, workload, list(_JUDGES.values()))
            _JUDGES.pop(key, None)
            while len(_JUDGES) >= _MOST_JUDGES:
                _JUDGES.pop(next(iter(_JUDGES)))
            _JUDGES[key] = known
        return known


@dataclass(frozen=True, slots=True)
class BatchCells:
    """The columns of one batch that are looked at, by field."""

    arrays: Mapping[str, tuple[Array, Column]]
    as_json: bool
    rows: int

    @classmethod
    def of(cls, batch: Batch, plan: FleetPlan) -> BatchCells:
        """Raises `UsageError` where the batch lacks a column of the plan."""
        names = batch.schema.names
        lacking = [column.name for column in plan.columns if column.name not in names]
        if lacking:
            findings = [Finding(f"the batch has no column `{name}`", "unknown_column") for name in lacking]
            raise UsageError("a batch does not fit its plan", findings)
        arrays = {column.field: (batch.column(names.index(column.name)), column) for column in plan.columns}
        metadata: Mapping[bytes, bytes] = batch.schema.metadata or {}
        return cls(arrays, metadata.get(CELLS) == b"json", batch.num_rows)

    def ids(self) -> tuple[Array, dict[int, str]]:
        """The ids as texts, and, by row, why some are none."""
        array, column = self.arrays[ID]
        return texts(array, column, as_json=self.as_json)

    def coded(self, field: str, side: Side) -> Coded | None:
        """The codes of a field's column; None where no column holds it."""
        known = self.arrays.get(field)
        if known is None:
            return None
        array, column = known
        return coded(array, column, kind_of_field(field, side), as_json=self.as_json)

    def unfit(self, field: str, sides: Sequence[Side]) -> Coded | None:
        """The values of a field's column that a side refuses."""
        array, column = self.arrays[field]
        found = [unfit(array, column, side, as_json=self.as_json) for side in sides]
        bad = [cells for cells in found if cells is not None]
        if len(bad) < 2 or sides[0].rulebook.schema.fields.get(field) == sides[-1].rulebook.schema.fields.get(field):
            return bad[0] if bad else None
        return self.coded(field, sides[-1])

    def numbers(self, field: str, side: Side, default: float | None) -> Floats:
        """A workload's column as doubles, NaN where nothing is stated anywhere."""
        missing = np.nan if default is None else float(default)
        if field in side.facts:
            value = side.facts[field]
            return np.full(self.rows, missing if value is None else float(value))
        known = self.arrays.get(field)
        if known is None:
            return np.full(self.rows, missing)
        return numbers(*known, default, as_json=self.as_json)


def decide_rows(batch: Batch, plan: FleetPlan) -> Decided:
    """Decide every tenant of a batch. Raises `UsageError` where a column of the plan is not there."""
    cells = BatchCells.of(batch, plan)
    looked = _looked_at(cells, plan)
    combined = combine([(each.codes, len(each.values)) for each in looked.values()], cells.rows)
    raw = _raw_facts(looked, combined)
    ids, wrong = cells.ids()
    sides = [_decide_side(side, cells, plan, raw, combined, wrong) for side in plan.sides]
    after, before = sides[-1], sides[0] if len(sides) == 2 else None
    segments, of_combination = segments_of(plan, raw)
    assumed = np.array([verdict.assumed_no_log for verdict in after.verdicts] or [False], dtype=np.bool_)
    return Decided(
        ids,
        combined,
        after,
        before,
        None if before is None or plan.before is None else _movement(plan.before, before, plan.after, after),
        segments,
        of_combination[combined.codes],
        _errors(plan.after, plan, after, ids, wrong, combined, raw),
        {} if before is None or plan.before is None else _errors(plan.before, plan, before, ids, wrong, combined, raw),
        int(np.count_nonzero(assumed[combined.codes])),
    )


def _looked_at(cells: BatchCells, plan: FleetPlan) -> dict[str, Coded]:
    """The columns whose combinations are judged: what decisions read, and what no tenant may have."""
    found: dict[str, Coded] = {}
    for field in cells.arrays:
        if field == ID:
            continue
        known = cells.coded(field, plan.after) if field in plan.reads else cells.unfit(field, plan.sides)
        if known is not None:
            found[field] = known
    return found


def _raw_facts(looked: Mapping[str, Coded], combined: Combined) -> list[dict[str, Any]]:
    """The raw facts of each combination."""
    columns = [[known.values[code] for code in known.codes[combined.first].tolist()] for known in looked.values()]
    if not columns:
        return [{} for _ in combined.first]
    names = tuple(looked)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _decide_side(
    side: Side, cells: BatchCells, plan: FleetPlan, raw: Sequence[Mapping[str, Any]], combined: Combined,
    wrong: Mapping[int, str],
) -> SideRows:  # fmt: skip
    judge = judge_of(side, plan.workload)
    verdicts = tuple(judge.verdict(facts) for facts in raw)
    table = np.array(
        [(verdict.winner, verdict.survivors, verdict.providers) for verdict in verdicts] or [(-1, 0, 0)], dtype=np.int64
    )
    winner, survivors, providers = (np.ascontiguousarray(column)[combined.codes] for column in table.T)
    for row in wrong:
        winner[row], survivors[row], providers[row] = -1, 0, 0
    tokens_in, tokens_out, runs = (
        cells.numbers(name, side, default)
        for name, default in zip(
            WORKLOAD_FIELDS,
            (plan.workload.tokens_in, plan.workload.tokens_out, plan.workload.runs_per_month),
            strict=True,
        )
    )
    price_in, price_out = prices(side)
    run = (tokens_in * price_in[winner] + tokens_out * price_out[winner]) / 1e6
    return SideRows(winner, survivors, providers, run, run * runs, verdicts)


@lru_cache(maxsize=8)
def prices(side: Side) -> tuple[Floats, Floats]:
    """USD per million tokens of every offer, in and out; unknown is NaN, and so is what stands at -1 for nobody."""

    def column(name: str) -> Floats:
        found = [candidate.get(name) for candidate in side.catalog.candidates]
        known = [float(price) if isinstance(price, int | float) else np.nan for price in found]
        return np.array([*known, np.nan], dtype=np.float64)

    return column("price_in"), column("price_out")


def segments_of(plan: FleetPlan, raw: Sequence[Mapping[str, Any]]) -> tuple[tuple[tuple[str, ...], ...], Ints]:
    """The distinct segments, and each combination's place among them."""
    fields = plan.after.rulebook.schema.fields
    places: dict[tuple[str, ...], int] = {}
    found = np.zeros(max(len(raw), 1), dtype=np.int64)
    for place, facts in enumerate(raw):
        label = tuple(_label(facts.get(name), fields[name].default) for name in plan.by)
        found[place] = places.setdefault(label, len(places))
    return tuple(places) or (("",) * len(plan.by),), found


def _label(value: object, default: object) -> str:
    if value is None:
        value = default
    if value is None:
        return UNSTATED
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.12g}"
    return one_line(str(value), limit=80)


@lru_cache(maxsize=8)
def offer_places(before: Side, after: Side) -> Ints:
    """Where each offer of one catalog stands in another; one that is not there has a place of its own below -1."""
    places = {name: place for place, name in enumerate(after.catalog.offer_ids)}
    found = [places.get(name, -2 - place) for place, name in enumerate(before.catalog.offer_ids)]
    return np.array([*found, -1], dtype=np.int64)


def _movement(
    before: Side, was: SideRows, after: Side, now: SideRows
) -> NDArray[np.int8]:  # mirrors `session.evaluation.movement`, which a test holds it to
    here = offer_places(before, after)[was.winner]
    old, new = was.cost_per_run, now.cost_per_run
    unknown = np.isnan(old) | np.isnan(new)
    equal = (old == new) | (np.isnan(old) & np.isnan(new))
    found = np.where(new > old, DEARER, CHEAPER).astype(np.int8)
    found[unknown | (old == new)] = MOVED
    found[was.winner < 0] = GAINED
    found[now.winner < 0] = LOST
    found[(here == now.winner) & equal] = SAME
    return found


def _errors(
    side: Side, plan: FleetPlan, decided: SideRows, ids: Array, wrong: Mapping[int, str], combined: Combined,
    raw: Sequence[Mapping[str, Any]],
) -> dict[int, tuple[str, ...]]:  # fmt: skip
    """Every reason of every row that gets no policy."""
    failed = np.array([bool(verdict.reasons) for verdict in decided.verdicts] or [False], dtype=np.bool_)
    rows: list[int] = np.flatnonzero(failed[combined.codes]).tolist() if failed.any() else []
    codes: list[int] = combined.codes[rows].tolist()
    judge = judge_of(side, plan.workload)
    found: dict[int, tuple[str, ...]] = {row: (reason,) for row, reason in wrong.items()}
    for row, tenant_id, code in zip(rows, _ids_at(ids, rows), codes, strict=True):
        verdict = decided.verdicts[code]
        if row not in wrong:
            found[row] = judge.reasons(raw[code], verdict, tenant_id or "")
        elif verdict.unreadable:
            found[row] = (*found[row], *verdict.reasons)
    return dict(sorted(found.items()))


def _ids_at(ids: Array, rows: list[int]) -> list[str | None]:
    return ids.take(pa.array(rows, pa.int64())).to_pylist() if rows else []
