"""The state in tables: one transaction before a call, one after it. For hosts in PostgreSQL, for processes in SQLite.

In PostgreSQL names are taken in ascending order under advisory locks, so that no two processes wait for each other in a
circle; SQLite has one writer at a time in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from workbench.server.callers.tables import CallersError, reading, writing
from workbench.server.shared import ledger
from workbench.server.shared.base import (
    LEASE_MS,
    MINUTE_MS,
    Ask,
    Block,
    Budget,
    Denied,
    Given,
    Limit,
    SharedError,
    due_at,
    interval_ms,
    longest,
)
from workbench.traces.databases.base import Database, Execute, Row
from workbench.traces.databases.sqlite import SqliteDatabase

Result = TypeVar("Result")
THREADS: Final = 8

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 1766))"
_GONE: Final = "DELETE FROM caller_places WHERE name = :name AND expires_ms < :now"
_TAKEN: Final = "SELECT COUNT(*) FROM caller_places WHERE name = :name"
_TAKE: Final = "INSERT INTO caller_places (lease, name, expires_ms) VALUES (:lease, :name, :expires)"
_LEAVE: Final = "DELETE FROM caller_places WHERE name = :name AND lease = :lease"
_DUE: Final = "SELECT due_ms FROM caller_rates WHERE name = :name"
_NEXT: Final = """INSERT INTO caller_rates (name, due_ms) VALUES (:name, :due)
    ON CONFLICT (name) DO UPDATE SET due_ms = excluded.due_ms"""
_FORGET: Final = "DELETE FROM shared_health WHERE origin = :origin OR until_ms < :now"
_TELL: Final = """INSERT INTO shared_health (origin, scope, provider, why, until_ms)
    VALUES (:origin, :scope, :provider, :why, :until)"""
_HEARD: Final = "SELECT scope, provider, why, until_ms FROM shared_health WHERE origin <> :origin AND until_ms > :now"


class _DeniedError(Exception):
    """Ends the transaction with nothing taken."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.why)
        self.denied = denied


class TablesShared:
    """The state in the tables of `callers.tables`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks = not isinstance(database, SqliteDatabase)
        self._threads = ThreadPoolExecutor(THREADS if self._locks else 1, "shared")

    async def admit(self, ask: Ask) -> Denied | None:
        """All in one transaction; a denial takes it back."""
        if not ask.limits and ask.budget is None:
            return None
        try:
            await self._off_loop(lambda: writing(self._database, lambda execute: self._admit(execute, ask)))
        except _DeniedError as error:
            return error.denied
        return None

    async def settle(self, given: Given) -> None:
        """All in one transaction."""
        if given.limits or given.budget is not None:
            await self._off_loop(lambda: writing(self._database, lambda execute: self._settle(execute, given)))

    def _lock(self, execute: Execute, limits: Iterable[Limit], budget: Budget | None) -> None:
        for name in _names(limits, budget) if self._locks else ():
            execute(_LOCK, {"name": name})

    def _admit(self, execute: Execute, ask: Ask) -> None:
        self._lock(execute, ask.limits, ask.budget)
        now = round(ask.now_ms)
        for limit in ask.limits:
            if limit.concurrency is not None:
                execute(_GONE, {"name": limit.name, "now": now})
                if int(execute(_TAKEN, {"name": limit.name})[0][0]) >= limit.concurrency:
                    raise _DeniedError(Denied("concurrency", limit.name))
                execute(_TAKE, {"lease": ask.lease, "name": limit.name, "expires": now + LEASE_MS})
            if limit.per_minute is not None:
                _rate(execute, limit.name, limit.per_minute, ask.now_ms)
        if ask.budget is not None:
            denied = ledger.hold(execute, ask, ask.budget)
            if denied is not None:
                raise _DeniedError(denied)

    def _settle(self, execute: Execute, given: Given) -> None:
        for limit in given.limits:
            if limit.concurrency is not None:
                execute(_LEAVE, {"name": limit.name, "lease": given.lease})
        if given.budget is not None:
            self._lock(execute, (), given.budget)
            ledger.charge(execute, given)

    async def tell(self, origin: str, blocks: Iterable[Block]) -> None:
        """Rows of one process, replaced as a whole."""
        told = longest(blocks)
        now = max((block.until_ms for block in told), default=0.0) - LEASE_MS

        def change(execute: Execute) -> None:
            execute(_FORGET, {"origin": origin, "now": round(now)})
            for block in told:
                scope, provider, why, until = block
                values = {"origin": origin, "scope": scope, "provider": provider, "why": why, "until": round(until)}
                execute(_TELL, values)

        await self._off_loop(lambda: writing(self._database, change))

    async def heard(self, origin: str, now_ms: float) -> list[Block]:
        """The rows of all others."""

        def look(execute: Execute) -> list[Row]:
            return execute(_HEARD, {"origin": origin, "now": round(now_ms)})

        rows = await self._off_loop(lambda: reading(self._database, look))
        return longest(Block(row[0], row[1], row[2], float(row[3])) for row in rows)

    async def _off_loop(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except CallersError as error:
            why = error.findings[0].reason if error.findings else error.title
            raise SharedError(f"what is shared in `{self._database.place}` cannot be had: {why}") from None

    async def close(self) -> None:
        """End threads and connections."""
        self._threads.shutdown()
        self._database.close()


def _names(limits: Iterable[Limit], budget: Budget | None) -> list[str]:
    names = {limit.name for limit in limits}
    if budget is not None:
        names.add(f"budget:{budget.token}")
    return sorted(names)


def _rate(execute: Execute, name: str, per_minute: int, now_ms: float) -> None:
    rows = execute(_DUE, {"name": name})
    due = due_at(float(rows[0][0]) if rows else 0.0, now_ms) + interval_ms(per_minute)
    if due - now_ms > MINUTE_MS:
        raise _DeniedError(Denied("rate", name, (due - now_ms - MINUTE_MS) / 1000))
    execute(_NEXT, {"name": name, "due": due})
