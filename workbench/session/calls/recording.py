"""Writes a trace around a call: the gateway's recorder over a `traces.Recording`, the disk's work in a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from workbench.errors import TraceError
from workbench.gateway.records import Attempt, Intent
from workbench.traces.recorder import Recording

T = TypeVar("T")


class TraceRecorder:
    """Keeps one request's intents and outcomes. What could not be written is counted by the recording's own recorder.

    The call goes on without its record (RELIABILITY E9): the gateway counts what raises here, and whoever shows the
    answer says so.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    async def intent(self, intent: Intent) -> None:
        """Durable when this returns. Raises `TraceError` where it could not be written."""
        written = await to_end(lambda: self.recording.before(intent.index, intent.attempt, int(intent.at * 1000)))
        if not written:
            raise TraceError("a trace was not written")

    async def outcome(self, attempt: Attempt) -> None:
        """Goes with the next write."""
        now = int(time.time() * 1000)
        kind = "unknown" if attempt.cancelled and attempt.error_kind is None else attempt.error_kind
        self.recording.after(kind, attempt.http_status, attempt.latency_ms, now)


async def to_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread and wait for it, even where this task is cancelled meanwhile: never two at once."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                continue
        raise
