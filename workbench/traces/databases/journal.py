"""Intents on the disk before their calls leave, sooner than a database commits: one write, one `fdatasync`.

A file beside the store for each process that writes in bulk, locked while that process lives, in two halves that take
turns. What it holds is in the store within milliseconds; after a kill, whoever opens the store next takes over what is
not (`leftover`). Owns the file's form; what an entry means is not known here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
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
        if os.pwrite(self._handle, data, _start(turn) + used) != len(data):
            raise OSError("a journal took a part of its entries")
        _sync(self._handle)
        self._turn, self._used = turn, used + len(data)
        return self._turn, self._used

    def stored(self, until: Position) -> None:
        """Everything up to there is in the store."""
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

    def close(self) -> None:
        """End it. Whatever it holds has to be in the store."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._handle)


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
        name = writer.encode()[:MOST_WRITER]
        whole = os.pwrite(handle, (MAGIC + bytes([len(name)]) + name).ljust(SIZE, b"\0"), 0) == SIZE
        os.fsync(handle)
    except OSError:
        whole = False
    if whole:
        return Journal(path, handle)
    if handle >= 0:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)
    return None


def left_journals(store: Path) -> Iterator[Path]:
    """The files beside a store that are journals by their names, in their names' order."""
    with os.scandir(store.parent) as found:
        names = [entry.name for entry in found if entry.name.startswith(_prefix(store))]
    yield from (store.with_name(name) for name in sorted(names))


@contextmanager
def taken_over(path: Path) -> Generator[tuple[str, list[bytes]] | None]:
    """Who wrote a journal that nobody holds any more, and what it has that may be missing in the store.

    None for one in use, or for a file that is none. It is gone once the block has ended well. Raises `OSError`.
    """
    if fcntl is None:
        yield None
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        found = _read(handle)
        yield found
        if found is not None:
            path.unlink()
    finally:
        os.close(handle)


def _read(handle: int) -> tuple[str, list[bytes]] | None:
    data = os.pread(handle, SIZE, 0)
    if not data.startswith(MAGIC):
        return None if data else ("", [])  # killed before it had written anything
    start = len(MAGIC) + 1
    writer = data[start : start + data[start - 1]].decode("utf-8", "replace")
    marks = sorted(_MARK.unpack_from(data, _MARKS + half * _MARK.size) for half in (0, 1))
    return writer, [entry for turn, place in marks if turn for entry in _entries(data, turn, place)]


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
