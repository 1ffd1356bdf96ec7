"""How many exchanges a transport has at a time. asyncio's semaphore has no way in without a coroutine."""

from __future__ import annotations

import asyncio
from collections import deque


class Room:
    """Places; who waits for one gets it in turn. Belongs to one event loop."""

    def __init__(self, places: int) -> None:
        self.free = places
        """While there are any, nobody waits."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Take a place, as soon as there is one."""
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given one in the same moment
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
