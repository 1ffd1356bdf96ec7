"""What a call can cost at most, before a byte of it leaves: tokens and dollars, over the whole failure plan.

Owns the bounds. They hold whatever happens: a text has no more tokens than UTF-8 bytes, an answer no more than the
request allows, and every attempt is counted as if it were charged in full. What is not known makes the whole unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.boundary import strict_json
from workbench.catalog.models import Offer
from workbench.engine.failplan import actions
from workbench.engine.fallback import MOST_ATTEMPTS, MOST_RETRIES, Cascade
from workbench.engine.transform import transform
from workbench.engine.values import items, number, record
from workbench.language.runnable import DEFAULT_HOST

PER_MESSAGE: Final = 64
"""Tokens that a protocol may add around one message or tool."""
PER_ABILITY: Final = 1_024
"""Tokens of the instructions that a provider puts before tools, or before an answer in JSON; hundreds were seen."""
LIST_PRICE_UP_TO: Final = 100_000
"""Input tokens up to which a list price holds where the catalog says that long prompts are dearer."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most one attempt at one offer can use and cost; None is unknown."""

    index: int
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Quote:
    """The most a call can use and cost."""

    first: Bound | None
    """The first try of the first candidate whose provider is not out now; None where there is nobody."""
    attempts: int
    """Most attempts that the plan and this host allow."""
    candidates: int
    """How many different offers they may reach, those that nothing can be sent to among them."""
    usd: float | None
    """Over all attempts; None is unknown: it could be anything."""
    unknown: tuple[int, ...] = ()
    """Offers that may be reached and whose cost has no bound."""
    sendable: int = 0
    """How many of the offers that may be reached can be called."""


def quote(
    cascade: Cascade, offers: Sequence[Offer], sendable: Callable[[int], bool], blocked: Collection[str] = ()
) -> Quote:
    """The bounds for one cascade.

    `sendable` says of an offer whether anything can be sent to it at all; `blocked` names providers that may be passed
    over from the start.
    """
    if not cascade.order:
        return Quote(None, 0, 0, 0.0)
    tries, goes_on = 1 + _retries(cascade), _goes_on(cascade)
    reached = _reachable(cascade, blocked, sendable) if goes_on else _reachable(cascade, blocked, None, 1)
    provider_of = cascade.pool.candidates
    next_one = (index for index, _ in reached if str(provider_of[index].get("provider_id")) not in blocked)
    first = next(next_one, reached[0][0])
    bounds = [_bound(cascade, offers[k], k, sendable(k)) if k == first or sendable(k) else Bound(k) for k, _ in reached]
    can = sum(sendable(index) for index, _ in reached)
    attempts = min(MOST_ATTEMPTS, tries * (can if goes_on else 1))
    unknown = tuple(bound.index for bound in bounds if bound.usd is None)
    costs = [bound.usd or 0.0 for bound in bounds]
    worst = _worst(costs, [skip for _, skip in reached], tries) if goes_on else max(costs) * tries
    shown = next(bound for bound in bounds if bound.index == first)
    return Quote(shown, attempts, len(bounds), None if unknown else worst, unknown, can)


def _retries(cascade: Cascade) -> int:
    """Most further tries of one candidate: retries are counted across all kinds of failure."""
    wanted = [
        min(int(number(action.get("attempts", 1)) or 0), MOST_RETRIES)
        for action in actions(cascade.policy).values()
        if action.get("action") == "retry_same"
    ]
    return max(wanted, default=0)


def _goes_on(cascade: Cascade) -> bool:
    """Whether any failure leads to another candidate."""
    for action in actions(cascade.policy).values():
        name = action.get("action")
        if name == "retry_same":
            name = action.get("then_action", "next_candidate")
        if name != "abort":
            return True
    return False


