"""Slows down whoever goes on asking after being refused, so that a flood of refusals leaves the loop to the others.

A refusal costs little, but a caller that asks again as soon as it was refused makes thousands of them a second, and
every call of everybody else waits for them at each of its steps (RELIABILITY R40). The first ones in a second are
answered at once; a caller that waits as `Retry-After` says never meets the pause.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 20
"""Refusals of one caller in a second that are not held back."""
WINDOW_S: Final = 1.0
PAUSE_S: Final = 0.1
"""How long each further one is held back."""
MOST_NAMES: Final = 10_000


class Slowing:
    """Counts refusals by name. Belongs to one event loop."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, int]] = {}

    def pause_s(self, name: str, now: float) -> float:
        """How long the refusal that `name` gets now is to wait; `now` in seconds of a clock that never goes back."""
        began, count = self._seen.get(name, (now, 0))
        if now - began >= WINDOW_S:
            began, count = now, 0
        if len(self._seen) >= MOST_NAMES and name not in self._seen:
            self._seen.clear()
        self._seen[name] = began, count + 1
        return 0.0 if count < AT_ONCE else PAUSE_S
