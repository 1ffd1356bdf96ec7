"""The state of one process alone: rates and places in memory. What has to outlive a process is not for here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workbench.server.shared.base import MINUTE_MS, Ask, Block, Denied, Given, Limit, SharedError, due_at, interval_ms

_MOST_NAMES: Final = 100_000


class Inside:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        """By name, when the next call would be on time."""
        self._places: dict[str, int] = {}
        self._running: dict[str, tuple[Limit, ...]] = {}
        """By lease, the limits whose places it takes."""

    async def admit(self, ask: Ask) -> Denied | None:
        """Take places and rates; nothing where one is denied. A budget is not for memory to keep."""
        if ask.budget is not None:
            raise SharedError("there is no store of budgets")
        denied = self._denied(ask)
        if denied is None:
            self._take(ask)
        return denied

    def _denied(self, ask: Ask) -> Denied | None:
        for limit in ask.limits:
            if limit.concurrency is not None and self._places.get(limit.name, 0) >= limit.concurrency:
                return Denied("concurrency", limit.name)
        for limit in ask.limits:
            if limit.per_minute is not None:
                due = due_at(self._due.get(limit.name, 0.0), ask.now_ms)
                over = due + interval_ms(limit.per_minute) - ask.now_ms - MINUTE_MS
                if over > 0:
                    return Denied("rate", limit.name, over / 1000)
        return None

    def _take(self, ask: Ask) -> None:
        taken: list[Limit] = []
        for limit in ask.limits:
            if limit.per_minute is not None:
                if len(self._due) >= _MOST_NAMES:
                    self._due = {name: due for name, due in self._due.items() if due > ask.now_ms}
                due = due_at(self._due.get(limit.name, 0.0), ask.now_ms)
                self._due[limit.name] = due + interval_ms(limit.per_minute)
            if limit.concurrency is not None:
                self._places[limit.name] = self._places.get(limit.name, 0) + 1
                taken.append(limit)
        if taken:
            self._running[ask.lease] = tuple(taken)

    def _leave(self, lease: str) -> None:
        for limit in self._running.pop(lease, ()):
            left = self._places.get(limit.name, 0) - 1
            if left > 0:
                self._places[limit.name] = left
            else:
                self._places.pop(limit.name, None)

    async def settle(self, given: Given) -> None:
        """Give the places back."""
        self._leave(given.lease)

    async def tell(self, origin: str, blocks: Iterable[Block]) -> None:
        """Nobody else listens."""

    async def heard(self, origin: str, now_ms: float) -> list[Block]:
        """Nobody else speaks."""
        del origin, now_ms
        return []

    async def close(self) -> None:
        """Nothing is open."""
