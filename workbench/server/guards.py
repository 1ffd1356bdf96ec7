"""What is refused before any route is looked at: foreign host names, and targets written to look like another path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from workbench.server.errors import Refused
from workbench.server.exchange import Scope

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_HOST: Final = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PATH: Final = re.compile(rb"(?:/[A-Za-z0-9._:@~!$&'()*+,=-]+)*/?")
_CLOSE: Final = ((b"connection", b"close"),)


class Guard:
    """Knows the names that this endpoint answers to (RELIABILITY R34: no rebinding of names)."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.lower().encode() for name in (*LOOPBACK, *names)}
        self._seen: set[bytes] = set()

    def check(self, scope: Scope) -> None:
        """Raises `Refused` 400 for a host or a target that this endpoint is not."""
        host = None
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    raise _refused("two Host headers")
                host = value
        if host not in self._seen:
            self._look(host)
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        if _PATH.fullmatch(raw) is None or b"/." in raw:
            raise Refused(404, "not_found", "not found", beside={"detail": "Not Found"})

    def knows(self, host: bytes) -> bool:
        """Whether this Host header has passed before, or passes."""
        try:
            if host not in self._seen:
                self._look(host)
        except Refused:
            return False
        return True

    def _look(self, host: bytes | None) -> None:
        match = None if host is None else _HOST.fullmatch(host)
        if host is None or match is None:
            raise _refused("no Host header that can be read")
        if match[1].lower() not in self._names:
            raise _refused("this endpoint does not answer to that host name; start it with --allow-host NAME")
        if len(self._seen) < 1024:
            self._seen.add(host)


def _refused(message: str) -> Refused:
    return Refused(400, "invalid_host", message, headers=_CLOSE)
