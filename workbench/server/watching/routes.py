"""`GET /healthz`, `GET /metrics`."""

from __future__ import annotations

from typing import Final

from workbench.server.exchange import Request, Response, json_response
from workbench.server.routing import Route
from workbench.server.watching.health import health_json
from workbench.server.watching.metrics import CONTENT_TYPE


async def _health(request: Request) -> Response:
    if request.host.faults:  # what they are is for those who may know it
        await request.host.callers.look(request.scope["headers"])
    told = health_json(request)
    return json_response(told, 200 if told["ok"] else 503)


async def _show(request: Request) -> Response:
    return Response(200, request.host.metrics.text(), content_type=CONTENT_TYPE)


ROUTES: Final = (
    Route("GET", "/healthz", _health, public=True, early=True),
    Route("GET", "/metrics", _show, early=True),
)
