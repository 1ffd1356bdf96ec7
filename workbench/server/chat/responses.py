"""`POST /v1/responses`: the same calls in the shape of OpenAI's Responses API, plain and streaming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.engine.values import text
from workbench.gateway.codecs.neutral import Delta, Reply
from workbench.gateway.events import Answer, Attempting, CallEvent
from workbench.server.chat.answering import router, served_id
from workbench.server.chat.calling import Running
from workbench.server.chat.completions import SESSION_HEADER, begin, sugar_of_call
from workbench.server.chat.failures import error_of, failure_response
from workbench.server.chat.parameters import read_call
from workbench.server.chat.responses_body import call_items, chat_body, frame, text_item, usage_json
from workbench.server.chat.sse import EventStream, until_gone
from workbench.server.exchange import Request, Response, dumps
from workbench.server.reading import ClientGone, read_object
from workbench.server.routing import Route
from workbench.traces.parts.words import random_hex

_INCOMPLETE: Final = {"length": {"reason": "max_output_tokens"}}


async def respond(request: Request) -> Response | None:
    """One response."""
    body = await read_object(request)
    asked, warnings = chat_body(body)
    call = read_call(asked, request.host.options.default_max_tokens)
    call.name_session(request.header(SESSION_HEADER))
    running = await begin(request, call, sugar_of_call(call, request), warnings)
    with until_gone(request, running.stop.stop):
        if call.stream:
            events = ResponseStream(request, running, body)
            return await events.finish(await running.run(events.hear))
        answer = await running.run()
    if answer.outcome == "cancelled":
        raise ClientGone
    told = router(answer, running.shown, running.told)
    if answer.reply is None:
        return failure_response(answer, running.shown, told)
    model = answer.reply.model or served_id(answer, running.shown) or call.model
    made = _whole(body, f"resp_{random_hex()}", model, running, answer.reply, f"msg_{random_hex()}")
    return Response(200, b'%s,"x_router":%s}' % (dumps(made)[:-1], told))


def _whole(
    body: Mapping[str, Any], identifier: str, model: str, running: Running, reply: Reply, message: str
) -> dict[str, Any]:
    cut = _INCOMPLETE.get(reply.finish_reason)
    made = frame(body, identifier, model, running.told, "incomplete" if cut else "completed")
    made["incomplete_details"] = cut
    if reply.text or not reply.tool_calls:
        made["output"].append(text_item(message, reply.text))
    made["output"] += call_items(reply)
    if reply.usage is not None:
        made["usage"] = usage_json(reply.usage)
    return made


class ResponseStream:
    """The events of one response; nothing is sent before the first word."""

    def __init__(self, request: Request, running: Running, body: Mapping[str, Any]) -> None:
        self.events = EventStream(request)
        self._running, self._body = running, body
        self._id, self._message = f"resp_{random_hex()}", f"msg_{random_hex()}"
        self._model = running.call.model
        self._said: list[str] = []
        self._number = 0

    async def hear(self, event: CallEvent) -> None:
        """One event of the call."""
        if isinstance(event, Attempting):
            candidate = self._running.shown.state.kept.candidates[event.index]
            self._model = text(candidate.get("served_model_id")) or self._model
        elif isinstance(event, Delta):
            opening = b"" if self._said else self._created() + self._item_added()
            self._said.append(event.text)
            await self.events.write(opening + self._part("response.output_text.delta", delta=event.text, logprobs=[]))

    def _event(self, kind: str, **facts: Any) -> bytes:
        data = {"type": kind, "sequence_number": self._number, **facts}
        self._number += 1
        return b"event: %s\ndata: %s\n\n" % (kind.encode(), dumps(data))

    def _created(self) -> bytes:
        made = frame(self._body, self._id, self._model, self._running.told, "in_progress")
        return self._event("response.created", response=made)

    def _item_added(self) -> bytes:
        item: dict[str, Any] = {**text_item(self._message, ""), "status": "in_progress", "content": []}
        added = self._event("response.output_item.added", output_index=0, item=item)
        empty: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
        return added + self._part("response.content_part.added", part=empty)

    def _part(self, kind: str, **facts: Any) -> bytes:
        return self._event(kind, item_id=self._message, output_index=0, content_index=0, **facts)

    async def finish(self, answer: Answer) -> Response | None:
        """The end of it; the answer itself where nothing has been sent."""
        if answer.outcome == "cancelled":
            return None
        running = self._running
        told = router(answer, running.shown, running.told)
        reply = answer.reply
        if reply is None:
            if not self.events.begun:
                return failure_response(answer, running.shown, told)
            await self.events.end(self._failed(answer, told))
            return None
        made = _whole(self._body, self._id, self._model, running, reply, self._message)
        parts = b"" if self.events.begun else self._created()
        parts += self._text_done() if self._said else b""
        for place, item in enumerate(made["output"]):
            if item["type"] == "function_call":
                parts += self._call(place, item)
        kind = "response.incomplete" if made["status"] == "incomplete" else "response.completed"
        await self.events.end(parts + self._closing(kind, made, told))
        return None

    def _text_done(self) -> bytes:
        said = "".join(self._said)
        item = text_item(self._message, said)
        return (
            self._part("response.output_text.done", text=said, logprobs=[])
            + self._part("response.content_part.done", part=item["content"][0])
            + self._event("response.output_item.done", output_index=0, item=item)
        )

    def _call(self, place: int, item: dict[str, Any]) -> bytes:
        begun = {**item, "arguments": "", "status": "in_progress"}
        about = {"item_id": item["id"], "output_index": place}
        return (
            self._event("response.output_item.added", output_index=place, item=begun)
            + self._event("response.function_call_arguments.delta", delta=item["arguments"], **about)
            + self._event(
                "response.function_call_arguments.done", name=item["name"], arguments=item["arguments"], **about
            )
            + self._event("response.output_item.done", output_index=place, item=item)
        )

    def _closing(self, kind: str, made: dict[str, Any], told: bytes) -> bytes:
        """The last event; `x_router` stands in the response, as in a plain one."""
        whole = b'%s,"x_router":%s}' % (dumps(made)[:-1], told)
        head = dumps({"type": kind, "sequence_number": self._number})[:-1]
        return b'event: %s\ndata: %s,"response":%s}\n\n' % (kind.encode(), head, whole)

    def _failed(self, answer: Answer, told: bytes) -> bytes:
        made = frame(self._body, self._id, self._model, self._running.told, "failed")
        error = error_of(answer, self._running.shown)
        made["error"] = {"code": "server_error", "message": error["message"]}
        if self._said:
            made["output"] = [{**text_item(self._message, "".join(self._said)), "status": "incomplete"}]
        return self._closing("response.failed", made, told)


ROUTES: Final = (Route("POST", "/v1/responses", respond),)
