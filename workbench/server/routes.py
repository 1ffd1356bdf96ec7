"""Every route of the endpoint, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from workbench.server.chat import completions, responses
from workbench.server.routing import Route
from workbench.server.watching import routes as watching
from workbench.server.x import routes as x_routes

ROUTES: Final[tuple[Route, ...]] = (
    *completions.ROUTES,
    *responses.ROUTES,
    *x_routes.ROUTES,
    *watching.ROUTES,
)
