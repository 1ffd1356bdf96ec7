"""`GET /x/traces/{id}`: one trace as JSON, to those who may speak for its tenant. To all others there is none."""

from __future__ import annotations

from typing import Any

from workbench.errors import TraceError, WorkbenchError
from workbench.server.errors import Refused
from workbench.server.hooks import Caller
from workbench.server.x.tenancy import may_speak_for
from workbench.session.tracing import Traces
from workbench.traces.document import document
from workbench.traces.parts.words import is_identifier


def trace_answer(trace_id: str, caller: Caller, traces: Traces | None) -> dict[str, Any]:
    """The trace of that id. Raises `Refused`: 404 always in the same words, 503 where the store can't be read.

    Reads the store: not for the event loop's own thread.
    """
    if traces is None:
        raise Refused(503, "traces_unavailable", "this endpoint keeps no traces", "server_error")
    if not is_identifier(trace_id):
        raise _unknown()
    try:
        store = traces.existing()
        if store is None:
            raise _unknown()
        record = store.get(trace_id)
    except TraceError as error:
        if any(finding.code == "unknown_trace" for finding in error.findings):
            raise _unknown() from None
        raise _unreadable() from None
    except WorkbenchError:
        raise _unreadable() from None
    if not may_speak_for(caller, str(record.trace.head.tenant)):
        raise _unknown()
    return document(record)


def _unknown() -> Refused:
    """The same for an id that is none, for one nobody has and for another tenant's: nobody learns what there is."""
    return Refused(404, "trace_not_found", "no trace has this id")


def _unreadable() -> Refused:
    return Refused(503, "traces_unavailable", "the trace can't be read now", "server_error")
