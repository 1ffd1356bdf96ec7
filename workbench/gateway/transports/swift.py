"""The transport of the endpoint: a client in Rust, off the event loop's thread, behind httpx's interface.

Owns the mapping of its errors to httpx's, by their types and the closed words of their causes, and the same rules as
`gateway.transport`: no redirect, no cookie, no proxy, no decompression, TLS 1.2 or later, verified.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import certifi
import httpx
from pyreqwest import exceptions
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.response import Response

from workbench.gateway.limits import LIMITS, Limits
from workbench.gateway.transports.direct import Direct

MOST_CONNECTIONS: Final = 4_096
KEPT_ALIVE: Final = 64
IDLE_S: Final = 30.0
WHOLE: Final = 256 * 1024
"""A body that is announced as no longer than this is taken in one piece."""


def swift_client(limits: Limits = LIMITS, ca_file: Path | None = None) -> Client:
    """A client for one event loop."""
    certificates = Path(certifi.where()).read_bytes()
    if ca_file is not None:
        certificates += b"\n" + ca_file.read_bytes()
    return (
        ClientBuilder()
        .http1_only()
        .no_proxy()
        .follow_redirects(False)
        .referer(False)
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .min_tls_version("TLSv1.2")
        .add_root_certificate_pem(certificates)
        .http1_lower_case_headers()
        .connect_timeout(timedelta(milliseconds=limits.connect_ms))
        .read_timeout(timedelta(milliseconds=limits.read_ms))
        .pool_timeout(timedelta(milliseconds=limits.pool_ms))
        .max_connections(MOST_CONNECTIONS)
        .pool_max_idle_per_host(KEPT_ALIVE)
        .pool_idle_timeout(timedelta(seconds=IDLE_S))
        .build()
    )


class SwiftTransport(Direct):
    """One client. Belongs to one event loop; the caller closes it."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client or swift_client()

    async def send(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> httpx.Response:
        """Send one request and give the answer's head, its body still to come."""
        try:
            building = self._client.request(method, url).headers(headers).body_bytes(body)
            sending = building.streamed_read_buffer_limit(0).build_streamed()  # else the head waits for the body
        except exceptions.BuilderError as error:
            raise httpx.LocalProtocolError("a request that cannot be written") from error
        try:
            response = await sending.__aenter__()
        except exceptions.PyreqwestError as error:
            raise _mapped(error, answered=False) from _cause(error)
        return httpx.Response(response.status, headers=list(response.headers.items()), stream=_Body(sending, response))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()


class _Body(httpx.AsyncByteStream):
    """The body as it comes off the wire."""

    def __init__(self, sending: Any, response: Response) -> None:
        self._sending, self._response = sending, response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = self._response.get_header("content-length") or ""
        try:
            if length.isascii() and length.isdigit() and len(length) < 8 and int(length) <= WHOLE:
                yield bytes(await self._response.bytes())
                return
            reader = self._response.body_reader
            while (chunk := await reader.read_chunk()) is not None:
                yield bytes(chunk)
        except exceptions.PyreqwestError as error:
            raise _mapped(error, answered=True) from _cause(error)

    async def aclose(self) -> None:
        """Give the connection back, or cut it where the body was not read to its end."""
        await self._sending.__aexit__(None, None, None)


_TIMEOUTS: Final = (
    (exceptions.PoolTimeoutError, httpx.PoolTimeout),
    (exceptions.WriteTimeoutError, httpx.WriteTimeout),
)
_SILENT: Final = ("connection closed before message completed", "connection was not ready")
_CUT: Final = ("end of file", "unexpected EOF", "connection closed", "connection reset", "broken pipe")


def _words(error: exceptions.PyreqwestError) -> list[str]:
    """What stood behind an error; the first of it names the address and is left out."""
    details: Any = getattr(error, "details", None) or {}
    causes: Iterable[Any] = details.get("causes") or ()
    return [str(cause.get("message", "")).lower() for cause in list(causes)[1:]]


def _mapped(error: exceptions.PyreqwestError, *, answered: bool) -> httpx.TransportError:
    """The error of httpx's that means the same; nothing of the address or the request is in it."""
    words = _words(error)
    connecting = any("(connect)" in word for word in words)
    if isinstance(error, exceptions.RequestTimeoutError):
        for theirs, ours in _TIMEOUTS:
            if isinstance(error, theirs):
                return ours("timeout")
        return httpx.ConnectTimeout("timeout") if connecting else httpx.ReadTimeout("timeout")
    if connecting:
        return httpx.ConnectError("no connection")
    if not answered and any(known in word for known in _SILENT for word in words):
        return httpx.RemoteProtocolError("Server disconnected without sending a response.")
    if any(known.lower() in word for known in _CUT for word in words):
        return httpx.RemoteProtocolError("peer closed connection") if answered else httpx.ReadError("reset")
    return httpx.RemoteProtocolError("the answer is no HTTP")


def _cause(error: exceptions.PyreqwestError) -> BaseException | None:
    """The system's error behind it, by the closed words of its causes."""
    words = " ".join(_words(error))
    if "dns" in words:
        return socket.gaierror("no address")
    if "certificate" in words:
        return ssl.SSLCertVerificationError("not verified")
    if "connection refused" in words:
        return ConnectionRefusedError("refused")
    return ConnectionError("closed") if "tcp connect" in words else None
