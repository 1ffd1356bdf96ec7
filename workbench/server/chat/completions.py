"""`POST /v1/chat/completions`, with a profile in the path too: read, decide, call, answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workbench.gateway.events import Answer
from workbench.server.chat.answering import completion, router
from workbench.server.chat.calling import Engine, Running, prepare
from workbench.server.chat.failures import failure_response
from workbench.server.chat.flows import run_flow
from workbench.server.chat.parameters import Call, read_call
from workbench.server.chat.sse import until_gone
from workbench.server.chat.streaming import stream
from workbench.server.chat.subject import Sugar, subject_of, sugar_for
from workbench.server.errors import Refused
from workbench.server.exchange import Request, Response
from workbench.server.reading import ClientGone, read_object
from workbench.server.routing import Route
from workbench.server.x.models import models_json
from workbench.server.x.tenancy import name_of, tenant_of

SESSION_HEADER: Final = b"x-unhardcoded-session"


async def complete(request: Request) -> Response | None:
    """One chat completion."""
    body = await read_object(request)
    call = read_call(body, request.host.options.default_max_tokens)
    call.name_session(request.header(SESSION_HEADER))
    if body.get("flow_ir") is not None:
        return await run_flow(request, engine_of(request), call)
    sugar = sugar_of_call(call, request)
    running = await begin(request, call, sugar)
    with until_gone(request, running.stop.stop):
        if call.stream:
            return await stream(request, running)
        answer = await running.run()
    response = response_of(answer, running)
    if response is None:
        raise ClientGone
    return response


def response_of(answer: Answer, running: Running) -> Response | None:
    """How a plain call is answered; None where nobody is there any more."""
    if answer.outcome == "cancelled":
        return None
    if answer.reply is None:
        return failure_response(answer, running.shown, router(answer, running.shown, running.told))
    return Response(200, completion(answer, answer.reply, running.shown, running.told, running.call.model))


async def begin(request: Request, call: Call, sugar: Sugar, warnings: tuple[str, ...] = ()) -> Running:
    """The call decided and admitted, nothing sent yet. Raises `Refused`."""
    engine = engine_of(request)
    tenant = tenant_of(call.body, request.state, request.caller)
    whose = name_of(tenant, request.caller)
    ticket = await request.host.callers.admit(request.caller, whose)  # before a policy that came along is looked at
    try:
        subject = subject_of(call, sugar, request.state, request.caller)
        return prepare(engine, request.state, call, subject, ticket, (*warnings, *sugar.warnings))
    except BaseException:
        await ticket.close(None)
        raise


def engine_of(request: Request) -> Engine:
    """What calls are made with."""
    engine = request.host.engine
    if engine is None:
        raise Refused(503, "not_initialized", "the router is not initialized", "server_error")
    return engine


def sugar_of_call(call: Call, request: Request) -> Sugar:
    """What the call's `model`, or the profile in the path, means. Raises `Refused`."""

    def names() -> Iterable[str]:
        return (str(model["id"]) for model in models_json(request.state)["data"])

    profile = request.params.get("profile")
    return sugar_for(call, request.caller, profile, lenient=request.host.options.lenient, names=names)


ROUTES: Final = (
    Route("POST", "/v1/chat/completions", complete),
    Route("POST", "/{profile}/v1/chat/completions", complete),
)
