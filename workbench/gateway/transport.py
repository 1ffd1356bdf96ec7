"""The HTTP transport of real calls: TLS verified, no redirects, no cookies, no proxy but the one that was set.

Owns R25 to R27. The dispatcher sends through `httpx.AsyncBaseTransport`, below httpx's client: so nothing follows a
redirect, keeps a cookie, reads the environment or logs an address.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import certifi
import httpx

from workbench.catalog.checks import address_fault
from workbench.gateway.breaks import AddressRefused

MOST_CONNECTIONS: Final = 256
KEPT_ALIVE: Final = 32


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later, certificates and host names verified; never logs session keys (R20, R25).

    `ca_file` adds a company's own authority to the system's and the packaged ones.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # unlike `create_default_context`, deaf to SSLKEYLOGFILE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_transport(
    *, proxy: str | None = None, ca_file: Path | None = None, imported: bool = False
) -> httpx.AsyncBaseTransport:
    """A transport for one event loop; the caller closes it.

    `imported`: the addresses come from a catalog from elsewhere, so each is checked as it is dialled (R26).
    """
    context = tls_context(ca_file)

    def plain() -> httpx.AsyncBaseTransport:
        return httpx.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            proxy=proxy,
            retries=0,
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=KEPT_ALIVE),
        )

    return CheckedTransport(plain) if imported else plain()


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Resolves a name itself, refuses private, link-local and metadata addresses, and dials the one that it checked.

    TLS is verified against the name. Each name has connections of its own, so that none is used for another's key.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        *,
        lookup: Callable[[str, int], Awaitable[Sequence[str]]] = resolve,
        confirmed: frozenset[str] = frozenset(),
    ) -> None:
        self._make, self._lookup = make, lookup
        self._confirmed = confirmed
        """Hosts that a person has allowed, whatever their address."""
        self._inner: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request to an address that was checked."""
        host = request.url.host
        inner = self._inner.get(host)
        if inner is None:
            inner = self._inner[host] = self._make()
        if host not in self._confirmed:
            address = await self._checked(request.url)
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)
        return await inner.handle_async_request(request)

    async def _checked(self, url: httpx.URL) -> str:
        try:
            found = await self._lookup(url.host, url.port or 443)
        except OSError as error:
            raise httpx.ConnectError("no address") from error
        for address in found:
            shown = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
            if address_fault(f"https://{shown}", imported=True) is not None:
                raise AddressRefused("an address inside a private network")
        if not found:
            raise httpx.ConnectError("no address")
        return found[0]

    async def aclose(self) -> None:
        """Close every connection."""
        while self._inner:
            _, inner = self._inner.popitem()
            await inner.aclose()
