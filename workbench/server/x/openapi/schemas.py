"""The schemas that several operations share."""

from __future__ import annotations

from typing import Final

from workbench.server.x.openapi.calls import CHAT, MESSAGE, RESPONSES, ROUTING, TENANCY
from workbench.server.x.openapi.words import (
    ANY,
    FLAG,
    NUMBER,
    OBJECT,
    TERM,
    TEXT,
    WHOLE,
    Schema,
    closed,
    many,
    maybe,
    one_of,
    record,
    ref,
    whole,
)
from workbench.server.x.requirements import NAMES
from workbench.traces.parts.words import PRIVACIES

_NAMED: Final = {"version": TEXT, "fingerprint": TEXT}
_REQUIRED: Final[dict[str, Schema]] = {
    "needs": many(TEXT),
    "model_family": TEXT,
    "tier": TEXT,
    "privacy": one_of(*sorted(PRIVACIES)),
    "min_quality": NUMBER,
    "min_tok_s": NUMBER,
    "min_context": NUMBER,
    "context": {**NUMBER, "description": "no effect by itself; see enforce_context"},
    "pin": {
        **closed(
            (), **{name: {**TEXT, "minLength": 1} for name in ("provider", "provider_id", "model", "model_family")}
        ),
        "allOf": [
            {"anyOf": [{"required": ["provider"]}, {"required": ["provider_id"]}]},
            {"anyOf": [{"required": ["model"]}, {"required": ["model_family"]}]},
        ],
    },
}
_REQUIREMENTS: Final = {name: maybe(_REQUIRED[name]) for name in NAMES}
_ASKED: Final[dict[str, Schema]] = {
    **_REQUIREMENTS,
    "requirements": maybe(ref("Requirements")),
    "scope": {"type": ["string", "number", "boolean", "null"], "description": "for a policy that looks at it"},
    "seed": maybe({**NUMBER, "description": "of a weighted choice"}),
    "enforce_context": maybe({**FLAG, "description": "read `context` as `requirements.min_context`"}),
}
RULE: Final = whole(rule=TEXT, clause=TEXT, clause_id=TEXT, observed=TEXT, needed=TEXT)

ERROR: Final = record(
    ("error",),
    error=record(("message", "code"), message=TEXT, type=TEXT, code=maybe(TEXT)),
    detail=ANY,
    x_router=ref("Router"),
)

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": ERROR,
    "Message": MESSAGE,
    "Requirements": closed((), **_REQUIREMENTS),
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
    "RankRequest": closed((), policy_ir=maybe(TERM), **TENANCY, **_ASKED),
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
    "Rejected": record(
        ("reason",), reason=TEXT, provider=TEXT, model=TEXT, region=maybe(TEXT), rules=many(RULE), pin=OBJECT
    ),
    "Ranking": record(
        ("rank_source", "ranked", "rejected", "ts", "fingerprint"),
        profile=TEXT,
        rank_source=one_of("router"),
        ranked=many(ref("Offer")),
        rejected=many(ref("Rejected")),
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
    "Flow": record(
        ("flow_ir", "encoded", "fingerprint", "version"), flow_ir=TERM, encoded=TEXT, **_NAMED, warnings=many(TEXT)
    ),
    "CompileRequest": closed((), **TENANCY),
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
    "ExplainRequest": closed(("offer",), offer=TEXT, policy_ir=maybe(TERM), **TENANCY, **_ASKED),
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
        x_router=ref("Router"),
    ),
    "ResponsesRequest": RESPONSES,
    "Response": record(
        ("id", "object", "status", "output"),
        id=TEXT,
        object=one_of("response"),
        status=TEXT,
        output=many(OBJECT),
        x_router=ref("Router"),
    ),
    **ROUTING,
}
