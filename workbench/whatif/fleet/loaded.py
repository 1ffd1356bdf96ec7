"""A tenant base held as codes and numbers, so that a change is decided and summed in a few milliseconds.

Some forty bytes per tenant: no tenant is an object. Tenants of equal facts and equal tokens stand for each other, so a
question costs one decision per such group, and no pass over the tenants but to name some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.rulebook.schema import WORKLOAD_FIELDS, TenantField
from workbench.whatif.fleet.arrow import Array, pa
from workbench.whatif.fleet.deciding.cells import key_of
from workbench.whatif.fleet.deciding.checks import field_of, judge_of_field
from workbench.whatif.fleet.deciding.combine import combine
from workbench.whatif.fleet.deciding.judge import Key, key_of_facts
from workbench.whatif.fleet.deciding.rows import (
    BatchCells,
)
from workbench.whatif.fleet.plan import ID, FleetPlan
from workbench.whatif.fleet.run import Progress, wanted_of
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.sources.base import Source

Ints = NDArray[np.int64]
Small = NDArray[np.int32]
_TOKENS: Final = WORKLOAD_FIELDS[:2]
_RUNS: Final = WORKLOAD_FIELDS[2]
WRONG: Final = "#id"
"""The column that says whether a row's id is none."""


@dataclass(slots=True)
class _Growing:
    """One column while it is read: codes batch by batch, into values that all batches share."""

    codes: list[Small] = field(default_factory=list[Small])
    values: list[Any] = field(default_factory=list[Any])
    places: dict[Any, int] = field(default_factory=dict[Any, int])

    def add(self, codes: Ints, values: Sequence[Any]) -> None:
        """Take a batch's codes in."""
        table = np.empty(max(len(values), 1), dtype=np.int32)
        for place, value in enumerate(values):
            key = key_of(value)
            known = self.places.get(key)
            if known is None:
                known = self.places[key] = len(self.values)
                self.values.append(value)
            table[place] = known
        self.codes.append(table[codes])


Segments = tuple[tuple[tuple[str, ...], ...], Ints]
"""The distinct segments, and each group's place among them."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Tenants that stand for each other under some questions."""

    codes: Ints
    """For each tenant its group."""
    facts: list[dict[str, Any]]
    """Of each group, the raw facts."""
    keys: list[Key]
    """What those are remembered by."""
    bad: NDArray[np.bool_]
    """Groups whose ids are none."""
    tenants: Ints
    runs: NDArray[np.float64]
    """Runs per month of all tenants of a group; those of whom it is not known add nothing."""
    unknown: Ints
    """Tenants whose runs are not known."""
    segments: dict[tuple[str, ...], Segments] = field(default_factory=dict[tuple[str, ...], "Segments"])
    """By the fields that make them."""


