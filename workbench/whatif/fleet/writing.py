"""Where results go: parts that stand by themselves, a checkpoint after each, and one file at the end.

A part is closed every million rows, and only then noted as done. What a run leaves behind when it is stopped, or
killed, is a folder of readable files beside the one that was asked for, and a later run goes on from it. Parts are cut
at the same rows however often a run was stopped, so the file at the end is the same to the last byte.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from workbench.boundary import files
from workbench.errors import Finding, Place, WorkspaceError
from workbench.whatif.fleet.arrow import Batch, Schema, load, pa
from workbench.whatif.fleet.deciding.batch import plain

PART_ROWS: Final = 1_048_576
"""Of one part, unless another number is asked for."""
_NOTE: Final = "progress.json"
ERROR_COLUMNS: Final = ("row", "id", "reason", "reasons")


def parts_of(out: Path) -> Path:
    """The folder of a run that is not at its end."""
    return out.with_name(f"{out.name}.parts")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a run came."""

    identity: str
    """Of plan and source; another one can't go on from here."""
    pieces: int
    parts: int
    digest: str
    """Of the ids read so far: the same again, or the source has changed."""
    totals: dict[str, Any]


class _Table(Protocol):
    """Writes batches into one open file."""

    def write(self, batch: Batch) -> None: ...

    def close(self) -> None: ...


class _ParquetTable:
    def __init__(self, path: Path, schema: Schema) -> None:
        self._writer = load("pyarrow.parquet").ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[*_words(schema), *(name for name in schema.names if name.endswith(_COUNTS))],
            write_statistics=["id"],  # of the others every row group has all values
        )

    def write(self, batch: Batch) -> None:
        self._writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))

    def close(self) -> None:
        self._writer.close()


_COUNTS: Final = ("survivors", "providers")


def _words(schema: Schema) -> list[str]:
    """The columns that repeat; ids and costs hardly do."""
    return [field.name for field in schema if pa.types.is_dictionary(field.type)]


class _CsvTable:
    """Every column but `errors`, which is a list; the errors file has it."""

    def __init__(self, path: Path, schema: Schema) -> None:
        module = load("pyarrow.csv")
        self._names = [name for name in schema.names if name != "errors"]
        fields = [(name, _plain_type(schema.field(name).type)) for name in self._names]
        self._writer = module.CSVWriter(path, pa.schema(fields))

    def write(self, batch: Batch) -> None:
        self._writer.write_batch(plain(batch.select(self._names)))

    def close(self) -> None:
        self._writer.close()


def _plain_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


TABLES: Final = {".parquet": _ParquetTable, ".csv": _CsvTable}


