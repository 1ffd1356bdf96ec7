"""The schemas that several operations share."""

from __future__ import annotations

from typing import Final

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
    whole,
)

_NAMED: Final = {"version": TEXT, "fingerprint": TEXT}
_TENANCY: Final = {
    "tenant": {"type": "string", "maxLength": 512, "description": "a tenant of the workspace"},
    "tenant_state": {"type": "object", "description": "facts of a tenant, compiled on the spot"},
}
_REQUIREMENTS: Final[dict[str, Schema]] = {
    "needs": many(TEXT),
    "model_family": TEXT,
    "tier": TEXT,
    "privacy": one_of("tee_required", "no_log"),
    "min_quality": NUMBER,
    "min_tok_s": NUMBER,
    "min_context": NUMBER,
    "pin": record(("provider", "model"), provider={**TEXT, "minLength": 1}, model={**TEXT, "minLength": 1}),
}
_ASKED: Final[dict[str, Schema]] = {
    **_REQUIREMENTS,
    "requirements": ref("Requirements"),
    "scope": {**ANY, "description": "for a policy that looks at it"},
    "seed": {**ANY, "description": "of a weighted choice"},
    "context": {**NUMBER, "description": "no effect by itself; see enforce_context"},
    "enforce_context": {**FLAG, "description": "read `context` as `requirements.min_context`"},
}
RULE: Final = whole(rule=TEXT, clause=TEXT, clause_id=TEXT, observed=TEXT, needed=TEXT)

MESSAGE: Final = record(
    ("role",),
    role=one_of("system", "developer", "user", "assistant", "tool"),
    content={"anyOf": [TEXT, many(record(("type",), type=TEXT)), {"type": "null"}]},
    tool_calls=many(OBJECT),
    tool_call_id=TEXT,
    name=TEXT,
)
"""A message; what of it a provider takes is said there."""

CHAT: Final = record(
    (),
    model={"type": "string", "maxLength": 512, "description": "profile:NAME, family:NAME, pin:PROVIDER/FAMILY, empty"},
    messages=many(ref("Message"), 4096),
    policy_ir=TERM,
    flow_ir=TERM,
    session={"type": "string", "maxLength": 512},
    **_TENANCY,
    requirements=ref("Requirements"),
    stream=FLAG,
    stream_options=OBJECT,
    tools=many(record(("type", "function"), type=TEXT, function=record(("name",), name=TEXT)), 256),
    tool_choice={"anyOf": [TEXT, OBJECT]},
    response_format=OBJECT,
    temperature=between(0, 2),
    top_p=between(0, 1),
    presence_penalty=between(-2, 2),
    frequency_penalty=between(-2, 2),
    max_tokens={"type": "integer", "minimum": 1, "maximum": 1_000_000},
    seed={"type": "integer", "minimum": -(2**53), "maximum": 2**53},
    timeout_ms=between(1, 50_000),
    first_token_timeout_ms=between(1, 50_000),
    user={"type": "string", "maxLength": 1024},
)

