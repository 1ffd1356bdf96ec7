"""The PostgreSQL server of the traces' tests, for tenants that stand in a database; the commands' own workspace."""

from __future__ import annotations

from tests.cli.conftest import workspace
from tests.traces.conftest import database, server

__all__ = ["database", "server", "workspace"]
