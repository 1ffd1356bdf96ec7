"""Tenants in JSON lines: an object per line. Lines that Arrow reads at once are read so, the others one by one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

from workbench.boundary.sanitiser import one_line
from workbench.whatif.fleet.arrow import Batch, Schema, load, pa
from workbench.whatif.fleet.deciding.cells import CELLS
from workbench.whatif.fleet.plan import Column, Form
from workbench.whatif.fleet.sources.base import MAX_BROKEN, Broken, Piece, Wanted, refuse
from workbench.whatif.fleet.sources.parquet import stamp_of

BLOCK: Final = 8 * 1024 * 1024
MAX_LINE: Final = 16 * 1024 * 1024
_LOOKED_AT: Final = 1_000
"""Lines whose keys are the columns; a key that turns up later is a fault of its row."""


class _NotJson(ValueError):
    """Something that strict JSON does not know."""


class LinesSource:
    """One file."""

    form: Form = "typed"
    rows: int | None = None

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._json = load("pyarrow.json")
        self.stamp = stamp_of(path)
        self._size = max(path.stat().st_size, 1)
        self.columns = self._keys()
        self._ignored: frozenset[str] = frozenset()

    def _keys(self) -> tuple[str, ...]:
        """The keys of the first lines, in order of appearance."""
        found: dict[str, None] = {}
        block, _ = next(self._blocks(), (b"", 0))
        for line in block.split(b"\n")[:_LOOKED_AT]:
            try:
                row = _read(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                found.update(dict.fromkeys(cast("dict[str, Any]", row)))
        if not found:
            raise refuse(self.name, "none of its first lines is a JSON object", hint="write one object per line")
        return tuple(found)

    def adjusted(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns as they are; keys of the first lines that are none of them are ignored from here on."""
        self._ignored = frozenset(self.columns) - {column.name for column in columns}
        return tuple(columns)

    def pieces(self, wanted: Sequence[Wanted]) -> Iterator[Piece]:
        """Block after block of whole lines."""
        schema = pa.schema([(each.column.name, _arrow_type(each)) for each in wanted])
        first, count = 1, 0
        for block, end in self._blocks():
            done = end / self._size
            batch = self._at_once(block, schema)
            if batch is not None:
                yield Piece(batch, first, (), done)
                first += batch.num_rows
                continue
            for piece in self._one_by_one(block, schema, first, done):
                count += len(piece.broken)
                if count > MAX_BROKEN:
                    raise refuse(self.name, f"more than {MAX_BROKEN:,} lines are no rows")
                yield piece
            first += block.count(b"\n") + (not block.endswith(b"\n"))

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        """Whole lines, and how many bytes were read after them."""
        rest, end = b"", 0
        try:
            with self._path.open("rb") as file:
                while chunk := file.read(BLOCK):
                    end += len(chunk)
                    cut = chunk.rfind(b"\n") + 1
                    if cut:
                        yield rest + chunk[:cut], end
                        rest = chunk[cut:]
                        continue
                    rest += chunk
                    if len(rest) > MAX_LINE:
                        raise refuse(self.name, f"a line has more than {MAX_LINE:,} bytes")
        except OSError as error:
            raise refuse(self.name, (error.strerror or type(error).__name__).lower()) from None
        if rest:
            yield rest, end

    def _at_once(self, block: bytes, schema: Schema) -> Batch | None:
        """The block as Arrow reads it; None where any line is not plainly of the schema."""
        if b"\n\n" in block or block.startswith(b"\n") or b"\r" in block:
            return None
        others = "infer" if self._ignored else "error"
        options = self._json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others)
        try:
            table = self._json.read_json(
                io.BytesIO(block), read_options=self._json.ReadOptions(block_size=len(block) + 1), parse_options=options
            )
        except pa.ArrowException:
            return None
        if not self._ignored.issuperset(set(table.schema.names) - set(schema.names)):
            return None
        found = table.select(schema.names).combine_chunks().to_batches()
        return found[0] if len(found) == 1 and found[0].num_rows == block.count(b"\n") + (block[-1:] != b"\n") else None

    def _one_by_one(self, block: bytes, schema: Schema, first: int, done: float) -> Iterator[Piece]:
        """The block's lines read strictly, each value kept as JSON; pieces end where a line is no row."""
        marked = pa.schema([(name, pa.string()) for name in schema.names], metadata={CELLS: b"json"})
        rows: list[dict[str, str | None]] = []
        broken: list[Broken] = []
        start = first
        for place, line in enumerate(block.removesuffix(b"\n").split(b"\n")):
            row = self._row(line, schema.names, first + place)
            if isinstance(row, dict):
                rows.append(row)
                continue
            if rows:
                yield Piece(pa.RecordBatch.from_pylist(rows, schema=marked), start, tuple(broken), done)
                rows, broken = [], []
            start = first + place + 1
            if row is not None:
                broken.append(row)
        if rows or broken:
            yield Piece(pa.RecordBatch.from_pylist(rows, schema=marked), start, tuple(broken), done)

    def _row(self, line: bytes, names: Sequence[str], number: int) -> dict[str, str | None] | Broken | None:
        """The line's values as JSON by column; None for an empty line."""
        if not line.strip():
            return None
        try:
            row = _read(line)
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, _NotJson) else "it is no JSON"
            return Broken(number, f"the line can't be read: {one_line(why, limit=120)}")
        if not isinstance(row, dict):
            return Broken(number, "the line is no JSON object")
        found = cast("dict[str, Any]", row)
        strange = [key for key in found if key not in names and key not in self._ignored]
        if strange:
            return Broken(number, f"unknown key `{one_line(strange[0], limit=80)}`, which the first lines do not have")
        return {name: None if found.get(name) is None else json.dumps(_flat(found[name])) for name in names}


def _flat(value: Any) -> Any:
    """The value without what is too deep for any tenant field: of that, only its kind will be told."""
    if isinstance(value, dict):
        return {}
    if not isinstance(value, list):
        return value
    entries = cast("list[Any]", value)
    return [{} if isinstance(entry, dict) else [] if isinstance(entry, list) else entry for entry in entries]


def _read(line: bytes) -> object:
    return json.loads(line, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(word: str) -> object:
    raise _NotJson(f"`{word}` is no JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotJson("a key stands twice in one object")
    return found


def _arrow_type(wanted: Wanted) -> Any:
    kinds = {"flag": pa.bool_(), "number": pa.float64(), "list": pa.list_(pa.string())}
    return kinds.get(wanted.kind, pa.string())
