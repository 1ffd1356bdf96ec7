"""Refusals of the `/x/` routes, in the public host's words: what came of a term's findings, and a body of no shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from workbench.errors import Finding
from workbench.server.errors import MOST_FINDINGS, Refused, finding_json, finding_text, said

_MOST_NAME: Final = 80


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


def only(body: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse what nothing here would read: a slip of the pen in `tenant` would ask about nobody's rules.

    Raises `Refused` 400 `unsupported_parameter`, every such key with what was probably meant.
    """
    strange = [name for name in body if name not in known]
    if strange:
        told = "; ".join(_strange(name, known) for name in strange[:MOST_FINDINGS])
        raise refused(400, "unsupported_parameter", told, param=said(strange[0][:_MOST_NAME]))


def _strange(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name[:_MOST_NAME], known, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known) or 'none'}"
    return f"unsupported parameter `{name[:_MOST_NAME]}`: {hint}"


Fault = tuple[str, tuple[str, ...], str, Any]
"""The kind of a fault (`missing`, `list_type`), its place, what should be there, and what was found."""


def shapeless(*faults: Fault) -> Refused:
    """422 for a body or a query that has not its shape: every fault in `detail`, our own error beside it."""
    detail = [{"type": kind, "loc": list(loc), "msg": said(text), "input": found} for kind, loc, text, found in faults]
    words = "; ".join(f"{'.'.join(loc)}: {text}" for _, loc, text, _ in faults)
    return Refused(422, "invalid_request", said(words), beside={"detail": detail})
