"""From an exception of the transport to the word for how the call broke. Looks at types, never keeps the exception.

An exception of httpx carries its request, body included, so nothing of one may be stored or raised again.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final, cast

import httpx

from workbench.gateway.classify import Break


class AddressRefused(httpx.ConnectError):
    """The name leads to an address that a catalog from elsewhere may not call."""


_PLAIN: Final[tuple[tuple[type[Exception], Break], ...]] = (
    (AddressRefused, "address_refused"),
    (httpx.PoolTimeout, "local_pool"),
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.WriteTimeout, "write_timeout"),
)
_CAUSES: Final[tuple[tuple[type[BaseException], Break], ...]] = (
    (socket.gaierror, "dns"),
    (ssl.SSLCertVerificationError, "tls_verify"),
    (ssl.SSLError, "tls_handshake"),
    (ConnectionRefusedError, "connect_refused"),
)


def break_of(error: Exception, *, answered: bool, streamed: bool, secure: bool) -> Break | None:
    """How the call broke; None for an exception that nobody expects.

    `answered`: the headers had come; `streamed`: a stream was being read; `secure`: the address is https.
    """
    if isinstance(error, httpx.ReadTimeout):
        return "idle" if answered and streamed else "read_timeout"
    for kind, word in _PLAIN:
        if isinstance(error, kind):
            return word
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return _connect(error, secure)
    lost: Break = "cut" if streamed else "short_body"
    if isinstance(error, httpx.RemoteProtocolError):
        return _protocol(str(error), lost)
    if isinstance(error, httpx.NetworkError):
        return lost if answered else "reset"
    return None


def _connect(error: Exception, secure: bool) -> Break:
    causes = list(_causes(error))
    for kind, word in _CAUSES:
        if any(isinstance(cause, kind) for cause in causes):
            return word
    if secure and not any(isinstance(cause, OSError) for cause in causes):
        return "tls_handshake"  # the other side hung up in the middle of it
    return "connect_refused"


def _protocol(message: str, lost: Break) -> Break:
    if message.startswith("Server disconnected"):
        return "no_response"
    return lost if message.startswith("peer closed connection") else "protocol"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exceptions behind one, groups opened; at most a few levels."""
    waiting: list[BaseException] = [error]
    for _ in range(32):
        if not waiting:
            return
        found = waiting.pop()
        yield found
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(cast("BaseExceptionGroup[BaseException]", found).exceptions)
        waiting.extend(cause for cause in (found.__cause__, found.__context__) if cause is not None)
