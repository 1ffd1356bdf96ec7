"""A whole source through `decide_batch`: read ahead, decided on several threads, taken in and written in order.

Memory holds a few batches and the sums, however long the source. A run may be stopped between batches; what it has is
a result of so many rows and says so.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.boundary.sanitiser import one_line
from workbench.whatif.fleet.arrow import Batch, pa
from workbench.whatif.fleet.deciding.batch import as_batch, result_schema
from workbench.whatif.fleet.deciding.checks import kind_of_field
from workbench.whatif.fleet.deciding.rows import Decided, decide_rows
from workbench.whatif.fleet.plan import ID, FleetPlan
from workbench.whatif.fleet.sources.base import Piece, Source, Wanted, refuse
from workbench.whatif.fleet.totals import Totals
from workbench.whatif.fleet.writing import PART_ROWS, Checkpoint, ErrorFile, Parts

Progress = Callable[[int, float | None], None]
"""Told after each batch: rows so far, and how much of the source that is, 0 to 1, None where nobody can say."""
AHEAD: Final = 2
"""Batches that wait beside those being decided."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with a source."""

    plan: FleetPlan
    out: Path | None = None
    """The result file, `.parquet` or `.csv`."""
    errors: Path | None = None
    resume: bool = False
    workers: int | None = None
    """Threads that decide; None: one per core."""
    part_rows: int = PART_ROWS
    """How often there is a checkpoint."""


@dataclass(frozen=True, slots=True)
class FleetResult:
    """What came of it."""

    totals: Totals
    stopped: bool
    """Whether it was stopped before the end; then the totals are of the rows so far."""
    kept: Path | None
    """Where the parts of a stopped run are."""


@dataclass(frozen=True, slots=True)
class _Done:
    """One piece, decided."""

    piece: Piece
    decided: Decided
    batch: Batch | None


def run(
    source: Source, work: Work, *, progress: Progress | None = None, cancelled: Callable[[], bool] = lambda: False
) -> FleetResult:
    """Decide every tenant of `source`.

    `cancelled` is asked between batches; an interrupt counts as well. Raises `WorkspaceError` where the source can't be
    read on or a file can't be written; the parts that were finished stay for `resume`.
    """
    runner = _Run(source, work, progress)
    parts = runner.parts
    stopped = False
    try:
        stopped = runner.go(cancelled)
    except KeyboardInterrupt:
        stopped = True
    finally:
        if parts is not None:
            parts.close()
        runner.errors.close()
    if parts is not None and not stopped:
        parts.finish(work.errors)
    return FleetResult(runner.totals, stopped, parts.folder if parts is not None and stopped else None)


def wanted_of(plan: FleetPlan) -> list[Wanted]:
    """The columns of a plan with the kinds of their fields."""
    return [Wanted(column, kind_of_field(column.field, plan.after)) for column in plan.columns]


