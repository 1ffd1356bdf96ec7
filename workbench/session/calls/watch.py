"""A call as somebody watches it: the plan step by step, what is being tried, what failed and why, the text so far.

Pure but for what it is told: events and the time. Screens draw it; it draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from workbench.gateway.codecs.neutral import Delta, ToolDelta
from workbench.gateway.events import Attempting, CallEvent, Failed, Waiting
from workbench.session.calls.answer import Called
from workbench.session.calls.caller import Prepared
from workbench.session.calls.wording import failure_words, milliseconds, place_words
from workbench.session.state import WorkspaceState

Standing = Literal["ahead", "trying", "waiting", "failed", "answered", "skipped", "lacking"]
Phase = Literal["quoted", "running", "over"]
MOST_RUNGS = 40
"""Offers of the order that are listed."""


@dataclass(slots=True)
class Rung:
    """One offer of the order."""

    index: int
    place: str
    """Provider, model, region."""
    standing: Standing = "ahead"
    notes: list[str] = field(default_factory=list[str])
    """What happened there, a line each."""

    @property
    def happened(self) -> bool:
        """Whether anything did."""
        return self.standing not in {"ahead", "lacking"}


@dataclass(slots=True)
class Watch:
    """One call. Changes in place as it is told."""

    state: WorkspaceState
    prepared: Prepared
    phase: Phase = "quoted"
    rungs: list[Rung] = field(default_factory=list[Rung])
    more: int = 0
    """Offers behind those that are listed."""
    pieces: list[str] = field(default_factory=list[str])
    """The text since it was last taken."""
    waits_until: float | None = None
    """When the wait is over, on the clock that `hear` is told of, in milliseconds."""
    began: float = 0.0
    called: Called | None = None
    _last: Rung | None = None
    tools: int = 0
    """Pieces of tool calls so far."""

    def __post_init__(self) -> None:
        order = self.prepared.cascade.order
        lacking = {lack.index: lack for lack in self.prepared.lacks}
        self.more = max(0, len(order) - MOST_RUNGS)
        for index in order[:MOST_RUNGS]:
            rung = Rung(index, place_words(self.state, index))
            lack = lacking.get(index)
            if lack is not None:
                rung.standing = "lacking"
                rung.notes.append(f"{lack.variable} {'is not set' if lack.why in ('missing', 'address') else lack.why}")
            self.rungs.append(rung)

    def begin(self, now: float) -> None:
        """It is sent."""
        self.phase, self.began = "running", now

    def hear(self, event: CallEvent, now: float) -> None:
        """One step."""
        if isinstance(event, Attempting):
            self.waits_until = None
            self._try(event.index, event.attempt)
        elif isinstance(event, Failed):
            self._at(event.record.index, "failed", failure_words(event.record))
        elif isinstance(event, Waiting):
            self.waits_until = now + event.ms
            rung = next((each for each in self.rungs if each.standing == "failed" and each is self._last), None)
            if rung is not None:
                rung.standing = "waiting"
        elif isinstance(event, Delta):
            self.pieces.append(event.text)
        elif isinstance(event, ToolDelta):
            self.tools += 1

    def _try(self, index: int, attempt: int) -> None:
        for rung in self.rungs:
            if rung.index == index:
                rung.standing = "trying"
                self._last = rung
                if attempt > 1:
                    rung.notes.append(f"try {attempt}")
                return
            if rung.standing in {"ahead", "lacking"}:
                rung.standing = "skipped"
        self._last = Rung(index, place_words(self.state, index), "trying")
        self.rungs.append(self._last)
        self.more -= 1

    def _at(self, index: int, standing: Standing, note: str) -> None:
        for rung in self.rungs:
            if rung.index == index:
                rung.standing = standing
                rung.notes.append(note)
                self._last = rung

    def end(self, called: Called) -> None:
        """It is over."""
        self.phase, self.called, self.waits_until = "over", called, None
        for rung in self.rungs:
            if rung.standing in {"trying", "waiting"}:
                rung.standing = "answered" if called.answer.index == rung.index else "failed"
            if called.answer.index == rung.index:
                rung.notes.append(f"answered in {milliseconds(called.answer.attempts[-1].latency_ms)}")
        for entry in called.answer.path:
            if entry.get("event") == "skipped" and entry.get("reason") != "not_configured":  # which says so itself
                self._skipped(str(entry.get("provider_id")), str(entry.get("reason")))

    def _skipped(self, provider: str, reason: str) -> None:
        words = {"breaker_open": "its breaker is open", "disabled_provider": "it is disabled"}.get(reason, reason)
        for rung in self.rungs:
            offer = self.state.catalog.offers[rung.index]
            if offer.provider == provider and rung.standing in {"skipped", "ahead", "lacking"} and not rung.notes:
                rung.standing = "skipped"
                rung.notes.append(words)

    def take_text(self) -> str:
        """The text that came since this was last asked."""
        text = "".join(self.pieces)
        self.pieces.clear()
        return text

    def left_ms(self, now: float) -> float | None:
        """How long the wait goes on; None where there is none."""
        return None if self.waits_until is None else max(self.waits_until - now, 0.0)
