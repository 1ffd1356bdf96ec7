"""Listens to a call on behalf of somebody else and remembers the text, so that a broken answer is not lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.events import CallEvent


class Hearing:
    """Passes each event on."""

    def __init__(self, emit: Callable[[CallEvent], Awaitable[None]]) -> None:
        self._emit = emit
        self._pieces: list[str] = []

    async def __call__(self, event: CallEvent) -> None:
        """One event, in order."""
        if isinstance(event, Delta):
            self._pieces.append(event.text)
        await self._emit(event)

    @property
    def text(self) -> str:
        """What came so far."""
        return "".join(self._pieces)
