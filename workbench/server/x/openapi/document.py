"""The document at `/openapi.json`: every operation with what it takes, and every status it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from workbench.server.x.openapi.calls import SESSION_HEADER
from workbench.server.x.openapi.events import EVENTS
from workbench.server.x.openapi.schemas import SCHEMAS
from workbench.server.x.openapi.words import TEXT, WHOLE, Schema, ref


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    id: str
    summary: str
    answer: str
    """The schema of its 200; `text` for plain text."""
    body: str | None = None
    optional_body: bool = False
    statuses: tuple[int, ...] = ()
    """What it answers beside 200 and what every operation may."""
    query: tuple[tuple[str, Schema, bool], ...] = ()
    """Name, schema, whether it has to be there."""
    public: bool = False
    counted: bool = False
    """Whether limits hold for it: of a call they are among its statuses."""
    events: str | None = None
    """The schema of an event, where it answers as a stream too."""


_EVERYWHERE: Final = (400, 404, 405, 503)
"""A foreign host name, a path that is none, a method that is none, no workspace yet."""
_GATED: Final = (401, 403)
_BODY: Final = (413, 415, 422)
_CALL: Final = (402, 409, 429, 499, 500, 502, 504)
"""Of a call to a provider: limits, and the provider's own failures by COMPATIBILITY's table."""

OPERATIONS: Final = (
    Operation("GET", "/healthz", "health", "Whether it is up, and has a workspace.", "Health", public=True),
    Operation("GET", "/metrics", "metrics", "Counters in Prometheus's text format; no tenant in them.", "text"),
    Operation("GET", "/openapi.json", "openapi", "This document.", "object", public=True),
    Operation("GET", "/v1/models", "models", "What may stand in `model`.", "Models"),
    Operation("GET", "/v1/models/{model}", "model", "One of them.", "Model"),
    Operation("GET", "/x/fields", "fields", "The names that a policy may use.", "Fields"),
    Operation(
        "GET", "/x/rank", "rankProfile", "The ranking under a named policy.", "Ranking", statuses=(422,), counted=True,
        query=(
            ("profile", TEXT, True), ("context", {**WHOLE, "minimum": 0, "maximum": 10**14}, False),
            ("tenant", TEXT, False),
        ),
    ),
    Operation(
        "POST", "/x/rank", "rank", "The ranking under a policy, or for a tenant.", "Ranking", "RankRequest",
        statuses=(409,), counted=True,
    ),
    Operation(
        "POST", "/x/compile", "compile", "A tenant's policy and the source of each clause.", "Compiled",
        "CompileRequest", statuses=(409,), counted=True,
    ),
    Operation(
        "POST", "/x/explain", "explain", "Why an offer is where it is.", "Explained", "ExplainRequest",
        statuses=(409,), counted=True,
    ),
    Operation(
        "POST", "/x/policy/normalize", "normalize", "A policy's normal form and fingerprint.", "Policy",
        "PolicyRequest", query=(("admit", {"type": "string", "enum": ["0", "1"]}, False),), counted=True,
    ),
    Operation("POST", "/x/policy/build", "build", "A policy from its parts.", "Policy", "BuildRequest", counted=True),
    Operation("GET", "/x/policy/templates", "templates", "The templates.", "Templates"),
    Operation(
        "POST", "/x/policy/templates/{id}", "template", "A template's policy.", "Policy", "object",
        optional_body=True, counted=True,
    ),
    Operation(
        "POST", "/x/flow/normalize", "normalizeFlow", "A flow's normal form.", "Flow", "FlowRequest", counted=True,
    ),
    Operation("GET", "/x/traces/{id}", "trace", "One trace.", "Trace", counted=True),
    Operation(
        "POST", "/v1/chat/completions", "chat", "A chat completion, routed by policy.", "ChatCompletion",
        "ChatRequest", statuses=_CALL, events="ChatEvent",
    ),
    Operation(
        "POST", "/{profile}/v1/chat/completions", "chatProfile", "The same under a named policy.", "ChatCompletion",
        "ChatRequest", statuses=_CALL, events="ChatEvent",
    ),
    Operation(
        "POST", "/v1/responses", "responses", "The same in the shape of the Responses API.", "Response",
        "ResponsesRequest", statuses=_CALL, events="ResponseEvent",
    ),
)  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """The whole document; the same object each time, to be read only."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "policy workbench",
            "version": _version(),
            "description": "One URL, the policy travels with the call. Errors have OpenAI's shape; beyond loopback a "
            "bearer token is needed.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, **EVENTS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _version() -> str:
    try:
        return version("policy-workbench")
    except PackageNotFoundError:
        return "0"


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": _responses(operation),
        "security": [] if operation.public else [{}, {"token": []}],
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1, "maxLength": 128}}
        for name in ("model", "id", "profile")
        if f"{{{name}}}" in operation.path
    ]
    parameters += [
        {"name": name, "in": "query", "required": required, "schema": schema}
        for name, schema, required in operation.query
    ]
    if operation.events is not None:
        parameters.append(SESSION_HEADER)
    if parameters:
        made["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": _schema(operation.body)}}
        made["requestBody"] = {"required": not operation.optional_body, "content": content}
    return made


def _schema(name: str) -> Schema:
    return {"type": "object"} if name == "object" else ref(name)


def _responses(operation: Operation) -> dict[str, Any]:
    if operation.answer == "text":
        content: dict[str, Any] = {"text/plain": {"schema": TEXT}}
    else:
        content = {"application/json": {"schema": _schema(operation.answer)}}
    if operation.events is not None:
        content["text/event-stream"] = {"schema": ref(operation.events)}
    found: dict[str, Any] = {"200": {"description": "as asked", "content": content}}
    statuses = {*_EVERYWHERE, *operation.statuses}
    if not operation.public:
        statuses.update(_GATED)
    if operation.body is not None:
        statuses.update(_BODY)
    if operation.counted:
        statuses.add(429)
    for status in sorted(statuses):
        refusal = {"application/json": {"schema": ref("Error")}}
        found[str(status)] = {"description": _WORDS.get(status, "refused"), "content": refusal}
    return found


_WORDS: Final = {
    400: "the request is wrong, with a code that says how",
    401: "no token that anybody has; or, of a call, the provider's own refusal of its key",
    402: "this month's budget is spent",
    403: "a token that may not do this",
    404: "there is no such thing",
    405: "there is no such method",
    409: "the tenant's file or its rules give no policy",
    413: "the body is too large",
    415: "the body is compressed",
    422: "the body has not its shape; `detail` lists where",
    429: "too many calls; `Retry-After` says how long to wait",
    499: "the client hung up",
    500: "an error inside",
    502: "the providers failed; `code` says how",
    503: "nobody is left to ask, or nothing can be asked now",
    504: "out of time",
}
