"""The traces of one sitting: the store opened when it is first needed, and what is told of it.

Owns one open store and how writers get at it. Opening never fails a caller that only records: `recorder` gives one that
counts what it loses. Reading makes no file. May be used from several threads.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from workbench.catalog import Catalog
from workbench.errors import Finding, TraceError, WorkbenchError
from workbench.session.tracing.places import shown_place
from workbench.traces.opening import open_store
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.recorder import Recorder
from workbench.traces.store import TraceStore

Standing = Literal["none", "open", "read only", "failed"]


class Traces:
    """The trace store of a workspace, whether it is there yet or not."""

    def __init__(self, place: Path | str) -> None:
        self.place = place
        self.shown = shown_place(place)
        """The place without any password."""
        self.notices: tuple[Finding, ...] = ()
        """What a person should be told of the place, since it was opened: damaged and set aside, read only, ..."""
        self.error: WorkbenchError | None = None
        """Why it could not be opened the last time that was tried."""
        self._lock = threading.RLock()
        self._store: TraceStore | None = None
        self._file: tuple[int, int] | None = None
        self._recorder: Recorder | None = None
        self._kept: KeptCatalog | None = None

    @property
    def standing(self) -> Standing:
        """Whether there is a store, as far as was looked."""
        if self.error is not None:
            return "failed"
        if self._store is None:
            return "none"
        return "open" if self._store.database.writable else "read only"

    def existing(self) -> TraceStore | None:
        """The store to read, None where none was begun yet. Raises `TraceError` where it cannot be used."""
        with self._lock:
            if self._store is None and isinstance(self.place, Path) and not _there(self.place):
                self.error = None
                return None
            return self.store()

    def store(self) -> TraceStore:
        """The store, made where nothing is. Raises `TraceError` where it cannot be used."""
        with self._lock:
            if self._store is not None and self._file != _identity(self.place):
                self.close()  # the file was taken away or replaced: what went into the old one would be lost
            if self._store is None:
                try:
                    self._store = open_store(self.place)
                except WorkbenchError as error:
                    self.error = error
                    raise
                self.error = None
                self._file = _identity(self.place)
                self.notices = (*self.notices, *(n for n in self._store.notices if n not in self.notices))
            return self._store

    def recorder(self) -> Recorder:
        """What a caller writes its traces through, the same one each time; `lost` counts what could not be written.

        Raises nothing. A store that cannot be opened is tried again at the next request.
        """
        with self._lock:
            recorder = self._recorder = self._recorder or Recorder(None)
            try:
                recorder.store = self.store()
            except WorkbenchError as error:
                recorder.store, recorder.last_error = None, error
            return recorder

    def kept(self, catalog: Catalog) -> KeptCatalog:
        """The catalog as records name it; made once for the catalog that is in use."""
        with self._lock:
            if self._kept is None or self._kept.candidates is not catalog.candidates:
                self._kept = KeptCatalog.of(catalog)
            return self._kept

    def opened(self) -> TraceStore:
        """The store to read. Raises `TraceError` where none was begun yet."""
        store = self.existing()
        if store is None:
            reason = f"nothing has been traced yet: there is no `{self.shown}`"
            raise TraceError("there are no traces", [Finding(reason, "no_traces", hint="`workbench call` makes one")])
        return store

    def close(self) -> None:
        """End it; the next use opens it again."""
        with self._lock:
            store, self._store, self._file = self._store, None, None
            if store is not None:
                store.close()


def _there(path: Path) -> bool:
    """Whether something is at the path, a dangling link included: that is for opening to refuse."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return True


def _identity(place: Path | str) -> tuple[int, int] | None:
    if isinstance(place, str):
        return None
    try:
        status = place.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
