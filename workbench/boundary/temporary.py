"""Temporary files beside their target: made, put in place, and found again after a kill.

Owns the names of such files. `.NAME.PID-RUN-N.wbtmp` holds content that was never in place and may always go;
`.NAME.PID-RUN-N.OLD-NEW.wbswap` may hold what stood at the target, and says by hash what it should be.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import secrets
import shutil
import sys
from pathlib import Path
from typing import Final

from workbench.boundary.machine import alive

_RUN: Final = secrets.token_hex(4)
"""Tells this process from an earlier one that had the same PID."""
_COUNTER: Final = itertools.count()
_LEFTOVER: Final = re.compile(
    r"\.(?P<name>.+)\.(?P<pid>[0-9]{1,10})-(?P<run>[0-9a-f]{8})-[0-9]+"
    r"(?:\.(?P<old>none|[0-9a-f]{16})-(?P<new>[0-9a-f]{16})\.wbswap|\.wbtmp)",
    re.DOTALL,
)
_NAME_BYTES: Final = 160
"""Of the target's name, so that the whole stays under the 255 bytes most file systems allow."""
_EXCHANGE: Final = 2
_NO_LINKS: Final = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK))


def write(target: Path, data: bytes, status: os.stat_result | None, mode: int | None = None) -> Path:
    """A synced temporary file beside `target` with its mode and owner (as `status` has them); OSError on failure."""
    path = target.parent / f"{_stem(target)}.wbtmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    wanted = mode if status is None else status.st_mode & 0o7777
    handle = os.open(path, flags, 0o666 if wanted is None else 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(data)
            file.flush()
            if status is not None and hasattr(os, "fchown"):
                with contextlib.suppress(PermissionError):  # only root may give a file back to its owner
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            if wanted is not None:
                os.fchmod(file.fileno(), wanted)
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def link_new(made: Path, target: Path) -> None:
    """Move `made` to `target` where nothing is; FileExistsError where something has come to be there."""
    try:
        os.link(made, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        made.replace(target)
    else:
        made.unlink()


def swap_name(target: Path, old: str | None, new: str) -> Path:
    """A fresh name beside `target` that tells what it may come to hold. `old` and `new` are SHA-256 hex digests."""
    return target.parent / f"{_stem(target)}.{old[:16] if old else 'none'}-{new[:16]}.wbswap"


def second_name(target: Path, backup: Path) -> None:
    """Give the file at `target` a second name, or copy it where the file system knows no second names."""
    try:
        os.link(target, backup)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(target, backup, follow_symlinks=False)


def exchange(made: Path, target: Path) -> bool:
    """Swap two files in one step, so that nothing which stood at `target` is lost; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # noqa: PLC0415 - costs milliseconds, and only a save over a file needs it

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    here = ctypes.c_int(-100)  # AT_FDCWD
    if rename(here, os.fsencode(made), here, os.fsencode(target), ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code), os.fspath(target))


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system can sync folders."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def leftover(name: str) -> re.Match[str] | None:
    """The parts (`name`, `pid`, `run`, `old`, `new`) of a temporary file's name whose process is gone."""
    parts = _LEFTOVER.fullmatch(name)
    if parts is None:
        return None
    pid = int(parts["pid"])
    gone = parts["run"] != _RUN if pid == os.getpid() else not alive(pid)
    return parts if gone else None


def _stem(target: Path) -> str:
    name = target.name.encode("utf-8", "surrogateescape")[:_NAME_BYTES].decode("utf-8", "ignore")
    return f".{name}.{os.getpid()}-{_RUN}-{next(_COUNTER)}"
