"""Faults of the connection itself: names, ports, certificates, a full pool; and what never leaves this machine."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from tests.gateway.calls import PATIENT, SHORT, Kept, Made, call, candidate, cascade, keys, request, transport
from tests.gateway.server import Io, serving
from tests.gateway.wire import answered, http, js
from workbench.engine.health import HOST, Health
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import Attempting, CallEvent
from workbench.gateway.keys import Keys
from workbench.gateway.transport import CheckedTransport, tls_context

MODES = pytest.mark.parametrize("stream", [False, True])


def judge(made: Made, reason: str, detail: str) -> None:
    (attempt,) = made.answer.attempts
    assert (attempt.error_kind, attempt.detail) == (reason, detail)
    assert made.answer.outcome == f"exhausted: {reason}"
    assert made.seconds < 10.0  # a hang, not a figure


@MODES
async def test_a_name_that_nobody_knows(stream: bool) -> None:
    async with transport() as wire:
        made = await call(wire, cascade([candidate(0, "https://no-such-host.invalid/v1")]), stream=stream)
    judge(made, "network_error", "dns")


@MODES
async def test_a_port_that_nobody_listens_on(stream: bool) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        async with transport() as wire:
            url = f"http://127.0.0.1:{held.getsockname()[1]}"
            made = await call(wire, cascade([candidate(0, url)]), stream=stream)
    judge(made, "network_error", "connect_refused")


@contextmanager
def deaf() -> Generator[str]:
    """A port whose queue is full: nothing answers the attempt to connect."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(held.getsockname())
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
        for filler in fillers:
            filler.close()


@MODES
async def test_a_connection_that_is_never_made(stream: bool) -> None:
    with deaf() as url:
        async with transport() as wire:
            limits = replace(PATIENT, connect_ms=80)
            made = await call(wire, cascade([candidate(0, url)]), stream=stream, limits=limits)
    judge(made, "timeout", "connect_timeout")


@MODES
async def test_a_full_pool_is_our_own_affair(stream: bool) -> None:
    held = asyncio.Event()

    async def hold(io: Io) -> None:
        held.set()
        await io.until_gone()

    async with transport(connections=1) as wire, serving(hold) as (server,):
        down = cascade([candidate(0, server.url)])
        first = asyncio.create_task(call(wire, down, stream=stream))
        await asyncio.wait_for(held.wait(), 20)
        health = Health()
        host = Dispatcher(wire, keys(), health=health, limits=SHORT)
        answer = await host.run(Ask("c", down, stream=stream, deadline_ms=20_000))
        first.cancel()
        await asyncio.wait([first])
    (attempt,) = answer.attempts
    assert (attempt.error_kind, attempt.detail) == ("timeout", "local_pool")
    assert not list(health.known(0.0))


AUTHORITY = trustme.CA()
STRANGER = trustme.CA()
THEN = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def tls(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    return context


@pytest.fixture
def trusted(tmp_path: Path) -> ssl.SSLContext:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return tls_context(path)


@MODES
async def test_a_good_certificate(trusted: ssl.SSLContext, stream: bool) -> None:
    async with (
        transport(trusted) as wire,
        serving(answered(stream), tls=tls(AUTHORITY.issue_cert("127.0.0.1"))) as (server,),
    ):
        made = await call(wire, cascade([candidate(0, server.url)]), stream=stream)
    assert made.answer.outcome == "ok"


@MODES
@pytest.mark.parametrize(
    "cert",
    [
        pytest.param(AUTHORITY.issue_cert("127.0.0.1", not_before=THEN, not_after=THEN), id="expired"),
        pytest.param(STRANGER.issue_cert("127.0.0.1"), id="of a stranger"),
        pytest.param(AUTHORITY.issue_cert("other.example"), id="for another host"),
    ],
)
async def test_a_bad_certificate_gets_no_byte(trusted: ssl.SSLContext, cert: trustme.LeafCert, stream: bool) -> None:
    async with transport(trusted) as wire, serving(answered(stream), tls=tls(cert)) as (server,):
        made = await call(wire, cascade([candidate(0, server.url)]), stream=stream)
        assert not server.received
    judge(made, "network_error", "tls_verify")


@MODES
async def test_plain_http_on_a_tls_port(trusted: ssl.SSLContext, stream: bool) -> None:
    seen: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, transport(trusted) as wire:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        made = await call(wire, cascade([candidate(0, url)]), stream=stream)
    judge(made, "network_error", "tls_handshake")
    assert b"CANARY" not in b"".join(seen)


def test_tls_says_no_session_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls_context()
    assert not context.keylog_filename
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert not (tmp_path / "keys").exists()


@MODES
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int, stream: bool) -> None:
    async with transport() as wire, serving(answered(stream)) as (elsewhere,):
        moved = http(status, b"", f"location: {elsewhere.url}/v1/chat/completions")
        async with serving(moved) as (server,):
            made = await call(wire, cascade([candidate(0, server.url)]), stream=stream)
        assert not elsewhere.received
    judge(made, "bad_response", "redirect_refused")


