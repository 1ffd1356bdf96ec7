"""What a caller is told while a call runs, and what it has in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from workbench.boundary.sealed import sealed
from workbench.engine.fallback import Finished
from workbench.gateway.codecs.neutral import Delta, Reply, Thinking, ToolDelta
from workbench.gateway.records import Attempt


@dataclass(frozen=True, slots=True)
class Attempting:
    """A candidate is being called."""

    index: int
    """The candidate's place in the pool."""
    provider_id: str
    model_family: str
    attempt: int
    """Which try of this candidate, from 1."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; what follows depends on the plan, and on whether anything reached the caller."""

    record: Attempt


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing happens for a while, before another try."""

    ms: float


CallEvent = Attempting | Delta | Thinking | ToolDelta | Failed | Waiting
Emit = Callable[[CallEvent], Awaitable[None]]
"""Takes each event in order; if it raises, the caller is gone."""
COMMITTING: Final[tuple[type, ...]] = (Delta, ToolDelta)
"""What commits the call: from then on something of its answer is with the caller, and nothing falls back."""


async def unheard(event: CallEvent) -> None:
    """For a caller who wants the answer alone."""


@sealed
class Answer:
    """How a request ended."""

    outcome: str
    """`ok`, a reason, `cancelled`, `no_candidates`, or `exhausted: LAST_REASON`."""
    index: int | None
    """The candidate that answered."""
    reply: Reply | None
    """The whole answer; of a stream that broke, None: its pieces were emitted."""
    attempts: tuple[Attempt, ...]
    """In order, with what the plan did."""
    path: tuple[dict[str, Any], ...]
    """The machine's log."""
    recovery: tuple[tuple[int, float], ...] = ()
    """Where nobody could be called: each candidate and the milliseconds until it can be."""
    latency_ms: float = 0.0
    committed: bool = False
    """Whether anything of an answer reached the caller."""
    unrecorded: int = 0
    """How many records the recorder could not keep."""

    @property
    def finished(self) -> Finished:
        """The same as the machine says it, for a trace."""
        return Finished(self.outcome, self.index, self.path, self.recovery)
