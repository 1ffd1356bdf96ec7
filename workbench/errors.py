"""Every error the workbench raises, in one tree; it imports nothing of ours.

`Finding` is one thing that is wrong: where, why, and the way out. An error carries all the findings of one look at its
subject, so a person mends a file once and not once per line.

    WorkbenchError              exit 5
      UsageError                exit 2   the command's words are off
      DocumentError             exit 1   JSON or TOML that is not safe to read
      FileRefused               exit 1   a path, name or file kind we do not touch
      AdmissionError            exit 1   a term that is no policy
        ClauseError             exit 1   clause text that does not parse
      NotRunnable               exit 1   a policy that is well-formed, but not runnable here
      CatalogError              exit 1
      RulebookError             exit 1
      TenantError               exit 1
        CompileError            exit 1   this tenant and this rulebook give no policy
      WorkspaceError            exit 1
      TraceError                exit 1   a trace store that cannot be used, a trace that is not there
      NoCandidate               exit 3   a policy that leaves nobody
      ProviderFailure           exit 4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Severity = Literal["error", "warning"]

REASON_LIMIT = 512
"""Most characters a reason may have; a longer one is cut where it is made."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's own material a finding is. Every part may be unknown."""

    source: str | None = None
    """A file name or a word such as `<stdin>`."""
    line: int | None = None
    """1-based."""
    column: int | None = None
    """0-based offset into the line (or into the clause text)."""
    path: str | None = None
    """A path inside the document: `$.policy[1].and[2]`, `rule[3].when`."""

    def __str__(self) -> str:
        head = self.source or ""
        if self.line is not None:
            head += f":{self.line}"
            if self.column is not None:
                head += f":{self.column + 1}"
        elif self.column is not None:
            head += f" column {self.column + 1}"
        return " ".join(part for part in (head.strip(), self.path) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what to do about it."""

    reason: str
    """What is wrong, lower case, no full stop, the user's words in backticks."""
    code: str
    """A word from a closed list of the module that found it, for programs."""
    place: Place = field(default_factory=Place)
    hint: str | None = None
    """What to write instead."""
    severity: Severity = "error"

    def __post_init__(self) -> None:
        if len(self.reason) > REASON_LIMIT:
            object.__setattr__(self, "reason", self.reason[: REASON_LIMIT - 1] + "…")

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.reason}" if where else self.reason
        return f"{text}; {self.hint}" if self.hint else text

    def as_document(self) -> dict[str, Any]:
        """Its parts by name, for programs; `line` and `column` count from 1, what is not known is null."""
        place = self.place
        return {
            "severity": self.severity,
            "code": self.code,
            "reason": self.reason,
            "hint": self.hint,
            "source": place.source,
            "line": place.line,
            "column": None if place.column is None else place.column + 1,
            "path": place.path,
        }


class WorkbenchError(Exception):
    """The root. `title` says what failed in a line, `findings` why."""

    exit_code: ClassVar[int] = 5

    def __init__(self, title: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(title)
        self.title = title
        self.findings: tuple[Finding, ...] = tuple(findings)

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {finding}" for finding in self.findings)])


class UsageError(WorkbenchError):
    exit_code = 2


class DocumentError(WorkbenchError):
    exit_code = 1


class FileRefused(WorkbenchError):
    exit_code = 1


class AdmissionError(WorkbenchError):
    exit_code = 1


class ClauseError(AdmissionError):
    """Clause text that does not parse. `column` is 0-based; `expected` lists what could stand there."""

    def __init__(
        self, title: str, findings: Sequence[Finding] = (), *, column: int = 0, expected: Sequence[str] = ()
    ) -> None:
        super().__init__(title, findings)
        self.column = column
        self.expected = tuple(expected)


class NotRunnable(WorkbenchError):
    exit_code = 1


class CatalogError(WorkbenchError):
    exit_code = 1


class RulebookError(WorkbenchError):
    exit_code = 1


class TenantError(WorkbenchError):
    exit_code = 1


class CompileError(TenantError):
    """This tenant and this rulebook give no policy; findings name tenant, rule and field."""


class WorkspaceError(WorkbenchError):
    exit_code = 1


class TraceError(WorkbenchError):
    exit_code = 1


class NoCandidate(WorkbenchError):
    exit_code = 3


class ProviderFailure(WorkbenchError):
    exit_code = 4
