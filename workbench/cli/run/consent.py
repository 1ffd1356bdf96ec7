"""A person's word before money is spent: the limit, `--yes`, or one question on the terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from workbench.cli import diagnostics
from workbench.errors import Finding, UsageError, WorkbenchError
from workbench.session.calls.wording import ANYTHING, dollars


class TooDear(WorkbenchError):
    """The calls could cost more than was allowed; nothing was sent."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Consent:
    """What is to be agreed to."""

    usd: float | None
    """The most that it can cost; None is unknown."""
    max_cost: float | None

    def settle(self, *, yes: bool, unknown_cost: bool, can_ask: bool) -> None:
        """Return where the calls may be made; raises `TooDear`, `UsageError`, or `click.Abort` for a no."""
        self._within_limit()
        if yes and (self.usd is not None or unknown_cost):
            return
        if yes:
            raise _needed("what this can cost is unknown, and --yes alone does not agree to that", "--unknown-cost")
        if not can_ask or not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
            flags = "--yes" if self.usd is not None else "--yes --unknown-cost"
            raise _needed("nobody can be asked here whether to send this", flags)
        if not self._asked():
            diagnostics.tell("not sent")
            raise click.Abort

    def _within_limit(self) -> None:
        if self.max_cost is None or (self.usd is not None and self.usd <= self.max_cost):
            return
        shown = ANYTHING if self.usd is None else f"as much as {dollars(self.usd)}"
        finding = Finding(
            f"this could cost {shown}, and --max-cost is {dollars(self.max_cost)}", "too_dear",
            hint="a lower --max-tokens makes it cheaper; nothing was sent",
        )  # fmt: skip
        raise TooDear("too dear", [finding])

    def _asked(self) -> bool:
        """One question; a price that nobody knows takes a whole word."""
        if self.usd is None:
            diagnostics.ask("It could cost anything. Send it all the same? Type yes: ")
            return sys.stdin.readline().strip().lower() == "yes"
        diagnostics.ask("Send it? [y/N] ")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _needed(reason: str, flags: str) -> UsageError:
    return UsageError("not sent", [Finding(reason, "not_agreed", hint=f"{flags} agrees beforehand")])
