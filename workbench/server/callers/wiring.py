"""Puts the gate in front of one process: tokens, limits, budgets, and health that is shared where there is a place to.

Owns the order in which these are opened and ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from workbench.boundary.machine import is_loopback
from workbench.errors import Finding, UsageError
from workbench.gateway.dispatch import monotonic_ms
from workbench.server.callers.aside import aside
from workbench.server.callers.gate import Gate, Settings
from workbench.server.callers.health_exchange import HealthExchange
from workbench.server.callers.outage import reason_of
from workbench.server.callers.places import LazyTokens
from workbench.server.callers.tables import CallersError, open_tables
from workbench.server.host import Host
from workbench.server.shared.base import Ask, Block, Denied, Given, Shared, SharedError
from workbench.server.shared.inside import Inside
from workbench.server.shared.opening import open_shared
from workbench.server.shared.tables import TablesShared
from workbench.traces.databases.address import masked

OPEN_S: Final = 5.0
"""How long opening the store of the tokens may take."""


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What was asked for at the start."""

    tokens: Path | str
    shared: str | None = None
    """Where processes and hosts meet: `postgresql://...`, `redis://...`."""
    several: bool = False
    """Whether other processes of this host serve the same socket."""
    settings: Settings = field(default_factory=Settings)


def check_reach(host: str, tokens: LazyTokens) -> None:
    """Raises `UsageError` for an address that others reach while there is no token that anybody could use.

    Ends what it opened of the tokens.
    """
    now = round(time.time() * 1000)
    try:
        if is_loopback(host) or any(token.standing(now) == "active" for token in tokens.all()):
            return
    finally:
        tokens.close()
    hint = "make one with `workbench token new NAME`, or serve on 127.0.0.1"
    reason = f"`{host}` is reached from elsewhere, and there is no token"
    raise UsageError("the endpoint would be open to everyone", [Finding(reason, "no_token", hint=hint)])


class Lazy:
    """The state of this process, or of this host's, whose file is opened by the first call that needs it."""

    def __init__(self, tokens: LazyTokens, *, several: bool) -> None:
        self._tokens = tokens
        self._several = several
        self._inside = Inside()
        self._tables: TablesShared | None = None
        self._opening = asyncio.Lock()

    async def _place(self, ask: Ask | Given) -> Shared:
        if not (ask.budget is not None or (self._several and ask.limits)):
            return self._inside
        return await self._opened()

    async def _opened(self) -> TablesShared:
        """The tables, opened beside the event loop: a store that hangs holds up who needs it alone."""
        async with self._opening:
            if self._tables is None:
                place = self._tokens.place
                try:
                    async with asyncio.timeout(OPEN_S):
                        database = await aside(lambda: open_tables(place))
                except CallersError as error:
                    raise SharedError(reason_of(error)) from None
                except TimeoutError:
                    shown = masked(place) if isinstance(place, str) else place
                    raise SharedError(f"the store of the tokens, `{shown}`, does not answer") from None
                self._tables = TablesShared(database)
            return self._tables

    async def admit(self, ask: Ask) -> Denied | None:
        """Budgets in the token store; rates and places in memory, or there too where others serve beside us."""
        if self._several or ask.budget is None:
            return await (await self._place(ask)).admit(ask)
        denied = await self._inside.admit(Ask(ask.lease, ask.now_ms, ask.limits))
        if denied is not None:
            return denied
        allowed = False
        try:
            denied = await (await self._opened()).admit(Ask(ask.lease, ask.now_ms, (), ask.budget))
            allowed = denied is None
        finally:
            if not allowed:
                await self._inside.settle(Given(ask.lease, ask.limits))
        return denied

    async def settle(self, given: Given) -> None:
        """Where it was taken."""
        if self._several:
            await (await self._place(given)).settle(given)
            return
        await self._inside.settle(Given(given.lease, given.limits))
        if given.budget is not None:
            await (await self._opened()).settle(Given(given.lease, (), given.budget, given.cost))

    async def tell(self, origin: str, blocks: Iterable[Block]) -> None:
        """To the processes beside us."""
        if self._several:
            await (await self._opened()).tell(origin, blocks)

    async def heard(self, origin: str, now_ms: float) -> list[Block]:
        """From the processes beside us."""
        return await (await self._opened()).heard(origin, now_ms) if self._several else []

    async def close(self) -> None:
        """End what was opened."""
        await self._inside.close()
        if self._tables is not None:
            await self._tables.close()


def attach(host: Host, plan: GatePlan) -> Gate:
    """The gate in front of `host`. Raises `UsageError`, `CallersError` where the shared state can't be had."""
    tokens = LazyTokens(plan.tokens)
    shared = open_shared(plan.shared)
    meeting = shared is not None or plan.several
    state = shared if shared is not None else Lazy(tokens, several=plan.several)
    gate = Gate(tokens, state, plan.settings, host.metrics)
    host.callers = gate
    if meeting:
        exchange = HealthExchange(
            host.health, state, gate.now_ms, monotonic_ms, lambda: host.metrics.store_error("health")
        )
        host.starting.append(exchange.start)
        host.stopping.append(exchange.stop)

    async def stop() -> None:
        await state.close()
        tokens.close()

    host.stopping.insert(0, stop)
    return gate