def _reachable(
    cascade: Cascade, blocked: Collection[str], sendable: Callable[[int], bool] | None, most: int = MOST_ATTEMPTS
) -> list[tuple[int, bool]]:
    """The offers that `most` attempts may reach, in order, and whether each may be passed over.

    It may where its provider is out already or failed before in the same call, the plan looks for the same model, or
    nothing can be sent to it, which is no attempt; with None for `sendable` that is one too.
    """
    jumps = any(
        "next_provider_same_model" in (action.get("action"), action.get("then_action"))
        for action in actions(cascade.policy).values()
    )
    seen: set[str] = set()
    found: list[tuple[int, bool]] = []
    left = most
    for index in cascade.order:
        if left == 0:
            break
        provider = str(cascade.pool.candidates[index].get("provider_id"))
        shut = sendable is not None and not sendable(index)
        skip = shut or provider in blocked or (bool(found) and (jumps or provider in seen))
        found.append((index, skip))
        seen.add(provider)
        left -= 0 if skip else 1
    return found


def _worst(costs: Sequence[float], skips: Sequence[bool], tries: int) -> float:
    """The dearest way down: each candidate between one and `tries` times, or passed over where it may be."""
    best = [0.0] * (MOST_ATTEMPTS + 1)
    for cost, skip in zip(reversed(costs), reversed(skips), strict=True):
        now = [0.0] * (MOST_ATTEMPTS + 1)
        for left in range(1, MOST_ATTEMPTS + 1):
            ways = [count * cost + best[left - count] for count in range(1, min(tries, left) + 1)]
            now[left] = max(*ways, best[left]) if skip else max(ways)
        best = now
    return best[MOST_ATTEMPTS]


def _bound(cascade: Cascade, offer: Offer, index: int, can_be_called: bool) -> Bound:
    """One attempt at one offer, with the request as the policy transforms it for that offer."""
    candidate = cascade.pool.candidates[index]
    context = cascade.context
    request = transform(
        context.request, cascade.policy, candidate, context, cascade.pool.vocabulary, cascade.registered
    )  # fmt: skip
    abilities = record(candidate.get("capabilities"))
    tokens_in = _least(_input_tokens(request), number(abilities.get("context")))
    asked = number(request.get("max_tokens"))
    asked = None if asked is None else DEFAULT_HOST.clamp("max_tokens", asked)  # as it goes out
    tokens_out = _least(asked, number(abilities.get("max_output")) or number(abilities.get("context")))
    if not can_be_called:
        return Bound(index, tokens_in, tokens_out, 0.0)
    return Bound(index, tokens_in, tokens_out, _cost(offer, tokens_in, tokens_out))


def _least(*values: float | None) -> int | None:
    known = [int(value) for value in values if value is not None]
    return min(known) if known else None


def _input_tokens(request: Mapping[str, Any]) -> float | None:
    """No text has more tokens than bytes; a picture's are not known, so that only the model's window bounds them."""
    size = 0
    for message in items(request.get("messages")):
        content = record(message).get("content")
        if not isinstance(content, str):
            return None
        size += len(content.encode("utf-8", "replace")) + PER_MESSAGE
    for part in ("tools", "response_format"):
        if request.get(part):
            size += (
                len(strict_json.canonical(request[part]))
                + PER_MESSAGE * max(1, len(items(request[part])))
                + PER_ABILITY
            )
    return float(size + PER_MESSAGE)


def _cost(offer: Offer, tokens_in: int | None, tokens_out: int | None) -> float | None:
    """USD; None where a price, the currency or a number of tokens is not known."""
    other = offer.price_disagrees
    price_in = _dearest(offer.price_in, other.price_in if other else None)
    price_out = _dearest(offer.price_out, other.price_out if other else None)
    if price_in is None or price_out is None or tokens_in is None or tokens_out is None or offer.currency_uncertain:
        return None
    if offer.price_note is not None and tokens_in > _list_price_holds(offer.price_note):
        return None
    return (tokens_in * price_in + tokens_out * price_out) / 1e6


def _list_price_holds(note: str) -> int:
    found = re.match(r"above (\d{1,6})k input tokens", note)
    return int(found[1]) * 1000 if found else LIST_PRICE_UP_TO


def _dearest(price: float | None, other: float | None) -> float | None:
    return price if price is None or other is None else max(price, other)