ERROR: Final = record(
    ("error",),
    error=record(("message", "code"), message=TEXT, type=TEXT, code=maybe(TEXT)),
    detail=ANY,
    x_router=OBJECT,
)

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": ERROR,
    "Message": MESSAGE,
    "Requirements": closed((), **_REQUIREMENTS, context=NUMBER),
    "Health": record(
        ("ok", "initialized"),
        ok=FLAG,
        initialized=FLAG,
        up_to_date=FLAG,
        faults=many(record(("reason",), file=maybe(TEXT), line=maybe(WHOLE), path=maybe(TEXT), reason=TEXT)),
        faults_total=WHOLE,
    ),
    "Model": whole(id=TEXT, object=one_of("model"), created=WHOLE, owned_by=TEXT),
    "Models": whole(object=one_of("list"), data=many(ref("Model"))),
    "Fields": whole(
        fields=many(
            record(
                ("name", "sort", "group", "core"),
                name=TEXT,
                sort=one_of("Num", "Bool"),
                group=one_of("provider", "model", "route"),
                core=FLAG,
                default=ANY,
                unit=TEXT,
                meaning=TEXT,
            )
        ),
        categories=many(whole(name=TEXT, values=many(TEXT), meaning=TEXT)),
        tiers=many(TEXT),
    ),
    "RankRequest": {
        **closed((), policy_ir=TERM, **_TENANCY, **_ASKED),
        "anyOf": [{"required": ["policy_ir"]}, {"required": ["tenant"]}, {"required": ["tenant_state"]}],
    },
    "Offer": record(
        ("provider", "model_family", "served_model_id", "region", "price_in", "price_out"),
        provider=TEXT,
        model_family=TEXT,
        served_model_id=TEXT,
        region=maybe(TEXT),
        tier=maybe(TEXT),
        discovery=TEXT,
        price_in=maybe(NUMBER),
        price_out=maybe(NUMBER),
        quality=maybe(NUMBER),
        score=maybe(NUMBER),
        offer=TEXT,
    ),
    "Ranking": record(
        ("rank_source", "ranked", "rejected", "ts", "fingerprint"),
        profile=TEXT,
        rank_source=one_of("router"),
        ranked=many(ref("Offer")),
        rejected=many(
            record(
                ("reason",), reason=TEXT, provider=TEXT, model=TEXT, region=maybe(TEXT), rules=many(RULE), pin=OBJECT
            )
        ),
        ts=WHOLE,
        population=WHOLE,
        survivors=WHOLE,
        warnings=many(TEXT),
        **_NAMED,
    ),
    "PolicyRequest": closed(("policy_ir",), policy_ir=TERM),
    "Policy": record(
        ("policy_ir", "fingerprint", "version", "admission"),
        policy_ir=TERM,
        **_NAMED,
        admission=whole(ok=FLAG, errors=many(OBJECT)),
        intent=OBJECT,
        warnings=many(TEXT),
    ),
    "BuildRequest": closed(
        (),
        filter=maybe(TERM),
        rank=maybe(TERM),
        scorer=maybe(TERM),
        selector={"anyOf": [{"type": "null"}, TEXT, TERM]},
        selector_opts=maybe(OBJECT),
        mutate={"anyOf": [{"type": "null"}, one_of("identity"), TERM]},
        retry_table={"anyOf": [{"type": "null"}, OBJECT, TERM]},
        weights=ANY,
    ),
    "Templates": whole(
        templates=many(
            whole(id=TEXT, description=TEXT, required=many(TEXT), defaults=OBJECT, public=FLAG),
        )
    ),
    "FlowRequest": closed(("flow_ir",), flow_ir=TERM),
    "Flow": whole(flow_ir=TERM, encoded=TEXT, **_NAMED),
    "CompileRequest": {
        **closed((), **_TENANCY),
        "oneOf": [{"required": ["tenant"]}, {"required": ["tenant_state"]}],
    },
    "Compiled": record(
        ("tenant", "no_log", "policy_ir", "sources", "warnings"),
        tenant=TEXT,
        no_log=FLAG,
        **_NAMED,
        identity=TEXT,
        policy_ir=TERM,
        sources=many(record(("id", "slot", "clause", "rule", "facts"), clause=TEXT, rule=TEXT, facts=OBJECT)),
        warnings=many(OBJECT),
    ),
    "ExplainRequest": {
        **closed(("offer",), offer={"type": "string"}, policy_ir=TERM, **_TENANCY, **_ASKED),
        "anyOf": [{"required": ["policy_ir"]}, {"required": ["tenant"]}, {"required": ["tenant_state"]}],
    },
    "Explained": record(
        ("offers",),
        **_NAMED,
        offers=many(
            {
                "allOf": [
                    ref("Offer"),
                    record(
                        ("verdict", "reason", "rules", "checks"),
                        verdict=one_of("winner", "ranked", "not kept", "rejected"),
                        place=maybe(WHOLE),
                        reason=maybe(TEXT),
                        rules=many(RULE),
                        checks=many(OBJECT),
                    ),
                ]
            }
        ),
    ),
    "Trace": {
        "anyOf": [
            record(("schema", "trace_id", "tenant", "no_log", "policy_ir", "ranked", "rejected"), trace_id=TEXT),
            record(("trace_id", "nodes"), trace_id=TEXT, nodes=many(OBJECT)),
        ]
    },
    "ChatRequest": CHAT,
    "ChatCompletion": record(
        ("id", "object", "created", "model", "choices", "x_router"),
        id=TEXT,
        object=one_of("chat.completion"),
        created=WHOLE,
        model=TEXT,
        choices=many(OBJECT),
        usage=OBJECT,
        x_router=OBJECT,
    ),
    "ResponsesRequest": record(
        ("input",),
        model={"type": "string", "maxLength": 512},
        input={"anyOf": [TEXT, many(OBJECT)]},
        instructions=maybe(TEXT),
        stream=FLAG,
        policy_ir=TERM,
        **_TENANCY,
        temperature=between(0, 2),
        top_p=between(0, 1),
        max_output_tokens={"type": "integer", "minimum": 1, "maximum": 1_000_000},
        tools=many(OBJECT, 256),
    ),
    "Response": record(
        ("id", "object", "status", "output"), id=TEXT, object=one_of("response"), status=TEXT, output=many(OBJECT)
    ),
}
