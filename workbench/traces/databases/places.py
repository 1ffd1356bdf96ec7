"""Where a store lies: the lock that one process at a time opens it under, and whether the disk is another machine's."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from workbench.boundary.machine import alive

_NETWORK: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs", "9p")
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Held while a store is looked at, repaired or migrated; a no-op where the folder or the system takes no lock."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:
        yield
        return
    handle = -1
    with contextlib.suppress(OSError):
        name = f"{path.parent}{os.sep}.{path.name}.lock"  # no path, whose name would be interned each time
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if handle >= 0:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle >= 0:
            os.close(handle)


def network_file_system(path: Path) -> str | None:
    """The kind of network file system that `path` lies on, None where it lies on a disk or nobody can say."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
        place = str(path.resolve())
    except OSError:
        return None
    return system_of(place, lines)


def system_of(place: str, lines: list[str]) -> str | None:
    """The same, of the lines of a `mountinfo`."""
    best, kind = -1, None
    for line in lines:
        before, _, after = line.partition(" - ")
        parts, kinds = before.split(" "), after.split(" ")
        if len(parts) < 5 or not kinds:
            continue
        point = parts[4].replace("\\040", " ")
        if (place == point or place.startswith(point.rstrip("/") + "/")) and len(point) >= best:
            best, kind = len(point), kinds[0]
    return kind if kind in _NETWORK else None


@cache
def _host() -> str:
    return socket.gethostname()[:100] or "?"


def writer() -> str:
    """The name of this process, as a trace keeps it: host and process id."""
    return f"{_host()}:{os.getpid()}"


def gone(name: str) -> bool | None:
    """Whether the process of that name has ended; None where it was on another host."""
    host, _, number = name.rpartition(":")
    if host != _host() or not number.isdigit():
        return None
    pid = int(number)
    if pid == os.getpid():
        return False
    if sys.platform == "win32":
        return None
    return not alive(pid)
