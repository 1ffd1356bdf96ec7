"""A flow's answer: one completion of several calls, `flow_nodes` in its trace; plain, or as a stream kept alive."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from workbench.language.flow import AdmittedFlow
from workbench.server.chat.answering import completion_id, usage_json
from workbench.server.chat.calling import Engine
from workbench.server.chat.failures import again_of, error_of, status_of
from workbench.server.chat.flow_run import FlowRun, NodeFailed, refuse_tools
from workbench.server.chat.parameters import Call
from workbench.server.chat.sse import DONE, KEEP_ALIVE, EventStream, until_gone
from workbench.server.chat.subject import FLOW, outvoted, owner_of
from workbench.server.errors import Refused, said
from workbench.server.exchange import Request, Response, dumps
from workbench.server.reading import ClientGone
from workbench.server.x.admitting import admit_flow
from workbench.server.x.tenancy import name_of, tenant_of
from workbench.traces.parts.words import new_id

LOG: Final = logging.getLogger("workbench.server")
GRACE_S: Final = 1.5
"""An error within this time is a plain one, also where a stream was asked for."""
KEEP_ALIVE_S: Final = 15.0


async def run_flow(request: Request, engine: Engine, call: Call) -> Response | None:
    """Answer a call that brought a flow."""
    tenant = tenant_of(call.body, request.state, request.caller)
    ticket = await request.host.callers.admit(request.caller, name_of(tenant, request.caller))
    run: FlowRun | None = None
    try:
        flow = admit_flow(call.body["flow_ir"], request.state.session.vocabulary)
        refuse_tools(call)
        now = time.time_ns() // 1_000_000
        owner = owner_of(tenant, request.caller)
        unread = outvoted(call, request.params.get("profile"), FLOW)
        run = FlowRun(engine, request.state, call, request.caller, flow, new_id(), now, owner, unread)
        run.check()
        with until_gone(request, run.stop):
            return await (_stream(request, run) if call.stream else _plain(run))
    finally:
        await ticket.close(None if run is None else run.spent)


async def _plain(run: FlowRun) -> Response:
    said = await _said(run)
    if said is None:
        return _failure(run)
    head = _head(run, "chat.completion")
    head["choices"] = [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]
    head["usage"] = usage_json(run.usage())
    return Response(200, b'%s,"x_router":%s}' % (dumps(head)[:-1], _router(run)))


async def _said(run: FlowRun) -> str | None:
    """The flow's text; None where a node got no answer. Raises `Refused`, or `ClientGone`."""
    try:
        return await run.run()
    except NodeFailed as failed:
        if failed.run.answer.outcome == "cancelled":
            raise ClientGone from None
        return None
    except BaseExceptionGroup as group:
        raise _refusal(group) from None


async def _stream(request: Request, run: FlowRun) -> Response | None:
    events = EventStream(request)
    working = asyncio.ensure_future(_said(run))
    try:
        done, _ = await asyncio.wait([working], timeout=GRACE_S)
        if done and working.result() is None:
            return _failure(run)
        head = b"data: %s" % dumps(_head(run, "chat.completion.chunk"))[:-1]
        await events.write(_chunk(head, b'{"role":"assistant"}'))
        while not working.done():
            await asyncio.wait([working], timeout=KEEP_ALIVE_S)
            if not working.done():
                await events.write(KEEP_ALIVE)
        await events.end(_ending(head, run, working))
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)  # what it spent is known once it has ended
    return None


def _ending(head: bytes, run: FlowRun, working: asyncio.Future[str | None]) -> bytes:
    """The last chunks: the text, or why there is none."""
    try:
        said = working.result()
    except ClientGone:
        raise
    except Exception as error:  # noqa: BLE001 - the answer has begun: its end says what can be said
        LOG.error("a flow failed: %s", type(error).__name__)  # noqa: TRY400 - its text may hold a prompt
        return _broken(head, run, {"message": "internal error", "type": "server_error", "code": "internal"})
    if said is None:
        return _broken(head, run, _error(run))
    usage = b',"usage":%s' % dumps(usage_json(run.usage()))
    last = _chunk(head, b"{}", b'"stop"', usage + b',"x_router":%s' % _router(run))
    return _chunk(head, dumps({"content": said})) + last + DONE


def _broken(head: bytes, run: FlowRun, error: dict[str, Any]) -> bytes:
    last = _chunk(head, b"{}", b'"error"', b',"x_router":%s' % _router(run))
    return last + b"data: %s\n\n" % dumps({"error": error}) + DONE


def _chunk(head: bytes, delta: bytes, finish: bytes = b"null", beside: bytes = b"") -> bytes:
    return b'%s,"choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}\n\n' % (head, delta, finish, beside)


def _head(run: FlowRun, kind: str) -> dict[str, Any]:
    model = f"flow:{run.flow.fingerprint}"
    return {"id": completion_id(), "object": kind, "created": run.began_ms // 1000, "model": model}


def _refusal(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first plain exception of a group; a refusal before any other."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - of any kind
        else:
            found.append(each)
    return next((each for each in found if isinstance(each, Refused)), found[0])


def _failure(run: FlowRun) -> Response:
    assert run.failed is not None  # noqa: S101 - a flow without a text has a node without an answer
    answer = run.failed.answer
    body = b'{"error":%s,"x_router":%s}' % (dumps(_error(run)), _router(run))
    return Response(status_of(answer.outcome), body, again_of(answer))


def _error(run: FlowRun) -> dict[str, Any]:
    """Which node got no answer, and why."""
    assert run.failed is not None  # noqa: S101 - as above
    error = error_of(run.failed.answer, run.failed.running.shown)
    error["message"] = f"node {run.failed.node.source_id[:80]}: {error['message']}"
    return error


def _router(run: FlowRun) -> bytes:
    """`x_router` of a flow: no provider of its own, the calls as `flow_nodes`. Asked once: a session counts it."""
    flow: AdmittedFlow = run.flow
    compact = run.call.compact
    cost = None if run.spent is None else run.spent.cost_usd
    head: dict[str, Any] = {
        "provider": "flow",
        "model_family": f"flow:{flow.fingerprint}",
        "served_model_id": None,
        "cost_usd": None if cost is None else round(cost, 6),
        "cost_basis": run.cost_basis,
        "trace_id": run.trace_id,
        "compact": compact,
    }
    if run.emulated:
        head["emulated"] = True
    warnings = [*map(said, flow.unread), *run.warnings]
    if warnings:
        head["warnings"] = warnings
    if run.call.session and run.failed is None:
        total = run.engine.totals.add(run.owner, run.call.session, run.usage(), cost)
        head["session_acc"] = total.json()
    nodes = [
        b'%s,"decision_trace":%s}' % (dumps(facts)[:-1], trace) for facts, trace in run.nodes_json(compact=compact)
    ]  # fmt: skip
    failed = None if run.failed is None else run.failed.node.source_id
    trace = b'{"flow_fingerprint":%s,"flow_nodes":[%s],"failed_node":%s,"started_at_ms":%d}' % (
        dumps(flow.fingerprint), b",".join(nodes), dumps(failed), run.began_ms,
    )  # fmt: skip
    return b'%s,"decision_trace":%s}' % (dumps(head)[:-1], trace)
