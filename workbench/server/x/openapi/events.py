"""One event of each stream, as OpenAPI 3.1 has it described: the name of the event, and data that is JSON in a string.

A stream as a whole has no schema there; what stands for one is an event, the same for each of them.
"""

from __future__ import annotations

from typing import Final

from workbench.server.x.openapi.words import OBJECT, TEXT, WHOLE, Schema, many, maybe, one_of, record, ref


def _json(schema: Schema) -> Schema:
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}


_DONE: Final[Schema] = {"const": "[DONE]", "description": "the end of the stream"}

EVENTS: Final[dict[str, Schema]] = {
    "ChatEvent": {
        **record(
            ("data",),
            event=one_of("message"),
            data={"anyOf": [_DONE, _json(ref("ChatChunk")), _json(ref("Error"))]},
        ),
        "description": "one event of the stream; none has a name of its own, which is `message` to a reader of events",
    },
    "ChatChunk": record(
        ("id", "object", "created", "model", "choices"),
        id=TEXT,
        object=one_of("chat.completion.chunk"),
        created=WHOLE,
        model=TEXT,
        choices=many(
            record(("index", "delta", "finish_reason"), index=WHOLE, delta=OBJECT, finish_reason=maybe(TEXT)),
        ),
        usage=OBJECT,
        x_router=ref("Router"),
    ),
    "ResponseEvent": {
        **record(
            ("event", "data"),
            event=one_of(
                "response.created",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.function_call_arguments.delta",
                "response.function_call_arguments.done",
                "response.output_item.done",
                "response.completed",
                "response.incomplete",
                "response.failed",
            ),
            data=_json(ref("ResponseStep")),
        ),
        "description": "one event of the stream",
    },
    "ResponseStep": record(
        ("type", "sequence_number"),
        type={**TEXT, "description": "the name of the event again"},
        sequence_number=WHOLE,
        response=ref("Response"),
        item=OBJECT,
        part=OBJECT,
        item_id=TEXT,
        output_index=WHOLE,
        content_index=WHOLE,
        delta=TEXT,
        text=TEXT,
        name=TEXT,
        arguments=TEXT,
    ),
}
