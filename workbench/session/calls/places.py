"""Where what outlives a process lies, in the user's state directory: health, and which key may go where.

Owns the reading and the careful writing of those small JSON files: one writer at a time, whole or not at all, for
nobody else's eyes. A file that cannot be read counts as empty, and says so; what is written then does not replace it:
it is set aside under another name.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import platformdirs

from workbench.boundary import files, strict_json
from workbench.engine.values import record
from workbench.errors import DocumentError, FileRefused, Finding, Place
from workbench.traces.databases.places import locked

SCHEMA: Final = 1
MAX_BYTES: Final = 8 * 1024 * 1024

Document = dict[str, Any]
T = TypeVar("T")


def state_folder() -> Path:
    """The user's own."""
    return Path(platformdirs.user_state_dir("policy-workbench"))


@dataclass(slots=True)
class KeptFile:
    """One small JSON document that several processes read and change."""

    path: Path
    trouble: Finding | None = None
    """Why it could not be read or written the last time."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def read(self) -> Document:
        """What it says; empty where there is nothing that can be read."""
        try:
            value = strict_json.loads(files.read_bytes(self.path, max_bytes=MAX_BYTES), max_bytes=MAX_BYTES)
        except FileRefused as error:
            missing = any(finding.code == "missing" for finding in error.findings)
            self.trouble = None if missing else self._said(error, "cannot be read")
            return {}
        except DocumentError as error:
            self.trouble = self._said(error, "cannot be read; it counts as empty")
            return {}
        document = dict(record(value))
        if document.get("schema") != SCHEMA:
            self.trouble = Finding("this file is of another version; it counts as empty", "state_file", self._place)
            return {}
        self.trouble = None
        return document

    def change(self, change: Callable[[Document], tuple[Document, T]]) -> T:
        """Read it, change it and write it, while no other process does. Gives what `change` gives beside it.

        Never raises for the disk's sake: what could not be written is in `trouble`.
        """
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                document, result = change(self.read())
                self.trouble = Finding(f"its folder cannot be made: {error.strerror}", "state_file", self._place)
                return result
            with locked(self.path):
                document, result = change(self.read())
                if self.trouble is not None:
                    self._set_aside()
                data = _lines({"schema": SCHEMA, **document})
                try:
                    files.write_atomic(self.path, data, mode=0o600)
                except FileRefused as error:
                    self.trouble = self._said(error, "cannot be written")
            return result

    def _set_aside(self) -> None:
        with contextlib.suppress(OSError):
            self.path.replace(self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns()}"))

    @property
    def _place(self) -> Place:
        return Place(str(self.path))

    def _said(self, error: FileRefused | DocumentError, what: str) -> Finding:
        reason = error.findings[0].reason if error.findings else error.title
        return Finding(f"this file {what}: {reason}", "state_file", self._place, severity="warning")


def _lines(document: Document) -> bytes:
    """A line for each member. Indented by `json` it would leave a circle of functions to the garbage collector."""
    members = (f" {strict_json.dumps(name)}: {strict_json.dumps(value)}" for name, value in document.items())
    return "{{\n{}\n}}\n".format(",\n".join(members)).encode()
