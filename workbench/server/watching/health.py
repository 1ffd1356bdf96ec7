"""`GET /healthz`: whether it is up and has a workspace; what of the files is not in force, for those who may know."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from workbench.errors import Finding
from workbench.server.callers.gate import Gate
from workbench.server.errors import Refused, said
from workbench.server.exchange import Request
from workbench.server.net.keeping import most


def health_json(request: Request) -> dict[str, Any]:
    """The two words of the public host; more only where the files are not what is served.

    What is wrong in which file names tenants, so it is told to callers of every tenant alone.
    """
    host = request.host
    begun = host.state is not None
    told: dict[str, Any] = {"ok": begun, "initialized": begun}
    if host.faults:
        told["up_to_date"] = False
        if _may_know(request):
            told["faults"] = [_fault(finding) for finding in most(host.faults)]
            told["faults_total"] = len(host.faults)
    return told


def _may_know(request: Request) -> bool:
    callers, headers = request.host.callers, request.scope["headers"]
    named = any(name == b"authorization" for name, _ in headers)
    if not named and isinstance(callers, Gate) and callers.settings.required:
        return False  # a probe without a token is no refusal to be counted
    try:
        return callers.recognise(headers, request.scope["path"]).tenants is None
    except Refused:
        return False


def _fault(finding: Finding) -> dict[str, Any]:
    """A finding; of a file outside the workspace its name alone."""
    place = finding.place
    file = None if place.source is None else PurePath(place.source)
    shown = None if file is None else file.name if file.is_absolute() else file.as_posix()
    return {"file": shown, "line": place.line, "path": place.path, "reason": said(finding.reason)}
