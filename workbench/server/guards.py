"""What is refused before any route is looked at: foreign host names, pages of other sites, and targets written to look
like another path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from workbench.server.errors import Refused
from workbench.server.exchange import Scope

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_HOST: Final = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_PATH: Final = re.compile(rb"(?:/(?:[A-Za-z0-9._:@~!$&'()*+,=-]|%3[Aa])+)*/?")
"""A colon may be encoded, as clients write it in `profile:NAME`; it is decoded once, and parts no segments."""
_CLOSE: Final = ((b"connection", b"close"),)


def is_host_name(name: str) -> bool:
    """Whether a Host header can name it: letters, digits, dots and dashes, or an address in brackets; no port."""
    return _NAME.fullmatch(name) is not None


class Guard:
    """Knows the names that this endpoint answers to (RELIABILITY R34: no rebinding of names).

    `anyone`: it answers to any name, because nobody is answered without a token, which no page of another site has.
    """

    def __init__(self, names: Iterable[str] = (), *, anyone: bool = False) -> None:
        self._names = {name.lower().encode() for name in (*LOOPBACK, *names)}
        self._seen: set[bytes] = set()
        self._anyone = anyone

    def check(self, scope: Scope) -> None:
        """Raises `Refused` 400 for a host or a target that this endpoint is not, 403 for a page of another site."""
        host, origin, authorised = None, None, False
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    raise _refused("two Host headers")
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorised = True  # which a page cannot send to another site without having asked first
        if host not in self._seen:
            self._look(host)
        if origin is not None and not authorised and not self._ours(origin):
            message = "a page of another site may not ask here; send an Authorization header, on loopback of any text"
            raise Refused(403, "cross_origin", message, "auth_error", headers=_CLOSE)
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

    def _ours(self, origin: bytes) -> bool:
        """Whether a page comes from a name that this endpoint answers to."""
        _, scheme, host = origin.partition(b"://")
        match = _HOST.fullmatch(host) if scheme else None
        return match is not None and match[1].lower() in self._names

    def _look(self, host: bytes | None) -> None:
        match = None if host is None else _HOST.fullmatch(host)
        if host is None or match is None:
            raise _refused("no Host header that can be read")
        if not self._anyone and match[1].lower() not in self._names:
            raise _refused("this endpoint does not answer to that host name; start it with --allow-host NAME")
        if len(self._seen) < 1024:
            self._seen.add(host)


def _refused(message: str) -> Refused:
    return Refused(400, "invalid_host", message, headers=_CLOSE)
