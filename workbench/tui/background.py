"""Work that takes longer than a frame: in a thread, with progress, cancelled by one key, the newest answer last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol, TypeVar

from textual.timer import Timer
from textual.worker import Worker

from workbench.errors import WorkbenchError

T = TypeVar("T")
REDRAW_SECONDS = 0.1


class Cancelled(Exception):
    """The person does not want the answer any more."""


@dataclass
class Progress:
    """What a piece of work says of itself, from whichever thread it runs in."""

    title: str
    fraction: float | None = None
    """Of 1, where it is known."""
    note: str = ""
    _stop: Event = field(default_factory=Event)

    def report(self, fraction: float | None = None, note: str = "") -> None:
        """Say how far it is. Raises `Cancelled` where nobody waits for it any more."""
        self.fraction, self.note = fraction, note
        if self._stop.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Ask it to end at its next report."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def words(self) -> str:
        """For the footer."""
        share = f" {self.fraction:.0%}" if self.fraction is not None else ""
        return f"{self.title}{share}{f' {self.note}' if self.note else ''} · esc stops it"


class Host(Protocol):
    """The screen that the work is for."""

    def show_progress(self, progress: Progress | None) -> None: ...
    def failed(self, error: WorkbenchError | OSError) -> None: ...
    def run_worker(self, work: object, *, group: str) -> Worker[None]: ...
    def set_interval(self, interval: float, callback: Callable[[], None]) -> Timer: ...


class Background:
    """One piece of work at a time; a newer one takes the place of the one before."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._progress: Progress | None = None
        self._timer: Timer | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def running(self) -> bool:
        """Whether something is at work."""
        return self._progress is not None

    def start(self, title: str, work: Callable[[Progress], T], done: Callable[[T], None]) -> None:
        """Do `work` in a thread and give its answer to `done`, unless something newer was started meanwhile."""
        self.cancel()
        progress = self._progress = Progress(title)
        self._idle.clear()
        if self._timer is None:
            self._timer = self._host.set_interval(REDRAW_SECONDS, self._redraw)
        self._host.run_worker(self._run(progress, work, done), group="background")

    def cancel(self) -> bool:
        """End what runs; gives whether there was something. Its answer is not used, whenever it comes."""
        progress, self._progress = self._progress, None
        if progress is None:
            return False
        progress.cancel()
        self._settle()
        return True

    def drop(self) -> None:
        """End what runs and say nothing: the screen is gone."""
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.cancel()
            self._idle.set()

    async def settled(self) -> None:
        """Wait until nothing is at work."""
        await self._idle.wait()

    async def _run(self, progress: Progress, work: Callable[[Progress], T], done: Callable[[T], None]) -> None:
        try:
            answer = await asyncio.to_thread(work, progress)
        except Cancelled:
            return
        except (WorkbenchError, OSError) as error:
            if self._progress is progress:
                self._progress = None
                self._host.failed(error)
                self._settle()
            return
        if self._progress is progress:
            self._progress = None
            done(answer)
            self._settle()

    def _settle(self) -> None:
        if self._progress is None:
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            self._host.show_progress(None)
            self._idle.set()

    def _redraw(self) -> None:
        if self._progress is not None:
            self._host.show_progress(self._progress)
