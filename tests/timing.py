"""Bounds in time on a machine that does other work too: what is late every time is late, what is late once is not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
TRIES = 3


def least(work: Callable[[], object], *, enough: float) -> float:
    """The least seconds of processor time that `work` took; it is done again only where it took more than `enough`."""
    best = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
        if best <= enough:
            break
    return best


async def in_time(make: Callable[[], Awaitable[T]], seconds: Callable[[T], float], enough: float) -> T:
    """What `make` gives, made anew where it took more than `enough`; the last one is given, late or not."""
    made = await make()
    for _ in range(TRIES - 1):
        if seconds(made) <= enough:
            break
        made = await make()
    return made
