"""Every route of the endpoint, from the modules that answer them."""

from __future__ import annotations

from typing import Final

from workbench.server.routing import Route

ROUTES: Final[tuple[Route, ...]] = ()
