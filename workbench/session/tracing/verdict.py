"""A trace decided again: for each compared field whether it is as recorded, and what differs, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.traces.listing import Filter, TraceRow
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.replay import Difference, Field, Replay, replay
from workbench.traces.store import TraceStore

MEANINGS: Final[dict[Field, str]] = {
    "chosen": "the winner",
    "order": "who stands at which place",
    "scores": "every score, to the bit",
    "rejected": "who is rejected, and the reason",
    "rules": "which clauses reject whom",
    "population": "how many offers there are",
}
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class FieldVerdict:
    """One compared field."""

    field: Field
    meaning: str
    same: bool
    differs: int
    """How many offers it differs for; 1 where the field is one value."""
    before: Any
    """As recorded, where the field is one value; of a list its length."""
    after: Any

    @property
    def values(self) -> tuple[Any, Any]:
        """As recorded, and as decided now."""
        return self.before, self.after

    @property
    def words(self) -> str:
        """The verdict on it."""
        if self.same:
            return "same"
        if self.field in {"chosen", "population"}:
            return " -> ".join("nobody" if value is None else str(value) for value in self.values)
        return f"{self.differs} offer{' differs' if self.differs == 1 else 's differ'}"


@dataclass(frozen=True)
class Verdict:
    """A record and the same decided again."""

    row: TraceRow
    replay: Replay
    other: bool
    """Whether it was decided over another catalog than its own."""
    fields: tuple[FieldVerdict, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.replay.same

    @property
    def changed(self) -> tuple[Field, ...]:
        """The fields that differ."""
        return tuple(compared.field for compared in self.fields if not compared.same)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Everything that differs, field by field."""
        return self.replay.differences

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        over = (
            f"over {self.replay.catalog.name} of {self.replay.catalog.date}" if self.other else "over its own catalog"
        )
        if self.same:
            return f"decided again {over}: the same in every field"
        changed = ", ".join(self.changed)
        known = "" if self.other else "; the record was changed, or this program decides otherwise"
        return f"decided again {over}: {changed} differ{'s' if ',' not in changed else ''}{known}"


def verdict(store: TraceStore, row: TraceRow, catalog: KeptCatalog | None = None) -> Verdict:
    """Decide the trace of a row again, over its own catalog or another.

    Raises `TraceError` where it is gone or its policy names a field that the other catalog lacks, `DocumentError` where
    it is damaged.
    """
    again = replay(store.get(row.trace_id), catalog=catalog)
    other = again.catalog.content_sha256 != again.record.material.catalog.content_sha256
    return Verdict(row, again, other, tuple(_fields(again)))


def _fields(again: Replay) -> Iterator[FieldVerdict]:
    names, now = again.record.material.catalog.offer_ids, again.catalog.offer_ids
    before, after = again.record.material.verdicts, again.verdicts
    values: dict[Field, tuple[Any, Any]] = {
        "chosen": (
            None if before.winner is None else names[before.winner],
            None if after.winner is None else now[after.winner],
        ),
        "order": (len(before.order), len(after.order)),
        "rejected": (len(before.rejected), len(after.rejected)),
        "population": (before.population, after.population),
    }
    for field, same in again.fields.items():
        differs = sum(difference.field == field for difference in again.differences)
        yield FieldVerdict(field, MEANINGS[field], same, differs, *values.get(field, (None, None)))


@dataclass(frozen=True, slots=True)
class Again:
    """One trace of many, decided again; `error` where it could not be."""

    row: TraceRow
    verdict: Verdict | None
    error: WorkbenchError | None


def verdicts(
    store: TraceStore, wanted: Filter, *, now_ms: int, catalog: KeptCatalog | None = None, limit: int | None = None
) -> Iterator[Again]:
    """Every trace that a filter means, newest first, decided again; a trace that cannot be read stops nobody else."""
    before, left = None, limit
    while left is None or left > 0:
        rows = store.rows(wanted, now_ms=now_ms, limit=PAGE if left is None else min(PAGE, left), before=before)
        for row in rows:
            try:
                yield Again(row, verdict(store, row, catalog), None)
            except WorkbenchError as error:
                yield Again(row, None, error)
        if not rows:
            return
        before, left = rows[-1].sequence, None if left is None else left - len(rows)