@dataclass(slots=True)
class Parts:
    """The parts of one result file."""

    out: Path
    schema: Schema
    identity: str
    most: int = PART_ROWS
    """A part is closed with the batch that brings it to this many rows."""
    count: int = 0
    """Parts that are closed."""
    rows: int = 0
    """In the open part."""
    _table: _Table | None = None
    _errors: list[list[str]] = field(default_factory=list[list[str]])

    @property
    def folder(self) -> Path:
        """Where parts stand until the end."""
        return parts_of(self.out)

    def begin(self) -> None:
        """Make the folder, empty."""
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=False)
        except OSError as error:
            raise _unwritable(self.folder, error) from None

    def resume(self) -> Checkpoint | None:
        """How far an earlier run came; None where there was none. Raises where it was another run."""
        note = self.folder / _NOTE
        if not note.is_file():
            self.begin()
            return None
        try:
            known = Checkpoint(**json.loads(files.read_bytes(note, max_bytes=1 << 30)))
        except (TypeError, ValueError):
            raise _stale(self.folder, "its notes can't be read") from None
        if known.identity != self.identity:
            raise _stale(self.folder, "it is of another source, another rulebook, another catalog or other options")
        for path in self.folder.iterdir():  # a part that was begun and not ended
            if path.name != _NOTE and int(path.stem.rpartition("-")[2]) >= known.parts:
                path.unlink()
        self.count = known.parts
        return known

    def write(self, batch: Batch, errors: Iterable[list[str]]) -> None:
        """Add a batch, and the rows that had none."""
        if self._table is None:
            try:
                self._table = TABLES[self.out.suffix](self._path(self.count), self.schema)
            except (OSError, pa.ArrowException) as error:
                raise _unwritable(self.folder, error) from None
        try:
            self._table.write(batch)
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        self._errors += errors
        self.rows += batch.num_rows

    @property
    def full(self) -> bool:
        """Whether the open part is to be closed."""
        return self.rows >= self.most

    def close(self) -> None:
        """Close the open part, so that others can read it."""
        if self._table is not None:
            self._table.close()
            files_text = errors_text(self._errors, heading=True)
            self._errors_path(self.count).write_text(files_text, encoding="utf-8", newline="")
            self._table = None
            self.count += 1
        self.rows, self._errors = 0, []

    def note(self, checkpoint: Checkpoint) -> None:
        """Note that everything up to here is done."""
        fields = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
        files.write_atomic(self.folder / _NOTE, json.dumps(fields).encode())

    def finish(self, errors: Path | None) -> None:
        """Make one file of the parts, and one of the errors, and take the folder away."""
        made = self.folder / f"whole-{self.count}{self.out.suffix}"
        try:
            if self.count == 1:
                self._path(0).replace(made)
            else:
                self._join(made)
            made.replace(self.out)
            if errors is not None:
                whole = self.folder / f"whole-{self.count}.csv"
                _join_texts([self._errors_path(part) for part in range(self.count)], whole)
                shutil.move(whole, errors)
            shutil.rmtree(self.folder)
        except OSError as error:
            raise _unwritable(self.out, error) from None

    def _path(self, part: int) -> Path:
        return self.folder / f"part-{part:05d}{self.out.suffix}"

    def _errors_path(self, part: int) -> Path:
        return self.folder / f"errors-{part:05d}.csv"

    def _join(self, made: Path) -> None:
        if self.out.suffix == ".csv":
            _join_texts([self._path(part) for part in range(self.count)], made)
            return
        pq = load("pyarrow.parquet")
        table = _ParquetTable(made, self.schema)
        for part in range(self.count):
            file = pq.ParquetFile(self._path(part))
            for group in range(file.metadata.num_row_groups):
                for batch in file.read_row_group(group).combine_chunks().to_batches():
                    table.write(batch.cast(self.schema))
        table.close()


def _join_texts(parts: Iterable[Path], made: Path) -> None:
    """One file of several that begin with the same line."""
    with made.open("wb") as whole:
        for place, part in enumerate(parts):
            with part.open("rb") as file:
                if place:
                    file.readline()
                shutil.copyfileobj(file, whole, 1 << 20)


class ErrorFile:
    """The errors of a run that writes no result: one file, or nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._file = None
        if path is not None:
            try:
                self._file = path.open("w", encoding="utf-8", newline="")
                self._file.write(errors_text([], heading=True))
            except OSError as error:
                raise _unwritable(path, error) from None

    def write(self, rows: Iterable[list[str]]) -> None:
        """Add rows."""
        if self._file is not None:
            self._file.write(errors_text(rows, heading=False))

    def close(self) -> None:
        """No more rows."""
        if self._file is not None:
            self._file.close()


def errors_text(rows: Iterable[list[str]], *, heading: bool) -> str:
    """Rows of the errors file as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if heading:
        writer.writerow(ERROR_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _unwritable(path: Path, error: Exception) -> WorkspaceError:
    reason = getattr(error, "strerror", None) or str(error)
    return WorkspaceError("the result can't be written", [Finding(reason.lower(), "output", Place(str(path)))])


def _stale(path: Path, reason: str) -> WorkspaceError:
    finding = Finding(f"this run can't go on: {reason}", "checkpoint", Place(str(path)), "--force begins anew")
    return WorkspaceError("there is nothing to resume", [finding])
