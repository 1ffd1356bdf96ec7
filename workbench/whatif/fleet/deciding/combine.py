"""Distinct combinations of several coded columns, found without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.whatif.fleet.arrow import pa

Codes = NDArray[np.int64]
_LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Combined:
    """For each row the place of its combination, and one row that has each of them."""

    codes: Codes
    first: Codes
    """In order of first appearance."""


def combine(columns: Sequence[tuple[Codes, int]], rows: int) -> Combined:
    """The combinations of these columns, each with the number of its distinct codes."""
    mixed: Codes = np.zeros(rows, dtype=np.int64)
    size = 1
    for codes, count in columns:
        if count <= 1:
            continue
        if size * count >= _LARGEST:
            mixed, size = _dense(mixed)
        mixed = mixed * count + codes
        size *= count
    dense, count = _dense(mixed)
    first = np.zeros(count, dtype=np.int64)
    places = np.arange(rows - 1, -1, -1, dtype=np.int64)
    first[dense[::-1]] = places  # the last write wins, and that is the first row
    return Combined(dense, first)


def _dense(mixed: Codes) -> tuple[Codes, int]:
    """The same classes numbered from 0 in order of first appearance, and how many there are."""
    found = pa.array(mixed).dictionary_encode()
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64, copy=False), len(found.dictionary)