async def test_the_environment_sets_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answered(False), answered(False)) as (server, proxy):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with transport() as wire:
            made = await call(wire, cascade([candidate(0, server.url)]))
        assert made.answer.outcome == "ok"
        assert not proxy.received


async def test_a_cookie_is_not_sent_back() -> None:
    reply = http(200, answered(False).partition(b"\r\n\r\n")[2], "set-cookie: who=acme; path=/")
    async with transport() as wire, serving(reply) as (server,):
        down = cascade([candidate(0, server.url)])
        await call(wire, down)
        await call(wire, down)
        assert ["cookie" in got.headers for got in server.received] == [False, False]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00:ec2::254", "0.0.0.0"])  # noqa: S104
async def test_a_name_of_a_foreign_catalog_leads_to_no_private_place(address: str) -> None:
    async with serving(answered(False)) as (server,), transport() as inner:

        async def lookup(host: str, port: int) -> list[str]:
            return ["93.184.215.14", address]

        wire = CheckedTransport(lambda: inner, lookup=lookup)
        made = await call(wire, cascade([candidate(0, f"https://rebound.example:{server.port}/v1")]))
        assert not server.received
    judge(made, "network_error", "address_refused")


async def test_the_address_that_was_checked_is_the_one_that_is_dialled() -> None:
    seen: list[httpx.Request] = []

    class Watching(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, json={"choices": [{"message": {"content": "hi"}}]})

    async def lookup(host: str, port: int) -> list[str]:
        return ["93.184.215.14"]

    wire = CheckedTransport(Watching, lookup=lookup)
    made = await call(wire, cascade([candidate(0, "https://api.example/v1")]))
    assert made.answer.outcome == "ok"
    (sent,) = seen
    assert sent.url.host == "93.184.215.14"
    assert sent.headers["host"] == "api.example"
    assert sent.extensions["sni_hostname"] == "api.example"


BAD_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "http://example.com/v1"}, "local_url"),
    ({"base_url": "https://user:pass@example.com"}, "local_url"),
    ({"base_url": "https://example.com:99999"}, "local_url"),
    ({"base_url": "file:///etc/passwd"}, "local_url"),
    ({"base_url": "https://169.254.169.254/latest"}, "local_url"),
    ({"base_url": "https://exa\r\nmple.com"}, "local_url"),
    ({"base_url": None}, "local_url"),
    ({"served_model_id": None}, "local_url"),
    ({"api_kind": "carrier_pigeon"}, "local_api_kind"),
    ({"auth_env": "NOT_SET"}, "local_key_missing"),
]


@pytest.mark.parametrize(("row", "detail"), BAD_ROWS, ids=[str(row) for row, _ in BAD_ROWS])
async def test_a_row_that_cannot_be_called_is_passed_over(row: dict[str, Any], detail: str) -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        bad = candidate(0, server.url, **row)
        bad.update(row)
        made = await call(wire, cascade([bad, candidate(1, server.url)]))
        assert len(server.received) == 1
    assert made.answer.outcome == "ok"
    assert made.answer.attempts[0].detail == detail
    assert made.answer.attempts[0].http_status is None


async def test_missing_keys_and_addresses_use_up_no_attempts() -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        keyless = [candidate(n, server.url, auth_env=f"NOT_SET_{n % 15}") for n in range(30)]
        nowhere = [{**candidate(n, ""), "base_url": None} for n in range(30, 33)]
        made = await call(wire, cascade([*keyless, *nowhere, candidate(33, server.url)]))
        assert len(server.received) == 1
    assert (made.answer.outcome, made.answer.index) == ("ok", 33)
    details = [attempt.detail for attempt in made.answer.attempts]
    assert details == ["local_key_missing"] * 15 + ["local_url", None]
    passed = [entry for entry in made.answer.path if entry["event"] == "skipped"]
    assert [entry["reason"] for entry in passed] == ["not_configured"] * 17


