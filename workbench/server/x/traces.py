"""`GET /x/traces/{id}`: one trace as JSON, to those who may speak for its tenant. To all others there is none.

A flow's id means the traces of its nodes, one for each call.
"""

from __future__ import annotations

from typing import Any

from workbench.errors import TraceError, WorkbenchError
from workbench.server.errors import Refused
from workbench.server.hooks import Caller
from workbench.server.x.tenancy import may_speak_for
from workbench.session.tracing import Traces
from workbench.traces.document import document
from workbench.traces.parts.words import is_identifier
from workbench.traces.record import Record
from workbench.traces.store import TraceStore


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
        records = _records(store, trace_id)
    except WorkbenchError:
        raise _unreadable() from None
    if not records or not all(may_speak_for(caller, str(record.trace.head.tenant)) for record in records):
        raise _unknown()
    documents = [document(record) for record in records]
    return documents[0] if records[0].trace.head.trace_id == trace_id else {"trace_id": trace_id, "nodes": documents}


def _records(store: TraceStore, trace_id: str) -> list[Record]:
    """The trace of that id, or those of a flow's nodes; none where nobody has it. Raises `WorkbenchError`."""
    try:
        return [store.get(trace_id)]
    except TraceError as error:
        if all(finding.code != "unknown_trace" for finding in error.findings):
            raise
    return [store.get(part) for part in store.parts(trace_id)]


def _unknown() -> Refused:
    """The same for an id that is none, for one nobody has and for another tenant's: nobody learns what there is."""
    return Refused(404, "trace_not_found", "no trace has this id")


def _unreadable() -> Refused:
    return Refused(503, "traces_unavailable", "the trace can't be read now", "server_error")