class _Run:
    """The state of one run."""

    def __init__(self, source: Source, work: Work, progress: Progress | None) -> None:
        self.source, self.work, self.progress = source, work, progress
        self.totals = Totals.of(work.plan)
        self.errors = ErrorFile(work.errors if work.out is None else None)
        self.parts: Parts | None = None
        self._pieces = 0
        self._digest = hashlib.blake2b(digest_size=16)
        self._skip: Checkpoint | None = None
        if work.out is not None:
            self.parts = Parts(work.out, result_schema(work.plan), identity_of(source, work.plan), work.part_rows)
            if work.resume:
                self._skip = self.parts.resume()
            else:
                self.parts.begin()

    def go(self, cancelled: Callable[[], bool]) -> bool:
        """Everything; gives whether it was stopped."""
        workers = self.work.workers or os.cpu_count() or 1
        waiting: deque[Future[_Done]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="fleet") as pool:
            with closing(self._unread(self.source.pieces(wanted_of(self.work.plan)))) as pieces:
                for piece in pieces:
                    waiting.append(pool.submit(self._decide, piece))
                    while len(waiting) >= workers + AHEAD or (waiting and waiting[0].done()):
                        self._take(waiting.popleft().result())
                    if cancelled():
                        pool.shutdown(cancel_futures=True)
                        return True
            while waiting:
                self._take(waiting.popleft().result())
                if cancelled():
                    pool.shutdown(cancel_futures=True)
                    return True
        if self.parts is not None and (self.parts.rows or not self.parts.count):
            self._close_part()
        return False

    def _decide(self, piece: Piece) -> _Done:
        decided = decide_rows(piece.batch, self.work.plan)
        return _Done(piece, decided, as_batch(decided, self.work.plan) if self.parts is not None else None)

    def _unread(self, pieces: Iterator[Piece]) -> Generator[Piece]:
        """The pieces that no earlier run has finished. Raises `WorkspaceError` where those it has are others now."""
        known = self._skip
        for piece in pieces:
            if known is None:
                yield piece
                continue
            self._pieces += 1
            self._learn(piece)
            if self._pieces < known.pieces:
                continue
            if self._digest.hexdigest() != known.digest:
                raise self._changed("other tenants")
            self.totals = Totals.read(known.totals)
            known = None
        if known is not None:
            raise self._changed("fewer tenants")

    def _changed(self, what: str) -> Exception:
        reason = f"it has {what} than the run that was stopped"
        return refuse(self.source.name, reason, "checkpoint", "--force begins anew")

    def _learn(self, piece: Piece) -> None:
        """Take a piece's ids into the digest."""
        name = next(column.name for column in self.work.plan.columns if column.field == ID)
        ids = piece.batch.column(piece.batch.schema.names.index(name))
        whole = pa.concat_arrays([ids.dictionary_decode() if pa.types.is_dictionary(ids.type) else ids])
        for buffer in whole.buffers():
            self._digest.update(buffer or b"-")

    def _take(self, done: _Done) -> None:
        """Take a decided piece in, in order."""
        piece, decided = done.piece, done.decided
        self.totals.broken((broken.row, broken.reason) for broken in piece.broken)
        self.totals.add(decided, self.work.plan, piece.first)
        rows = _error_rows(piece, decided)
        if self.parts is None:
            self.errors.write(rows)
        elif done.batch is not None:
            self._pieces += 1
            self._learn(piece)
            self.parts.write(done.batch, rows)
            if self.parts.full:
                self._close_part()
        if self.progress is not None:
            self.progress(self.totals.rows, piece.done)

    def _close_part(self) -> None:
        parts = self.parts
        if parts is None:
            return
        if not parts.count and not parts.rows:
            parts.write(pa.RecordBatch.from_pylist([], schema=parts.schema), [])
        parts.close()
        digest = self._digest.hexdigest()
        parts.note(Checkpoint(parts.identity, self._pieces, parts.count, digest, self.totals.wire()))


def _error_rows(piece: Piece, decided: Decided) -> list[list[str]]:
    """The piece's rows for the errors file, in order of their numbers."""
    found: list[list[str]] = [[str(each.row), "", each.reason, each.reason] for each in piece.broken]
    for row, reasons in decided.errors.items():
        tenant_id = one_line(decided.ids[row].as_py() or "", limit=200)
        found.append([str(piece.first + row), tenant_id, reasons[0], "; ".join(reasons)])
    return found


def identity_of(source: Source, plan: FleetPlan) -> str:
    """What a checkpoint is of: the source and everything in the plan."""
    told: list[Any] = [source.stamp, plan.by, plan.workload, [_words(plan)]]
    digest = hashlib.sha256(repr(told).encode())
    for side in plan.sides:
        digest.update(side.identity.encode())
    return digest.hexdigest()


def _words(plan: FleetPlan) -> Sequence[tuple[object, ...]]:
    return [(column.name, column.field, column.form, column.separator) for column in plan.columns]