@dataclass(slots=True)
class Base:
    """A tenant base that was read to its end, or to where it was stopped."""

    name: str
    plan: FleetPlan
    ids: Array
    columns: Mapping[str, tuple[Small, list[Any]]]
    runs: NDArray[np.float64]
    wrong: Mapping[int, str]
    """Rows whose id is none, and why; from 0."""
    broken: tuple[tuple[int, str], ...]
    """Rows that were no rows."""
    firsts: tuple[tuple[int, int], ...]
    """Where the numbering of rows jumps: a row from 0, and its number in the source."""
    stopped: bool = False
    _grouped: dict[frozenset[str], Groups] = field(default_factory=dict[frozenset[str], Groups])
    _refused: dict[tuple[str, TenantField | None], bool] = field(
        default_factory=dict[tuple[str, "TenantField | None"], bool]
    )

    def __len__(self) -> int:
        return len(self.ids)

    def groups(self, names: frozenset[str]) -> Groups:
        """The groups of tenants that are alike in these columns; the last few are remembered."""
        known = self._grouped.get(names)
        if known is None:
            while len(self._grouped) >= 4:
                self._grouped.pop(next(iter(self._grouped)))
            known = self._grouped[names] = self._group(names)
        return known

    def _group(self, names: frozenset[str]) -> Groups:
        used = [name for name in self.columns if name in names]
        columns = [(self.columns[name][0].astype(np.int64), len(self.columns[name][1])) for name in used]
        found = combine(columns, len(self))
        count = len(found.first)
        values = [[self.columns[n][1][code] for code in self.columns[n][0][found.first].tolist()] for n in used]
        nothing: list[dict[str, Any]] = [{} for _ in range(count)]
        raw = [dict(zip(used, row, strict=True)) for row in zip(*values, strict=True)] if used else nothing
        facts = [{name: value for name, value in each.items() if name != WRONG} for each in raw]
        unknown = np.isnan(self.runs)
        runs = np.bincount(found.codes, np.where(unknown, 0.0, self.runs), count).astype(np.float64)
        return Groups(
            found.codes,
            facts,
            [key_of_facts(each) for each in facts],
            np.array([bool(each.get(WRONG)) for each in raw], dtype=np.bool_),
            np.bincount(found.codes, minlength=count),
            runs,
            np.bincount(found.codes, unknown, count).astype(np.int64),
        )

    def refuses(self, name: str, side: Side) -> bool:
        """Whether a side refuses some value of a column."""
        key = (name, field_of(name, side))
        known = self._refused.get(key)
        if known is None:
            fits = judge_of_field(name, side)
            values = self.columns[name][1]
            known = fits is not None and any(value is not None and not fits(value) for value in values)
            self._refused[key] = known
        return known

    def number(self, row: int) -> int:
        """The number in the source of a row that is counted from 0 here."""
        place, number = max(jump for jump in self.firsts if jump[0] <= row)
        return number + row - place


def load(
    source: Source, plan: FleetPlan, *, progress: Progress | None = None, cancelled: Callable[[], bool] = lambda: False
) -> Base:
    """Read a whole source. Raises as the source does; stopped between batches it is a base of so many rows."""
    growing: dict[str, _Growing] = {}
    ids: list[Array] = []
    runs: list[NDArray[np.float64]] = []
    wrong: dict[int, str] = {}
    broken: list[tuple[int, str]] = []
    firsts: list[tuple[int, int]] = []
    rows, stopped = 0, False
    with closing(_closable(source.pieces(wanted_of(plan)))) as pieces:
        for piece in pieces:
            cells = BatchCells.of(piece.batch, plan)
            for name, codes, values in _columns(cells, plan):
                growing.setdefault(name, _Growing()).add(codes, values)
            texts, bad = cells.ids()
            ids.append(texts)
            wrong.update({rows + row: reason for row, reason in bad.items()})
            mark = np.zeros(cells.rows, dtype=np.int64)
            mark[list(bad)] = 1
            growing.setdefault(WRONG, _Growing()).add(mark, [False, True])
            runs.append(cells.numbers(_RUNS, plan.after, plan.workload.runs_per_month))
            broken += [(each.row, each.reason) for each in piece.broken]
            firsts.append((rows, piece.first))
            rows += cells.rows
            if progress is not None:
                progress(rows, piece.done)
            if cancelled():
                stopped = True
                break
    columns = {name: (np.concatenate(each.codes), each.values) for name, each in growing.items()}
    return Base(
        source.name, plan, pa.concat_arrays(ids) if ids else pa.array([], pa.string()), columns,
        np.concatenate(runs) if runs else np.zeros(0), wrong, tuple(broken), tuple(firsts), stopped,
    )  # fmt: skip


def _closable(pieces: Any) -> Any:
    return pieces if hasattr(pieces, "close") else (piece for piece in pieces)


def _columns(cells: BatchCells, plan: FleetPlan) -> Any:
    """Every column that some question might look at; of the runs, only what no tenant may have."""
    for name in cells.arrays:
        if name == ID:
            continue
        known = cells.unfit(name, (plan.after,)) if name in (_RUNS, "title", "note") else cells.coded(name, plan.after)
        if known is not None:
            yield name, known.codes, known.values
        else:
            yield name, np.zeros(cells.rows, dtype=np.int64), [None]
