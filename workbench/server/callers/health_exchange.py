"""Health told and heard: what this process has found of its providers goes to the others, and theirs comes here.

What was heard is never told on, so that no block lives longer than whoever found it meant.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from workbench.engine.health import Health
from workbench.server.shared.base import Block, Shared, SharedError

LOG: Final = logging.getLogger("workbench.server")
EVERY_S: Final = 1.0
_SLACK_MS: Final = 1_500.0
"""Two ends that are this near are one block."""


@dataclass(slots=True)
class HealthExchange:
    """One process's part. Belongs to one event loop."""

    health: Health
    shared: Shared
    wall_ms: Callable[[], float]
    monotonic_ms: Callable[[], float]
    failed: Callable[[], None] = lambda: None
    origin: str = field(default_factory=lambda: secrets.token_hex(8))
    _heard: dict[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    _told: bool = False
    _out: bool = False
    """Whether the last try failed: said once, and when it works again."""
    _task: asyncio.Task[None] | None = None

    async def once(self) -> None:
        """Tell and hear. Raises `SharedError`."""
        wall, now = self.wall_ms(), self.monotonic_ms()
        own = [
            Block(scope, provider, why, wall + remaining)
            for scope, provider, why, remaining in self.health.known(now)
            if wall + remaining > self._heard.get((scope, provider, why), 0.0) + _SLACK_MS
        ]
        if own or self._told:
            await self.shared.tell(self.origin, own)
            self._told = bool(own)
        for block in await self.shared.heard(self.origin, wall):
            self._take(block, wall, now)
        self._heard = {key: until for key, until in self._heard.items() if until > wall}

    def _take(self, block: Block, wall: float, now: float) -> None:
        key = block[:3]
        if self._heard.get(key, 0.0) >= block.until_ms:
            return
        self._heard[key] = block.until_ms
        if block.why == "breaker_open":
            self.health.hold(block.scope, block.provider, now, block.until_ms - wall)
        elif block.why == "disabled_provider":
            self.health.disable(block.scope, block.provider, now, block.until_ms - wall)

    async def run(self) -> None:
        """Once a second, until it is cancelled."""
        while True:
            try:
                await self.once()
            except Exception as error:  # noqa: BLE001 - whatever somebody has put there, it is looked at again
                self.failed()
                if not self._out:
                    LOG.warning(
                        "health is not shared: %s", error if isinstance(error, SharedError) else type(error).__name__
                    )
                self._out = True
            else:
                if self._out:
                    LOG.warning("health is shared again")
                self._out = False
            await asyncio.sleep(EVERY_S)

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """End, and take back what was told."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self.shared.tell(self.origin, [])
        except SharedError:
            LOG.warning("the health that was told ends by itself")
