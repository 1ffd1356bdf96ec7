"""The fate of every candidate under one policy, as a value. Renders nothing and computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]
Scores = NDArray[np.float64]
Codes = NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True, slots=True)
class Rejection:
    """One candidate that the filter turned away, and the conforming reason (LANGUAGE.md 6.1)."""

    index: int
    reason: str


@dataclass(frozen=True, eq=False)
class Decision:
    """Order, scores and reasons. Arrays underneath; the tuples are made when first asked for."""

    order_array: Places
    """Indices into the pool, best first: the fallback sequence."""
    score_array: Scores
    """Aligned with `order_array`."""
    codes: Codes
    """Per candidate of the pool: the place of its reason in `reasons`, `len(reasons)` where it survived the filter."""
    reasons: tuple[str, ...]

    @property
    def population(self) -> int:
        """How many candidates the pool holds."""
        return len(self.codes)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Indices into the pool, best first."""
        return tuple(self.order_array.tolist())

    @cached_property
    def scores(self) -> tuple[float, ...]:
        """The score of each place in `order`; may be infinite or not a number."""
        return tuple(self.score_array.tolist())

    @cached_property
    def rejected(self) -> tuple[Rejection, ...]:
        """Those the filter turned away, in catalog order."""
        away = np.flatnonzero(self.codes < len(self.reasons))
        codes: list[int] = self.codes[away].tolist()
        return tuple(Rejection(index, self.reasons[code]) for index, code in zip(away.tolist(), codes, strict=True))

    @cached_property
    def survivor_indices(self) -> tuple[int, ...]:
        """Those that passed the filter, in catalog order, whether or not the selector kept them."""
        return tuple(np.flatnonzero(self.codes == len(self.reasons)).tolist())

    @cached_property
    def survivors(self) -> int:
        """How many passed the filter."""
        return int(np.count_nonzero(self.codes == len(self.reasons)))

    @property
    def winner(self) -> int | None:
        """The first of the order, None where nobody is left."""
        return int(self.order_array[0]) if len(self.order_array) else None

    def reason(self, index: int) -> str | None:
        """Why the filter turned this candidate away; None where it did not."""
        code = int(self.codes[index])
        return self.reasons[code] if code < len(self.reasons) else None

    def place(self, index: int) -> int | None:
        """The 1-based place of a candidate in the order, None where it is not in it."""
        found = np.flatnonzero(self.order_array == index)
        return int(found[0]) + 1 if len(found) else None

    def __eq__(self, other: object) -> bool:
        """Same order, same scores to the bit, same reasons."""
        if not isinstance(other, Decision):
            return NotImplemented
        return (
            self.order == other.order
            and _bits(self.score_array) == _bits(other.score_array)
            and self.population == other.population
            and self.rejected == other.rejected
        )

    def __hash__(self) -> int:
        return hash((self.order, self.population))


def _bits(scores: Scores) -> bytes:
    return np.where(np.isnan(scores), np.nan, scores).tobytes()


def assemble(order: list[int], scores: list[float], reasons: list[str | None]) -> Decision:
    """A decision from plain lists; `reasons` has one entry per candidate, None where it survived."""
    names = tuple(dict.fromkeys(reason for reason in reasons if reason is not None))
    code = {name: place for place, name in enumerate(names)}
    codes = [len(names) if reason is None else code[reason] for reason in reasons]
    return Decision(
        np.array(order, dtype=np.intp), np.array(scores, dtype=np.float64), np.array(codes, dtype=np.uint16), names
    )
