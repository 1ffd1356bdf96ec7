"""A made-up tenant base for any rulebook: some hundred kinds of customers, many of some and few of others.

The same number and seed give the same tenants. Every field of the rulebook is stated; what is drawn for it depends on
its kind alone, so nothing here knows a plan or a region by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.rulebook.schema import NO_LOG, TenantField
from workbench.session.state import WorkspaceState
from workbench.whatif.fleet.arrow import Array, Batch, load, pa
from workbench.whatif.fleet.deciding.batch import plain
from workbench.whatif.fleet.deciding.rows import decide_rows
from workbench.whatif.fleet.plan import Column, FleetPlan
from workbench.whatif.fleet.side import Side

KINDS: Final = 400
"""Kinds of customers: every tenant of a kind has the same facts, so there are at most so many policies."""
_DRAWN: Final = 4 * KINDS
ROWS: Final = 131_072
_WORKLOADS: Final = ((500, 150), (1_500, 300), (4_000, 800), (12_000, 1_000))
_RUNS: Final = (6.0, 1.6)
"""Mean and spread of the logarithm of a tenant's runs per month."""


def sample_batches(state: WorkspaceState, count: int, *, seed: int = 2026) -> Iterator[Batch]:
    """`count` tenants of the workspace's rulebook and catalog, some at a time."""
    draw = np.random.default_rng(seed)
    columns = {name: _facts(known, state, draw) for name, known in state.rulebook.schema.fields.items()}
    workload = np.array(_WORKLOADS)[draw.integers(0, len(_WORKLOADS), _DRAWN)]
    chosen = _served(state, columns, workload)
    columns = {name: column.take(pa.array(chosen)) for name, column in columns.items()}
    workload = workload[chosen]
    weights = 1.0 / np.arange(1, KINDS + 1) ** 0.7
    weights /= weights.sum()
    for first in range(0, count, ROWS):
        rows = min(ROWS, count - first)
        kinds = draw.choice(KINDS, rows, p=weights)
        runs = np.ceil(draw.lognormal(*_RUNS, rows)).clip(1, 1e9)
        yield _batch(first, rows, kinds, columns, workload, runs)


def _served(state: WorkspaceState, columns: dict[str, Array], workload: NDArray[Any]) -> NDArray[np.int64]:
    """Which of the drawn kinds are taken: those that somebody serves, and one in fifty that nobody does."""
    names = ["id", *columns, "tokens_in", "tokens_out"]
    ids = pa.array([str(place) for place in range(_DRAWN)])
    tokens = [pa.array(workload[:, place].astype(np.float64)) for place in (0, 1)]
    batch = pa.RecordBatch.from_arrays([ids, *columns.values(), *tokens], names=names)
    decided = decide_rows(batch, FleetPlan(tuple(Column(name, name) for name in names), Side.of(state)))
    served = decided.after.winner >= 0
    allowed = served | (np.cumsum(~served) <= KINDS // 50)
    found = np.concatenate((np.flatnonzero(allowed), np.flatnonzero(~allowed)))[:KINDS]
    return np.sort(found)


def _batch(
    first: int, rows: int, kinds: NDArray[np.int64], columns: dict[str, Array], workload: NDArray[Any],
    runs: NDArray[np.float64],
) -> Batch:  # fmt: skip
    numbers = np.char.zfill(np.arange(first + 1, first + rows + 1).astype("U8"), 8)
    places = pa.array(kinds)
    arrays = [pa.array(np.char.add("tenant-", numbers), pa.string())]
    arrays += [_spread(column, kinds, places) for column in columns.values()]
    arrays += [pa.array(workload[kinds, place].astype(np.float64)) for place in (0, 1)]
    arrays.append(pa.array(runs))
    return pa.RecordBatch.from_arrays(arrays, names=["id", *columns, "tokens_in", "tokens_out", "runs_per_month"])


def _spread(column: Array, kinds: NDArray[np.int64], places: Array) -> Array:
    if pa.types.is_string(column.type):
        words = column.dictionary_encode()
        codes = words.indices.to_numpy(zero_copy_only=False)[kinds]
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), words.dictionary)
    return column.take(places)


