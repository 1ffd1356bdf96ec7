"""Which shared state an address means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from workbench.errors import Finding, UsageError
from workbench.server.callers.tables import open_tables
from workbench.server.callers.tokens import Spending, Tokens
from workbench.server.shared.base import Shared
from workbench.server.shared.tables import TablesShared
from workbench.server.shared.valkey import SCHEMES, ValkeyShared
from workbench.traces.databases.address import is_address, masked


def shared_spending(address: str, month: str, tokens: Sequence[str]) -> Mapping[str, Spending]:
    """What tokens have spent in a month, by id, where hosts share it. Raises as `open_shared`, and `SharedError`."""
    if is_address(address):
        database = open_tables(address)
        try:
            return Tokens(database).spending(month)
        finally:
            database.close()
    state = open_shared(address)
    assert isinstance(state, ValkeyShared)  # noqa: S101 - the other kind of address

    async def look() -> dict[str, Spending]:
        try:
            found = {token: Spending(*await state.spent(token, month)) for token in tokens}
        finally:
            await state.close()
        return {token: spending for token, spending in found.items() if spending.calls}

    return asyncio.run(look())


def open_shared(address: str | None) -> Shared | None:
    """The state at `postgresql://...` or `redis://...`; None without an address.

    Raises `UsageError` for what is no address, `CallersError` where PostgreSQL cannot be reached.
    """
    if address is None:
        return None
    if is_address(address):
        return TablesShared(open_tables(address))
    if address.lower().startswith(SCHEMES):
        with suppress(ValueError):
            return ValkeyShared(address)
    hint = "postgresql://USER@HOST/DATABASE or redis://HOST:PORT"
    shown = masked(address) if "://" in address else address
    raise UsageError("no shared state", [Finding(f"`{shown}` is no address", "shared_address", hint=hint)])
