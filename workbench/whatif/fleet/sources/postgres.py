"""Tenants in PostgreSQL: one `COPY` in a read-only transaction, which is the fastest way out of that database.

The password in an address is never shown; what the database says about a query is.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from workbench.whatif.fleet.arrow import Batch, load, pa
from workbench.whatif.fleet.plan import ID, Column, Form
from workbench.whatif.fleet.sources.base import Piece, Wanted, as_json_lists, refuse
from workbench.whatif.fleet.sources.parquet import first_line

BLOCK: Final = 4 * 1024 * 1024
_PARSING: Final = 2
"""Blocks that are parsed while the next one arrives."""
_WAIT_S: Final = 5
_BOOL: Final = 16
_INTEGERS: Final = (20, 21, 23)
_DOUBLES: Final = (700, 701, 1700)
_JSON: Final = (114, 3802)
_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class PostgresSource:
    """A table, or a query, of one database."""

    form: Form = "typed"
    rows: int | None = None

    def __init__(self, address: str, *, table: str | None, query: str | None) -> None:
        sqlalchemy = load("sqlalchemy", "sql")
        self._psycopg = load("psycopg", "sql")
        self._sql = load("psycopg.sql", "sql")
        try:
            url = sqlalchemy.make_url(address)
            self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            raise refuse(
                "the address", "it is no address of a database", hint="postgresql://USER@HOST/DATABASE"
            ) from None
        self.name = str(url.render_as_string(hide_password=True))
        self._secret = str(url.password or "\0")
        if table is None and query is None:
            raise refuse(self.name, "name a table or a query", "no_table", "write --table NAME or --query SQL")
        self._from = self._relation(table) if query is None else self._sql.SQL("({}\n)").format(self._sql.SQL(query))
        with self._connected() as connection:
            # The extended protocol takes one statement only, so a query that hides a second one is refused here.
            asked = self._sql.SQL("SELECT * FROM {} AS source LIMIT 0").format(self._from)
            described = connection.execute(asked, (), prepare=True).description or ()
            self._types = {str(entry.name): int(entry.type_code) for entry in described}
            self.columns = tuple(str(entry.name) for entry in described)
            self._arrays = self._array_types(connection)
        self.stamp = f"{self.name} {query or table}"

    def _relation(self, table: str | None) -> Any:
        return self._sql.Identifier(*(table or "").split("."))

    @contextmanager
    def _connected(self) -> Generator[Any]:
        """A connection in a transaction that may only read."""
        options = "-c default_transaction_read_only=on -c client_encoding=UTF8"
        try:
            with self._psycopg.connect(self._address, connect_timeout=_WAIT_S, options=options) as connection:
                connection.execute(_SNAPSHOT)
                yield connection
        except self._psycopg.Error as error:
            said = first_line(error)
            raise refuse(self.name, f"PostgreSQL says: {said.replace(self._secret, '***')}") from None

    def _array_types(self, connection: Any) -> frozenset[int]:
        found = connection.execute(
            "SELECT oid FROM pg_type WHERE oid = ANY(%s) AND typcategory = 'A'", [[*self._types.values()]]
        )
        return frozenset(int(oid) for (oid,) in found)

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """Arrays and JSON come as JSON."""
        return as_json_lists(columns, frozenset(name for name in self.columns if self._is_json(name)))

    def _is_json(self, name: str) -> bool:
        return self._types[name] in self._arrays or self._types[name] in _JSON

    def _selected(self, name: str) -> tuple[Any, Any]:
        """How a column is written into the copy, and Arrow's type for it."""
        column, oid = self._sql.Identifier(name), self._types[name]
        if oid == _BOOL:
            return column, pa.bool_()
        if oid in _INTEGERS:
            return column, pa.int64()
        if oid in _DOUBLES:
            return self._sql.SQL("{}::float8").format(column), pa.float64()
        if oid in self._arrays:
            return self._sql.SQL("to_json({})").format(column), pa.string()
        return self._sql.SQL("{}::text").format(column), pa.string()

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """The answer of one statement, some megabytes at a time."""
        names = [each.column.name for each in wanted]
        selected = [self._selected(name) for name in names]
        types = {name: kind for name, (_, kind) in zip(names, selected, strict=True)}
        for each in wanted:
            if each.column.field != ID and types[each.column.name] == pa.string():
                types[each.column.name] = pa.dictionary(pa.int32(), pa.string())
        columns = self._sql.SQL(", ").join([column for column, _ in selected])
        asked = self._sql.SQL("COPY (SELECT {} FROM {} AS source) TO STDOUT (FORMAT csv)").format(columns, self._from)
        first = 1
        with (
            ThreadPoolExecutor(_PARSING, thread_name_prefix="fleet-parse") as pool,
            self._connected() as connection,
            connection.cursor() as cursor,
        ):
            try:
                with cursor.copy(asked) as copy:
                    for batch in _ahead(pool, _blocks(copy), types):
                        yield Piece(batch, first)
                        first += batch.num_rows
            except GeneratorExit:
                connection.cancel()
                raise


def _ahead(pool: ThreadPoolExecutor, blocks: Iterator[bytes], types: dict[str, Any]) -> Iterator[Batch]:
    """The blocks parsed, in order, while more of them arrive."""
    waiting: deque[Future[Batch]] = deque()
    for block in blocks:
        waiting.append(pool.submit(_parsed, block, types))
        if len(waiting) > _PARSING:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _blocks(copy: Any) -> Iterator[bytes]:
    """Whole rows, some megabytes together. A row is copied at once: views of it would keep the collector busy."""
    rows = bytearray()
    for row in copy:
        rows += row
        if len(rows) >= BLOCK:
            yield bytes(rows)
            rows = bytearray()
    if rows:
        yield bytes(rows)


def _parsed(block: bytes, types: dict[str, Any]) -> Batch:
    csv = load("pyarrow.csv")
    table = csv.read_csv(
        io.BytesIO(block),
        read_options=csv.ReadOptions(column_names=list(types), block_size=len(block) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=[""], true_values=["t"], false_values=["f"], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    return table.combine_chunks().to_batches()[0]
