"""`POST /v1/chat/completions`, with a profile in the path too: read, decide, call, answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workbench.server.chat.answering import completion, router
from workbench.server.chat.calling import Engine, Running, prepare
from workbench.server.chat.failures import failure_response
from workbench.server.chat.flows import run_flow
from workbench.server.chat.parameters import Call, read_call
from workbench.server.chat.sse import until_gone
from workbench.server.chat.streaming import stream
from workbench.server.chat.subject import Brings, Sugar, subject_of, sugar_of
from workbench.server.errors import Refused
from workbench.server.exchange import Request, Response
from workbench.server.reading import ClientGone, read_object
from workbench.server.routing import Route
from workbench.server.x.requirements import pin_of

SESSION_HEADER: Final = b"x-unhardcoded-session"


async def complete(request: Request) -> Response | None:
    """One chat completion."""
    body = await read_object(request)
    call = read_call(body, request.host.options.default_max_tokens)
    if body.get("flow_ir") is not None:
        return await run_flow(request, engine_of(request), call)
    sugar = sugar_for(call, request)
    running = await begin(request, call, sugar)
    with until_gone(request, running.stop.stop):
        if call.stream:
            return await stream(request, running)
        answer = await running.run()
    if answer.outcome == "cancelled":
        raise ClientGone
    if answer.reply is None:
        return failure_response(answer, running.shown, router(answer, running.shown, running.told))
    return Response(200, completion(answer, answer.reply, running.shown, running.told, call.model))


async def begin(request: Request, call: Call, sugar: Sugar, warnings: tuple[str, ...] = ()) -> Running:
    """The call decided and admitted, nothing sent yet. Raises `Refused`."""
    engine = engine_of(request)
    if call.session is None:
        named = request.header(SESSION_HEADER)
        if named is not None:
            call.session = named.decode("latin-1")[:512]
    subject = subject_of(call, sugar, request.state, request.caller)
    ticket = await request.host.callers.admit(request.caller, subject.tenant.id)
    try:
        told = warnings if sugar.warning is None else (*warnings, sugar.warning)
        return await prepare(engine, request.state, call, subject, ticket, told)
    except BaseException:
        await ticket.close(None)
        raise


def engine_of(request: Request) -> Engine:
    """What calls are made with."""
    engine = request.host.engine
    if engine is None:
        raise Refused(503, "not_initialized", "the router is not initialized", "server_error")
    return engine


def sugar_for(call: Call, request: Request) -> Sugar:
    """What the call's `model`, or the profile in the path, means. Raises `Refused`."""
    body = call.body
    brings: Brings = "nothing"
    if body.get("policy_ir") is not None or body.get("flow_ir") is not None:
        brings = "a policy"
    elif body.get("tenant") or body.get("tenant_state") is not None or request.caller.tenant is not None:
        brings = "a tenant"
    sugar = sugar_of(call.model, request.params.get("profile"), brings, lenient=request.host.options.lenient)
    pin = pin_of(body.get("requirements") or {})
    return sugar if pin is None else replace(sugar, family=pin.model, provider=pin.provider)


ROUTES: Final = (
    Route("POST", "/v1/chat/completions", complete),
    Route("POST", "/{profile}/v1/chat/completions", complete),
)