BAD_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("local_no_messages", {"messages": []}),
    ("local_no_messages", {"messages": "hello"}),
    ("local_role", {"messages": [{"content": "x"}]}),
    ("local_value", {"messages": [{"role": "user", "content": "a\ud800b"}]}),
    ("local_number", {"messages": [{"role": "user", "content": "x"}], "temperature": "warm"}),
    ("local_value", {"messages": [{"role": "user", "content": "x", "odd": float("nan")}]}),
    ("local_value", {"messages": [{"role": "user", "content": object()}]}),
]


@pytest.mark.parametrize(("why", "asked"), BAD_REQUESTS, ids=range(len(BAD_REQUESTS)))
async def test_a_request_that_cannot_be_written_sends_nothing(why: str, asked: dict[str, Any]) -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        made = await call(wire, cascade([candidate(0, server.url)], asked=asked))
        assert not server.received
    judge(made, "bad_request", why)


@pytest.mark.parametrize("key", ["clé-0123456789", "k\r\nx-evil: 1", "k\x00", "two words", "\n"])
async def test_a_key_that_is_none_sends_nothing(key: str) -> None:
    async with transport() as wire, serving(answered(False)) as (server,):
        host = Dispatcher(wire, Keys({"CANARY_API_KEY": key}), recorder=(kept := Kept()), limits=SHORT)
        answer = await host.run(Ask("c", cascade([candidate(0, server.url)])))
        assert not server.received
    (attempt,) = answer.attempts
    assert (attempt.error_kind, attempt.detail) == ("auth_error", "local_key_malformed")
    assert key.strip() == "" or key not in repr([answer, kept])


class Wild(httpx.AsyncBaseTransport):
    """Raises what nobody expects, with the request in it."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.error(f"{request.headers} {request.content!r}")


class SurprisingError(Exception):
    pass


@MODES
@pytest.mark.parametrize("error", [SurprisingError, KeyError, RecursionError, MemoryError, ExceptionGroup])
async def test_nothing_escapes(error: type[Exception], stream: bool) -> None:
    raised = error if error is not ExceptionGroup else SurprisingError
    for no_log in (False, True):
        made = await call(Wild(raised), cascade([candidate(0, "https://x.example")]), stream=stream, no_log=no_log)
        judge(made, "unknown", raised.__name__)
        assert "CANARY" not in repr([made.answer, made.recorder, made.events])


async def test_only_the_hosts_own_evidence_counts_for_every_tenant() -> None:
    """A provider that cannot be reached is down for all; what it answers to one tenant's request is that tenant's."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with transport() as wire, serving(js(500, {})) as (server,):
            dead = f"http://127.0.0.1:{held.getsockname()[1]}"
            down = cascade([candidate(0, dead), candidate(1, server.url)])
            health = Health()
            host = Dispatcher(wire, keys(), health=health, limits=PATIENT, clock=lambda: 0.0)
            for _ in range(3):
                await host.run(Ask("c", down))
    assert {(scope, provider) for scope, provider, _, _ in health.known(0.0)} == {
        (HOST, "provider-0"),
        ("acme", "provider-0"),
        ("acme", "provider-1"),
    }


async def test_a_store_that_fails_does_not_fail_the_call() -> None:
    class Failing:
        async def intent(self, intent: object) -> None:
            raise OSError("disk full")

        async def outcome(self, attempt: object) -> None:
            raise OSError("disk full")

    async with transport() as wire, serving(answered(False)) as (server,):
        host = Dispatcher(wire, keys(), recorder=Failing())
        answer = await host.run(Ask("c", cascade([candidate(0, server.url)])))
    assert answer.outcome == "ok"
    assert answer.unrecorded == 2


async def test_the_intent_is_kept_before_a_byte_leaves() -> None:
    order: list[str] = []

    class Ordered(Kept):
        async def intent(self, intent: Any) -> None:
            order.append(f"intent, {len(server.received)} received")
            await super().intent(intent)

    async with transport() as wire, serving(answered(False)) as (server,):

        async def emit(event: CallEvent) -> None:
            if isinstance(event, Attempting):
                order.append(f"attempting, {len(server.received)} received")

        host = Dispatcher(wire, keys(), recorder=Ordered())
        await host.run(Ask("c", cascade([candidate(0, server.url)], asked=request())), emit)
    assert order == ["intent, 0 received", "attempting, 0 received"]
