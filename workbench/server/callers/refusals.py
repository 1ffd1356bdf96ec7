"""The refusals of the gate, in the public host's codes. Each body is constant but for the figures it is about."""

from __future__ import annotations

import math
from typing import Final

from workbench.server.callers.token import Token
from workbench.server.errors import Refused
from workbench.server.shared.base import NANO, Denied

AUTH: Final = "auth_error"
SERVER: Final = "server_error"


def unauthorised() -> Refused:
    """401: no token, not one of ours, or not one that anybody has; nobody learns which."""
    header = ((b"www-authenticate", b"Bearer"),)
    return Refused(401, "caller_auth", "a valid bearer token is needed", AUTH, header)


def check(token: Token, path: str, now_ms: int) -> None:
    """Raises `Refused` 403 for a token that is over, or that may not ask for a path."""
    known = token.standing(now_ms)
    if known == "revoked":
        raise Refused(403, "caller_key_revoked", "this token was revoked", AUTH, token=token.id)
    if known == "expired":
        raise Refused(403, "caller_key_expired", "this token has expired", AUTH, token=token.id)
    if not token.allows(path):
        message = "this token may not ask for this path"
        raise Refused(403, "caller_route_not_allowed", message, AUTH, token=token.id)


def denied(no: Denied) -> Refused:
    """429: too many at once, or too many a minute."""
    wait = max(1, math.ceil(no.retry_after_s))
    words = "too many calls at once" if no.why == "concurrency" else "too many calls in this minute"
    whose = "token" if no.name.startswith("token:") else "tenant"
    header = ((b"retry-after", str(wait).encode()),)
    return Refused(429, "caller_rate_limit", f"{words} for this {whose}", "rate_limit_error", header)


def broke(most: int, spent: int) -> Refused:
    """402: the month's budget is spent."""
    figures = {"budget_usd": most / NANO, "spent_usd": spent / NANO}
    return Refused(402, "consumer_budget_exhausted", "this month's budget is spent", "budget_error", more=figures)


def overloaded() -> Refused:
    """503: as many calls as this process takes are at work."""
    return Refused(503, "router_overloaded", "too many calls at once", SERVER, ((b"retry-after", b"1"),))


def unavailable(code: str, message: str) -> Refused:
    """503: what has to be asked first cannot be reached. Nothing passes unasked."""
    return Refused(503, code, message, SERVER, ((b"retry-after", b"1"),))
