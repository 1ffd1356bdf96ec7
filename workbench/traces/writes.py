"""What is written of served calls: a trace that is open, its intents and its end, and where such writes go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from workbench.traces.databases.journal import Position
from workbench.traces.parts.steps import Step
from workbench.traces.record import Exchange, Record, Result, Trace
from workbench.traces.store import CallEnd, Intent
from workbench.traces.template import Own, Summary, Template


@dataclass(slots=True)
class OpenTrace:
    """One request's trace while its calls are made."""

    template: Template
    own: Own
    begun: bool = False
    """Whether its row is stored."""
    kept: object = None
    """What the sink knows it by."""
    running: CallEnd | None = None
    """How its last call ended, where that is not stored yet."""
    _head: bytes | None = None

    @property
    def head(self) -> bytes:
        """What is its own, as its rows hold it."""
        if self._head is None:
            self._head = self.template.head(self.own)
        return self._head

    @property
    def record(self) -> Record:
        """The trace as a record, not ended."""
        known, own = self.template.record, self.own
        head = replace(
            known.trace.head,
            trace_id=type(known.trace.head.trace_id)(own.trace_id), time_ms=own.time_ms, asked=own.asked, seed=own.seed,
        )  # fmt: skip
        return replace(known, trace=replace(known.trace, head=head))


@dataclass(slots=True)
class Begun:
    """A call is about to be made."""

    trace: OpenTrace
    intent: Intent
    before: CallEnd | None
    durable: Callable[[bool], None] | None = None
    """Told once whether it is; never raises."""


@dataclass(slots=True)
class Ended:
    """A trace has ended."""

    trace: OpenTrace
    result: Result
    steps: tuple[Step, ...]
    exchange: Exchange | None
    last: CallEnd | None
    summary: Summary

    @property
    def record(self) -> Record:
        """The trace as a record."""
        record = self.trace.record
        trace = record.trace
        if isinstance(trace, Trace):
            return replace(record, trace=replace(trace, result=self.result, steps=self.steps, exchange=self.exchange))
        quiet = tuple(step.quiet for step in self.steps)
        return replace(record, trace=replace(trace, result=self.result, steps=quiet))


Write = Begun | Ended


class Sink(Protocol):
    """Where writes go."""

    quick: bool
    """Whether the event loop may write itself."""

    def announce(self, writes: Sequence[Begun]) -> Position | None:
        """Make intents durable outside the store, all or none; gives how far it got, None where it could not."""
        ...

    def stored(self, until: Position) -> None:
        """Everything that was announced up to there is stored. Raises nothing."""
        ...

    def keep(self) -> None:
        """Something that was announced can't be stored: it has to be found by whoever opens the store next."""
        ...

    def prepared(self, writes: Sequence[Write]) -> Callable[[int], None]:
        """What stores all of them, durable when it returns; may be another thread's work.

        It is told how many milliseconds it may wait for others, and raises `Busy` where that is not enough,
        `WorkbenchError` where they can't be stored. None of another call may be under way meanwhile.
        """
        ...

    def tidy(self) -> None:
        """Do what has to be done now and then, in a thread; others may write meanwhile."""
        ...

    def close(self) -> None:
        """End it."""
        ...
