"""Tenants in Parquet: one file, or a folder of them in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.whatif.fleet.arrow import load, pa
from workbench.whatif.fleet.plan import Column, Form
from workbench.whatif.fleet.sources.base import ROWS, Piece, Wanted, refuse


class ParquetSource:
    """One or more files of one schema."""

    form: Form = "typed"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._paths = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not self._paths:
            raise refuse(self.name, "the folder has no file that ends in `.parquet`")
        pq = load("pyarrow.parquet")
        try:
            metadata = [pq.read_metadata(each) for each in self._paths]
            self._schema = pq.read_schema(self._paths[0])
        except (OSError, pa.ArrowException) as error:
            raise refuse(self.name, f"this is no Parquet file: {first_line(error)}") from None
        self._pq = pq
        self.columns: tuple[str, ...] = tuple(self._schema.names)
        self.rows: int | None = sum(each.num_rows for each in metadata)
        self.stamp = " ".join(stamp_of(path) for path in self._paths)

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns as they are."""
        return tuple(columns)

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """Row group after row group."""
        names = [each.column.name for each in wanted]
        words = [name for name in names if self._is_text(name) and not _is_id(name, wanted)]
        count, first = self.rows or 1, 1
        for path in self._paths:
            try:
                file = self._pq.ParquetFile(path, read_dictionary=words)
                for group in range(file.metadata.num_row_groups):
                    for batch in file.iter_batches(ROWS, row_groups=[group], columns=names):
                        yield Piece(batch, first, (), (first + batch.num_rows - 1) / count)
                        first += batch.num_rows
            except (OSError, pa.ArrowException) as error:
                raise refuse(str(path), f"it can't be read on: {first_line(error)}") from None

    def _is_text(self, name: str) -> bool:
        return bool(pa.types.is_string(self._schema.field(name).type))


def _is_id(name: str, wanted: Sequence[Wanted]) -> bool:
    return any(each.column.name == name and each.column.field == "id" for each in wanted)


def stamp_of(path: Path) -> str:
    """A file's name, size and time."""
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"


def first_line(error: Any) -> str:
    """The first line of what a library says, cut."""
    text = str(error).strip().splitlines()
    return text[0][:200] if text else type(error).__name__
