"""What a store asks of a database: transactions that run parameterised statements, and what went wrong in closed words.

`sqlite.py` and `postgres.py` implement it; everything above is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from workbench.errors import Finding, Place, TraceError
from workbench.traces.record import KINDS

SET: Final = f"SELECT id FROM sets WHERE {' AND '.join(f'{kind} = :{kind}' for kind in KINDS)}"  # noqa: S608 - fixed words
"""The number of a set of contents."""
Row = tuple[Any, ...]
Execute = Callable[[str, Mapping[str, Any]], list[Row]]
"""Runs one statement with `:name` parameters and gives its rows."""


class Database(Protocol):
    """One open database."""

    place: str
    """Where it is, for people, without any password."""
    writable: bool
    sharing: str
    """Added to a SELECT whose rows must not go before this transaction ends."""

    def read(self) -> AbstractContextManager[Execute]:
        """A transaction that sees one state. Raises `TraceError`."""
        ...

    def write(self, *, alone: bool = False) -> AbstractContextManager[Execute]:
        """A transaction, durable when it ends; `alone` while no other writer is at work. Raises `TraceError`."""
        ...

    def tidy(self) -> None:
        """Give the space of deleted rows back, so that their text is gone from the files."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def failed(place: str, what: str, error: BaseException, hint: str | None = None) -> TraceError:
    """The error for a database that cannot be used: its own words, never a row's content."""
    where = Place(place) if hint is not None or isinstance(error, OSError) else Place()
    told = (error.strerror or "").lower() if isinstance(error, OSError) else str(error)
    first = told.splitlines()[0] if told else type(error).__name__
    code = "trace_busy" if "locked" in first or "busy" in first else "trace_database"
    return TraceError(f"the traces in `{place}` cannot be {what}", [Finding(first, code, where, hint)])
