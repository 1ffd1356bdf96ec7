"""Writing so that a kill at any moment leaves the old or the new content, and nobody's version is lost.

Owns the order of steps of a write, and of a save over a file that another program may have changed: what stood at the
path at the moment of the swap is compared with what we had read, and if it differs, it is kept as
`NAME.conflict-TIME`, and the save says so.
"""

from __future__ import annotations

import contextlib
import errno
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from workbench.boundary import temporary
from workbench.boundary.regular import Stamp, refused, stamp, target_of
from workbench.errors import FileRefused

_TRIES: Final = 20
"""A path that comes and goes this often within one save is not ours to write."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did."""

    path: Path
    """The file written: the target, where the path was a link."""
    stamp: Stamp
    """Of the new content, the base of the next save."""
    conflict: Path | None = None
    """Where the other program's version is kept, if there was one."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found."""

    removed: tuple[Path, ...] = ()
    conflicts: tuple[Path, ...] = ()
    """Versions of other programs that a killed save had displaced, now under a name one can see."""


def write_atomic(
    path: Path, data: bytes, *, follow_link: bool = True, overwrite: bool = True, mode: int | None = None
) -> Path:
    """Put `data` at `path` whole or not at all, and return the path written.

    A link's target is replaced and the link kept; without `follow_link` a link is refused (exports). An existing file
    keeps its mode; a new one gets `mode`, or what the umask leaves. Without `overwrite` an existing file is refused.
    """
    target, status = target_of(path, follow_link=follow_link)
    if status is not None and not overwrite:
        raise refused(path, "written", FileExistsError(errno.EEXIST, "it exists already"))
    try:
        made = temporary.write(target, data, status, mode)
        try:
            if overwrite:
                made.replace(target)
            else:
                temporary.link_new(made, target)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
        temporary.sync_folder(target.parent)
    except OSError as error:
        raise refused(path, "written", error) from None
    return target


def save_over(path: Path, data: bytes, base: Stamp | None) -> Saved:
    """Save `data` at `path`; `base` is the stamp of what was read there, None where nothing was.

    Whole or not at all, mode and link kept, as `write_atomic`. A version that is not `base` is never lost: see `Saved`.
    A FileRefused leaves the file as it was.
    """
    target, status = target_of(path, follow_link=True)
    known, digest = base.sha256 if base else None, sha256(data).hexdigest()
    try:
        made = temporary.write(target, data, status)
        try:
            made = made.rename(temporary.swap_name(target, known, digest))
            written = made.stat()
            displaced = _put(made, target, temporary.swap_name(target, known, digest))
        except BaseException:
            _discard(made, digest)
            raise
        conflict = _settle(displaced, target, known, digest) if displaced else None
        temporary.sync_folder(target.parent)
    except OSError as error:
        raise refused(path, "saved", error) from None
    return Saved(target, Stamp(written.st_size, written.st_mtime_ns, written.st_ino, digest), conflict)


def sweep_leftovers(folder: Path) -> Swept:
    """Clear `folder` of temporary files whose process is gone; a displaced version in one becomes a conflict file.

    Looks at this folder only, follows no link, and skips what it may not touch. A missing folder is an empty one.
    """
    removed: list[Path] = []
    conflicts: list[Path] = []
    with contextlib.suppress(OSError):
        for entry in sorted(folder.iterdir()):
            parts = temporary.leftover(entry.name)
            if parts is None or not stat.S_ISREG(entry.lstat().st_mode):
                continue
            with contextlib.suppress(OSError, FileRefused):
                kept = _settle(entry, folder / parts["name"], parts["old"], parts["new"]) if parts["new"] else None
                entry.unlink(missing_ok=True)
                if kept:
                    conflicts.append(kept)
                else:
                    removed.append(entry)
    return Swept(tuple(removed), tuple(conflicts))


def _put(made: Path, target: Path, backup: Path) -> Path | None:
    """Bring `made` to `target`; where something stood there, it is now at the path returned (`made` or `backup`)."""
    for _ in range(_TRIES):
        try:
            temporary.link_new(made, target)
        except FileExistsError:
            pass
        else:
            return None
        try:
            status = target.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise FileExistsError(errno.EEXIST, "it has become something else than a file")
            if temporary.exchange(made, target):
                return made
            temporary.second_name(target, backup)
            if target.lstat().st_ino == status.st_ino:
                made.replace(target)
                return backup
            backup.unlink()
        except FileNotFoundError:
            continue
    raise OSError(errno.EBUSY, "it comes and goes while it is saved")


def _settle(displaced: Path, target: Path, old: str | None, new: str) -> Path | None:
    """Drop the displaced file if it is what we knew, else keep it under a name one can see."""
    digest = stamp(displaced).sha256
    if (old is not None and digest.startswith(old)) or digest.startswith(new):
        displaced.unlink()
        return None
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    for attempt in range(1, 1000):
        kept = target.with_name(f"{target.name}.conflict-{moment}{'' if attempt == 1 else f'-{attempt}'}")
        try:
            temporary.link_new(displaced, kept)
        except FileExistsError:
            continue
        return kept
    raise OSError(errno.EEXIST, "too many conflict files")


def _discard(made: Path, digest: str) -> None:
    """Remove our own unsaved content, and only that: after a swap the name holds somebody's file."""
    with contextlib.suppress(OSError):
        if sha256(made.read_bytes()).hexdigest() == digest:
            made.unlink()
