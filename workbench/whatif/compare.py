"""Two to four tenants side by side, or one tenant before and after a change: clause by clause, offer by offer.

Everything is here, the same and the different alike; who shows it leaves out what does not differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from workbench.engine import explain
from workbench.engine.columnar.memory import Mask
from workbench.errors import Finding, UsageError
from workbench.rulebook.schema import WORKLOAD_FIELDS, Fact
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import fallback_rows
from workbench.whatif.alignment import ClauseRow, aligned, clauses_of, filters_of
from workbench.whatif.summary import Summary, summary_of

Fate = Literal["winner", "ranked", "not kept", "rejected", "no policy"]
MOST_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One of the things that are compared."""

    label: str
    state: WorkspaceState
    outcome: Outcome

    @property
    def summary(self) -> Summary:
        """Its figures."""
        return summary_of(self.state, self.outcome)


@dataclass(frozen=True, slots=True)
class Cell:
    """One offer's fate in one column."""

    fate: Fate
    place: int | None = None
    """In the order, from 1."""
    clauses: tuple[str, ...] = ()
    """The ids of the clauses that reject it, in shown order."""

    @property
    def words(self) -> str:
        """`1` for the winner and so on, else what keeps it out."""
        if self.place is not None:
            return f"#{self.place}"
        return f"x {', '.join(self.clauses)}" if self.clauses else self.fate


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer in every column."""

    index: int
    offer: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Whether its fate is not the same everywhere: winner, ranked, not kept, rejected."""
        return len({cell.fate for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One fact, or what happens on one kind of failure, in every column."""

    name: str
    values: tuple[Fact | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the columns do not all have the same value."""
        return len({(type(value), value) for value in self.values}) > 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Columns side by side, in rows."""

    columns: tuple[Column, ...]
    facts: tuple[ValueRow, ...]
    clauses: tuple[ClauseRow, ...]
    offers: tuple[OfferRow, ...]
    """In catalog order."""
    fallback: tuple[ValueRow, ...]
    one_tenant: bool


def tenants_side_by_side(state: WorkspaceState, tenant_ids: Sequence[str], evaluator: Evaluator) -> Comparison:
    """Two to four tenants of one state. Raises `UsageError` for another number, a name twice, or an unknown one."""
    if not 2 <= len(tenant_ids) <= MOST_COLUMNS or len(set(tenant_ids)) != len(tenant_ids):
        said = "a tenant is named twice" if len(set(tenant_ids)) != len(tenant_ids) else f"{len(tenant_ids)} tenants"
        hint = f"name 2 to {MOST_COLUMNS} different tenants, or one with --set, --clause or --rule"
        raise UsageError("nothing to compare", [Finding(f"{said} can't be compared", "usage", hint=hint)])
    columns = [Column(name, state, evaluator.outcome(state, state.tenant(name))) for name in tenant_ids]
    return compare(columns)


def before_and_after(
    before: WorkspaceState, after: WorkspaceState, tenant_id: str, evaluator: Evaluator,
    labels: tuple[str, str] = ("before", "after"),
) -> Comparison:  # fmt: skip
    """One tenant under two states of one catalog."""
    columns = [
        Column(label, state, evaluator.outcome(state, state.tenant(tenant_id)))
        for label, state in zip(labels, (before, after), strict=True)
    ]
    return compare(columns, one_tenant=True)


def compare(columns: Sequence[Column], *, one_tenant: bool = False) -> Comparison:
    """The columns in rows. All are of one catalog."""
    clauses = [clauses_of(column.state, column.outcome) for column in columns]
    return Comparison(
        tuple(columns),
        _fact_rows(columns),
        aligned(clauses, one_tenant=one_tenant),
        _offer_rows(columns),
        _fallback_rows(columns),
        one_tenant,
    )


def _fact_rows(columns: Sequence[Column]) -> tuple[ValueRow, ...]:
    names = dict.fromkeys((*columns[0].state.rulebook.schema.fields, *WORKLOAD_FIELDS))
    held = [column.outcome.tenant.bindings() for column in columns]
    return tuple(ValueRow(name, tuple(facts.get(name) for facts in held)) for name in names)


def _fallback_rows(columns: Sequence[Column]) -> tuple[ValueRow, ...]:
    tables = [dict(fallback_rows(column.state, column.outcome)) for column in columns]
    reasons = dict.fromkeys(reason for table in tables for reason in table)
    return tuple(ValueRow(reason, tuple(table.get(reason) for table in tables)) for reason in reasons)


def _offer_rows(columns: Sequence[Column]) -> tuple[OfferRow, ...]:
    cells = [_cells(column) for column in columns]
    catalog = columns[0].state.catalog
    return tuple(
        OfferRow(index, catalog.offer_id(index), tuple(column[index] for column in cells))
        for index in range(len(catalog.offers))
    )


def _cells(column: Column) -> list[Cell]:
    """Every offer's fate in one column, in catalog order."""
    state, outcome = column.state, column.outcome
    decision = outcome.decision
    if decision is None:
        return [Cell("no policy")] * len(state.pool)
    cells = [Cell("not kept")] * len(state.pool)
    clauses = [(clause.id, clause.term) for clause in filters_of(state, outcome) if clause.term is not None]
    fails: list[Mask] = [~explain.mask(term, state.pool, state.context) for _, term in clauses]
    known: dict[bytes, Cell] = {}
    table = np.array(fails) if fails else np.zeros((0, len(state.pool)), dtype=np.bool_)
    for rejection in decision.rejected:
        pattern = table[:, rejection.index]
        key = pattern.tobytes()
        if key not in known:
            names = tuple(name for (name, _), failed in zip(clauses, pattern, strict=True) if failed)
            known[key] = Cell("rejected", None, names)
        cells[rejection.index] = known[key]
    for place, index in enumerate(decision.order, 1):
        cells[index] = Cell("winner" if place == 1 else "ranked", place)
    return cells
