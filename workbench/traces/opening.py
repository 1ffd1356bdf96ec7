"""Opens the store that a person names: a file, or the address of a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import Finding, TraceError
from workbench.traces.databases.address import checked, is_address
from workbench.traces.databases.sqlite import open_sqlite
from workbench.traces.store import TraceStore


def open_store(place: Path | str) -> TraceStore:
    """The store at a path, or at `postgresql://...`; its `notices` say what a person should be told.

    Raises `TraceError` where it cannot be used at all, or the extra that it needs is not installed.
    """
    if isinstance(place, str) and is_address(place):
        try:
            from workbench.traces.databases.postgres import open_postgres  # noqa: PLC0415 - needs the extra
        except ImportError:
            hint = "pip install 'policy-workbench[sql]'"
            finding = Finding("PostgreSQL needs the extra `sql`", "trace_extra", hint=hint)
            raise TraceError("the trace store cannot be opened", [finding]) from None
        return TraceStore(*open_postgres(checked(place)))
    return TraceStore(*open_sqlite(Path(place)))
