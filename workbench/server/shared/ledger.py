"""Budgets in tables: held before a call, charged after it, each in one transaction. For SQLite and for PostgreSQL."""

from __future__ import annotations

from typing import Final

from workbench.server.shared.base import LEASE_MS, Ask, Budget, Denied, Given
from workbench.traces.databases.base import Execute

_EXPIRE: Final = "DELETE FROM caller_holds WHERE token = :token AND expires_ms < :now"
_SPENT: Final = "SELECT nano_usd FROM caller_spending WHERE token = :token AND month = :month"
_HELD: Final = "SELECT COALESCE(SUM(nano_usd), 0) FROM caller_holds WHERE token = :token AND month = :month"
_HOLD: Final = """INSERT INTO caller_holds (lease, token, month, nano_usd, expires_ms)
    VALUES (:lease, :token, :month, :nano, :expires)"""
_RELEASE: Final = "DELETE FROM caller_holds WHERE lease = :lease RETURNING nano_usd, token, month"
_CHARGE: Final = """INSERT INTO caller_spending (token, month, nano_usd, calls) VALUES (:token, :month, :nano, 1)
    ON CONFLICT (token, month) DO UPDATE SET nano_usd = caller_spending.nano_usd + excluded.nano_usd,
    calls = caller_spending.calls + 1"""


def hold(execute: Execute, ask: Ask, budget: Budget) -> Denied | None:
    """Hold what a call may cost; refused where all is spent or held by calls that are on their way."""
    key = {"token": budget.token, "month": budget.month}
    execute(_EXPIRE, {"token": budget.token, "now": round(ask.now_ms)})
    rows = execute(_SPENT, key)
    spent = int(rows[0][0]) if rows else 0
    held = int(execute(_HELD, key)[0][0])
    if spent + held >= budget.most:
        return Denied("budget", budget.token, spent=spent)
    values = {**key, "lease": ask.lease, "nano": budget.hold, "expires": round(ask.now_ms) + LEASE_MS}
    execute(_HOLD, values)
    return None


def charge(execute: Execute, given: Given) -> None:
    """Charge a lease; one that is not there any more was charged already, or has ended."""
    rows = execute(_RELEASE, {"lease": given.lease})
    if not rows:
        return
    nano, token, month = int(rows[0][0]), rows[0][1], rows[0][2]
    cost = nano if given.cost is None else given.cost
    execute(_CHARGE, {"token": token, "month": month, "nano": cost})
