"""The schemas of model calls: a property for every name that a call's reader takes, and what an answer says beside.

Which names there are is asked of the reader's own tables; one that has no schema here keeps the program from starting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from workbench.language.runnable import REQUEST_PARAMETERS
from workbench.server.chat.parameters import (
    DONE_ANYWAY,
    MOST_MESSAGES,
    MOST_NAME,
    MOST_STOPS,
    MOST_TEXT,
    MOST_TOOLS,
    OURS,
    ROLES,
    SENT,
    UNSUPPORTED,
)
from workbench.server.chat.responses_body import REFUSED, TAKEN
from workbench.server.x.openapi.words import (
    ANY,
    FLAG,
    NUMBER,
    OBJECT,
    TERM,
    TEXT,
    WHOLE,
    Schema,
    between,
    closed,
    many,
    maybe,
    one_of,
    record,
    ref,
)

_NAME: Final[Schema] = {"type": "string", "maxLength": MOST_NAME}
_SHORT: Final[Schema] = {"type": "string", "maxLength": MOST_TEXT}
TENANCY: Final[Mapping[str, Schema]] = {
    "tenant": maybe({**_NAME, "description": "a tenant of the workspace"}),
    "tenant_state": maybe({"type": "object", "description": "facts of a tenant, compiled on the spot"}),
}

MESSAGE: Final = record(
    ("role",),
    role=one_of(*sorted(ROLES)),
    content={"anyOf": [TEXT, many(record((), type=TEXT)), {"type": "null"}]},
    tool_calls=maybe(many(OBJECT)),
    tool_call_id=maybe(TEXT),
    name=maybe(TEXT),
)
"""A message; what of it a provider takes is said there."""


def _bound(name: str, kind: str = "number") -> Schema:
    return {**between(*REQUEST_PARAMETERS[name]), "type": kind}


_PARAMETERS: Final[Mapping[str, Schema]] = {
    "messages": many(ref("Message"), MOST_MESSAGES),
    **{name: _bound(name) for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty",
                                       "repetition_penalty", "timeout_ms", "first_token_timeout_ms")},
    **{name: _bound(name, "integer") for name in ("top_k", "seed", "max_tokens")},
    "max_completion_tokens": _bound("max_tokens", "integer"),
    "stop": {"anyOf": [TEXT, many(TEXT, MOST_STOPS)]},
    "tools": many(record(("function",), type=TEXT, function=record(("name",), name=TEXT)), MOST_TOOLS),
    "tool_choice": {"anyOf": [TEXT, OBJECT]},
    "parallel_tool_calls": FLAG,
    **dict.fromkeys(("response_format", "logit_bias", "metadata", "prediction"), OBJECT),
    **dict.fromkeys(("user", "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "safety_identifier",
                     "service_tier", "verbosity"), _SHORT),
    "model": {**_NAME, "description": "profile:NAME, family:NAME, pin:PROVIDER/FAMILY, empty"},
    "stream": FLAG,
    "compact": {**FLAG, "description": "counts instead of `rejected` rows"},
    "stream_options": OBJECT,
    "policy_ir": TERM,
    "flow_ir": TERM,
    "session": {**_NAME, "description": "running totals; wins over the header"},
    **TENANCY,
    "requirements": ref("Requirements"),
    "scope": {**ANY, "description": "for a policy that looks at it"},
    "caller": {**ANY, "description": "has no effect"},
    "n": {"const": 1},
}  # fmt: skip
"""What each name takes; null is "nothing said" for every one of them."""


def _all(names: Iterable[str]) -> dict[str, Schema]:
    return {name: maybe(_PARAMETERS[name]) for name in names}


def _only(names: Iterable[str]) -> dict[str, Schema]:
    """Names that are refused, but for null and for values that ask for what is done anyway."""
    return {name: {"enum": [None, *DONE_ANYWAY.get(name, ())]} for name in names}


_SHARED: Final = {**_only(sorted(UNSUPPORTED)), **_only(sorted(DONE_ANYWAY)), **_all((*SENT, *sorted(OURS)))}
_RESPONSES: Final[Mapping[str, Schema]] = {
    "input": {"anyOf": [TEXT, many(OBJECT)]},
    "instructions": maybe(TEXT),
    "max_output_tokens": maybe(_bound("max_tokens", "integer")),
    "text": maybe(OBJECT),
    "reasoning": maybe(OBJECT),
    "tools": maybe(many(OBJECT)),
    "tool_choice": maybe(_PARAMETERS["tool_choice"]),
    "include": ANY,
    "truncation": ANY,
}

CHAT: Final = closed((), **_SHARED)
RESPONSES: Final = closed(
    ("input",), **{**_SHARED, **_only(sorted(REFUSED)), **{name: _RESPONSES[name] for name in TAKEN}}
)

SESSION_HEADER: Final[dict[str, Any]] = {
    "name": "X-Unhardcoded-Session", "in": "header", "required": False,
    "schema": {**_NAME, "description": "as `session` in the body, which wins"},
}  # fmt: skip

_OFFER: Final[dict[str, Schema]] = {
    "provider": maybe(TEXT), "model_family": maybe(TEXT), "served_model_id": maybe(TEXT), "region": maybe(TEXT),
    "price_in": maybe(NUMBER), "price_out": maybe(NUMBER), "cost_usd": maybe(NUMBER),
}  # fmt: skip
_COUNTS: Final = many(record(("count",), reason=TEXT, rule=TEXT, count=WHOLE))

ROUTING: Final[dict[str, Schema]] = {
    "Router": {
        **record(
            ("provider", "model_family", "served_model_id", "decision_trace"),
            **_OFFER,
            served_by=TEXT,
            cost_basis={"enum": ["reported", "computed", "subscription", None]},
            tokens_cached=maybe(WHOLE),
            policy_fingerprint=TEXT,
            trace_id=TEXT,
            compact=FLAG,
            emulated=FLAG,
            warnings=many(TEXT),
            session_acc=record(
                (), calls=WHOLE, tokens_in=WHOLE, tokens_out=WHOLE, tokens_cached=WHOLE, cost_usd=NUMBER
            ),
            decision_trace=ref("DecisionTrace"),
        ),
        "description": "who answered, at what price, and why; the provider is `flow` for a flow",
    },
    "DecisionTrace": {
        **record(
            (),
            ranked=many(
                record(("provider_id", "model_family", "score"), provider_id=TEXT, model_family=TEXT,
                       tier=maybe(TEXT), score=maybe(NUMBER), served_model_id=TEXT, region=maybe(TEXT))
            ),
            ranked_total=WHOLE,
            rejected=many(ref("Rejected")),
            rejected_total=WHOLE,
            rejected_by=_COUNTS,
            rejected_rules=_COUNTS,
            decision_path=many(ref("PathEvent")),
            started_at_ms=WHOLE,
            total_latency_ms=WHOLE,
            policy_fingerprint=TEXT,
            policy_term=TERM,
            flow_fingerprint=TEXT,
            flow_nodes=many(
                record(("node", "decision_trace"), node=TEXT, inputs=many(TEXT), policy_fingerprint=TEXT, **_OFFER,
                       tokens_in=maybe(WHOLE), tokens_out=maybe(WHOLE), latency_ms=WHOLE, trace_id=TEXT,
                       decision_trace=ref("DecisionTrace"))
            ),
            failed_node=maybe(TEXT),
        ),
        "description": "of one decision; of a flow its nodes, each with its own; empty where nothing was decided",
    },
    "PathEvent": record(
        ("event",),
        event=one_of("attempted", "retry_scheduled", "skipped", "provider_disabled"),
        provider_id=maybe(TEXT),
        model_family=maybe(TEXT),
        attempt=WHOLE,
        latency_ms=WHOLE,
        first_token_ms=WHOLE,
        backoff_ms=WHOLE,
        retry_after_ms=WHOLE,
        error_kind=maybe(TEXT),
        detail=maybe(TEXT),
        http_status=maybe(WHOLE),
        error_message=maybe(TEXT),
        reason=TEXT,
    ),
}  # fmt: skip
"""`x_router` of an answer."""
