"""Keys in the order they were pressed, each where the one before it leads.

Textual sends a key to the widget that has the focus when the key arrives. In a burst that is too early: the key before
may be about to move the focus. Here the next key waits until a message sent after the last one has come all the way up
to the app. While the workspace is being opened, all of them wait.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message

Pressed = events.Key | events.Paste
PATIENCE = 0.25
"""Seconds after which a key counts as dealt with, whatever became of its message."""
ROUNDS = 2
"""A key's effect may itself be a message: it gets one more round."""


class KeyDone(Message):
    """Follows a key on its way up from the focus."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class KeyQueue:
    """Holds keys back until it is their turn."""

    def __init__(self, app: App[Any], *, held: bool) -> None:
        self._app = app
        self._held = held
        self._waiting: deque[Pressed] = deque()
        self._number = 0
        self._sent_at: float | None = None
        """When the key at work was sent; None where none is."""

    def hold(self, event: Pressed) -> bool:
        """Whether the key has to wait; then it is kept here. A key that may interrupt never waits."""
        if isinstance(event, events.Key) and event.key == "ctrl+c":
            return False
        if self._held or self._waiting or self._busy:
            self._waiting.append(event)
            if len(self._waiting) == 1 and not self._held:
                self._app.set_timer(PATIENCE, self._overdue)
            return True
        return False

    def sent(self) -> None:
        """A key went to the focus; what follows it up is sent after it."""
        self._number += 1
        self._sent_at = monotonic()
        self._follow(ROUNDS - 1)

    def done(self, event: KeyDone) -> Pressed | None:
        """The follower of a key has come up; gives the key whose turn it is."""
        if event.number != self._number or self._sent_at is None:
            return None
        if event.rounds and self._waiting:
            self._follow(event.rounds - 1)
            return None
        return self._next()

    def open(self, *, drop: bool) -> Pressed | None:
        """The main screen is there; gives the first of the keys that waited for it, unless they are to be dropped."""
        self._held = False
        if drop:
            self._waiting.clear()
        return None if self._busy else self._next()

    def _next(self) -> Pressed | None:
        self._sent_at = None
        return self._waiting.popleft() if self._waiting else None

    @property
    def _busy(self) -> bool:
        return self._sent_at is not None and monotonic() - self._sent_at < PATIENCE

    def _follow(self, rounds: int) -> None:
        target = self._app.focused or self._app.screen
        target.post_message(KeyDone(self._number, rounds))

    def _overdue(self) -> None:
        """A follower was lost with the widget that it was sent to: go on with the next key."""
        if self._waiting and not self._held and not self._busy:
            self._app.post_message(KeyDone(self._number, 0))
        elif self._waiting:
            self._app.set_timer(PATIENCE, self._overdue)
