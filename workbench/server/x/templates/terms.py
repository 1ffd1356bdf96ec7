"""The pieces that templates are put together from, as terms of the policy language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from workbench.language.admission import Term

HEALTHY: Final[Term] = ["not", ["is", "breaker_open"]]

ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "rate_limit": {"action": "next_candidate", "open_breaker_ms": 30_000},
    "server_error": {"action": "retry_same", "attempts": 1, "backoff_ms": 500, "then_action": "next_candidate"},
    "network_error": {
        "action": "retry_same", "attempts": 2, "backoff_ms": [200, 600], "then_action": "next_candidate",
    },
    "auth_error": {"action": "disable_provider"},
    "model_unavailable": {"action": "next_provider_same_model"},
    "payment_required": {"action": "next_candidate", "open_breaker_ms": 300_000},
    "stream_interrupted": {"action": "abort"},
}  # fmt: skip
"""What a template does about failures: retry what passes by itself, leave who is out, never repeat half an answer."""


def both(parts: Sequence[Term]) -> Term:
    """All of them."""
    return parts[0] if len(parts) == 1 else ["and", *parts]


def any_of(parts: Sequence[Term]) -> Term:
    """One of them."""
    return parts[0] if len(parts) == 1 else ["or", *parts]


def up() -> list[Term]:
    """What every template asks: the request's own requirements hold, and nobody has disabled the provider."""
    return [["meets_req"], ["not", ["is", "disabled"]]]


def within_price(values: Mapping[str, Any]) -> list[Term]:
    """Both prices under their ceilings; an unknown price is over every ceiling."""
    return [
        ["cmp", "price_in", "le", values["max_price_in"]],
        ["cmp", "price_out", "le", values["max_price_out"]],
    ]


def from_providers(providers: Iterable[str]) -> Term:
    """One of these providers."""
    return any_of([["provider_eq", provider] for provider in providers])


def cheapness(input_share: float) -> Term:
    """1 for the cheapest survivor, 0 for the dearest, by the mix of input and output tokens expected."""
    mixed = [
        ["scale", input_share, ["field", "price_in"]],
        ["scale", round(1 - input_share, 12), ["field", "price_out"]],
    ]
    return ["neg", ["normalize", ["add", *mixed]]]


def weighted(*parts: tuple[float, Term]) -> Term:
    """A weighted sum."""
    return ["add", *(["scale", weight, part] for weight, part in parts)]


def ordered(groups: Sequence[Sequence[str]], inner: Term) -> Term:
    """The first group's offers before the second's, and so on; those of nobody's group last."""
    selector = inner
    for group in reversed(groups):
        selector = ["prefer", from_providers(group), selector]
    return selector


def healthy_first(inner: Term) -> Term:
    """Whose breaker is open stays, as the last resort."""
    return ["prefer", HEALTHY, inner]


def plan() -> Term:
    """The failure plan of `ACTIONS`; everything else goes on to the next candidate."""
    found: Term = ["always", {"action": "next_candidate"}]
    for reason in sorted(ACTIONS):
        found = ["override", found, reason, dict(ACTIONS[reason])]
    return found


def policy(filters: Sequence[Term], rank: Term, select: Term, transform: Term | None = None) -> Term:
    """A whole policy."""
    return ["policy", both(filters), rank, select, transform or ["id"], plan()]
