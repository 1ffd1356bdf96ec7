"""Unsaved edits kept on disk while one works, and found again at the next start. Never writes on the UI thread.

Kept `AFTER` seconds after the last edit, and at most `AT_MOST` after the first that is not kept. What an earlier
sitting left, and nobody has decided on yet, is set aside before anything is kept in its place.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from textual.screen import Screen
from textual.timer import Timer

from workbench.boundary.machine import alive
from workbench.errors import WorkbenchError
from workbench.session.saving.journal import Journal, JournalFile, kept_by
from workbench.session.session import Session

AFTER = 0.5
AT_MOST = 2.0
AT_LEAST = 0.05
"""Below this a running timer is let go off: one of no seconds is lost by Textual, or divides by them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an earlier sitting left."""

    file: JournalFile
    journal: Journal


class JournalKeeper:
    """Keeps one session's unsaved edits."""

    def __init__(self, session: Session, screen: Screen[None], failed: Callable[[Exception], None]) -> None:
        self._session = session
        self._screen = screen
        self._failed = failed
        self._seen = session.state
        self._latest: float | None = None
        self._timer: Timer | None = None
        self._lock = threading.Lock()
        self._superseded: JournalFile | None = None
        self._undecided = True
        """Whether a journal on disk may be one that nobody has decided on."""

    def look(self, *, saved: bool = False) -> None:
        """See whether the session has moved on, or was saved; if so, what is kept follows in a moment."""
        if self._session.state is self._seen and not saved:
            return
        self._seen = self._session.state
        now = monotonic()
        if self._latest is None:
            self._latest = now + AT_MOST
        elif self._latest - now < AT_LEAST:
            return
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(min(AFTER, self._latest - now), self._keep)

    async def _keep(self) -> None:
        try:
            await asyncio.to_thread(self.flush)
        except (WorkbenchError, OSError) as error:
            self._failed(error)

    @property
    def pending(self) -> bool:
        """Whether an edit is not kept yet."""
        return self._latest is not None

    def flush(self) -> bool:
        """Keep what is not saved, now; gives whether anything is. Writes the disk. Raises `WorkbenchError`, `OSError`.

        With nothing unsaved, the journal goes away.
        """
        with self._lock:
            self._latest = None
            if self._undecided:
                self._set_aside()
            kept = self._session.keep_journal()
            if self._superseded is not None:
                self._superseded.discard()
                self._superseded = None
            return kept

    def find(self) -> Found | None:
        """What an earlier sitting left, the newest first. Reads the disk."""
        for file in self._files():
            with suppress(WorkbenchError, OSError):
                journal = file.find()
                if journal is not None:
                    return Found(file, journal)
        return None

    def taken_up(self, found: Found) -> None:
        """The edits of an earlier sitting are this one's now: they go once this one's are kept."""
        if found.file == self._session.journal_file:
            self._undecided = False
        else:
            self._superseded = found.file

    def decided(self, found: Found) -> None:
        """The edits of an earlier sitting were given up. Writes the disk."""
        with self._lock:
            if found.file == self._session.journal_file:
                self._undecided = False
            found.file.discard()

    def moved_from(self, left: JournalFile) -> None:
        """The session goes on in another folder, where nobody has decided on a journal that may be there."""
        with self._lock:
            if not self._undecided:
                left.discard()
            self._undecided = True

    def give_up(self) -> None:
        """Nothing of this sitting is to be kept; what an earlier one left stays. Writes the disk."""
        with self._lock:
            if self._timer is not None:
                self._timer.stop()
            if not self._undecided:
                self._session.journal_file.discard()

    def _set_aside(self) -> None:
        path = self._session.journal_file.path
        if path.exists():
            taken = len(list(path.parent.glob(f"{path.stem}.earlier-*.json")))
            path.rename(path.with_name(f"{path.stem}.earlier-{taken + 1:03}.json"))
        self._undecided = False

    def _files(self) -> Iterator[JournalFile]:
        yield self._session.journal_file
        path = self._session.journal_file.path
        for other in sorted(path.parent.glob(f"{path.stem}.earlier-*.json"), reverse=True):
            process = kept_by(other)
            if process is None or not alive(process):
                yield JournalFile(other)
