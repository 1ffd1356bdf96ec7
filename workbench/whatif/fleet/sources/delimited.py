"""Tenants in CSV: a heading, then a row each. Every value is text; an empty cell that is not quoted is not stated."""

from __future__ import annotations

import codecs
import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.boundary.sanitiser import one_line
from workbench.whatif.fleet.arrow import load, pa
from workbench.whatif.fleet.plan import Column, Form
from workbench.whatif.fleet.sources.base import MAX_BROKEN, Broken, Piece, Wanted, refuse
from workbench.whatif.fleet.sources.parquet import first_line, stamp_of

BLOCK: Final = 4 * 1024 * 1024


class _Rows:
    """The rows that were no rows, noted while Arrow parses, in a thread of its own perhaps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: list[Broken] = []
        self._told = 0

    def handle(self, row: Any) -> str:
        """Note a row; it is passed over."""
        shown = one_line(str(row.text), limit=60)
        reason = f"the row has {row.actual_columns} columns, the heading {row.expected_columns}: `{shown}`"
        with self._lock:
            self._found.append(Broken(int(row.number) - 1, reason))
            if len(self._found) > MAX_BROKEN:
                return "error"
        return "skip"

    def number(self, index: int) -> int:
        """The row number, from 1, of the `index`-th row that could be read, from 0."""
        with self._lock:
            places = np.array([broken.row for broken in self._found], dtype=np.int64) - 1
        return index + 1 + int(np.searchsorted(places - np.arange(len(places)), index, side="right"))

    def before(self, row: int | None) -> tuple[Broken, ...]:
        """Those before a row, or all, that were not asked for yet."""
        with self._lock:
            rest = self._found[self._told :]
            found = tuple(rest if row is None else [broken for broken in rest if broken.row < row])
            self._told += len(found)
        return found


class _Text(io.RawIOBase):
    """A file that is UTF-8 to its end, or an error that says where it is not; Arrow would tell it on stderr."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.done = 0
        """Bytes that were read."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size) or b""
        try:
            self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise OSError(f"it is not UTF-8, at byte {self.done + error.start:,}") from None
        self.done += len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


class CsvSource:
    """One file, `delimiter` between its cells."""

    form: Form = "text"
    rows: int | None = None

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self.name = str(path)
        self._path = path
        self._delimiter = delimiter
        self._csv = load("pyarrow.csv")
        self.stamp = stamp_of(path)
        self._size = max(path.stat().st_size, 1)
        self.columns = self._heading()

    def _heading(self) -> tuple[str, ...]:
        with _Text(self._path) as file, self._open(None, _Rows(), file) as reader:
            return tuple(reader.schema.names)

    def _open(self, names: Sequence[str] | None, broken: _Rows, file: _Text) -> Any:
        csv = self._csv
        convert: dict[str, Any] = {
            "null_values": [""],
            "strings_can_be_null": True,
            "quoted_strings_can_be_null": False,
        }
        if names is not None:
            convert |= {"include_columns": list(names), "column_types": dict.fromkeys(names, pa.string())}
        parse = csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=broken.handle)
        try:
            return csv.open_csv(
                pa.PythonFile(file, mode="r"),
                read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK),
                parse_options=parse,
                convert_options=csv.ConvertOptions(**convert),
            )
        except (OSError, pa.ArrowException) as error:
            raise refuse(self.name, f"this is no CSV: {first_line(error)}") from None

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns as they are."""
        return tuple(columns)

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """Block after block."""
        broken, index = _Rows(), 0
        with _Text(self._path) as file, self._open([w.column.name for w in wanted], broken, file) as reader:
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
                except (OSError, pa.ArrowException) as error:
                    row = broken.number(index)
                    raise refuse(self.name, f"it can't be read on after row {row - 1}: {first_line(error)}") from None
                yield from self._split(batch, index, broken, file.done / self._size)
                index += batch.num_rows
        rest = broken.before(None)
        if rest:
            yield Piece(_nothing(wanted), rest[0].row, rest, 1.0)

    def _split(self, batch: Any, index: int, broken: _Rows, done: float) -> Iterator[Piece]:
        """The batch, cut where rows are missing, so that a piece's rows follow one another."""
        start = 0
        while start < batch.num_rows:
            first = broken.number(index + start)
            stop = self._run(batch.num_rows, index, start, first, broken)
            yield Piece(batch.slice(start, stop - start), first, broken.before(first), done)
            start = stop

    @staticmethod
    def _run(rows: int, index: int, start: int, first: int, broken: _Rows) -> int:
        """Where the run of rows that begins at `start` ends, found by halving."""
        low, high = start + 1, rows
        while low < high:
            middle = (low + high + 1) // 2
            if broken.number(index + middle - 1) - first == middle - 1 - start:
                low = middle
            else:
                high = middle - 1
        return low


def _nothing(wanted: Sequence[Wanted]) -> Any:
    schema = pa.schema([(each.column.name, pa.string()) for each in wanted])
    return pa.RecordBatch.from_pylist([], schema=schema)
