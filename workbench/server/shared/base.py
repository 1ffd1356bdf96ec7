"""What may be asked of the state that processes share; `inside`, `postgres` and `valkey` answer it.

One question before a call and one after it, each a single step that happens whole or not at all. What a call costs is
held before it and charged after it, under the name of its lease; a lease is charged once, and one whose process was
killed ends by itself without being charged. Amounts are whole billionths of a dollar, so that sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, Protocol

NANO: Final = 1_000_000_000
LEASE_MS: Final = 15 * 60 * 1000
"""Longer than any call lasts; then what it held is free again."""


MINUTE_MS: Final = 60_000.0


def interval_ms(per_minute: int) -> float:
    """How far apart calls stand at this rate. A whole minute's calls may come at once, then one each interval."""
    return MINUTE_MS / per_minute


def due_at(stored: float, now_ms: float) -> float:
    """When the next call would be on time; `now` where that is past, or so far ahead that a clock was set back."""
    return stored if now_ms < stored <= now_ms + 2 * MINUTE_MS else now_ms


@dataclass(frozen=True, slots=True)
class Limit:
    """What one name (a token, a tenant) may do; None is no limit."""

    name: str
    per_minute: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one token may spend in a month, and what this call is expected to cost."""

    token: str
    month: str
    most: int
    hold: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Leave for one call."""

    lease: str
    now_ms: float
    limits: Sequence[Limit] = ()
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """Why there is no leave."""

    why: Literal["rate", "concurrency", "budget"]
    name: str
    retry_after_s: float = 1.0
    spent: int = 0
    """Of a budget: what was spent before."""


@dataclass(frozen=True, slots=True)
class Given:
    """A call that is over. `cost` None: nobody knows, and what was held is charged."""

    lease: str
    limits: Sequence[Limit] = ()
    budget: Budget | None = None
    cost: int | None = 0


class Block(NamedTuple):
    """A provider that a process found unfit: for whom (`""`: everyone), why, and until when (ms since 1970)."""

    scope: str
    provider: str
    why: str
    until_ms: float


class Shared(Protocol):
    """The state. Methods raise `SharedError` where it cannot be reached."""

    async def admit(self, ask: Ask) -> Denied | None:
        """Take what `ask` wants, all of it or nothing."""
        ...

    async def settle(self, given: Given) -> None:
        """Give back places and charge the cost; a second time nothing happens."""
        ...

    async def tell(self, origin: str, blocks: Iterable[Block]) -> None:
        """The blocks that `origin` (a process) has found itself; replaces what it told before."""
        ...

    async def heard(self, origin: str, now_ms: float) -> list[Block]:
        """What all others than `origin` have told and is not over, the longest of each."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class SharedError(Exception):
    """The shared state cannot be reached."""


def month_of(now_ms: float) -> str:
    """The calendar month of a time, UTC."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m")


def longest(blocks: Iterable[Block]) -> list[Block]:
    """One block for each scope, provider and reason: the one that lasts longest."""
    found: dict[tuple[str, str, str], Block] = {}
    for block in blocks:
        key = block[:3]
        if key not in found or found[key].until_ms < block.until_ms:
            found[key] = block
    return [found[key] for key in sorted(found)]