def _facts(known: TenantField, state: WorkspaceState, draw: np.random.Generator) -> Array:
    """One value for each kind of customer."""
    if known.kind == "flag":
        share = 0.25 if known.name == NO_LOG else 0.5
        return pa.array(draw.random(_DRAWN) < share)
    if known.kind == "number":
        low = 0.0 if known.minimum is None else known.minimum
        high = low + 1.0 if known.maximum is None else known.maximum
        return pa.array(np.round(low + (high - low) * draw.integers(6, 13, _DRAWN) / 20, 6))
    if known.kind == "list":
        return _lists(_words(known, state), draw)
    words = known.values or tuple(_words(known, state)[:20])
    weights = 1.0 / np.arange(1, len(words) + 1)
    return pa.array([words[k] for k in draw.choice(len(words), _DRAWN, p=weights / weights.sum())], pa.string())


def _lists(words: Sequence[str], draw: np.random.Generator) -> Array:
    """From one to four entries, the earlier words more often."""
    weights = 1.0 / np.arange(1, len(words) + 1)
    made: list[list[str]] = []
    for size in draw.integers(1, min(4, len(words)) + 1, _DRAWN).tolist():
        chosen = np.asarray(draw.choice(len(words), size, replace=False, p=weights / weights.sum()), dtype=np.int64)
        places: list[int] = chosen.tolist()
        made.append(sorted(words[place] for place in places))
    return pa.array(made, pa.list_(pa.string()))


def _words(known: TenantField, state: WorkspaceState) -> Sequence[str]:
    """What a text or an entry of a list may be: the schema's values, else what the catalog has most offers of."""
    if known.values:
        return known.values
    if known.of not in ("provider", "model"):
        return tuple(f"{known.of or known.name}-{k}" for k in range(1, 9))
    key = {"provider": "provider_id", "model": "model_family"}[known.of]
    counts: dict[str, int] = {}
    for candidate in state.catalog.candidates:
        counts[candidate[key]] = counts.get(candidate[key], 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def write_sample(
    state: WorkspaceState, count: int, path: Path, *, seed: int = 2026, told: Callable[[int], None] = lambda _: None
) -> None:
    """Write `count` tenants to a file that ends in `.parquet`, `.csv` or `.jsonl`; `told` hears of each batch."""
    rows = 0
    writer: Any = None
    lines = path.open("w", encoding="utf-8", newline="\n") if path.suffix == ".jsonl" else None
    try:
        for batch in sample_batches(state, count, seed=seed):
            rows += batch.num_rows
            told(rows)
            if lines is not None:
                lines.writelines(_json_lines(batch))
                continue
            shown = _glued(batch) if path.suffix == ".csv" else plain(batch)
            if writer is None:
                writer = _writer(path, shown.schema)
            writer.write_batch(shown)
    finally:
        if writer is not None:
            writer.close()
        if lines is not None:
            lines.close()


def _writer(path: Path, schema: Any) -> Any:
    if path.suffix == ".csv":
        return load("pyarrow.csv").CSVWriter(path, schema)
    words = [field.name for field in schema if field.name not in ("id", "runs_per_month")]
    return load("pyarrow.parquet").ParquetWriter(path, schema, compression="zstd", use_dictionary=words)


def _glued(batch: Batch) -> Batch:
    """The batch with lists as texts, `;` between their entries."""
    compute = load("pyarrow.compute")
    found = plain(batch)
    arrays = [compute.binary_join(c, ";") if pa.types.is_list(c.type) else c for c in found.columns]
    return pa.RecordBatch.from_arrays(arrays, names=found.schema.names)


def _json_lines(batch: Batch) -> Iterator[str]:
    from workbench.boundary import strict_json  # noqa: PLC0415 - for this one format

    for row in batch.to_pylist():
        yield strict_json.dumps(row) + "\n"
