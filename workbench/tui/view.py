"""What the main screen shows, as one frozen value: the session's state and where the cursors are.

A view computes nothing about decisions; it asks `session.views`, lazily and once. Panels compare what they were given
with what they are given and repaint. Everything here runs without a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from workbench.engine import explain
from workbench.rulebook.clause import Clause
from workbench.session import views
from workbench.session.evaluation import Evaluation, Movement, Outcome
from workbench.session.session import Session
from workbench.session.state import WorkspaceState
from workbench.session.targets import Scope
from workbench.session.views import TenantView, Why
from workbench.session.workspace import BrokenFile
from workbench.tui.draft import Draft


@dataclass(frozen=True)
class Cursors:
    """Where a person is looking."""

    tenant_id: str | None = None
    clause_id: str | None = None
    """A filter clause or a slot's clause."""
    offer: int | None = None
    """The offer that `Why not` is about: a place in the catalog. None follows the winner."""
    pinned: bool = False
    """Whether that offer was picked by name, and stays."""


@dataclass(frozen=True, eq=False)
class View:
    """A session at one moment, seen from one place."""

    evaluation: Evaluation
    """The last good one: a half-typed clause does not replace it."""
    movements: Mapping[str, Movement]
    cursors: Cursors
    broken: tuple[BrokenFile, ...]
    title: str
    dirty: bool
    comparing: bool = False
    """Whether an edit is open."""
    touched: frozenset[str] = frozenset()
    """Tenants that the open edit concerns."""
    stale: str | None = None
    """Why what is shown is not what is typed, in words."""
    filed: WorkspaceState | None = None
    """The state that the files on disk hold, as far as known."""
    elapsed_ms: float | None = None
    """Time of the last evaluation."""
    scope: Scope = "rule"
    """Whom edits of a rule's clauses are for."""
    serving: str = ""
    """Whether there is an endpoint, in two words."""
    serving_ill: bool = False
    """Whether it serves less than one would think."""

    @property
    def state(self) -> WorkspaceState:
        return self.evaluation.state

    @property
    def moved(self) -> int:
        """How many tenants have another winner."""
        return sum(movement.moved for movement in self.movements.values())

    @cached_property
    def outcome(self) -> Outcome | None:
        """The selected tenant's outcome."""
        return self.evaluation.outcomes.get(self.cursors.tenant_id or "")

    @property
    def movement(self) -> Movement | None:
        """The selected tenant's movement."""
        return self.movements.get(self.cursors.tenant_id or "")

    @cached_property
    def tenant(self) -> TenantView | None:
        """The selected tenant's decision, clause by clause."""
        return None if self.outcome is None else views.tenant_view(self.state, self.outcome)

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """What the clause cursor walks over: the filters in shown order, then the slots."""
        if self.tenant is None:
            return ()
        slots = [self.tenant.slots[name] for name in views.SLOTS if name in self.tenant.slots]
        slots = [c for c in slots if c.slot != "transform" or c.origin != "default"]
        return (*(row.clause for row in self.tenant.rows), *slots)

    @cached_property
    def clause(self) -> Clause | None:
        """The selected clause."""
        return next((c for c in self.clauses if c.id == self.cursors.clause_id), None)

    @cached_property
    def offer(self) -> int | None:
        """The offer in question: the one under the cursor or pinned, else the winner."""
        if self.cursors.offer is not None:
            return self.cursors.offer
        return None if self.outcome is None else self.outcome.winner

    @cached_property
    def why(self) -> Why | None:
        """Everything about the offer in question, for the selected tenant."""
        if self.outcome is None or self.offer is None:
            return None
        return views.why(self.state, self.outcome, self.offer)

    def removed_by(self, clause: Clause) -> list[int]:
        """Catalog places of the offers that a filter clause takes by itself."""
        if clause.term is None or clause.slot != "filter":
            return []
        held = explain.mask(clause.term, self.state.pool, self.state.context)
        return [int(place) for place in (~held).nonzero()[0]]

    def at(self, **where: object) -> View:
        """The same moment, seen from another place."""
        return replace(self, cursors=replace(self.cursors, **where))  # pyright: ignore[reportArgumentType] - the names are those of `Cursors`


def view_of(session: Session, cursors: Cursors, draft: Draft | None = None) -> View:
    """The session as it is now, with the edit being typed. Cursors on things that are gone go to their neighbours."""
    evaluation = session.shown
    tenant_id = cursors.tenant_id
    broken = session.workspace.broken
    if tenant_id not in evaluation.outcomes and all(str(each.path) != tenant_id for each in broken):
        tenant_id = next(iter(evaluation.outcomes), None)
    view = View(
        evaluation=evaluation,
        movements=session.movements,
        cursors=replace(cursors, tenant_id=tenant_id),
        broken=broken,
        title=session.workspace.title,
        dirty=session.dirty,
        filed=session.workspace.state,
        comparing=draft is not None,
        touched=frozenset(draft.touched) if draft else frozenset(),
        stale=draft.error_words if draft is not None and draft.error is not None else None,
    )
    if view.clause is None and view.clauses:
        view = view.at(clause_id=view.clauses[0].id)
    return view
