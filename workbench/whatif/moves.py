"""What a change opens and what it closes: the offers that pass on one side only, and the clauses that say so.

Reads the decisions of both sides and the masks of their clauses; decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine import explain
from workbench.engine.columnar.memory import Mask
from workbench.rulebook.clause import Clause
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.alignment import ClauseRow, aligned, clause_words, clauses_of, filters_of


@dataclass(frozen=True, slots=True)
class Blame:
    """A clause that keeps offers out on one side."""

    clause: Clause
    offers: int
    """How many of the offers that moved it rejects there."""
    only: int
    """How many of them no other clause rejects there."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The offers that pass on one side and not on the other."""

    offers: tuple[int, ...]
    """Catalog places, ascending."""
    by: tuple[Blame, ...]
    """The clauses that reject them on the side where they do not pass, the most effective first."""
    against: tuple[tuple[str, ...], ...]
    """Aligned with `offers`: the ids of those clauses for each."""


NOTHING = Passage((), (), ())


def survivors_of(state: WorkspaceState, outcome: Outcome) -> Mask:
    """Where the catalog's offers pass; nowhere without a policy."""
    passed = np.zeros(len(state.pool), dtype=np.bool_)
    if outcome.decision is not None:
        passed[list(outcome.decision.survivor_indices)] = True
    return passed


def opened_and_closed(
    before: tuple[WorkspaceState, Outcome], after: tuple[WorkspaceState, Outcome]
) -> tuple[Passage, Passage]:
    """What passes after and did not before, and the reverse. Both sides are of one catalog."""
    was, now = survivors_of(*before), survivors_of(*after)
    return _passage(now & ~was, *before), _passage(was & ~now, *after)


def _passage(moved: Mask, state: WorkspaceState, outcome: Outcome) -> Passage:
    indices = np.flatnonzero(moved)
    if not len(indices):
        return NOTHING
    clauses = filters_of(state, outcome)
    fails = [~explain.mask(clause.term, state.pool, state.context)[indices] for clause in clauses if clause.term]
    total = np.zeros(len(indices), dtype=np.int64)
    for failed in fails:
        total += failed
    blames = [
        Blame(clause, int(failed.sum()), int((failed & (total == 1)).sum()))
        for clause, failed in zip(clauses, fails, strict=True)
        if failed.any()
    ]
    blames.sort(key=lambda blame: (-blame.offers, -blame.only))
    against = tuple(
        tuple(clause.id for clause, failed in zip(clauses, fails, strict=True) if failed[k])
        for k in range(len(indices))
    )
    return Passage(tuple(indices.tolist()), tuple(blames), against)


def passage_json(state: WorkspaceState, passage: Passage) -> dict[str, Any]:
    """How many offers moved, by which clauses, and which offers."""
    return {
        "offers_total": len(passage.offers),
        "by": [
            {
                "rule": blame.clause.rule,
                "clause_id": blame.clause.id,
                "clause": blame.clause.shown,
                "offers": blame.offers,
                "only": blame.only,
            }
            for blame in passage.by
        ],
        "offers": [
            {"offer": state.catalog.offer_id(index), "clauses": list(ids)}
            for index, ids in zip(passage.offers, passage.against, strict=True)
        ],
    }


def changed_clauses(
    before: tuple[WorkspaceState, Outcome], after: tuple[WorkspaceState, Outcome]
) -> tuple[ClauseRow, ...]:
    """The clauses of one tenant that are not the same on both sides, in shown order."""
    rows = aligned([clauses_of(*before), clauses_of(*after)], one_tenant=True)
    return tuple(row for row in rows if row.differs)


def clause_change_json(row: ClauseRow) -> dict[str, Any]:
    """One changed clause: `added`, `removed` or `changed`."""
    before, after = row.cells
    return {
        "change": change_word(before, after),
        "slot": row.slot,
        "rule": row.rule,
        "clause_id": row.id,
        "before": clause_words(before),
        "after": clause_words(after),
    }


def change_word(before: Clause | None, after: Clause | None) -> str:
    """`added`, `removed` or `changed`."""
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def named(passage: Passage, state: WorkspaceState) -> Sequence[str]:
    """The ids of the offers that moved."""
    return [state.catalog.offer_id(index) for index in passage.offers]
