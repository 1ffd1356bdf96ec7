"""One HTTP request and one answer, over bare ASGI: headers, a body read within its cap, strict JSON out.

Owns no route and no rule; who may ask and what is answered is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from workbench.boundary.sealed import sealed
from workbench.boundary.strict_json import encoder

if TYPE_CHECKING:
    from workbench.server.hooks import Caller
    from workbench.server.host import Host
    from workbench.server.state import ServerState

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

JSON: Final = b"application/json"
CONNECTION: Final = "workbench.connection"
"""Where a scope has its connection (`net.connection`), so that whoever answers hears when the client has gone."""


@sealed
class Response:
    """A whole answer. `headers` are beside content type and length; a handler puts nothing of a caller's there."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: bytes = JSON

    async def send(self, send: Send) -> None:
        """Send it."""
        fixed = (b"content-type", self.content_type), (b"content-length", str(len(self.body)).encode())
        await send({"type": "http.response.start", "status": self.status, "headers": [*fixed, *self.headers]})
        await send({"type": "http.response.body", "body": self.body})


_encode: Final = encoder()


def dumps(value: object) -> bytes:
    """Compact JSON; `ValueError` for a number that JSON does not have, so that none goes out (R6)."""
    return _encode(value).encode("utf-8", "replace")


def json_response(value: object, status: int = 200, headers: Headers = ()) -> Response:
    """An answer in JSON."""
    return Response(status, dumps(value), headers)


class Request:
    """What a handler is given; it keeps the snapshot that it began with to its end."""

    __slots__ = ("_state", "caller", "host", "params", "path", "receive", "scope", "send")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, host: Host, state: ServerState | None, params: dict[str, str]
    ) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.host = host
        self._state = state
        self.params = params
        """Parts of the path by name."""
        self.path: str = scope["path"]
        self.caller: Caller

    @property
    def state(self) -> ServerState:
        """The snapshot; a route that is not `early` has one."""
        if self._state is None:
            raise LookupError("there is no workspace yet")
        return self._state

    def header(self, name: bytes) -> bytes | None:
        """The value of a header (name in lower case); None where it is missing or stands twice."""
        found = [value for known, value in self.scope["headers"] if known == name]
        return found[0] if len(found) == 1 else None

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters: those that its route reads, each once (`query.look_at`)."""
        raw: bytes = self.scope["query_string"]
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
