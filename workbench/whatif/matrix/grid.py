"""Every tenant beside every offer: where the offer stands for the tenant, or the rule that says no.

Decides nothing: ranks are those of the evaluation's decisions, rules those of the clauses' own masks. A row is worked
out when it is first looked at, once for all tenants that have the same policy from the same rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.engine import explain
from workbench.rulebook.compile import Clause
from workbench.session.evaluation import Evaluation, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import envelope_clause
from workbench.whatif.matrix.axis import Axis, By, axis

Codes = NDArray[np.int32]
Offers = NDArray[np.intp]
Kind = Literal["winner", "ranked", "not kept", "rejected", "no policy"]

NOT_KEPT: Final = 0
NO_POLICY: Final = np.iinfo(np.int32).min
_KEPT: Final = 1 << 40
"""More than any place or stage: what stands in the order comes before what does not."""
_PASSED: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Cell:
    """One tenant's verdict on one column."""

    kind: Kind
    place: int | None
    """The best place that an offer of the column has in the tenant's order; 1 is the winner."""
    rule: str | None
    """Where every offer of the column is rejected: the rule that turns the last of them away."""
    offer: int | None
    """The offer that the cell is about: the best placed, else the one that came farthest; None without a policy."""

    @property
    def text(self) -> str:
        """The cell in a word: the place, the rule, `not kept` where the selector keeps none, `no policy`."""
        if self.place is not None:
            return str(self.place)
        return self.rule or self.kind


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """The cells of one tenant as numbers, aligned with the columns."""

    codes: Codes
    """A place from 1; 0 where the selector keeps none; below 0 the rule `rules[-1 - code]`; or `NO_POLICY`."""
    offers: Offers
    """The offer that each cell is about; -1 without a policy."""


