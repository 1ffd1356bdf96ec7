"""Which process works on a workspace: one at a time writes it and keeps its journal, a second one is told who has it.

Owns a file per workspace in the user's state folder, locked while the process lives: the system lets go of it however
the process ends, so no lock is ever stale. What the file says is for people; only the lock counts. A system or a disk
without such locks lets everyone in, and then only the comparison before a save protects (`save_over`).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import platformdirs

MOST: Final = 64
"""Bytes of a lock file that are looked at."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the workspace."""

    pid: int | None
    """None where it has not said so yet."""

    @property
    def words(self) -> str:
        """For a sentence."""
        return "another workbench" if self.pid is None else f"another workbench (process {self.pid})"


class WorkspaceLock:
    """The lock of one workspace folder, on behalf of this process."""

    def __init__(self, root: Path, state_folder: Path | None = None) -> None:
        folder = state_folder or Path(platformdirs.user_state_dir("policy-workbench"))
        name = sha256(str(root.resolve()).encode("utf-8", errors="surrogateescape")).hexdigest()[:32]
        self.path = folder / "locks" / f"{name}.lock"
        self._handle = -1

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._handle >= 0

    def take(self) -> Holder | None:
        """Take the lock; gives who has it where another process does. Waits for nobody, raises nothing.

        Two sittings of one process do not shut each other out.
        """
        if self.held:
            return None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
            handle = os.open(self.path, flags, 0o600)
        except OSError:
            return None
        holder = _locked(handle)
        if holder is not None:
            os.close(handle)
            return None if holder.pid == os.getpid() else holder
        self._handle = handle
        return None

    def release(self) -> None:
        """Let go. The file stays: taking it away would let two in at once."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _locked(handle: int) -> Holder | None:
    """Lock the open file and write down who did; gives the holder where that is another."""
    if sys.platform == "win32":
        return None
    import fcntl  # noqa: PLC0415 - not on every system

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Holder(_pid(os.pread(handle, MOST, 0)))
    except OSError:
        return None
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        return None  # a full disk: the lock holds all the same, only nobody learns the number
    return None


def _pid(data: bytes) -> int | None:
    text = data.strip()
    return int(text) if text.isdigit() and len(text) <= 10 else None
