"""One of our own commands as a child process: started for a screen, gone when the app is.

Owns the process, its first line, which says where it listens, and its end. What it answers is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.boundary import strict_json
from workbench.boundary.lineage import child_environment
from workbench.engine.values import items, number, record, text
from workbench.errors import DocumentError, Finding, Place, WorkbenchError

START_S: Final = 30.0
"""Longest wait for its first line."""
END_S: Final = 5.0
"""How long it may take to leave before it is killed."""
MOST_LINE: Final = 256 * 1024


class ChildFailed(WorkbenchError):
    """The command could not be started."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a command says first, once it is up."""

    url: str
    line: Mapping[str, Any]
    """All of its line."""

    @property
    def initialized(self) -> bool:
        """Whether it can do its work; False only where it says so."""
        return self.line.get("initialized") is not False

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What it warns of."""
        return findings_of(self.line.get("warnings"))


async def start(what: str, words: Sequence[str]) -> tuple[Ready, asyncio.subprocess.Process]:
    """Start `workbench WORDS`; gives what its first line says, and the process.

    `what` is what a person calls it. Raises `ChildFailed` with the reasons that it gave.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workbench", *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, limit=MOST_LINE, start_new_session=True, env=child_environment(),
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_S):
            return await _ready(what, process), process
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError | asyncio.LimitOverrunError | ValueError):
            raise ChildFailed(f"the {what} does not say where it listens") from None
        raise


async def stop(process: asyncio.subprocess.Process, end_s: float = END_S) -> None:
    """End it: gently, then at once."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(end_s):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def drain(*streams: asyncio.StreamReader | None) -> None:
    """Read what a process says and forget it, so that it never waits for a reader."""

    async def one(stream: asyncio.StreamReader) -> None:
        while await stream.read(65_536):
            pass

    await asyncio.gather(*(one(stream) for stream in streams if stream is not None))


def line_of(data: bytes) -> Any:
    """A line's object; an empty one for what is none."""
    try:
        return record(strict_json.loads(data))
    except DocumentError:
        return {}


async def _ready(what: str, process: asyncio.subprocess.Process) -> Ready:
    """Its first line, which has an address."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    assert process.stderr is not None  # noqa: S101 - as above
    line = line_of(await process.stdout.readline())
    url = text(line.get("url"))
    if url is not None:
        return Ready(url, line)
    found = items(record(line_of(await process.stderr.read(MOST_LINE)).get("error")).get("findings"))
    reasons = [text(record(finding).get("reason")) for finding in found]
    words = "; ".join(reason for reason in reasons if reason) or "it ended at once"
    raise ChildFailed(f"the {what} can't be started", [Finding(words, "child_process")])


def findings_of(documents: Any) -> tuple[Finding, ...]:
    """Findings from their documents; what is none is passed over."""
    found = [_finding(record(each)) for each in items(documents)]
    return tuple(each for each in found if each is not None)


def _finding(document: Mapping[str, Any]) -> Finding | None:
    """A finding from its document; None where it has no reason."""
    reason = text(document.get("reason"))
    if reason is None:
        return None
    line, column = number(document.get("line")), number(document.get("column"))
    place = Place(
        text(document.get("source")), None if line is None else int(line), None if column is None else int(column) - 1,
        text(document.get("path")),
    )  # fmt: skip
    severity = "warning" if document.get("severity") == "warning" else "error"
    return Finding(reason, text(document.get("code")) or "child_process", place, text(document.get("hint")), severity)
