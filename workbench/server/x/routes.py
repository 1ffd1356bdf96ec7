"""The routes of this folder: reads each request, asks the pure function that answers it, writes the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import DocumentError
from workbench.server.errors import Refused, finding_text, said
from workbench.server.exchange import Request, Response, json_response
from workbench.server.reading import MOST_BYTES, read_body
from workbench.server.routing import Route
from workbench.server.x import policies
from workbench.server.x.compiling import compile_answer, explain_answer
from workbench.server.x.fields import fields_json
from workbench.server.x.models import model_json, models_json
from workbench.server.x.openapi.document import document
from workbench.server.x.openapi.schemas import SCHEMAS
from workbench.server.x.rank import Asking, policy_ir, rank, rank_profile
from workbench.server.x.refusal import only, refused, shapeless
from workbench.server.x.templates.answers import filled, listing
from workbench.server.x.traces import trace_answer

_SHAPES: Final = frozenset(("syntax", "encoding", "bom"))
"""What is no JSON at all; what is JSON and unsafe is 400."""


async def body_of(request: Request, shape: str | None = None, *, empty: bool = False) -> dict[str, Any]:
    """The body's JSON object, with no key but those that its shape has in the OpenAPI document.

    Raises `Refused`: 422 for no JSON and for another value, 400 for JSON that is unsafe, and for keys that nothing
    reads.
    """
    data = await read_body(request)
    if empty and not data:
        return {}
    try:
        value = strict_json.loads(data, source="the body", max_bytes=MOST_BYTES)
    except DocumentError as error:
        finding = error.findings[0]
        words = said(f"the body can't be read as JSON: {finding_text(finding)}")
        if finding.code in _SHAPES:
            raise shapeless(("json_invalid", ("body",), words, None)) from None
        raise refused(400, "invalid_json", words) from None
    if not isinstance(value, dict):
        raise shapeless(("dict_type", ("body",), "Input should be a valid dictionary", None))
    found = cast("dict[str, Any]", value)
    if shape is not None:
        only(found, tuple(SCHEMAS[shape]["properties"]))
    return found


def _asking(request: Request) -> Asking:
    caller = request.caller
    state, host = request.state, request.host
    measuring = host.measuring
    if measuring is None:
        return Asking(state, caller, host.health_state, int(time.time()))

    def health(scope: str) -> Mapping[str, Any]:
        return measuring.health_of(host.health_state(scope))

    return Asking(measuring.state_of(state), caller, health, int(time.time()))


async def _models(request: Request) -> Response:
    return json_response(models_json(request.state))


async def _model(request: Request) -> Response:
    found = model_json(request.state, request.params["model"])
    if found is None:
        raise refused(404, "model_not_found", f"there is no model `{request.params['model']}`")
    return json_response(found)


async def _fields(request: Request) -> Response:
    return json_response(fields_json(request.state.session.vocabulary))


async def _rank(request: Request) -> Response:
    return json_response(rank(await body_of(request, "RankRequest"), _asking(request)))


async def _rank_profile(request: Request) -> Response:
    return json_response(rank_profile(request.query, _asking(request)))


async def _normalize(request: Request) -> Response:
    term = policy_ir(await body_of(request, "PolicyRequest"))
    admit = request.query.get("admit", "") not in ("", "0", "false")
    return json_response(policies.normalize(term, request.state.session.vocabulary, admit=admit))


async def _normalize_flow(request: Request) -> Response:
    term = policy_ir(await body_of(request, "FlowRequest"), "flow_ir")
    return json_response(policies.normalize_flow(term, request.state.session.vocabulary))


async def _build(request: Request) -> Response:
    return json_response(policies.build(await body_of(request), request.state.session.catalog))


async def _templates(request: Request) -> Response:
    del request
    return json_response(listing())


async def _template(request: Request) -> Response:
    given = await body_of(request, empty=True)
    return json_response(filled(request.params["id"], given, request.state.session.catalog))


async def _compile(request: Request) -> Response:
    return json_response(compile_answer(await body_of(request, "CompileRequest"), _asking(request)))


async def _explain(request: Request) -> Response:
    return json_response(explain_answer(await body_of(request, "ExplainRequest"), _asking(request)))


async def _trace(request: Request) -> Response:
    look = partial(trace_answer, request.params["id"], request.caller, request.host.traces)
    loop, engine = asyncio.get_running_loop(), request.host.engine
    if engine is not None:
        await engine.traces.writer.stored()  # whoever has an answer can have its trace
    try:
        return json_response(await loop.run_in_executor(None, look))
    except Refused as refused:
        if refused.status != 404:
            raise
    await asyncio.sleep(ELSEWHERE_S)
    return json_response(await loop.run_in_executor(None, look))


ELSEWHERE_S: Final = 0.1
"""How long is waited for the trace of another process's answer, which is written soon."""


async def _openapi(request: Request) -> Response:
    del request
    return json_response(document())


ROUTES: Final = (
    Route("GET", "/openapi.json", _openapi, public=True, early=True),
    Route("GET", "/v1/models", _models),
    Route("GET", "/v1/models/{model}", _model),
    Route("GET", "/x/fields", _fields),
    Route("GET", "/x/rank", _rank_profile, counted=True, query=("profile", "context", "tenant")),
    Route("POST", "/x/rank", _rank, counted=True),
    Route("POST", "/x/compile", _compile, counted=True),
    Route("POST", "/x/explain", _explain, counted=True),
    Route("POST", "/x/policy/normalize", _normalize, counted=True, query=("admit",)),
    Route("POST", "/x/policy/build", _build, counted=True),
    Route("GET", "/x/policy/templates", _templates),
    Route("POST", "/x/policy/templates/{id}", _template, counted=True),
    Route("POST", "/x/flow/normalize", _normalize_flow, counted=True),
    Route("GET", "/x/traces/{id}", _trace, counted=True),
)
