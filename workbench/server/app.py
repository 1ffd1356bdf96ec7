"""The ASGI application: guards, route, caller, handler, answer. Whatever happens inside, a client gets a JSON body."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from workbench.boundary.sanitiser import one_line
from workbench.errors import WorkbenchError
from workbench.server.errors import CUT, INTERNAL, NOT_FOUND, NOT_READY, Refused, from_workbench, not_allowed
from workbench.server.exchange import Receive, Request, Response, Scope, Send
from workbench.server.guards import Guard
from workbench.server.hooks import LOCAL, Caller
from workbench.server.host import Host
from workbench.server.query import look_at
from workbench.server.reading import ClientGone
from workbench.server.routing import Route, Table
from workbench.server.watching.lines import Refusal, path_shown

LOG: Final = logging.getLogger("workbench.server")
CALLER: Final = "workbench.caller"
"""Where a scope has who asks, once that is known."""


class App:
    """One endpoint."""

    def __init__(self, host: Host, routes: Iterable[Route]) -> None:
        self.host = host
        self.table = Table(routes)
        self._guard = Guard(host.options.host_names, anyone=host.options.any_name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1000})  # before it was accepted: 403

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive, send)
        except Refused as refused:
            answer = self._told(refused, scope)
        except ClientGone:
            return
        except WorkbenchError as error:
            answer = self._told(from_workbench(error, "invalid_request"), scope)
        except asyncio.CancelledError:
            with suppress(RuntimeError):  # the answer has begun: it is cut instead
                await CUT.send(send)
            raise
        except Exception as error:  # noqa: BLE001 - a client gets a body, and no word of the exception
            LOG.error("a handler failed: %s", type(error).__name__)  # noqa: TRY400 - its text may hold a prompt
            answer = INTERNAL
        if answer is not None:
            await answer.send(send)

    def _told(self, refused: Refused, scope: Scope) -> Response:
        self._hear(scope, refused.status, refused.code, refused.token, refused.tenant)
        return refused.response()

    def _hear(
        self, scope: Scope, status: int, code: str | None, token: str | None = None, tenant: str | None = None
    ) -> None:
        """Tell of a request that is refused before anything is decided."""
        if not self.host.refusals:
            return
        found = self.table.find(scope["path"])
        caller: Caller = scope.get(CALLER, LOCAL)
        refusal = Refusal(
            status, code, time.time_ns() // 1_000_000, one_line(scope["method"], limit=16),
            path_shown(scope["path"]) if found is None else next(iter(found.methods.values())).path,
            token or (None if caller is LOCAL else caller.id), tenant or caller.tenant,
        )  # fmt: skip
        for hear in self.host.refusals:
            hear(refusal)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        self._guard.check(scope)
        found = self.table.find(scope["path"])
        if found is None:
            self._hear(scope, 404, "not_found")
            return NOT_FOUND
        method = scope["method"]
        route = found.methods.get("GET" if method == "HEAD" else method)
        if route is None:
            self._hear(scope, 405, "method_not_allowed")
            return not_allowed(found.methods)
        host = self.host
        state = host.state
        if state is None and not route.early:
            self._hear(scope, 503, "not_initialized")
            return NOT_READY
        request = Request(scope, receive, send, host, state, found.params)
        if not route.public:
            await host.callers.look(scope["headers"])
            request.caller = scope[CALLER] = host.callers.recognise(scope["headers"], scope["path"])
            if scope["query_string"]:
                look_at(scope["query_string"], route.query, has_body=method == "POST")
        if not route.counted:
            return await route.handler(request)
        ticket = await host.callers.admit(request.caller, None)
        try:
            return await route.handler(request)
        finally:
            await ticket.close(None)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            for start in self.host.starting:
                await start()
        except Exception as error:  # noqa: BLE001 - the server has to be told, in its own words
            words = str(error) if isinstance(error, WorkbenchError) else type(error).__name__
            await send({"type": "lifespan.startup.failed", "message": words})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for stop in reversed(self.host.stopping):
            try:
                await stop()
            except Exception as error:  # noqa: BLE001 - the others have to end all the same
                LOG.error("ending: %s", type(error).__name__)  # noqa: TRY400 - as above
        await send({"type": "lifespan.shutdown.complete"})
