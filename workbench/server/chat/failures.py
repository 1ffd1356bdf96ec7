"""How a call that nobody answered is told: the public host's codes, its status table, one item per failed attempt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.catalog import Catalog
from workbench.gateway.codecs.unsaid import SENTENCES
from workbench.gateway.events import Answer
from workbench.server.chat.shown import Shown
from workbench.server.chat.subject import unheard_of
from workbench.server.errors import AGAIN_THE_SAME, ROUTER, said
from workbench.server.exchange import Headers, Response, dumps

MESSAGE_CUT: Final = 80
STATUS: Final[Mapping[str, int]] = {
    "no_candidates": 503,
    "auth_error": 401,
    "rate_limit": 429,
    "bad_request": 400,
    "context_overflow": 400,
    "timeout": 504,
}
"""By kind; every other one is 502."""


def status_of(outcome: str) -> int:
    """The HTTP status of an outcome, `exhausted: ` or bare."""
    return STATUS.get(outcome.removeprefix("exhausted: "), 502)


def error_of(answer: Answer, shown: Shown) -> dict[str, Any]:
    """The member `error`."""
    code = answer.outcome
    message = code if code.startswith("exhausted: ") else f"router: {code}"
    failed = [entry for entry in answer.path if entry["event"] == "attempted" and entry.get("error_kind")]
    items = [_item(entry) for entry in sorted(failed, key=_keyless)]
    if not items and answer.recovery:
        items = _waits(answer, shown.state.session.catalog)
    elif not items and code == "no_candidates":
        items = [_nobody(shown)]
    joined = "; ".join(items)
    return {"message": said(f"{message} — {joined}" if joined else message), "type": ROUTER, "code": code}


def _keyless(entry: Mapping[str, Any]) -> bool:
    """Whether it was not even sent: such are told last, where a message is cut."""
    return str(entry.get("detail") or "").startswith("local_key_")


def _item(entry: Mapping[str, Any]) -> str:
    status = entry.get("http_status")
    ours = SENTENCES.get(str(entry.get("detail")))
    message = ours or entry.get("error_message")
    return (
        f"{entry['provider_id']}/{entry['model_family']}={entry['error_kind']}"
        + (f"({status})" if status is not None else "")
        + (f' "{said(message)[:MESSAGE_CUT]}"' if message else "")
    )


def _waits(answer: Answer, catalog: Catalog) -> list[str]:
    """Who could be called when, where nobody can be now (RELIABILITY R14)."""
    return [
        f"{catalog.offer_id(index)} in {math.ceil(wait / 1000)} s" for index, wait in answer.recovery[:12]
    ]  # fmt: skip


def _nobody(shown: Shown) -> str:
    decision = shown.decision
    if not decision.population:
        return "the catalog has no offers"
    shares = ", ".join(f"{count} by {reason}" for reason, count in shown.reasons[:6])
    rules = ", ".join(f"{rule} {count}" for rule, count in shown.rules[:6])
    strange = unheard_of(shown.subject, shown.state.session.catalog)
    if strange is not None:
        return strange
    told = f"{len(decision.rejected)} of {decision.population} offers rejected: {shares}"
    return f"{told}; rules: {rules}" if rules else told


def failure_response(answer: Answer, shown: Shown, router: bytes) -> Response:
    """The answer for a call that failed before anything of an answer was sent."""
    body = b'{"error":%s,"x_router":%s}' % (dumps(error_of(answer, shown)), router)
    return Response(status_of(answer.outcome), body, again_of(answer))


def again_of(answer: Answer) -> Headers:
    """What a client is told of calling again: when somebody can be called, or that it would be the same."""
    waits = [wait for _, wait in answer.recovery] or _asked(answer)
    if waits:
        return ((b"retry-after", str(max(math.ceil(min(waits) / 1000), 1)).encode()),)
    return (AGAIN_THE_SAME,) if answer.outcome == "no_candidates" else ()


def _asked(answer: Answer) -> list[float]:
    """The waits that providers asked for, of each offer the last one, where a call failed of their limits."""
    if status_of(answer.outcome) != STATUS["rate_limit"]:
        return []
    last = {
        (entry["provider_id"], entry["model_family"]): entry.get("retry_after_ms")
        for entry in answer.path
        if entry["event"] == "attempted" and entry.get("error_kind") == "rate_limit"
    }
    return [wait for wait in last.values() if wait is not None]
