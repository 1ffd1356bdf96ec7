"""A flow's answer: one completion of several calls, `flow_nodes` in its trace; plain, or as a stream kept alive."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from workbench.language.flow import AdmittedFlow
from workbench.server.chat.answering import completion_id, usage_json
from workbench.server.chat.calling import Engine
from workbench.server.chat.failures import error_of, status_of
from workbench.server.chat.flow_run import FlowRun, NodeFailed, refuse_tools
from workbench.server.chat.parameters import Call
from workbench.server.chat.sse import DONE, KEEP_ALIVE, EventStream, until_gone
from workbench.server.errors import Refused
from workbench.server.exchange import Request, Response, dumps
from workbench.server.hooks import Ticket
from workbench.server.reading import ClientGone
from workbench.server.x.admitting import admit_flow
from workbench.server.x.tenancy import tenant_of
from workbench.traces.parts.words import new_id

GRACE_S: Final = 1.5
"""An error within this time is a plain one, also where a stream was asked for."""
KEEP_ALIVE_S: Final = 15.0


async def run_flow(request: Request, engine: Engine, call: Call) -> Response | None:
    """Answer a call that brought a flow."""
    flow = admit_flow(call.body["flow_ir"], request.state.session.vocabulary)
    refuse_tools(call)
    whose = {name: call.body[name] for name in ("tenant", "tenant_state") if call.body.get(name) is not None}
    tenant = tenant_of(whose, request.state, request.caller)
    ticket = await request.host.callers.admit(request.caller, "" if tenant is None else tenant.id)
    now = time.time_ns() // 1_000_000
    run = FlowRun(engine, request.state, call, request.caller, flow, new_id(), now)
    try:
        with until_gone(request, run.stop):
            return await (_stream(request, run) if call.stream else _plain(run))
    finally:
        await _give_back(ticket, run)


async def _give_back(ticket: Ticket, run: FlowRun) -> None:
    await ticket.close(run.spent if run.runs else None)


async def _plain(run: FlowRun) -> Response:
    try:
        said = await run.run()
    except NodeFailed as failed:
        return _failure(run, failed)
    except BaseExceptionGroup as group:
        raise _refusal(group) from None
    head = _head(run, "chat.completion")
    head["choices"] = [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]
    head["usage"] = usage_json(run.usage())
    return Response(200, b'%s,"x_router":%s}' % (dumps(head)[:-1], _router(run)))


async def _stream(request: Request, run: FlowRun) -> Response | None:
    events = EventStream(request)
    working = asyncio.ensure_future(_plain(run))
    try:
        done, _ = await asyncio.wait([working], timeout=GRACE_S)
        if done and working.result().status != 200:
            return working.result()
        head = b"data: %s" % dumps(_head(run, "chat.completion.chunk"))[:-1]
        await events.write(_chunk(head, b'{"role":"assistant"}'))
        while not working.done():
            await asyncio.wait([working], timeout=KEEP_ALIVE_S)
            if not working.done():
                await events.write(KEEP_ALIVE)
        await events.end(_ending(head, run, working.result()))
    finally:
        working.cancel()
    return None


def _ending(head: bytes, run: FlowRun, answer: Response) -> bytes:
    router = b',"x_router":%s' % _router(run)
    if answer.status != 200 and run.failed is not None:
        error = {"error": error_of(run.failed.answer, run.failed.running.shown)}
        return _chunk(head, b"{}", b'"error"', router) + b"data: %s\n\n" % dumps(error) + DONE
    output = next(node for node in run.flow.nodes if node.kind == "output")
    last = run.runs.get(output.inputs[0])
    said = last.answer.reply.text if last is not None and last.answer.reply is not None else ""
    usage = b',"usage":%s' % dumps(usage_json(run.usage()))
    return _chunk(head, dumps({"content": said})) + _chunk(head, b"{}", b'"stop"', usage + router) + DONE


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


def _failure(run: FlowRun, failed: NodeFailed) -> Response:
    answer, shown = failed.run.answer, failed.run.running.shown
    if answer.outcome == "cancelled":
        raise ClientGone
    error = error_of(answer, shown)
    error["message"] = f"node {failed.run.node.source_id[:80]}: {error['message']}"
    return Response(status_of(answer.outcome), b'{"error":%s,"x_router":%s}' % (dumps(error), _router(run)))


def _router(run: FlowRun) -> bytes:
    """`x_router` of a flow: no provider of its own, the calls as `flow_nodes`."""
    flow: AdmittedFlow = run.flow
    compact = run.call.compact
    head: dict[str, Any] = {
        "provider": "flow",
        "model_family": f"flow:{flow.fingerprint}",
        "served_model_id": None,
        "cost_usd": None if run.spent.cost_usd is None else round(run.spent.cost_usd, 6),
        "cost_basis": None if run.spent.cost_usd is None else "computed",
        "trace_id": run.trace_id,
        "compact": compact,
    }
    if run.call.session:
        total = run.engine.totals.add(run.caller.id, run.call.session, run.usage(), run.spent.cost_usd)
        head["session_acc"] = total.json()
    nodes = [
        b'%s,"decision_trace":%s}' % (dumps(facts)[:-1], trace) for facts, trace in run.nodes_json(compact=compact)
    ]  # fmt: skip
    failed = None if run.failed is None else run.failed.node.source_id
    trace = b'{"flow_fingerprint":%s,"flow_nodes":[%s],"failed_node":%s,"started_at_ms":%d}' % (
        dumps(flow.fingerprint), b",".join(nodes), dumps(failed), run.began_ms,
    )  # fmt: skip
    return b'%s,"decision_trace":%s}' % (dumps(head)[:-1], trace)
