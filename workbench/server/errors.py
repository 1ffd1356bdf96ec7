"""The bodies of refusals, as clients of the public host read them (one shape, closed codes), and the exception for one.

Messages hold our own words and, cut and on one line, names that the caller sent; never a key and never an exception's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, WorkbenchError
from workbench.server.exchange import Response, json_response

MESSAGE_LIMIT: Final = 512
PATH_LIMIT: Final = 240
"""Characters of a path in a message; `errors` has it whole."""
INVALID: Final = "invalid_request_error"
ROUTER: Final = "router_error"


@dataclass(eq=False)
class Refused(Exception):
    """Ends a request with an error body. `kind` is the body's `type`, `more` stands beside `code` inside `error`."""

    status: int
    code: str | None
    message: str
    kind: str = INVALID
    headers: tuple[tuple[bytes, bytes], ...] = ()
    more: Mapping[str, Any] | None = None
    beside: Mapping[str, Any] | None = None
    """Members beside `error`: `x_router`, `detail`."""
    token: str | None = None
    """The id of the token that it is about, where the gate has recognised it; not part of the answer."""
    tenant: str | None = None
    """Whom it was asked for, where the gate knows; not part of the answer."""

    def response(self) -> Response:
        """The answer that says so."""
        error = {"message": self.message, "type": self.kind, "code": self.code, **(self.more or {})}
        return json_response({**(self.beside or {}), "error": error}, self.status, self.headers)


def invalid(message: str, *, param: str | None = None, code: str | None = "invalid_request") -> Refused:
    """400 for a request that is not one of this endpoint's."""
    return Refused(400, code, said(message), more=None if param is None else {"param": param})


def unprocessable(message: str, where: Iterable[str], kind: str, found: object = None) -> Refused:
    """422 with the `detail` that clients of the public host know, and `error` beside it."""
    detail = {"type": kind, "loc": list(where), "msg": said(message), "input": found}
    return Refused(422, "invalid_request", said(message), beside={"detail": [detail]})


def from_workbench(error: WorkbenchError, code: str, *, status: int = 400, prefix: str = "") -> Refused:
    """The refusal for an error of ours: its first finding as the message, all of them in `errors`."""
    first = finding_text(error.findings[0]) if error.findings else error.title
    found = [finding_json(finding) for finding in error.findings[:MOST_FINDINGS]]
    return Refused(status, code, said(prefix + first), more={"errors": found} if found else None)


MOST_FINDINGS: Final = 20


def finding_text(finding: Finding) -> str:
    """`$.path: reason`, as the public host writes it; a long path loses its middle, so that the reason stands."""
    path = finding.place.path
    if path is not None and len(path) > PATH_LIMIT:
        half = PATH_LIMIT // 2
        path = f"{path[:half]}...{path[-half:]}"
    return f"{path}: {finding.reason}" if path else finding.reason


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding for programs."""
    place = finding.place
    return {
        "code": finding.code,
        "path": place.path,
        "source": place.source,
        "line": place.line,
        "reason": said(finding.reason),
        "hint": None if finding.hint is None else said(finding.hint),
        "severity": finding.severity,
    }


def said(message: str) -> str:
    """A message as it may go out: one line, no control characters, cut."""
    return one_line(message, limit=MESSAGE_LIMIT)


AGAIN_THE_SAME: Final = (b"x-should-retry", b"false")
"""What OpenAI's clients look at before they repeat a call that got a 5xx."""
NOT_FOUND: Final = json_response(
    {"detail": "Not Found", "error": {"message": "not found", "type": INVALID, "code": "not_found"}}, 404
)
INTERNAL: Final = json_response(
    {"error": {"message": "internal error", "type": "server_error", "code": "internal"}}, 500
)
CUT: Final = json_response(
    {"error": {"message": "the endpoint ends, and this call with it", "type": "server_error", "code": "ending"}},
    503,
    ((b"connection", b"close"),),
)
NOT_READY: Final = json_response(
    {"error": {"message": "the router is not initialized", "type": "server_error", "code": "not_initialized"}}, 503
)


def not_allowed(methods: Iterable[str]) -> Response:
    """405, naming the methods that there are."""
    error = {"message": "method not allowed", "type": INVALID, "code": "method_not_allowed"}
    known = {*methods, *(["HEAD"] if "GET" in methods else [])}
    body = {"detail": "Method Not Allowed", "error": error}
    return json_response(body, 405, ((b"allow", ", ".join(sorted(known)).encode()),))
