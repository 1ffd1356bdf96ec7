"""Regular files, looked at and read within bounds.

Owns the answer to "is this a plain file we touch", and the system's errors in our words. It refuses folders, pipes,
sockets and devices by kind, before it opens them, and content beyond the bound before it reads it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from workbench.boundary.sanitiser import one_line
from workbench.errors import FileRefused, Finding, Place

CODES: Final = frozenset(
    ("missing", "denied", "not_regular", "too_large", "link", "exists", "full", "io", "name", "outside")
)
"""Every code of a finding in a `FileRefused`."""

_CHUNK: Final = 1024 * 1024
_OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)
_ERRNO: Final = {
    errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.EACCES: "denied", errno.EPERM: "denied",
    errno.EROFS: "denied", errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EFBIG: "full", errno.ELOOP: "link",
    errno.EEXIST: "exists", errno.ENAMETOOLONG: "name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file was when it was read."""

    size: int
    """Bytes."""
    mtime_ns: int
    inode: int
    sha256: str
    """Hex digest of the content."""

    def same_file(self, status: os.stat_result) -> bool:
        """Whether `status` looks like this file untouched: no content is read."""
        return (self.size, self.mtime_ns, self.inode) == (status.st_size, status.st_mtime_ns, status.st_ino)


def read_bytes(path: Path, *, max_bytes: int) -> bytes:
    """The content of a regular file of at most `max_bytes`; a FileRefused for anything else, before reading it."""
    return read_stamped(path, max_bytes=max_bytes)[0]


def read_stamped(path: Path, *, max_bytes: int) -> tuple[bytes, Stamp]:
    """The content and its stamp, taken from one open file, so that no writer comes between them."""
    try:
        check_regular(path, path.stat())  # before the open: opening a device may already do something
        with open(os.open(path, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123 - flags that Path.open cannot pass
            status = os.fstat(file.fileno())
            check_regular(path, status)
            if status.st_size > max_bytes:
                _too_large(path, status.st_size, max_bytes)
            data = file.read(status.st_size + 1)  # not the bound: room for all of it would be asked for each time
            if len(data) > status.st_size:  # it grows while it is read
                data += file.read(max_bytes + 1 - len(data))
    except (OSError, ValueError) as error:
        raise refused(path, "read", error) from None
    if len(data) > max_bytes:
        _too_large(path, len(data), max_bytes)
    return data, Stamp(len(data), status.st_mtime_ns, status.st_ino, hashlib.sha256(data).hexdigest())


def stamp(path: Path) -> Stamp:
    """The stamp of a regular file as it is now; a FileRefused where it is none."""
    try:
        check_regular(path, path.stat())
        with open(os.open(path, _OPEN_FLAGS), "rb") as file:  # noqa: PTH123 - flags that Path.open cannot pass
            status = os.fstat(file.fileno())
            check_regular(path, status)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise refused(path, "read", error) from None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino, digest)


def target_of(path: Path, *, follow_link: bool) -> tuple[Path, os.stat_result | None]:
    """The path that a write to `path` replaces, and its status (None where nothing is there yet)."""
    try:
        if path.is_symlink():
            if not follow_link:
                _refuse(path, "a link, which is not written through", "link", hint="name the file it leads to")
            path = path.resolve(strict=False)
        status = path.lstat()
    except FileNotFoundError:
        return path, None
    except (OSError, RuntimeError, ValueError) as error:
        raise refused(path, "written", error) from None
    check_regular(path, status)
    return path, status


def refused(path: Path, verb: str, error: Exception) -> FileRefused:
    """The system's error as ours: what could not be done, where, and why in its own words."""
    code = _ERRNO.get(error.errno or 0, "io") if isinstance(error, OSError) else "name"
    why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
    shown = one_line(str(path), limit=300)
    return FileRefused(f"`{shown}` could not be {verb}", [Finding(one_line(why.lower()), code, Place(shown))])


def check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        _refuse(path, f"{_kind(status.st_mode)}, not a regular file", "not_regular")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"), (stat.S_ISCHR, "a character device"), (stat.S_ISLNK, "a link"),
    )  # fmt: skip
    return next((words for test, words in kinds if test(mode)), "something else")


def _too_large(path: Path, size: int, limit: int) -> NoReturn:
    _refuse(path, f"{size:,} bytes, the limit is {limit:,}", "too_large")


def _refuse(path: Path, reason: str, code: str, hint: str | None = None) -> NoReturn:
    shown = one_line(str(path), limit=300)
    raise FileRefused(f"`{shown}` is not touched", [Finding(reason, code, Place(shown), hint)]) from None
