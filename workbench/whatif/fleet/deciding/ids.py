"""A batch's tenant ids: as texts, and which of them no tenant may have, looked at as bytes and not one by one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.boundary.names import check_name
from workbench.boundary.sanitiser import one_line
from workbench.errors import REASON_LIMIT, FileRefused
from workbench.rulebook.report import MAX_TITLE, kind_of
from workbench.whatif.fleet.arrow import Array, pa, pc
from workbench.whatif.fleet.deciding.cells import coded, text_of
from workbench.whatif.fleet.plan import Column

_ALLOWED: Final = np.zeros(256, dtype=np.bool_)
_ALLOWED[list(b"abcdefghijklmnopqrstuvwxyz0123456789._-")] = True
_DEVICES: Final = np.array(
    [int.from_bytes(word) for word in (b"con", b"prn", b"aux", b"nul", b"com", b"lpt")], dtype=np.int64
)
_LONGEST: Final = 64


def texts(array: Array, column: Column, *, as_json: bool) -> tuple[Array, dict[int, str]]:
    """The ids as an array of texts, and, by row, why some are none. A whole number is taken for its digits."""
    wrong: dict[int, str] = {}
    if as_json:
        array, wrong = _from_json(array, column)
    elif pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    if not pa.types.is_string(array.type):
        array, wrong = _from_values(array.to_pylist())
    for row in np.flatnonzero(_doubtful(array)).tolist():
        if row not in wrong:
            reason = refusal(array[row].as_py())
            if reason is not None:
                wrong[row] = reason
    return array, wrong


def refusal(tenant_id: str | None) -> str | None:
    """Why this is no tenant's id; None where it is one."""
    if tenant_id is None:
        return "the row has no id"
    if len(tenant_id) > MAX_TITLE:
        return f"`id` has {len(tenant_id)} characters; the most is {MAX_TITLE}"
    try:
        check_name(tenant_id, what="tenant id")
    except FileRefused as refused:
        return one_line(refused.findings[0].reason, limit=REASON_LIMIT)
    return None


def _from_json(array: Array, column: Column) -> tuple[Array, dict[int, str]]:
    cells = coded(array, column, "text", as_json=True)
    return _from_values([cells.values[code] for code in cells.codes.tolist()])


def _from_values(values: list[Any]) -> tuple[Array, dict[int, str]]:
    wrong: dict[int, str] = {}
    found: list[str | None] = []
    for row, cell in enumerate(values):
        value = text_of(cell) if isinstance(cell, bytes) else cell
        if isinstance(value, int) and not isinstance(value, bool):
            found.append(str(value))
        elif value is None or isinstance(value, str):
            found.append(value)
        else:
            found.append(None)
            wrong[row] = f"`id` must be a text, found {kind_of(value)}"
    return pa.array(found, pa.string()), wrong


def _doubtful(array: Array) -> NDArray[np.bool_]:
    """Rows whose id is not plainly a good one."""
    rows = len(array)
    if not rows:
        return np.zeros(0, dtype=np.bool_)
    if array.offset or array.null_count:
        array = pa.concat_arrays([pc.fill_null(array, "")])
    _, places, data = array.buffers()
    offsets = np.frombuffer(places, dtype=np.int32, count=rows + 1).astype(np.int64)
    if data is None or not data.size:
        return np.ones(rows, dtype=np.bool_)
    letters = np.frombuffer(data, dtype=np.uint8)
    lengths = np.diff(offsets)
    doubtful = (lengths < 1) | (lengths > _LONGEST)
    strange = ~_ALLOWED[letters[offsets[0] : offsets[-1]]]
    if strange.any():
        wrong = np.concatenate(([0], np.cumsum(strange)))
        doubtful |= np.diff(wrong[offsets - offsets[0]]) > 0
    inside = np.where(doubtful, 0, offsets[:-1])
    first = letters[inside] if len(letters) else np.zeros(rows, dtype=np.uint8)
    doubtful |= (first < 48) | (first == 95) | (first == 46) | (first == 45)
    last = letters[np.clip(offsets[1:] - 1, 0, max(len(letters) - 1, 0))]
    doubtful |= last == 46
    padded = np.concatenate((letters, np.zeros(3, dtype=np.uint8))).astype(np.int64)
    heads = (padded[inside] << 16) | (padded[inside + 1] << 8) | padded[inside + 2]
    doubtful |= np.isin(heads, _DEVICES)
    return doubtful
