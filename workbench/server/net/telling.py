"""A process of the endpoint that says what became of its files when they changed: taken up, in part, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.errors import Finding
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


class Telling(Process):
    """A process that tells of its reloads."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.reloads: list[Callable[[Reloaded], None]] = []
        """Hear of every change of the files, from a thread of its own."""

    def reload(self) -> None:
        """Take up what the files say, where it is good, and tell."""
        before, known = self.host.state, self.warnings
        super().reload()
        host = self.host
        new = tuple(finding for finding in self.warnings if finding not in known)
        said = Reloaded(host.state is not before, host.state is not None, host.faults, new)
        for hear in self.reloads:
            hear(said)
