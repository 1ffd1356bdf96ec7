"""What a policy does on each kind of failure: the fallback slot as a table (LANGUAGE.md 6.7). Performs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import UsageError
from workbench.language.admission import Admitted, Term
from workbench.language.signature import FAIL_REASONS

Action = dict[str, Any]
"""`action`, and maybe `then_action`, `attempts`, `backoff_ms`, `open_breaker_ms`, host knobs."""

UNKNOWN = "unknown"


def actions(plan: Admitted) -> dict[str, Action]:
    """The map from reason to action of a policy or failure plan; `unknown` is always in it.

    Raises `UsageError` for a term of another sort.
    """
    term: Term = _plan(plan)
    overrides: dict[str, Action] = {}
    while term[0] == "override":  # each reason once: the normal form has kept the outermost
        _, term, reason, action = term
        overrides[reason] = action
    return {UNKNOWN: term[1], **overrides}


def classify(plan: Admitted, reason: str) -> Action:
    """The action for a reason; one that is not in the map takes what stands under `unknown`."""
    found = actions(plan)
    return _copy(found.get(reason, found[UNKNOWN]))


def fallback_table(plan: Admitted) -> tuple[tuple[str, Action], ...]:
    """The action for each of the thirteen reasons, in the language's order."""
    found = actions(plan)
    return tuple((reason, _copy(found.get(reason, found[UNKNOWN]))) for reason in FAIL_REASONS)


def _plan(plan: Admitted) -> Term:
    if plan.sort == "Policy":
        return plan.slot("fallback").normal
    if plan.sort == "FailPlan":
        return plan.normal
    raise UsageError(f"a {plan.sort} says nothing about failures; give a policy or a failure plan")


def _copy(action: Mapping[str, Any]) -> Action:
    """A copy of its own, so that a caller's change does not reach the policy."""
    return {key: list(value) if isinstance(value, list) else value for key, value in action.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
