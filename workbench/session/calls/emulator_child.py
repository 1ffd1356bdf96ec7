"""`workbench emulate` as a child process: started for a screen, ended with it.

Owns the process and nothing of what it answers. It takes a free port and says on its first line where it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.boundary import strict_json
from workbench.engine.values import items, record, text
from workbench.errors import DocumentError, Finding, WorkbenchError

START_S: Final = 30.0
"""Longest wait for its first line."""
END_S: Final = 3.0
"""How long it may take to leave before it is killed."""
MOST_LINE: Final = 256 * 1024


class EmulatorFailed(WorkbenchError):
    """The emulator could not be started."""


@dataclass(slots=True)
class EmulatorChild:
    """A running emulator."""

    url: str
    faults: tuple[str, ...]
    process: asyncio.subprocess.Process = field(repr=False)
    _drain: asyncio.Task[None] = field(repr=False)

    @classmethod
    async def start(cls, root: Path, faults: Sequence[str] = ()) -> EmulatorChild:
        """Start one for a workspace. Raises `EmulatorFailed` with what it said."""
        words = ["-m", "workbench", "emulate", "--json", "--port", "0", "--workspace", str(root)]
        for fault in faults:
            words += ["--fault", fault]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, limit=MOST_LINE, start_new_session=True,
        )  # fmt: skip
        try:
            url = await asyncio.wait_for(_ready(process), START_S)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError | asyncio.LimitOverrunError | ValueError):
                raise EmulatorFailed("the emulator does not say where it listens") from None
            raise
        return cls(url, tuple(faults), process, asyncio.create_task(_drained(process)))

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.returncode is None

    async def stop(self) -> None:
        """End it, whatever it is doing."""
        self._drain.cancel()
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), END_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
        with contextlib.suppress(asyncio.CancelledError):
            await self._drain


async def _ready(process: asyncio.subprocess.Process) -> str:
    """The address on its first line."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    assert process.stderr is not None  # noqa: S101 - as above
    line = await process.stdout.readline()
    try:
        url = text(record(strict_json.loads(line)).get("url")) if line else None
    except DocumentError:
        url = None
    if url is None:
        raise _failure(await process.stderr.read(MOST_LINE))
    return url


def _failure(said: bytes) -> EmulatorFailed:
    """The reasons that it gave."""
    try:
        error: Mapping[str, Any] = record(record(strict_json.loads(said)).get("error"))
    except DocumentError:
        error = {}
    reasons = [record(finding).get("reason") for finding in items(error.get("findings"))]
    words = "; ".join(reason for reason in reasons if isinstance(reason, str)) or "it ended at once"
    return EmulatorFailed("the emulator can't be started", [Finding(words, "emulator")])


async def _drained(process: asyncio.subprocess.Process) -> None:
    """Read what it says, so that it never waits for a reader."""
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]

    async def drain(stream: asyncio.StreamReader) -> None:
        while await stream.read(65_536):
            pass

    await asyncio.gather(*(drain(stream) for stream in streams))
