"""Times of pieces of work, taken so that two of them may be compared. Knows nothing of what it measures.

Candidates take turns: each round times a batch of every one of them, so that a busy moment of the machine hits all.
A candidate's time is the median over the rounds of a pass, and of several passes the quickest, because what else runs
on the machine only ever adds. The clock is the processor time of this process, all threads: whatever is measured here
computes and never waits, so on an idle machine that is the time by the wall, and on a busy one it is still the work.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Final

Work = Callable[[], object]

PASSES: Final = 5
ROUNDS: Final = 7
BATCH_NS: Final = 2_000_000
"""How long a batch should take, about: long against the clock's own cost, short against a scheduler's slice."""
MOST_CALLS: Final = 20_000


def medians(candidates: Mapping[str, Work], *, passes: int = PASSES, rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds per call of each candidate; the garbage collector is off while they run."""
    calls = {name: _calls(work) for name, work in candidates.items()}
    best = dict.fromkeys(candidates, float("inf"))
    gc.collect()
    gc.disable()
    try:
        for _ in range(passes):
            for name, took in _pass(candidates, calls, rounds).items():
                best[name] = min(best[name], statistics.median(took))
            gc.collect()
    finally:
        gc.enable()
    return best


def once(work: Work) -> float:
    """Microseconds of a single call, for what happens only once."""
    gc.collect()
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1000


def firsts(prepare: Callable[[], Work], times: int = 9) -> float:
    """Microseconds of the first call of what `prepare` makes anew each time; median. Preparing is not counted."""
    return statistics.median(once(prepare()) for _ in range(times))


def _pass(candidates: Mapping[str, Work], calls: Mapping[str, int], rounds: int) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, work in candidates.items():
            _batch(work, calls[name] // 8)  # what ran before has left its own data in the processor's caches
            took[name].append(_batch(work, calls[name]) / calls[name] / 1000)
    return took


def _batch(work: Work, calls: int) -> int:
    start = time.process_time_ns()
    for _ in range(calls):
        work()
    return time.process_time_ns() - start


def _calls(work: Work) -> int:
    """How many calls fill a batch; the first call, which may build what the others find, does not count."""
    work()
    calls = 1
    while calls < MOST_CALLS:
        took = max(min(_batch(work, calls) for _ in range(2)), 1)
        if took >= BATCH_NS // 4:
            return max(1, min(MOST_CALLS, calls * BATCH_NS // took))
        calls *= 4
    return MOST_CALLS
