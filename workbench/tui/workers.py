"""Everything that runs beside the screen: evaluations that take long, and the look at the disk.

A preview that was fast last time is made on the spot, so that the key press and its effect are one frame; once one
takes longer than `INLINE_MS`, the next go to a thread, one at a time, and only the newest text is evaluated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import perf_counter

from textual.screen import Screen

from workbench.session.edits import Edit
from workbench.session.saving import disk_changes
from workbench.session.session import Preview, Session
from workbench.tui.messages import DiskChanged

INLINE_MS = 10.0
"""An evaluation up to this long may happen inside a key press."""
DISK_SECONDS = 1.0

Done = Callable[[Edit, Preview, float], None]


class Previewer:
    """Evaluates the edit being typed; never two at once, always the newest last."""

    def __init__(self, session: Session, screen: Screen[None], done: Done) -> None:
        self._session = session
        self._screen = screen
        self._done = done
        self._last_ms = 0.0
        self._waiting: Edit | None = None
        self._running = False

    def ask(self, edit: Edit) -> None:
        """Preview `edit`, now or in a moment; `done` is told."""
        if self._running or self._last_ms > INLINE_MS:
            self._waiting = edit
            if not self._running:
                self._running = True
                self._screen.run_worker(self._drain(), group="preview", exit_on_error=True)
            return
        self._done(edit, *self._measured(edit))

    async def _drain(self) -> None:
        try:
            while (edit := self._waiting) is not None:
                self._waiting = None
                preview, elapsed = await asyncio.to_thread(self._measured, edit)
                self._done(edit, preview, elapsed)
        finally:
            self._running = False

    def _measured(self, edit: Edit) -> tuple[Preview, float]:
        start = perf_counter()
        preview = self._session.preview_edit(edit)
        self._last_ms = (perf_counter() - start) * 1000
        return preview, self._last_ms


class DiskWatch:
    """Looks every second whether the workspace's files are still those that were read."""

    def __init__(self, session: Session, screen: Screen[None]) -> None:
        self._session = session
        self._screen = screen
        self._seen: tuple[Path, ...] = ()

    def start(self) -> None:
        """Begin to look."""
        self._screen.set_interval(DISK_SECONDS, self._look)

    def forget(self) -> None:
        """The files were read: what was seen is seen."""
        self._seen = ()

    async def _look(self) -> None:
        try:
            paths = await asyncio.to_thread(disk_changes, self._session.workspace)
        except OSError:
            paths = (self._session.workspace.root,)
        if paths != self._seen:
            self._seen = paths
            self._screen.post_message(DiskChanged(paths))


def clock() -> str:
    """The time of day, for `saved 14:02`."""
    return datetime.now().astimezone().strftime("%H:%M")
