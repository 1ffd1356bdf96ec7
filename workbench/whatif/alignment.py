"""Clauses of several policies side by side: the same clause of the same rule stands in the same row.

Aligns by what a clause is (its rule and its place there, its slot, a tenant's own), never by how its text looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.rulebook.clause import Clause
from workbench.rulebook.reader import SLOTS
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import envelope_clause

OFF: Final = "(off)"

Key = tuple[str, str]
"""The slot, and what tells the clause from others of it."""


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """One clause as each of several policies has it."""

    slot: str
    id: str
    rule: str
    """The rule's id; `own`, `default` or `envelope` where it comes from none."""
    title: str
    cells: tuple[Clause | None, ...]
    """One per policy; None where it has no such clause."""

    @property
    def differs(self) -> bool:
        """Whether the policies do not all say the same here."""
        return len({_said(cell) for cell in self.cells}) > 1

    def words(self, column: int) -> str | None:
        """The clause's text in one column; None where it is not there."""
        return clause_words(self.cells[column])


def clause_words(clause: Clause | None) -> str | None:
    """What a clause says, and that it is off where it is."""
    if clause is None:
        return None
    return clause.shown if clause.term is not None else f"{clause.shown} {OFF}"


def clauses_of(state: WorkspaceState, outcome: Outcome) -> tuple[Clause, ...]:
    """Every clause in force: the envelope, the filters in shown order, then rank, select, transform, fallback."""
    if outcome.compiled is None:
        return ()
    slots = outcome.compiled.slots
    return (*envelope_clause(state), *outcome.compiled.clauses, *(slots[slot] for slot in SLOTS[1:]))


def filters_of(state: WorkspaceState, outcome: Outcome) -> tuple[Clause, ...]:
    """The filter clauses that are not off, the envelope among them."""
    return tuple(c for c in clauses_of(state, outcome) if c.slot == "filter" and c.term is not None)


def aligned(columns: Sequence[Sequence[Clause]], *, one_tenant: bool = False) -> tuple[ClauseRow, ...]:
    """The clauses of several policies in rows: filters in shown order, then the slots.

    A tenant's own clauses meet by their text, or by their id where all columns are of `one_tenant`.
    """
    keyed = [_keyed(clauses, one_tenant=one_tenant) for clauses in columns]
    order: list[Key] = []
    for column in keyed:
        last = -1
        for key in column:
            if key in order:
                last = order.index(key)
            else:
                last += 1
                order.insert(last, key)
    places = {str(slot): place for place, slot in enumerate(SLOTS)}
    order.sort(key=lambda key: places[key[0]])
    return tuple(_row(key, [column.get(key) for column in keyed]) for key in order)


def _keyed(clauses: Sequence[Clause], *, one_tenant: bool) -> Mapping[Key, Clause]:
    found: dict[Key, Clause] = {}
    for clause in clauses:
        if clause.slot != "filter":
            name = ""
        elif clause.origin == "own" and not one_tenant:
            name = f"own {clause.shown}"
        else:
            name = clause.id
        while (clause.slot, name) in found:
            name += "+"
        found[clause.slot, name] = clause
    return found


def _row(key: Key, cells: Sequence[Clause | None]) -> ClauseRow:
    first = next(cell for cell in cells if cell is not None)
    rules = dict.fromkeys(cell.rule for cell in cells if cell is not None)
    return ClauseRow(key[0], first.id, " / ".join(rules), first.rule_title, tuple(cells))


def _said(clause: Clause | None) -> str | None:
    if clause is None:
        return None
    return OFF if clause.term is None else clause.term.encoding
