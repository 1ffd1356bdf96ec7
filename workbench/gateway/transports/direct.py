"""A transport that takes the parts of a call as they are, without an object of httpx's around them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, Protocol

import httpx

from workbench.gateway.codecs.neutral import HttpRequest
from workbench.gateway.limits import LIMITS, Limits

OK: Final = 200
"""The one status whose answer may be looked at in place."""


class Body(httpx.AsyncByteStream):
    """A body as it comes off the wire."""

    @abstractmethod
    def __aiter__(self) -> AsyncIterator[bytes]:
        """Its pieces."""

    @abstractmethod
    def rest(self, most: int) -> bytes | None:
        """All of it, where it is here already, is no more than `most` bytes and nothing was wrong; else None."""


class Arriving:
    """An answer: its head has come, its body may be still to come. Whoever got it closes it."""

    __slots__ = ("_headers", "raw_headers", "status_code", "stream")

    def __init__(self, status_code: int, raw_headers: Sequence[tuple[bytes, bytes]], stream: Body) -> None:
        self.status_code = status_code
        self.raw_headers = raw_headers
        self.stream = stream
        self._headers: Mapping[str, str] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case; one that stands twice has both values, as httpx joins them."""
        if self._headers is not None:
            return self._headers
        self._headers = found = dict[str, str]()
        for raw, value in self.raw_headers:
            name, said = raw.decode("latin-1").lower(), value.decode("latin-1")
            found[name] = f"{found[name]}, {said}" if name in found else said
        return found

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """The body's pieces as they come."""
        return aiter(self.stream)

    async def aclose(self) -> None:
        """Nobody reads on."""
        await self.stream.aclose()


class Answered(Protocol):
    """What `Arriving` and httpx's own response have in common."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""
        ...

    @property
    def stream(self) -> object:
        """The body."""
        ...

    async def aclose(self) -> None:
        """Nobody reads on."""
        ...


class Asked(ABC):
    """A request that was sent without waiting; its answer is looked at in place, or taken as any other's."""

    @property
    @abstractmethod
    def waits(self) -> bool:
        """Whether what is here decides nothing yet: no head, or a part of a good answer."""

    @abstractmethod
    def whole(self) -> tuple[Sequence[tuple[bytes, bytes]], bytes] | None:
        """Headers and body of an answer of status 200 that is here to its end; it stays to be taken."""

    @abstractmethod
    def close(self) -> None:
        """The answer was read whole."""

    @abstractmethod
    async def taken(self) -> Arriving:
        """The answer from here on, as `Direct.send` gives it; raises as that does."""


class Direct(httpx.AsyncBaseTransport):
    """httpx's interface, and a shorter way in for `Attempted`."""

    def ask(
        self, http: HttpRequest, headers: Sequence[tuple[str, str]], limits: Limits, hears: Callable[[Asked], None]
    ) -> Asked | None:
        """Send one request at once, where that takes no waiting; None where it does, and nothing was done.

        `hears` is told of all that comes, until somebody takes the answer. Raises `httpx.LocalProtocolError`.
        """
        del http, headers, limits, hears
        return None

    @abstractmethod
    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits
    ) -> Arriving:
        """Send one request; raises what httpx's transports raise. The caller closes it."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for a request of httpx's."""
        body = await request.aread()
        headers = [(name, value) for name, value in request.headers.multi_items() if name != "host"]
        got = await self.send(request.method, str(request.url), headers, body, LIMITS)
        return httpx.Response(got.status_code, headers=list(got.raw_headers), stream=got.stream)
