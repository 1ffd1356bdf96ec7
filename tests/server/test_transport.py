"""The endpoint's transport, held to every fault that plain httpx is held to, and to what only a pool can do wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.gateway.calls import PATIENT, SHORT, TLS, Made, call, candidate, cascade
from tests.gateway.faults import CASES, Fault, Mode
from tests.gateway.server import serving
from tests.gateway.test_faults import DEADLINE_MS, PATIENCE_MS, judge, judge_requests, latest
from tests.gateway.wire import answered, error
from tests.timing import in_time
from workbench.gateway.limits import LIMITS, Limits
from workbench.gateway.transports.loop import LoopTransport

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.mark.parametrize(("fault", "mode"), CASES, ids=[f"{fault.name} / {mode}" for fault, mode in CASES])
async def test_a_fault_gets_the_name_that_httpx_gives_it(fault: Fault, mode: Mode) -> None:
    stream = mode == "stream"
    limits, deadline_ms = (SHORT, DEADLINE_MS) if fault.silent else (PATIENT, PATIENCE_MS)
    async with LoopTransport(TLS) as wire, serving(fault.script, answered(stream), error(404, "gone")) as servers:
        bad, good, _ = servers
        down = cascade([candidate(0, bad.url, fault.kind), candidate(1, good.url)])

        async def once() -> Made:
            return await call(wire, down, stream=stream, no_log=False, deadline_ms=deadline_ms, limits=limits)

        made = await in_time(once, lambda made: made.seconds, latest(fault))
    judge(fault, made, last=False, no_log=False)
    judge_requests(bad, fault)


@asynccontextmanager
async def scripted(*answers: bytes, close: bool = False) -> AsyncGenerator[tuple[str, list[int]]]:
    """A server that gives these answers in order on each connection; its address, and the requests by connection."""
    counts: list[int] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        place = len(counts)
        counts.append(0)
        try:
            for answer in answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                await reader.readexactly(length)
                counts[place] += 1
                writer.write(answer)
                await writer.drain()
            if not close:
                await reader.read(1)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", counts
        for writer in writers:  # since Python 3.12 a server waits for them
            writer.close()


async def ask(wire: LoopTransport, url: str, limits: Limits = LIMITS, **headers: str) -> tuple[int, bytes]:
    response = await wire.send("POST", url, list(headers.items()), b"{}", limits)
    try:
        return response.status_code, b"".join([piece async for piece in response.aiter_raw()])
    finally:
        await response.aclose()


async def test_a_connection_is_used_again_and_only_when_its_answer_was_read() -> None:
    half = ANSWER.replace(b"content-length: 2", b"content-length: 9")
    async with LoopTransport() as wire, scripted(ANSWER, ANSWER, half) as (url, counts):
        assert await ask(wire, url) == (200, b"ok")
        assert await ask(wire, url) == (200, b"ok")
        assert counts == [2]
        response = await wire.send("POST", url, [], b"{}", LIMITS)
        await response.aclose()  # its body has not come whole
        assert await ask(wire, url) == (200, b"ok")
    assert counts == [3, 1]


@pytest.mark.parametrize(("answer", "body"), [
    (b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER, b"ok"),
    (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok"),
    (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", b""),
])  # fmt: skip
async def test_answers_of_every_form_are_read(answer: bytes, body: bytes) -> None:
    async with LoopTransport() as wire, scripted(answer, close=True) as (url, counts):
        assert (await ask(wire, url))[1] == body
    assert counts == [1]


async def test_bytes_that_nobody_asked_for_reach_no_other_answer() -> None:
    async with LoopTransport() as wire, scripted(ANSWER + ANSWER, ANSWER) as (url, counts):
        assert await ask(wire, url) == (200, b"ok")
        assert await ask(wire, url) == (200, b"ok")
    assert counts == [1, 1]


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b", "é"])
async def test_a_header_is_one_line_of_ascii(value: str) -> None:
    async with LoopTransport() as wire, scripted(ANSWER) as (url, counts):
        with pytest.raises(httpx.LocalProtocolError):
            await ask(wire, url, x=value)
    assert counts == []


async def test_a_full_pool_waits_and_then_says_so() -> None:
    limits = Limits(pool_ms=50)
    async with LoopTransport(connections=1) as wire, scripted(ANSWER, ANSWER) as (url, _):
        held = await wire.send("POST", url, [], b"{}", limits)
        with pytest.raises(httpx.PoolTimeout):
            await ask(wire, url, limits)
        await held.aclose()
        assert await ask(wire, url, limits) == (200, b"ok")


async def test_where_there_is_no_tls_nothing_of_the_request_leaves() -> None:
    async with LoopTransport() as wire, scripted(close=True) as (url, counts):
        with pytest.raises(httpx.ConnectError) as refused:
            await ask(wire, url.replace("http://", "https://"))
        assert isinstance(refused.value.__cause__, ssl.SSLError | OSError)
    assert counts == [0]
