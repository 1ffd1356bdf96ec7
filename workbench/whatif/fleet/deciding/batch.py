"""`decide_batch`: tenants in, decisions out, as Arrow. Pure: what runs here runs in any process, on any machine.

The columns that come out are documented with their types in docs/fleet.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.boundary.sanitiser import one_line
from workbench.whatif.fleet.arrow import Array, Batch, Schema, pa
from workbench.whatif.fleet.deciding.rows import MOVEMENTS, Decided, SideRows, decide_rows
from workbench.whatif.fleet.plan import FleetPlan
from workbench.whatif.fleet.side import Side


def decide_batch(batch: Batch, plan: FleetPlan) -> Batch:
    """Decide every tenant of `batch`: a row out for each row in, in the same order.

    A tenant that cannot be read, or gets no policy, has its reasons in `errors` and nobody in `winner`. Words that
    repeat are dictionaries. Raises `UsageError` where the batch lacks a column of the plan.
    """
    return as_batch(decide_rows(batch, plan), plan)


def result_schema(plan: FleetPlan, *, plain: bool = False) -> Schema:
    """The schema of what `decide_batch` gives; `plain` has texts where that has dictionaries."""
    word = pa.string() if plain else pa.dictionary(pa.int32(), pa.string())
    fields: list[tuple[str, Any]] = [("id", pa.string())]
    fields += [(name, word) for name in ("winner", "provider", "model_family", "served_model_id", "region")]
    fields += _cost_fields("", word)
    if plan.by:
        fields.append(("segment", word))
    if plan.before is not None:
        fields += [("before_winner", word), *_cost_fields("before_", word), ("movement", word)]
    fields += [("error", pa.string()), ("errors", pa.list_(pa.string()))]
    return pa.schema(fields)


def _cost_fields(prefix: str, word: Any) -> list[tuple[str, Any]]:
    costs = [(f"{prefix}{name}", pa.float64()) for name in ("cost_per_run", "cost_per_month")]
    counts = [(f"{prefix}{name}", pa.int32()) for name in ("survivors", "providers")]
    return [*costs, *counts, (f"{prefix}policy", word)]


def plain(batch: Batch) -> Batch:
    """The same batch without dictionaries, for engines that know none."""
    arrays = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def as_batch(decided: Decided, plan: FleetPlan) -> Batch:
    """The Arrow form of a decided batch."""
    arrays: list[Array] = [_shown_ids(decided)]
    arrays += _offer_columns(plan.after, decided.after.winner)
    arrays += _cost_columns(decided.after, decided)
    if plan.by:
        labels = [segment_text(plan.by, values) for values in decided.segments]
        arrays.append(_words(decided.segment, labels))
    if plan.before is not None and decided.before is not None and decided.movement is not None:
        arrays.append(_offer_columns(plan.before, decided.before.winner)[0])
        arrays += _cost_columns(decided.before, decided)
        arrays.append(_words(decided.movement, MOVEMENTS))
    arrays += _error_columns(decided)
    return pa.RecordBatch.from_arrays(arrays, schema=result_schema(plan))


def segment_text(by: Sequence[str], values: Sequence[str]) -> str:
    """A segment in words: `plan=free, region=eu`."""
    return ", ".join(f"{name}={value}" for name, value in zip(by, values, strict=True))


def _shown_ids(decided: Decided) -> Array:
    """The ids; one that is none is made visible, so that no file carries what a terminal would obey."""
    if not decided.errors:
        return decided.ids
    shown: list[str | None] = decided.ids.to_pylist()
    for row in decided.errors:
        tenant_id = shown[row]
        if tenant_id is not None:
            shown[row] = one_line(tenant_id, limit=200)
    return pa.array(shown, pa.string())


def _words(codes: NDArray[Any], words: Sequence[str] | Array, missing: NDArray[np.bool_] | None = None) -> Array:
    indices = pa.array(codes.astype(np.int32, copy=False), pa.int32(), mask=missing)
    return pa.DictionaryArray.from_arrays(
        indices, words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    )


@lru_cache(maxsize=8)
def _offer_words(side: Side) -> tuple[tuple[NDArray[np.int32], Array], ...]:
    """For the winner's id, provider, family, model and region: each offer's word, and the words."""
    candidates = side.catalog.candidates
    columns: list[Sequence[str | None]] = [side.catalog.offer_ids]
    columns += [[candidate.get(name) for candidate in candidates] for name in _NAMES]
    columns.append(side.catalog.regions)
    found: list[tuple[NDArray[np.int32], Array]] = []
    for values in columns:
        places: dict[str, int] = {}
        codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
        found.append((np.array([*codes, -1], dtype=np.int32), pa.array(list(places), pa.string())))
    return tuple(found)


_NAMES = ("provider_id", "model_family", "served_model_id")


def _offer_columns(side: Side, winner: NDArray[np.int64]) -> list[Array]:
    found: list[Array] = []
    for codes, words in _offer_words(side):
        chosen = codes[winner]
        found.append(_words(np.maximum(chosen, 0), words, chosen < 0))
    return found


def _cost_columns(side: SideRows, decided: Decided) -> list[Array]:
    found = [
        pa.array(values, pa.float64(), mask=np.isnan(values)) for values in (side.cost_per_run, side.cost_per_month)
    ]
    found += [pa.array(values.astype(np.int32), pa.int32()) for values in (side.survivors, side.providers)]
    places: dict[str, int] = {}
    prints = [verdict.fingerprint for verdict in side.verdicts]
    codes = [-1 if known is None else places.setdefault(known, len(places)) for known in prints]
    chosen = np.array(codes or [-1], dtype=np.int32)[decided.combined.codes]
    return [*found, _words(np.maximum(chosen, 0), list(places), chosen < 0)]


def _error_columns(decided: Decided) -> list[Array]:
    rows = len(decided.ids)
    if not decided.errors:
        return [pa.nulls(rows, pa.string()), pa.nulls(rows, pa.list_(pa.string()))]
    reasons: Mapping[int, tuple[str, ...]] = decided.errors
    first = [reasons[row][0] if row in reasons else None for row in range(rows)]
    every = [list(reasons[row]) if row in reasons else None for row in range(rows)]
    return [pa.array(first, pa.string()), pa.array(every, pa.list_(pa.string()))]