class Matrix:
    """The cells of one evaluation by one kind of column."""

    def __init__(self, evaluation: Evaluation, by: By = "offer") -> None:
        self.evaluation = evaluation
        self.axis: Axis = axis(evaluation.state.catalog, by)
        self.tenants: tuple[str, ...] = tuple(evaluation.outcomes)
        """Ids in ascending order."""
        self.rules: list[str] = []
        """Names of the rules that were met so far, by code."""
        self._codes: dict[str, int] = {}
        self._lines: dict[object, Line] = {}
        self._keys: dict[str, object] = {}

    @property
    def state(self) -> WorkspaceState:
        """What was evaluated."""
        return self.evaluation.state

    def outcome(self, tenant: str) -> Outcome:
        """What a tenant gets."""
        return self.evaluation.outcomes[tenant]

    def line(self, tenant: str) -> Line:
        """A tenant's cells; the same object for tenants of the same policy and rules."""
        key = self.kin(tenant)
        known = self._lines.get(key)
        if known is None:
            known = self._lines[key] = self._made(self.outcome(tenant))
        return known

    def kin(self, tenant: str) -> object:
        """What two tenants have in common exactly if their policy and the rules behind it are the same."""
        known = self._keys.get(tenant)
        if known is None:
            known = self._keys[tenant] = _key(self.outcome(tenant))
        return known

    def cell(self, tenant: str, column: int) -> Cell:
        """One cell."""
        line = self.line(tenant)
        return self._cell(int(line.codes[column]), int(line.offers[column]))

    def cells(self, tenant: str, columns: Sequence[int]) -> list[Cell]:
        """A tenant's cells in these columns."""
        line = self.line(tenant)
        return [self._cell(int(line.codes[column]), int(line.offers[column])) for column in columns]

    def words(self, code: int) -> str:
        """What a cell of this code says."""
        return self._cell(code, 0).text

    def texts(self, codes: Codes) -> list[str]:
        """What cells of these codes say, much faster than one by one."""
        distinct, at = np.unique(codes, return_inverse=True)
        said = [self.words(code) for code in distinct.tolist()]
        return [said[place] for place in at.tolist()]

    def _cell(self, code: int, offer: int) -> Cell:
        if code == NO_POLICY:
            return Cell("no policy", None, None, None)
        if code > 0:
            return Cell("winner" if code == 1 else "ranked", code, None, offer)
        if code == NOT_KEPT:
            return Cell("not kept", None, None, offer)
        return Cell("rejected", None, self.rules[-1 - code], offer)

    # how often each column is chosen, without looking at a single cell

    def wins(self) -> Offers:
        """Per column, how many tenants it wins."""
        winners = [outcome.winner for outcome in self.evaluation.outcomes.values() if outcome.winner is not None]
        return np.bincount(self.axis.of_offer[winners], minlength=len(self.axis.names))

    def admitted(self) -> Offers:
        """Per column, how many tenants have an offer of it that passes their filter."""
        found = np.zeros(len(self.axis.names), dtype=np.intp)
        for outcome, times in self._counted():
            if outcome.decision is not None:
                columns = self.axis.of_offer[list(outcome.decision.survivor_indices)]
                found[np.unique(columns)] += times
        return found

    def _counted(self) -> Iterator[tuple[Outcome, int]]:
        """An outcome of every distinct decision, and how many tenants have that one."""
        first: dict[int, Outcome] = {}
        times: dict[int, int] = {}
        for outcome in self.evaluation.outcomes.values():
            first.setdefault(id(outcome.decision), outcome)
            times[id(outcome.decision)] = times.get(id(outcome.decision), 0) + 1
        return ((outcome, times[key]) for key, outcome in first.items())

    # making a line

    def _made(self, outcome: Outcome) -> Line:
        columns = len(self.axis.names)
        if outcome.decision is None or outcome.compiled is None:
            return Line(np.full(columns, NO_POLICY, np.int32), np.full(columns, -1, np.intp))
        codes, merit = self._by_offer(outcome)
        if self.axis.by == "offer":
            return Line(codes, np.arange(columns, dtype=np.intp))
        order, starts = self.axis.grouped
        count = len(order) + 1
        best = np.maximum.reduceat(merit[order] * count + (count - 1 - order), starts)
        chosen = count - 1 - best % count
        return Line(codes[chosen], chosen)

    def _by_offer(self, outcome: Outcome) -> tuple[Codes, NDArray[np.int64]]:
        """Each offer's code, and a number that is the greater the farther the offer came."""
        state, decision = self.state, outcome.decision
        assert decision is not None  # noqa: S101 - `_made` has looked
        clauses = filters_of(state, outcome)
        stage = np.full(len(state.pool), len(clauses), dtype=np.int64)
        for place in reversed(range(len(clauses))):
            term = clauses[place].term
            if term is not None:
                stage[~explain.mask(term, state.pool, state.context)] = place
        names = [*(self._code(clause.rule) for clause in clauses), NOT_KEPT]
        codes = np.array(names, dtype=np.int32)[stage]
        merit = np.where(stage == len(clauses), _PASSED, stage)
        places = np.arange(1, len(decision.order_array) + 1)
        codes[decision.order_array] = places
        merit[decision.order_array] = _KEPT - places
        return codes, merit

    def _code(self, rule: str) -> int:
        known = self._codes.get(rule)
        if known is None:
            known = self._codes[rule] = -1 - len(self.rules)
            self.rules.append(rule)
        return known


def filters_of(state: WorkspaceState, outcome: Outcome) -> list[Clause]:
    """The filter clauses in force for a tenant, the workspace's envelope first, in shown order."""
    own = () if outcome.compiled is None else outcome.compiled.clauses
    clauses = (*envelope_clause(state), *own)
    return [clause for clause in clauses if clause.slot == "filter" and clause.term is not None]


def _key(outcome: Outcome) -> object:
    if outcome.compiled is None:
        return None
    filters = (
        (clause.rule, clause.term.encoding)
        for clause in outcome.compiled.clauses
        if clause.slot == "filter" and clause.term is not None
    )
    return (outcome.compiled.policy.encoding, *filters)


def rule_titles(evaluation: Evaluation) -> Mapping[str, str]:
    """Every rule that may stand in a cell, by short name, with its title; in order of first appearance."""
    found: dict[str, str] = {}
    for outcome in evaluation.outcomes.values():
        for clause in filters_of(evaluation.state, outcome):
            found.setdefault(clause.rule, clause.rule_title)
    return found
