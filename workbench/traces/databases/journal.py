"""Intents on the disk before their calls leave, sooner than a database commits: one write, one `fdatasync`.

A file beside the store for each process that writes in bulk, locked while that process lives, in two halves that take
turns. What it holds is in the store within milliseconds; after a kill, whoever opens the store next takes over what is
not (`leftover`). Owns the file's form; what an entry means is not known here.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import struct
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.traces.databases.places import locked, network_file_system

try:
    import fcntl
except ImportError:  # without a lock nobody could tell a journal in use from one that was left
    fcntl = None

HALF: Final = 2 * 1024 * 1024
"""Bytes of each half; written once at the start, so that no later write has to find room."""
BLOCK: Final = 4096
SIZE: Final = BLOCK + 2 * HALF
MAGIC: Final = b"workbench intents 1\n"
MOST_WRITER: Final = 255
_MARKS: Final = 512
_MARK: Final = struct.Struct("<QQ")
"""Of each half: its turn, counted from 1, and where what is not in the store begins."""
_FRAME: Final = struct.Struct("<QII")
"""Before each entry: its half's turn, its length, its checksum."""
_OWN: Final = re.compile(r"[0-9a-f]{16}")
_sync = getattr(os, "fdatasync", os.fsync)

Position = tuple[int, int]
"""A half's turn, and a place in it; later ones are greater."""


class Journal:
    """The journal of one process. `append` is one thread's, `stored` another's."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._turn, self._used = 1, 0
        self._stored: Position = (1, 0)
        self._lock = threading.Lock()
        self._mark((1, 0))

    def append(self, entries: Sequence[bytes]) -> Position | None:
        """Make entries durable; gives where they end, None where there is no room now. Raises `OSError`."""
        turn, used = self._turn, self._used
        data = _framed(turn, entries)
        if used + len(data) > HALF:
            if self._stored < (turn, 0) or len(data) > HALF:  # the other half is still waited for
                return None
            turn, used = turn + 1, 0
            data = _framed(turn, entries)
            with self._lock:
                self._mark((turn, 0))
        self._write(data, _start(turn) + used)
        self._turn, self._used = turn, used + len(data)
        return self._turn, self._used

    def _write(self, data: bytes, place: int) -> None:
        whole = False
        try:
            whole = os.pwrite(self._handle, data, place) == len(data)
            _sync(self._handle)
        except OSError:
            whole = False
            raise
        finally:
            if not whole:  # whoever hears of it stores them elsewhere, so nobody shall find them here
                with contextlib.suppress(OSError):
                    os.pwrite(self._handle, bytes(_FRAME.size), place)
        if not whole:
            raise OSError("a journal took a part of its entries")

    def stored(self, until: Position) -> None:
        """Everything up to there is in the store. Raises `OSError`."""
        with self._lock:
            if until <= self._stored:
                return
            if until[0] > self._stored[0]:
                self._mark((self._stored[0], HALF))
            self._stored = until
            self._mark(until)

    def _mark(self, position: Position) -> None:
        turn, place = position
        os.pwrite(self._handle, _MARK.pack(turn, place), _MARKS + turn % 2 * _MARK.size)

    def close(self, *, keep: bool = False) -> None:
        """End it. What it holds has to be in the store; else `keep` it for whoever opens the store next."""
        handle, self._handle = self._handle, -1
        if not keep:
            with contextlib.suppress(OSError):
                self.path.unlink()
        os.close(handle)


def open_journal(store: Path, writer: str) -> Journal | None:
    """A journal beside a store, of the process of that name; None where none can be kept.

    That is without a lock, without room, and on another machine's disk.
    """
    if fcntl is None or network_file_system(store) is not None:
        return None
    path = store.with_name(f"{_prefix(store)}{secrets.token_hex(8)}")
    handle = -1
    try:
        with locked(store):  # until it has its own lock it looks like one that was left
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = os.fstat(handle).st_nlink == 1  # where the store could not be locked, somebody may have taken it over
        name = writer.encode()[:MOST_WRITER]
        whole = mine and os.pwrite(handle, (MAGIC + bytes([len(name)]) + name).ljust(SIZE, b"\0"), 0) == SIZE
        os.fsync(handle)
        _sync_folder(store.parent)
    except OSError:
        whole = False
    if whole:
        return Journal(path, handle)
    if handle >= 0:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)
    return None


def _sync_folder(folder: Path) -> None:
    """A file that is lost with its folder's entry has not kept anything."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def left_journals(store: Path) -> list[Path]:
    """The files beside a store that are journals by their names, in their names' order. Raises `OSError`."""
    with os.scandir(store.parent) as found:
        names = [entry.name for entry in found if _is_named(store, entry.name) and entry.is_file(follow_symlinks=False)]
    return [store.with_name(name) for name in sorted(names)]


def _is_named(store: Path, name: str) -> bool:
    prefix = _prefix(store)
    return name.startswith(prefix) and _OWN.fullmatch(name, len(prefix)) is not None


@dataclass(slots=True)
class Left:
    """What a journal has that may be missing in the store."""

    writer: str
    """Whose it was."""
    entries: list[bytes]
    damaged: bool = False
    """To be set where an entry is none: then the file is kept, under another name."""


@contextmanager
def taken_over(path: Path) -> Generator[Left | None]:
    """What a journal has that nobody holds any more; None for one in use, or for a file that is none.

    It is gone once the block has ended well. Raises `OSError`.
    """
    if fcntl is None:
        yield None
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        left = _read(handle)
        yield left
        if left is not None and left.damaged:
            path.rename(path.with_name(f"{path.name}.corrupt"))
        elif left is not None:
            path.unlink()
    finally:
        os.close(handle)


def _read(handle: int) -> Left | None:
    data = os.pread(handle, SIZE, 0)
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        return None
    if len(data) < SIZE:
        return Left("", [])  # it was never begun
    start = len(MAGIC) + 1
    writer = data[start : start + data[start - 1]].decode("utf-8", "replace")
    marks = sorted(_MARK.unpack_from(data, _MARKS + half * _MARK.size) for half in (0, 1))
    return Left(writer, [entry for turn, place in marks if turn for entry in _entries(data, turn, place)])


def _entries(data: bytes, turn: int, place: int) -> Iterator[bytes]:
    """The entries of a half from a place on, as far as they are whole."""
    end = min(_start(turn) + HALF, len(data))
    at = _start(turn) + place
    while at + _FRAME.size <= end:
        known, size, checksum = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        if known != turn or at + size > end:
            return
        entry = data[at : at + size]
        if zlib.crc32(entry, turn & 0xFFFFFFFF) != checksum:
            return
        yield entry
        at += size


def _framed(turn: int, entries: Sequence[bytes]) -> bytes:
    pack, seed = _FRAME.pack, turn & 0xFFFFFFFF
    parts: list[bytes] = []
    for entry in entries:
        parts += (pack(turn, len(entry), zlib.crc32(entry, seed)), entry)
    return b"".join(parts)


def _start(turn: int) -> int:
    return BLOCK + turn % 2 * HALF


def _prefix(store: Path) -> str:
    return f"{store.name}-intents-"
