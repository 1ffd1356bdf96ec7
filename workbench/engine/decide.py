"""The front door: one policy, one pool, one context, one decision. Takes only terms that passed admission."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from workbench.engine import columnar, reference
from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.errors import UsageError
from workbench.language.admission import Admitted

Evaluator = Literal["columnar", "reference"]

EMPTY = Context()


def decide(policy: Admitted, pool: Pool, context: Context = EMPTY, *, evaluator: Evaluator = "columnar") -> Decision:
    """Filter, rank and select.

    Pure: the same arguments give the same decision, to the last bit, with either evaluator. Raises `UsageError` for a
    term that is no policy, `AdmissionError` for one admitted against another catalog.
    """
    if policy.sort != "Policy":
        raise UsageError(f"a {policy.sort} decides nothing; give a policy")
    if evaluator == "reference":
        return reference.evaluate(policy, pool, context)
    return columnar.evaluate(policy, pool, context)


def when_well(policy: Admitted, pool: Pool, context: Context) -> tuple[int, ...]:
    """Where a decision has left nobody: the order that it would have if no provider were out. Raises as `decide`."""
    if not (context.state.get("breakers") or context.state.get("disabled")):
        return ()
    return decide(policy, pool, replace(context, state={**context.state, "breakers": {}, "disabled": {}})).order
