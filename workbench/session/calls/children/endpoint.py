"""`workbench serve` as a child process: its lines are read as they come.

Owns the process and nothing of what it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from workbench.engine.values import number, text
from workbench.errors import Finding
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What it serves, as it says when it came up and whenever the workspace's files have changed."""

    initialized: bool
    """Whether it serves anything."""
    taken: bool
    """Whether the last change was taken up."""
    findings: tuple[Finding, ...]
    """What of the files is not in force, and why; the first of it where it is much."""
    total: int = 0
    """How much of it there is."""


class Listener(Protocol):
    """Who hears of an endpoint."""

    def heard(self, call: Served) -> None:
        """A call was answered."""
        ...

    def refused(self, status: int, code: str) -> None:
        """A request was refused before anything was decided."""
        ...

    def reloaded(self, standing: Standing) -> None:
        """The files have changed, and this is what became of it."""
        ...

    def ended(self, how: str) -> None:
        """The process has gone: `signal 9`, `exit code 1`."""
        ...


@dataclass(slots=True)
class ServeChild:
    """A running endpoint."""

    url: str
    ready: child_process.Ready = field(repr=False)
    """What it said when it came up."""
    process: asyncio.subprocess.Process = field(repr=False)
    _reading: asyncio.Task[None] = field(repr=False)

    @classmethod
    async def start(cls, root: Path, emulator: str | None, listener: Listener, port: int = 0) -> ServeChild:
        """Start one for a workspace, on a port of its own where none is given. Raises `ChildFailed` with its words."""
        words = ["serve", "--json", "--port", str(port), "--workspace", str(root)]
        words += [] if emulator is None else ["--emulator", emulator]
        ready, process = await child_process.start("endpoint", words)
        return cls(ready.url, ready, process, asyncio.create_task(_read(process, listener)))

    @property
    def standing(self) -> Standing:
        """What it serves since it came up."""
        found = [
            finding
            for finding in self.ready.warnings
            if finding.severity == "error" or finding.place.source is None  # what a file is warned of is in force
        ]
        return Standing(self.ready.initialized, True, tuple(found), _total(found, self.ready.line.get("faults_total")))

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 0

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.returncode is None

    async def stop(self, end_s: float = child_process.END_S) -> None:
        """End it: gently, then at once."""
        self._reading.cancel()
        await child_process.stop(self.process, end_s)
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading


async def _read(process: asyncio.subprocess.Process, listener: Listener) -> None:
    """Tell each line; what it writes elsewhere is read too, so that it never waits for a reader."""
    out, err = process.stdout, process.stderr
    assert out is not None  # noqa: S101 - it was asked for

    draining = asyncio.create_task(child_process.drain(err))
    try:
        while data := await out.readline():
            line = child_process.line_of(data)
            call, standing = served_of(line), standing_of(line)
            if call is not None:
                listener.heard(call)
            elif line.get("event") == "refused":
                listener.refused(int(number(line.get("status")) or 0), text(line.get("code")) or "")
            if standing is not None:
                listener.reloaded(standing)
        code = await process.wait()
        listener.ended(f"signal {-code}" if code < 0 else f"exit code {code}")
    finally:
        draining.cancel()


def standing_of(line: Any) -> Standing | None:
    """What a line says of changed files; None for another line."""
    if line.get("event") != "reloaded":
        return None
    findings = child_process.findings_of(line.get("findings"))
    total = _total(findings, line.get("findings_total"))
    return Standing(line.get("initialized") is not False, line.get("taken") is True, findings, total)


def _total(findings: Sequence[Finding], stated: Any) -> int:
    """How many findings there are, those that a line leaves out included."""
    return max(int(number(stated) or 0), sum(finding.code != "more" for finding in findings))


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
