"""A streamed completion: nothing is sent before the first word, and nothing falls back after it."""

from __future__ import annotations

import json
from typing import Any

from workbench.engine.values import text
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.events import Answer, Attempting, CallEvent
from workbench.server.chat.answering import completion_id, finish_of, router, tool_calls_json, usage_json
from workbench.server.chat.calling import Running
from workbench.server.chat.failures import error_of, failure_response
from workbench.server.chat.sse import DONE, EventStream
from workbench.server.exchange import Request, Response, dumps


class CompletionStream:
    """The chunks of one completion."""

    def __init__(self, request: Request, running: Running) -> None:
        self.events = EventStream(request)
        self._running = running
        self._id = completion_id()
        self._model = running.call.model
        self._head = b""

    async def hear(self, event: CallEvent) -> None:
        """One event of the call."""
        if isinstance(event, Delta):
            said = json.dumps(event.text, ensure_ascii=False).encode("utf-8", "replace")
            await self.events.write(self._opening() + self._chunk(b'{"content":%s}' % said))
        elif isinstance(event, Attempting):
            candidate = self._running.shown.state.kept.candidates[event.index]
            self._model = text(candidate.get("served_model_id")) or self._model

    def _opening(self) -> bytes:
        """The role's chunk, before the first one."""
        if self.events.begun:
            return b""
        created = self._running.began_ms // 1000
        head = {"id": self._id, "object": "chat.completion.chunk", "created": created, "model": self._model}
        self._head = b"data: %s" % dumps(head)[:-1]
        return self._chunk(b'{"role":"assistant"}')

    def _chunk(self, delta: bytes, finish: bytes = b"null", beside: bytes = b"") -> bytes:
        return b'%s,"choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}\n\n' % (self._head, delta, finish, beside)

    async def finish(self, answer: Answer) -> Response | None:
        """The end of it; the answer itself where nothing has been sent."""
        running = self._running
        told = router(answer, running.shown, running.told)
        if answer.outcome == "cancelled":
            return None
        reply = answer.reply
        if reply is None:
            if not self.events.begun:
                return failure_response(answer, running.shown, told)
            final = self._chunk(b"{}", b'"error"', b',"x_router":%s' % told)
            error = {"error": error_of(answer, running.shown)}
            await self.events.end(final + b"data: %s\n\n" % dumps(error) + DONE)
            return None
        delta: dict[str, Any] = {}
        if reply.tool_calls:
            calls = tool_calls_json(reply)
            delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(calls)]
        usage = b"" if reply.usage is None else b',"usage":%s' % dumps(usage_json(reply.usage))
        beside = b'%s,"x_router":%s' % (usage, told)
        opening = self._opening()
        await self.events.end(opening + self._chunk(dumps(delta), dumps(finish_of(reply)), beside) + DONE)
        return None


async def stream(request: Request, running: Running) -> Response | None:
    """Answer a call as a stream; gives a plain answer where it failed before its first word."""
    chunks = CompletionStream(request, running)
    return await chunks.finish(await running.run(chunks.hear))
