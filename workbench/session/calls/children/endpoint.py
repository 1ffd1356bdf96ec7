"""`workbench serve` as a child process: started for a screen, ended with it, its lines read as they come.

Owns the process and nothing of what it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.engine.values import number, text
from workbench.session.calls.children import process as child_process


@dataclass(frozen=True, slots=True)
class Served:
    """One call that the endpoint has answered, as its line says."""

    trace_id: str
    time: str
    tenant: str
    no_log: bool
    emulated: bool
    outcome: str
    offer: str
    """`provider/served model id`; empty where nobody answered."""
    region: str
    ranked: int
    population: int
    attempts: int
    cost_usd: float | None
    latency_ms: float | None


@dataclass(slots=True)
class ServeChild:
    """A running endpoint."""

    url: str
    ready: child_process.Ready = field(repr=False)
    """What it said when it came up."""
    process: asyncio.subprocess.Process = field(repr=False)
    _reading: asyncio.Task[None] = field(repr=False)

    @classmethod
    async def start(
        cls, root: Path, emulator: str | None, heard: Callable[[Served], None], ended: Callable[[], None]
    ) -> ServeChild:
        """Start one for a workspace; `heard` gets each call, `ended` is told when the process has gone.

        Raises `ChildFailed` with what it said.
        """
        words = ["serve", "--json", "--port", "0", "--workspace", str(root)]
        words += [] if emulator is None else ["--emulator", emulator]
        ready, process = await child_process.start("endpoint", words)
        return cls(ready.url, ready, process, asyncio.create_task(_read(process, heard, ended)))

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.returncode is None

    async def stop(self) -> None:
        """End it: gently, then at once."""
        self._reading.cancel()
        await child_process.stop(self.process)
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading


async def _read(
    process: asyncio.subprocess.Process, heard: Callable[[Served], None], ended: Callable[[], None]
) -> None:
    """Tell each call; what it writes elsewhere is read too, so that it never waits for a reader."""
    out, err = process.stdout, process.stderr
    assert out is not None  # noqa: S101 - it was asked for

    draining = asyncio.create_task(child_process.drain(err))
    try:
        while data := await out.readline():
            call = served_of(child_process.line_of(data))
            if call is not None:
                heard(call)
        await process.wait()
        ended()
    finally:
        draining.cancel()


def served_of(line: Any) -> Served | None:
    """The call that a line tells of; None for another line."""
    trace_id, tenant = text(line.get("trace_id")), text(line.get("tenant"))
    if line.get("event") != "request" or trace_id is None or tenant is None:
        return None
    provider, model = text(line.get("provider")), text(line.get("served_model_id"))
    return Served(
        trace_id,
        text(line.get("time")) or "",
        tenant,
        line.get("no_log") is not False,
        line.get("emulated") is True,
        text(line.get("outcome")) or "?",
        f"{provider}/{model}" if provider and model else "",
        text(line.get("region")) or "",
        int(number(line.get("ranked")) or 0),
        int(number(line.get("population")) or 0),
        int(number(line.get("attempts")) or 0),
        number(line.get("cost_usd")),
        number(line.get("latency_ms")),
    )
