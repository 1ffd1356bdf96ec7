"""A transport that takes the parts of a call as they are, without an object of httpx's around them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import httpx

from workbench.gateway.limits import LIMITS, Limits


class Direct(httpx.AsyncBaseTransport):
    """httpx's interface, and a shorter way in for `Attempted`."""

    @abstractmethod
    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits
    ) -> httpx.Response:
        """Send one request; raises what httpx's transports raise. The caller closes the response."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for a request of httpx's."""
        body = await request.aread()
        headers = [(name, value) for name, value in request.headers.multi_items() if name != "host"]
        return await self.send(request.method, str(request.url), headers, body, LIMITS)
