"""Looks whether the workspace's files have changed, and has them read again when they have (RELIABILITY R51)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from workbench.session.settings import FILE_NAME, Settings

LOG: Final = logging.getLogger("workbench.server")
LOOK_S = 1.0
"""Between two looks at the files; a change is taken up once two looks see the same."""
Seen = tuple[tuple[str, int, int, int], ...]


def seen(root: Path, settings: Settings, catalog: Path | None) -> Seen:
    """What the files look like from outside: path, time, size and inode of each, in a stable order.

    Paths are strings here: `pathlib` interns each name that it is given, and this is done every second; names that come
    and go make the interpreter's table of such names grow.
    """
    found: list[tuple[str, int, int, int]] = []
    for path in _paths(str(root), settings, catalog):
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            found.append((path, -1, 0, 0))
        else:
            found.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(sorted(found))


def _paths(root: str, settings: Settings, catalog: Path | None) -> Iterator[str]:
    join = os.path.join
    yield join(root, FILE_NAME)
    yield join(root, settings.rulebook)
    if catalog is not None:
        yield str(catalog)
    for profile in settings.profiles.values():
        if profile.file is not None:
            yield join(root, profile.file)
    with suppress(OSError), os.scandir(join(root, settings.tenants)) as entries:
        yield from (entry.path for entry in entries if entry.name.endswith(".toml"))


class Reloader:
    """Looks at the files again and again while the process serves; a change counts from when this was made."""

    def __init__(self, look: Callable[[], Seen], reload: Callable[[], None]) -> None:
        self._look, self._reload = look, reload
        self._first = look()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        taken = before = self._first
        while True:
            await asyncio.sleep(LOOK_S)
            now = await asyncio.to_thread(self._look)
            if now == before != taken:
                taken = now
                try:
                    await asyncio.to_thread(self._reload)
                except Exception as error:  # noqa: BLE001 - what is in force stays so, and the next change is looked at
                    LOG.error("reloading: %s", type(error).__name__)  # noqa: TRY400 - its text may hold anything
            before = now
