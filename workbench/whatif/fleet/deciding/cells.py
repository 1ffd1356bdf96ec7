"""One column of a batch as codes into its distinct raw values, and which of those no tenant may have.

A raw value is what a TOML file would have held: a text, a number, true or false, a list. Nothing is bent into shape;
only where a source knows no types (CSV) is text read by the kind of its field. Whether a value is one of its field is
for `read_fact` to say, for a whole column at once where that is possible.
"""

from __future__ import annotations

import datetime
import decimal
import json
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from workbench.rulebook.schema import Kind
from workbench.whatif.fleet.arrow import Array, pa, pc
from workbench.whatif.fleet.plan import JSON, Column

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

CELLS: Final = b"workbench.cells"
"""The key in a schema's metadata that says `json`: every cell is the JSON of its value."""

_GLUE: Final = "\x1f"
_TRUE: Final = frozenset(("true", "t", "yes", "1"))
_FALSE: Final = frozenset(("false", "f", "no", "0"))


@dataclass(frozen=True, slots=True)
class Coded:
    """A column: for each row the place of its value in `values`. None among them is a value that is not stated."""

    codes: Codes
    values: list[Any]


def constant(value: object, rows: int) -> Coded:
    """The same value for every row."""
    return Coded(np.zeros(rows, dtype=np.int64), [value])


def coded(array: Array, column: Column, kind: Kind, *, as_json: bool = False) -> Coded:
    """The column as codes. `as_json`: its cells are JSON."""
    if as_json:
        found = _dictionary(array)
        return Coded(found.codes, [None if value is None else _loads(value) for value in found.values])
    found = _lists(array) if _is_list(array.type) else _dictionary(array)
    return Coded(found.codes, [raw(value, column, kind) for value in found.values])


def _loads(text: str) -> Any:
    return json.loads(text)


def raw(value: Any, column: Column, kind: Kind) -> Any:
    """A cell's value as a tenant file would have held it."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes):
        value = text_of(value)
    if not isinstance(value, str):
        return value
    if kind == "list" and column.separator is not None:
        return _entries(value, column.separator)
    if column.form == "typed":
        return value
    return _by_kind(value, kind)


def text_of(value: bytes) -> Any:
    """Bytes as text, where they are some: Parquet of older writers does not say that a column holds texts."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _by_kind(text: str, kind: Kind) -> Any:
    if kind == "flag":
        word = text.strip().casefold()
        return True if word in _TRUE else False if word in _FALSE else text
    if kind == "number":
        try:
            found = float(text)
        except ValueError:
            return text
        return text if "_" in text else int(found) if found.is_integer() and abs(found) < 2**53 else found
    return text


def _entries(text: str, separator: str) -> Any:
    """The entries of a list that is written as text; the text itself where it is no list."""
    if separator == JSON:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return [entry.strip() for entry in text.split(separator)] if text.strip() else []


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _dictionary(array: Array) -> Coded:
    """Codes of any array but lists. Nulls, inside a given dictionary too, are the value None."""
    if not pa.types.is_dictionary(array.type):
        if pa.types.is_struct(array.type) or pa.types.is_map(array.type):
            return _slowly(array)
        array = array.dictionary_encode()
    values: list[Any] = array.dictionary.to_pylist()
    indices = array.indices
    if indices.null_count:
        values.append(None)
        indices = pc.fill_null(indices.cast(pa.int64()), len(values) - 1)
    return Coded(indices.to_numpy(zero_copy_only=False).astype(np.int64, copy=False), values)


def _lists(array: Array) -> Coded:
    """Codes of an array of lists: glued to texts, told apart as texts, taken apart again where that is exact."""
    entries = array.flatten()
    text = pa.types.is_string(entries.type) or pa.types.is_large_string(entries.type)
    if pa.types.is_dictionary(entries.type):
        return _lists(array.cast(pa.list_(entries.type.value_type)))
    if not text or entries.null_count or _holds_glue(entries):
        return _slowly(array)
    plain = array.cast(pa.list_(entries.type)) if pa.types.is_fixed_size_list(array.type) else array
    glued = _dictionary(pc.binary_join(plain, _GLUE))
    # An empty list and a list of one empty text are glued to the same text.
    if "" in glued.values:
        return _slowly(array)
    return Coded(glued.codes, [None if value is None else value.split(_GLUE) for value in glued.values])


def _holds_glue(entries: Array) -> bool:
    """Whether the sign that glues stands in any entry; entries of the same buffer that are not looked at count too."""
    data = entries.buffers()[2]
    return data is not None and bool((np.frombuffer(data, dtype=np.uint8) == ord(_GLUE)).any())


def _slowly(array: Array) -> Coded:
    """Codes by way of Python values, for what Arrow cannot compare."""
    places: dict[str, int] = {}
    values: list[Any] = []
    codes = np.empty(len(array), dtype=np.int64)
    for row, value in enumerate(array.to_pylist()):
        key = repr(value)
        place = places.get(key)
        if place is None:
            place = places[key] = len(values)
            values.append(value)
        codes[row] = place
    return Coded(codes, values)


def doubles(array: Array, column: Column) -> Array | None:
    """The column as Arrow's doubles, all at once; None where that cannot be done for every cell."""
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return array.cast(pa.float64(), safe=False)
    if column.form != "text" or not pa.types.is_string(array.type):
        return None
    try:
        return array.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def numbers(array: Array, column: Column, default: float | None, *, as_json: bool = False) -> NDArray[np.float64]:
    """A workload's column as doubles; what is not stated, or no number, is `default`, NaN where that is None."""
    missing = np.nan if default is None else float(default)
    found = None if as_json else doubles(array, column)
    if found is None:
        cells = coded(array, column, "number", as_json=as_json)
        table = np.array([_double(value, missing) for value in cells.values] or [missing], dtype=np.float64)
        return table[cells.codes]
    if found.null_count:
        found = pc.fill_null(found, missing)
    return cast("NDArray[np.float64]", found.to_numpy(zero_copy_only=False))


def _double(value: object, missing: float) -> float:
    return missing if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def key_of(value: Any) -> Any:
    """A hashable stand-in that tells 1, 1.0 and true apart."""
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        return ("list", tuple(entries)) if all(type(entry) is str for entry in entries) else ("other", repr(entries))
    if isinstance(value, dict | datetime.date):
        return "other", repr(value)  # pyright: ignore[reportUnknownArgumentType]
    return value.__class__, value
