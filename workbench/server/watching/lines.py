"""One line for each call that is over, and for what befalls the endpoint, for whoever reads them as they come: what was
decided, never what was said.

Written by a thread of their own. A reader that does not keep up loses lines, and is told how many; it never holds up a
call. A reader that has gone is no fault.
"""

from __future__ import annotations

import contextlib
import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from workbench.boundary.sanitiser import one_line
from workbench.errors import WorkbenchError
from workbench.traces.document import iso
from workbench.traces.parts.steps import QuietStep, Step
from workbench.traces.record import Record

MOST_WAITING: Final = 10_000
MOST_PATH: Final = 80
_LONG: Final = re.compile(r"[A-Za-z0-9_-]{24,}")
"""What in a path may be a secret."""


def request_line(record: Record, token: str | None = None) -> dict[str, Any]:
    """What one call came to: ids, names of the catalog, closed words and numbers."""
    trace, catalog = record.trace, record.material.catalog
    head, result = trace.head, trace.result
    chosen = None if result is None or result.chosen is None else catalog.candidates[result.chosen]
    verdicts = record.material.verdicts
    usage = None if result is None else result.usage
    return {
        "event": "request",
        "trace_id": str(head.trace_id),
        "time": iso(head.time_ms),
        "tenant": str(head.tenant),
        "token": token,
        "no_log": trace.no_log,
        "emulated": head.emulated,
        "policy_fingerprint": str(head.policy_fingerprint),
        "outcome": None if result is None else str(result.outcome),
        "provider": None if chosen is None else chosen.get("provider_id"),
        "model_family": None if chosen is None else chosen.get("model_family"),
        "served_model_id": None if chosen is None else chosen.get("served_model_id"),
        "region": None if chosen is None else chosen.get("region"),
        "population": verdicts.population,
        "ranked": len(verdicts.order),
        "attempts": sum(_event(step) == "attempted" for step in trace.steps),
        "tokens_in": None if usage is None else usage.tokens_in,
        "tokens_out": None if usage is None else usage.tokens_out,
        "cost_usd": None if usage is None else usage.cost_usd,
        "latency_ms": None if result is None else result.total_latency_ms,
    }


def _event(step: Step | QuietStep) -> str:
    return step.quiet.event if isinstance(step, Step) else step.event


class Event(Protocol):
    """Something that befell the endpoint."""

    @property
    def wrong(self) -> bool:
        """Whether somebody should look."""
        ...

    def as_document(self) -> dict[str, Any]:
        """For programs; `event` says what it is."""
        ...

    def sentences(self) -> Sequence[str]:
        """For a person."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was refused before anything was decided: whose it was, where it went, what it was answered."""

    status: int
    code: str | None
    time_ms: int = 0
    method: str = ""
    path: str = ""
    """The route as the documents write it; of a path that is none, what can be shown of it."""
    token: str | None = None
    """The id of the token, where it was recognised."""
    tenant: str | None = None
    """Whom the call was for, where that was known by then."""

    @property
    def wrong(self) -> bool:
        """Nobody has to look."""
        return False

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "event": "refused",
            "time": iso(self.time_ms),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "code": self.code,
            "token": self.token,
            "tenant": self.tenant,
        }

    def sentences(self) -> Sequence[str]:
        """For a person."""
        asked = f"{self.method} {self.path}".strip() or "a request"
        return [f"{asked} was refused: {self.status} {self.code or ''}".rstrip()]


def path_shown(path: str) -> str:
    """A path that leads nowhere, as it may be told: on one line, cut, without what could be a secret."""
    return _LONG.sub("***", one_line(path[:MOST_PATH], limit=MOST_PATH))


def nobody(record: Record) -> str | None:
    """Whose call it was, where nobody knows."""
    del record


class Lines:
    """Lines on their way to `write`; those that come before `begin` wait."""

    def __init__(
        self, write: Callable[[dict[str, Any] | Event], None], whose: Callable[[Record], str | None] = nobody
    ) -> None:
        """`whose` gives the id of the token that a call was made with."""
        self._write = write
        self._whose = whose
        self._waiting: queue.Queue[tuple[Record, str | None] | Event | None] = queue.Queue(MOST_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def begin(self) -> None:
        """Write from now on."""
        self._thread.start()

    def put(self, told: Record | Event) -> None:
        """Take a call that is over, or what happened; never waits."""
        try:
            self._waiting.put_nowait((told, self._whose(told)) if isinstance(told, Record) else told)
        except queue.Full:
            self._lost += 1

    def _run(self) -> None:
        while (taken := self._waiting.get()) is not None:
            with contextlib.suppress(OSError, ValueError, WorkbenchError):  # nobody can read any more
                self._write(self._counted(request_line(*taken)) if isinstance(taken, tuple) else taken)

    def _counted(self, line: dict[str, Any]) -> dict[str, Any]:
        """The line, with how many were lost before it."""
        lost, self._lost = self._lost, 0
        return {**line, "lost": lost} if lost else line

    def close(self) -> None:
        """Write what waits, and end; not longer than a second."""
        if not self._thread.is_alive():
            return
        try:
            self._waiting.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(1)
