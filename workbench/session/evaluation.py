"""Every tenant's outcome under one state of the workspace, and how two such evaluations differ.

Pure: a state goes in, an `Evaluation` comes out. The only thing kept between calls is a cache of decisions, keyed by
all that a decision reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.errors import CompileError, Finding
from workbench.language.admission import Admitted
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.tenant import Tenant, Workload
from workbench.session.state import WorkspaceState

Mark = Literal["", "one provider", "nobody", "error"]
Direction = Literal["same", "dearer", "cheaper", "moved", "lost", "gained"]

SIGNS: dict[Direction, str] = {"same": "=", "dearer": "▲", "cheaper": "▼", "moved": "~", "lost": "x", "gained": "+"}
"""One sign per direction, so that a change is told without colour."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one tenant gets."""

    tenant: Tenant
    compiled: Compiled | None
    """Absent where tenant and rulebook give no policy; `errors` says why."""
    decision: Decision | None
    errors: tuple[Finding, ...]
    winner: int | None
    """The winner's place in the catalog."""
    cost_per_run: float | None
    """USD for one run of the tenant's workload with the winner; None where unknown or nobody."""
    survivors: int
    """Offers that pass every clause, before the selector keeps some."""
    providers: int
    """Different providers among the offers in the fallback order."""

    @property
    def mark(self) -> Mark:
        """A word where the tenant needs a look."""
        if self.compiled is None:
            return "error"
        if self.winner is None:
            return "nobody"
        return "one provider" if self.providers == 1 else ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One tenant's change of winner."""

    direction: Direction
    before: Outcome | None
    after: Outcome

    @property
    def moved(self) -> bool:
        """Whether the winner, or its price, is another one."""
        return self.direction != "same"

    @property
    def sign(self) -> str:
        """`▲` dearer, `▼` cheaper, `~` another winner at the same price, `x` nobody left, `+` somebody again, `=`."""
        return SIGNS[self.direction]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every tenant's outcome under one state, by tenant id in ascending order."""

    state: WorkspaceState
    outcomes: Mapping[str, Outcome]


class Evaluator:
    """Evaluates states; remembers decisions over one population by policy and context. May be used by several threads.

    Two threads may decide the same at once; each gets the decision of its own state.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self._limit = limit
        self._known = _Known(None, None, {})

    def evaluate(self, state: WorkspaceState) -> Evaluation:
        """Compile and decide for every tenant of `state`."""
        return Evaluation(state, {tenant.id: self.outcome(state, tenant) for tenant in state.tenants})

    def outcome(self, state: WorkspaceState, tenant: Tenant) -> Outcome:
        """What `tenant` gets under `state`; a tenant that does not compile has its findings instead of a decision."""
        try:
            compiled = compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
        except CompileError as error:
            return Outcome(tenant, None, None, error.findings, None, None, 0, 0)
        decision, providers = self.decision(state, compiled.policy)
        winner = decision.order[0] if decision.order else None
        cost = None if winner is None else cost_per_run(state.catalog.candidates[winner], tenant.workload)
        return Outcome(tenant, compiled, decision, (), winner, cost, decision.survivors, providers)

    def decision(self, state: WorkspaceState, policy: Admitted) -> tuple[Decision, int]:
        """What `policy` decides over the state's catalog, and how many providers stand in the order."""
        known = self._known  # one object, so that no other thread takes the population from under its decisions
        if known.pool is not state.pool or known.context is not state.context or len(known.decisions) > self._limit:
            known = self._known = _Known(state.pool, state.context, {})
        key = policy.encoding
        found = known.decisions.get(key)
        if found is None:
            decision = decide(policy, state.pool, state.context)
            candidates = state.catalog.candidates
            providers = len({candidates[index]["provider_id"] for index in decision.order})
            found = known.decisions[key] = (decision, providers)
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What was decided, and over what."""

    pool: Pool | None
    context: Context | None
    decisions: dict[str, tuple[Decision, int]]


def cost_per_run(candidate: Mapping[str, object], workload: Workload) -> float | None:
    """USD for one run at the candidate's prices (USD per million tokens); None where one of them is unknown."""
    price_in, price_out = candidate.get("price_in"), candidate.get("price_out")
    if not isinstance(price_in, int | float) or not isinstance(price_out, int | float):
        return None
    return (workload.tokens_in * price_in + workload.tokens_out * price_out) / 1e6


def movement(before: Outcome | None, after: Outcome) -> Movement:
    """How one tenant's winner and cost changed."""
    return Movement(_direction(before, after), before, after)


def _direction(before: Outcome | None, after: Outcome) -> Direction:
    if before is None or (before.winner == after.winner and before.cost_per_run == after.cost_per_run):
        return "same"
    if after.winner is None:
        return "lost"
    if before.winner is None:
        return "gained"
    was, now = before.cost_per_run, after.cost_per_run
    if was is None or now is None or was == now:
        return "moved"
    return "dearer" if now > was else "cheaper"


def movements(before: Evaluation, after: Evaluation) -> dict[str, Movement]:
    """Every tenant's movement between two evaluations, by tenant id; a tenant that is new has not moved."""
    return {key: movement(before.outcomes.get(key), outcome) for key, outcome in after.outcomes.items()}
