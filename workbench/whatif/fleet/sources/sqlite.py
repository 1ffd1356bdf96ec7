"""Tenants in a SQLite file, opened so that nothing can be written to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from workbench.whatif.fleet.arrow import Array, Batch, pa
from workbench.whatif.fleet.deciding.cells import CELLS
from workbench.whatif.fleet.plan import Column, Form
from workbench.whatif.fleet.sources.base import Piece, Wanted, as_json_lists, refuse
from workbench.whatif.fleet.sources.parquet import stamp_of

_ROWS: Final = 32_768
"""Of one batch: SQLite answers row by row, and who waits may want to stop it."""


class SqliteSource:
    """A table, or a query, of one file.

    SQLite has neither booleans nor lists: for a flag 1 and 0 are true and false, and a list is JSON.
    """

    form: Form = "typed"
    rows: int | None = None

    def __init__(self, path: Path, *, table: str | None, query: str | None) -> None:
        self.name = str(path)
        self._path = path
        with self._connected() as connection:
            self._statement = f"SELECT * FROM ({query}\n)" if query is not None else self._of_table(connection, table)  # noqa: S608 - the user's own query over their own file
            self.columns = self._names(connection)
        self.stamp = f"{stamp_of(path)} {self._statement}"

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        """A connection that can't write."""
        if not self._path.is_file():
            raise refuse(self.name, "there is no such file")
        address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        try:
            with closing(
                sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            ) as connection:
                connection.execute("PRAGMA query_only = ON")
                yield connection
        except sqlite3.Error as error:
            raise refuse(self.name, f"SQLite says: {error}") from None

    def _of_table(self, connection: sqlite3.Connection, table: str | None) -> str:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
        names = [str(name) for (name,) in found if not str(name).startswith("sqlite_")]
        if table is None and len(names) == 1:
            table = names[0]
        if table is None or table not in names:
            what = "name a table or a query" if table is None else f"there is no table `{table}`"
            raise refuse(
                self.name, what, "no_table", f"it has {', '.join(names[:12]) or 'none'}; write --table or --query"
            )
        return 'SELECT * FROM "{}"'.format(table.replace('"', '""'))  # noqa: S608 - a name that the file itself has

    def _names(self, connection: sqlite3.Connection) -> tuple[str, ...]:
        cursor = connection.execute(f"{self._statement} LIMIT 0")
        return tuple(str(entry[0]) for entry in cursor.description)

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """Lists are JSON unless a separator was stated."""
        return as_json_lists(columns, frozenset(column.name for column in columns if column.separator is None))

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """Some rows at a time, in one read transaction."""
        places = [self.columns.index(each.column.name) for each in wanted]
        with self._connected() as connection:
            connection.execute("BEGIN")
            cursor = connection.execute(self._statement)
            first = 1
            while rows := cursor.fetchmany(_ROWS):
                columns = [[row[place] for row in rows] for place in places]
                yield Piece(_batch(columns, wanted), first)
                first += len(rows)


def _batch(columns: Sequence[list[Any]], wanted: Sequence[Wanted]) -> Batch:
    names = [each.column.name for each in wanted]
    made = [_flags(values) if each.kind == "flag" else values for values, each in zip(columns, wanted, strict=True)]
    arrays: list[Array] = []
    try:
        arrays = [pa.array(values) for values in made]
    except (pa.ArrowException, OverflowError):  # a column of several types, which SQLite allows
        arrays = []
    if arrays and not any(pa.types.is_binary(array.type) for array in arrays):
        return pa.RecordBatch.from_arrays(
            [array.cast(pa.string()) if pa.types.is_null(array.type) else array for array in arrays], names=names
        )
    cells = [pa.array([_cell(value) for value in values], pa.string()) for values in made]
    return pa.RecordBatch.from_arrays(
        cells, schema=pa.schema([(name, pa.string()) for name in names], metadata={CELLS: b"json"})
    )


def _flags(values: list[Any]) -> list[Any]:
    return [bool(value) if isinstance(value, int) and value in (0, 1) else value for value in values]


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return json.dumps(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
