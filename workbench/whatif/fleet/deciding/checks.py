"""Which cells of a column that no rule reads are not values of their field: such a tenant has no policy all the same.

A whole column is judged at once where its field allows it; what is left over is judged by its distinct values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.rulebook.report import MAX_NOTE, MAX_TITLE
from workbench.rulebook.schema import (
    MAX_VALUE_BYTES,
    NO_LOG,
    WORKLOAD_FIELDS,
    FactRefused,
    Kind,
    TenantField,
    read_fact,
)
from workbench.whatif.fleet.arrow import Array, pa, pc
from workbench.whatif.fleet.deciding.cells import Coded, coded, doubles
from workbench.whatif.fleet.plan import WORDS, Column
from workbench.whatif.fleet.side import Side

Mask = NDArray[np.bool_]
_LARGEST: Final = 2.0**53
_MOST_TOKENS: Final = 1e12
_LIMITS: Final = {"title": MAX_TITLE, "note": MAX_NOTE}


def field_of(name: str, side: Side) -> TenantField | None:
    """What the side's rulebook says of a column's field; None where it knows none of that name."""
    if name in WORKLOAD_FIELDS:
        return TenantField(name, "number", minimum=0, maximum=_MOST_TOKENS)
    if name in WORDS:
        return TenantField(name, "text")
    return side.rulebook.schema.fields.get(name)


def kind_of_field(name: str, side: Side) -> Kind:
    """The kind by which a column's text is read."""
    known = field_of(name, side)
    return "text" if known is None else known.kind


def unfit(array: Array, column: Column, side: Side, *, as_json: bool) -> Coded | None:
    """The cells that are no values of the field, coded, all others as not stated; None where every cell fits."""
    known = field_of(column.field, side)
    if known is None or known.name == NO_LOG:
        return None
    if not as_json and _whole(array, column, known):
        return None
    cells = coded(array, column, known.kind, as_json=as_json)
    fits = _judge_of(known)
    bad = np.array([value is not None and not fits(value) for value in cells.values] or [False], dtype=np.bool_)
    if not bad.any() or not bad[cells.codes].any():
        return None
    places = np.cumsum(bad).astype(np.int64) * bad.astype(np.int64)
    return Coded(
        places[cells.codes], [None, *(value for value, is_bad in zip(cells.values, bad, strict=True) if is_bad)]
    )


def _whole(array: Array, column: Column, known: TenantField) -> bool:
    """Whether the whole column is seen to fit at once."""
    if known.kind == "flag":
        return bool(pa.types.is_boolean(array.type))
    if known.kind == "text" and not known.values and pa.types.is_string(array.type):
        return _lengths_fit(array, known)
    if known.kind != "number":
        return False
    found = doubles(array, column)
    if found is None:
        return False
    values: NDArray[np.float64] = pc.fill_null(found, known.minimum or 0.0).to_numpy(zero_copy_only=False)
    low = -_LARGEST if known.minimum is None else known.minimum
    high = _LARGEST if known.maximum is None else known.maximum
    return bool(np.all((values >= low) & (values <= high)))


def _lengths_fit(array: Array, known: TenantField) -> bool:
    limit = _LIMITS.get(known.name)
    lengths = pc.binary_length(array) if limit is None else pc.utf8_length(array)
    ends = pc.min_max(lengths).as_py()
    if ends["max"] is None:
        return True
    if limit is not None:
        return bool(ends["max"] <= limit)
    return bool(ends["min"] >= 1 and ends["max"] <= MAX_VALUE_BYTES)


def judge_of_field(name: str, side: Side) -> Callable[[Any], bool] | None:
    """What says whether a raw value is one of the field; None where any value will do."""
    known = field_of(name, side)
    return None if known is None or known.name == NO_LOG else _judge_of(known)


def _judge_of(known: TenantField) -> Callable[[Any], bool]:
    limit = _LIMITS.get(known.name)
    if limit is not None:
        return lambda value: isinstance(value, str) and len(value) <= limit

    def fits(value: Any) -> bool:
        try:
            read_fact(known, value)
        except FactRefused:
            return False
        return True

    return fits
