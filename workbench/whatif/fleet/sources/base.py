"""What every source of tenants offers, and the shape of what it yields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from workbench.errors import Finding, Place, WorkspaceError
from workbench.rulebook.schema import Kind
from workbench.whatif.fleet.arrow import Batch
from workbench.whatif.fleet.plan import Column, Form

ROWS: Final = 131_072
"""Most rows of one batch."""
MAX_BROKEN: Final = 1_000_000
"""Most rows that are no rows at all before a source is given up."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is not even a row: too few columns, no JSON."""

    row: int
    """From 1, the heading not counted."""
    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a source, one after the other."""

    batch: Batch
    first: int
    """The number of its first row, from 1."""
    broken: tuple[Broken, ...] = ()
    """Rows among or before them that could not be read, in order; they are not in the batch, but they are counted."""
    done: float | None = None
    """How much of the source was read after it, 0 to 1; None where nobody can say."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column to read, and the kind of the field that it is for."""

    column: Column
    kind: Kind


class Source(Protocol):
    """A place that has tenants."""

    @property
    def name(self) -> str:
        """How it is called in messages; never with a password."""
        ...

    @property
    def form(self) -> Form:
        """Whether its values have types."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns in order."""
        ...

    @property
    def rows(self) -> int | None:
        """How many rows it has; None where only reading would tell."""
        ...

    @property
    def stamp(self) -> str:
        """What it is and, for a file, of when: a checkpoint of one stamp is of no use for another."""
        ...

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """Every row once, in the source's order. Raises `WorkspaceError` where it stops being readable."""
        ...

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns as this source writes their values."""
        ...


def refuse(source: str, reason: str, code: str = "source", hint: str | None = None) -> WorkspaceError:
    """The error for a source that can't be read."""
    return WorkspaceError("the tenants can't be read", [Finding(reason, code, Place(source), hint)])


def as_json_lists(columns: Sequence[Column], names: frozenset[str]) -> tuple[Column, ...]:
    """The columns, those of `names` holding lists as JSON."""
    return tuple(replace(column, separator="json") if column.name in names else column for column in columns)
