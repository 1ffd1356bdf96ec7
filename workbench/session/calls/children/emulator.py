"""`workbench emulate` as a child process: it takes a free port, and nobody reads what it says of each request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.session.calls.children import process as child_process


@dataclass(slots=True)
class EmulatorChild:
    """A running emulator."""

    url: str
    faults: tuple[str, ...]
    process: asyncio.subprocess.Process = field(repr=False)
    _drain: asyncio.Task[None] = field(repr=False)

    @classmethod
    async def start(cls, root: Path, faults: Sequence[str] = ()) -> EmulatorChild:
        """Start one for a workspace. Raises `ChildFailed` with what it said."""
        words = ["emulate", "--json", "--port", "0", "--workspace", str(root)]
        words += [word for fault in faults for word in ("--fault", fault)]
        ready, process = await child_process.start("emulator", words)
        drain = asyncio.create_task(child_process.drain(process.stdout, process.stderr))
        return cls(ready.url, tuple(faults), process, drain)

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.returncode is None

    async def stop(self, end_s: float = child_process.END_S) -> None:
        """End it, whatever it is doing."""
        self._drain.cancel()
        await child_process.stop(self.process, end_s)
        with contextlib.suppress(asyncio.CancelledError):
            await self._drain
