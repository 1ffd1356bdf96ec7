"""A process of the endpoint that says what befalls it: what became of files that changed, that traces are lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.errors import Finding, WorkbenchError
from workbench.server.net.assembly import Plan, Process
from workbench.server.net.keeping import most


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What became of one change of the files."""

    taken: bool
    """Whether another snapshot is in force since."""
    initialized: bool
    """Whether any is."""
    findings: tuple[Finding, ...]
    """What of the files is not in force, and why; empty where all of it is."""
    warnings: tuple[Finding, ...] = ()
    """What a person should know of files that are in force, where it was not said before."""

    @property
    def wrong(self) -> bool:
        """Whether somebody should look."""
        return bool(self.findings)

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "event": "reloaded", "taken": self.taken, "initialized": self.initialized,
            "findings": [finding.as_document() for finding in most(self.findings)],
            "findings_total": len(self.findings),
            "warnings": [finding.as_document() for finding in most(self.warnings)],
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """For a person: what serves now, and each finding with its file."""
        if not self.findings:
            now = "taken up"
        elif not self.initialized:
            now = "not taken up; there is still nothing to serve"
        elif self.taken:
            now = "taken up but for what is wrong in them; that stays as it was"
        else:
            now = "not taken up; what was good before is served on"
        return [
            f"the workspace's files have changed: {now}",
            *(
                f"  {'warning: ' if finding.severity == 'warning' else ''}{finding}"
                for finding in (*most(self.findings), *most(self.warnings))
            ),
        ]


@dataclass(frozen=True, slots=True)
class TracesLost:
    """Traces begin to be lost, or are written again."""

    lost: int
    """How many writes did not succeed since the start."""
    reasons: tuple[str, ...]
    """Why; empty where they are written again."""

    @property
    def wrong(self) -> bool:
        """Whether somebody should look; who heard of the loss hears of its end, too."""
        return True

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        event = "traces_lost" if self.reasons else "traces_written"
        return {"event": event, "lost_total": self.lost, "reasons": list(self.reasons)}

    def sentences(self) -> list[str]:
        """For a person."""
        if not self.reasons:
            writes = "write" if self.lost == 1 else "writes"
            return [f"traces are written again; {self.lost:,} {writes} failed since the start"]
        return ["traces are being lost, and calls go on without them", *(f"  {reason}" for reason in self.reasons)]


class Telling(Process):
    """A process that tells what befalls it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.hearers: list[Callable[[Reloaded | TracesLost], None]] = []
        """Hear of every change of the files, from a thread of its own, and of traces that are lost."""

    def reload(self) -> None:
        """Take up what the files say, where it is good, and tell."""
        before, known = self.host.state, self.warnings
        super().reload()
        host = self.host
        new = tuple(finding for finding in self.warnings if finding not in known)
        said = Reloaded(host.state is not before, host.state is not None, host.faults, new)
        self._tell(said)

    def traces_fail(self, lost: int, error: WorkbenchError | None) -> None:
        """Tell that traces begin to be lost, or are written again."""
        reasons = () if error is None else (error.title, *(str(finding) for finding in most(error.findings)))
        self._tell(TracesLost(lost, reasons))

    def _tell(self, said: Reloaded | TracesLost) -> None:
        for hear in self.hearers:
            hear(said)
