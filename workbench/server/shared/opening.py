"""Which shared state an address means."""

from __future__ import annotations

from workbench.errors import Finding, UsageError
from workbench.server.callers.tables import open_tables
from workbench.server.shared.base import Shared
from workbench.server.shared.tables import TablesShared
from workbench.server.shared.valkey import SCHEMES, ValkeyShared
from workbench.traces.databases.address import is_address, masked


def open_shared(address: str | None) -> Shared | None:
    """The state at `postgresql://...` or `redis://...`; None without an address.

    Raises `UsageError` for what is no address, `CallersError` where PostgreSQL cannot be reached.
    """
    if address is None:
        return None
    if is_address(address):
        return TablesShared(open_tables(address))
    if address.lower().startswith(SCHEMES):
        return ValkeyShared(address)
    hint = "postgresql://USER@HOST/DATABASE or redis://HOST:PORT"
    raise UsageError("no shared state", [Finding(f"`{masked(address)}` is no address", "shared_address", hint=hint)])
