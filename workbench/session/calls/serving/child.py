"""`workbench serve` as a child process: started for a screen, ended with it, its lines read as they come.

Owns the process and nothing of what it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.boundary import strict_json
from workbench.engine.values import items, number, record, text
from workbench.errors import DocumentError, Finding, WorkbenchError

START_S: Final = 30.0
END_S: Final = 5.0
MOST_LINE: Final = 256 * 1024


class ServeFailed(WorkbenchError):
    """The endpoint could not be started."""


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
    process: asyncio.subprocess.Process = field(repr=False)
    _reading: asyncio.Task[None] = field(repr=False)

    @classmethod
    async def start(
        cls, root: Path, emulator: str | None, heard: Callable[[Served], None], ended: Callable[[], None]
    ) -> ServeChild:
        """Start one for a workspace; `heard` gets each call, `ended` is told when the process has gone.

        Raises `ServeFailed` with what it said.
        """
        words = ["-m", "workbench", "serve", "--json", "--port", "0", "--workspace", str(root)]
        words += [] if emulator is None else ["--emulator", emulator]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, limit=MOST_LINE,
            start_new_session=True,
        )  # fmt: skip
        try:
            url = await asyncio.wait_for(_ready(process), START_S)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(error, TimeoutError | asyncio.LimitOverrunError | ValueError):
                raise ServeFailed("the endpoint does not say where it listens") from None
            raise
        return cls(url, process, asyncio.create_task(_read(process, heard, ended)))

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.returncode is None

    async def stop(self) -> None:
        """End it: gently, then at once."""
        self._reading.cancel()
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
            await self._reading


async def _ready(process: asyncio.subprocess.Process) -> str:
    """The address on its first line."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    assert process.stderr is not None  # noqa: S101 - as above
    url = text(_line(await process.stdout.readline()).get("url"))
    if url is None:
        raise _failure(await process.stderr.read(MOST_LINE))
    return url


def _failure(said: bytes) -> ServeFailed:
    found = items(record(_line(said).get("error")).get("findings"))
    reasons = [text(record(finding).get("reason")) for finding in found]
    words = "; ".join(reason for reason in reasons if reason) or "it ended at once"
    return ServeFailed("the endpoint can't be started", [Finding(words, "serve")])


def _line(data: bytes) -> Any:
    """A line's object; an empty one for what is none."""
    try:
        return record(strict_json.loads(data))
    except DocumentError:
        return {}


async def _read(
    process: asyncio.subprocess.Process, heard: Callable[[Served], None], ended: Callable[[], None]
) -> None:
    """Tell each call; what it writes elsewhere is read too, so that it never waits for a reader."""
    out, err = process.stdout, process.stderr
    assert out is not None  # noqa: S101 - it was asked for
    assert err is not None  # noqa: S101 - as above

    async def drain() -> None:
        while await err.read(65_536):
            pass

    draining = asyncio.create_task(drain())
    try:
        while data := await out.readline():
            call = served_of(_line(data))
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
