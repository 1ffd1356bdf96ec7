"""Refusals of the `/x/` routes, in the public host's words: what came of a term's findings, and a body of no shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.errors import Finding
from workbench.server.errors import MOST_FINDINGS, Refused, finding_json, finding_text, said


def refused(status: int, code: str, message: str, **more: Any) -> Refused:
    """A refusal with a message of our own."""
    return Refused(status, code, said(message), more=more or None)


def because(status: int, code: str, lead: str, findings: Iterable[Finding]) -> Refused:
    """A refusal whose message is `lead: ` and the first finding; `errors` has them all with place and way out."""
    found = tuple(findings)
    message = f"{lead}: {worded(found[0])}" if found else lead
    return refused(status, code, message, errors=[finding_json(finding) for finding in found[:MOST_FINDINGS]])


def worded(finding: Finding) -> str:
    """A finding as the public host words it: path and reason; a root of another sort is named without a path."""
    if finding.place.path == "$" and finding.code == "sort":
        return finding.reason
    return finding_text(finding)


Fault = tuple[str, tuple[str, ...], str, Any]
"""The kind of a fault (`missing`, `list_type`), its place, what should be there, and what was found."""


def shapeless(*faults: Fault) -> Refused:
    """422 for a body or a query that has not its shape: every fault in `detail`, our own error beside it."""
    detail = [{"type": kind, "loc": list(loc), "msg": said(text), "input": found} for kind, loc, text, found in faults]
    words = "; ".join(f"{'.'.join(loc)}: {text}" for _, loc, text, _ in faults)
    return Refused(422, "invalid_request", said(words), beside={"detail": detail})
