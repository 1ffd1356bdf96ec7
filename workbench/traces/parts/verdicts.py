"""What a decision said of every candidate, in the few bytes that prove it: order, scores, reasons, who rejected whom.

Owns the stored form. Two decisions that say the same have the same bytes, so a store keeps them once. Observed and
needed values are not in it: they are facts of the stored catalog, read from there when somebody looks.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.explain import mask
from workbench.engine.pool import Pool
from workbench.errors import DocumentError, Finding
from workbench.language.admission import Admitted
from workbench.traces.parts.words import Digest

_MAGIC: Final = b"WBV1"
_LONGEST: Final = 2**31


@dataclass(frozen=True)
class Verdicts:
    """One decision. Compares equal where order, scores (to the bit), reasons and rejecting clauses are the same."""

    population: int
    order_data: bytes
    """Places in the catalog, best first; int32, little-endian."""
    score_data: bytes
    """Aligned with the order; doubles, little-endian, every NaN the same."""
    reasons: tuple[str, ...]
    """The conforming reasons that occur, in ascending order."""
    code_data: bytes
    """Per candidate its reason's place, `len(reasons)` where the filter let it pass; uint16, little-endian."""
    failed: tuple[bytes, ...]
    """Per filter clause in force, a bit per candidate (most significant first): set where the clause rejects it."""

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Places in the catalog, best first."""
        return tuple(np.frombuffer(self.order_data, "<i4").tolist())

    @cached_property
    def scores(self) -> tuple[float, ...]:
        """Aligned with the order."""
        return tuple(np.frombuffer(self.score_data, "<f8").tolist())

    @cached_property
    def rejected(self) -> tuple[tuple[int, str], ...]:
        """Candidates that the filter turned away, each with its reason, in catalog order."""
        codes = np.frombuffer(self.code_data, "<u2")
        away = np.flatnonzero(codes < len(self.reasons))
        places: list[int] = codes[away].tolist()
        return tuple((index, self.reasons[code]) for index, code in zip(away.tolist(), places, strict=True))

    @cached_property
    def rejecting(self) -> NDArray[np.bool_]:
        """Clauses by candidates: where a clause rejects."""
        rows = [np.unpackbits(np.frombuffer(bits, np.uint8), count=self.population) for bits in self.failed]
        return np.array(rows, dtype=np.bool_).reshape(len(rows), self.population)

    @property
    def winner(self) -> int | None:
        """The first of the order."""
        return self.order[0] if self.order else None

    @cached_property
    def decision(self) -> Decision:
        """The same as the engine's own value."""
        return Decision(
            np.frombuffer(self.order_data, "<i4").astype(np.intp), np.frombuffer(self.score_data, "<f8"),
            np.frombuffer(self.code_data, "<u2").astype(np.uint16), self.reasons,
        )  # fmt: skip

    @cached_property
    def content(self) -> bytes:
        """The canonical bytes."""
        words = json.dumps(list(self.reasons), ensure_ascii=True).encode()
        parts = (words, self.order_data, self.score_data, self.code_data, b"".join(self.failed))
        head = struct.pack("<IH5I", self.population, len(self.failed), *(len(part) for part in parts))
        return _MAGIC + head + b"".join(parts)

    @cached_property
    def content_sha256(self) -> Digest:
        """The name under which the content is stored."""
        return Digest(sha256(self.content).hexdigest())

    @classmethod
    def read(cls, data: bytes) -> Verdicts:
        """The verdicts whose content this is. Raises `DocumentError` where it is none."""
        try:
            return _read(data)
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            finding = Finding(str(error) or type(error).__name__, "trace_content")
            raise DocumentError("a stored decision cannot be read", [finding]) from None


def _read(data: bytes) -> Verdicts:
    size = struct.calcsize("<IH5I")
    population, clauses, *lengths = cast("tuple[int, ...]", struct.unpack("<IH5I", data[4 : 4 + size]))
    if data[:4] != _MAGIC or sum(lengths) != len(data) - 4 - size or population > _LONGEST:
        raise ValueError("the lengths do not fit")
    parts: list[bytes] = []
    at = 4 + size
    for length in lengths:
        parts.append(data[at : at + length])
        at += length
    words, order, scores, codes, bits = parts
    row = (population + 7) // 8
    if len(codes) != 2 * population or len(order) * 2 != len(scores) or len(bits) != row * clauses:
        raise ValueError("the lengths do not fit")
    failed = tuple(bits[at * row : (at + 1) * row] for at in range(clauses))
    return Verdicts(population, order, scores, tuple(json.loads(words)), codes, failed)


def verdicts_of(decision: Decision, clauses: Sequence[Admitted], pool: Pool, context: Context) -> Verdicts:
    """A decision and, for each filter clause in force, whom it rejects (all, not only the first to do so)."""
    names = tuple(sorted(decision.reasons))
    table = np.array([*(names.index(name) for name in decision.reasons), len(names)], dtype="<u2")
    codes: NDArray[Any] = table[np.minimum(decision.codes, len(names))] if len(decision.codes) else table[:0]
    scores = np.where(np.isnan(decision.score_array), np.nan, decision.score_array)
    failed = tuple(np.packbits(~mask(clause, pool, context)).tobytes() for clause in clauses)
    return _without_idle_reasons(
        Verdicts(
            decision.population, decision.order_array.astype("<i4").tobytes(), scores.astype("<f8").tobytes(), names,
            codes.tobytes(), failed,
        )
    )  # fmt: skip


def _without_idle_reasons(verdicts: Verdicts) -> Verdicts:
    """Only the reasons that occur, so that equal decisions are equal bytes whoever evaluated them."""
    codes = np.frombuffer(verdicts.code_data, "<u2")
    used: list[int] = np.unique(codes[codes < len(verdicts.reasons)]).tolist()
    if len(used) == len(verdicts.reasons):
        return verdicts
    table = np.full(len(verdicts.reasons) + 1, len(used), dtype="<u2")
    table[used] = np.arange(len(used), dtype="<u2")
    names = tuple(verdicts.reasons[place] for place in used)
    return Verdicts(
        verdicts.population, verdicts.order_data, verdicts.score_data, names, table[codes].tobytes(), verdicts.failed
    )
