"""The fast path answers as the ordinary one does, and takes what is plain alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.server.faults import WEATHER, Faults, under_way
from tests.server_x.endpoint import HELLO, Served, policy, served
from workbench.engine.faults import FAULTS
from workbench.gateway.quick import Quick
from workbench.server.emulator import Running
from workbench.server.net.assembly import Process
from workbench.server.net.connection import Connection
from workbench.server.net.fast_path import FastPath
from workbench.traces.opening import open_store
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED

VOLATILE = {
    "id", "created", "trace_id", "started_at_ms", "total_latency_ms", "latency_ms", "first_token_ms", "time_ms",
    "seed", "bytes_in",
}  # fmt: skip
LONG = frozenset(("timeout", "hang", "keepalive", "drip", "huge", "huge_error", "slow", "first_token", "stall_after"))
"""Faults that take as long as the deadline; `tests/gateway/test_quick` has their like."""
BODIES: dict[str, dict[str, Any]] = {
    "nothing but a prompt": {},
    "a tenant": {"tenant": "acme-eu"},
    "a quiet tenant": {"tenant": "corvane-bank", "compact": True},
    "a policy": {"policy_ir": policy(["top"])},
    "nobody": {"policy_ir": policy(["cmp", "price_in", "lt", -1.0])},
    "tools": {"tools": WEATHER},
    "a session": {"session": "one", "tenant": "acme-eu"},
    "requirements": {"tenant": "acme-eu", "requirements": {"min_context": 200_000}},
    "a pin": {"model": "pin:openai/gpt-5.5"},
    "an unknown parameter": {"temprature": 1},
    "an unknown parameter without a value": {"tempratur": None},
    "a known parameter without a value": {"temperature": None, "logprobs": None, "store": None, "tools": None},
    "an unknown tenant": {"tenant": "nobody-here"},
    "an unknown model": {"model": "gpt-9"},
    "an empty list of messages": {"messages": []},
    "a wrong type": {"temperature": "hot"},
    "a malformed policy": {"policy_ir": ["policy"]},
    "a flow": {"flow_ir": ["flow"]},
}


@pytest.fixture(scope="module")
def ordinary(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint without the fast path."""
    with served(tmp_path_factory.mktemp("ordinary"), emulation.url, fast_path=False) as made:
        yield made


def steady(value: Any) -> Any:
    """What is the same each time."""
    if isinstance(value, dict):
        held = cast("dict[str, Any]", value)
        return {name: steady(inner) for name, inner in held.items() if name not in VOLATILE}
    return [steady(inner) for inner in cast("list[Any]", value)] if isinstance(value, list) else value


def fresh(*endpoints: Served) -> None:
    """Nothing is known of any provider."""
    for endpoint in endpoints:
        endpoint.tell(lambda process: process.host.health.reset())


def seen(answer: httpx.Response) -> Any:
    """Status, headers and body, without what differs each time."""
    names = {"content-type", "retry-after"}
    return answer.status_code, {n: v for n, v in answer.headers.items() if n in names}, steady(answer.json())


def stored(endpoint: Served, answer: httpx.Response) -> Any:
    """The trace's row of an answer."""
    trace_id = answer.json()["x_router"]["trace_id"]
    endpoint.stored()
    row = next(row for row in endpoint.process.traces.store().rows(now_ms=0) if row.trace_id == trace_id)
    assert row.outcome not in {INTERRUPTED, IN_FLIGHT}
    return {name: value for name, value in row._asdict().items() if name not in {"sequence", "writer", *VOLATILE}}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_both_ways_answer_alike(body: dict[str, Any], endpoint: Served, ordinary: Served) -> None:
    fresh(endpoint, ordinary)
    one, other = endpoint.chat(**body), ordinary.chat(**body)
    assert seen(one) == seen(other)
    if one.status_code == 200:
        assert stored(endpoint, one) == stored(ordinary, other)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in LONG])
def test_both_ways_fail_alike(name: str, endpoint: Served, ordinary: Served, faults: Faults) -> None:
    """The first provider fails, the others answer; then all fail."""
    first = endpoint.chat(tenant="acme-eu").json()["x_router"]["provider"]
    for text in (f"{first}={name}", f"*={name}"):
        fresh(endpoint, ordinary)
        faults.play(text)
        one = endpoint.chat(tenant="acme-eu")
        faults.play(text)
        other = ordinary.chat(tenant="acme-eu")
        assert seen(one) == seen(other)
        assert stored(endpoint, one) == stored(ordinary, other)


def taken(endpoint: Served, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each request from now on whether the fast path took it; none is said of one it was not asked about."""
    found: list[bool] = []
    real = FastPath.take

    def take(self: FastPath, *given: Any) -> bool:
        found.append(real(self, *given))
        return found[-1]

    endpoint.tell(lambda _process: monkeypatch.setattr(FastPath, "take", take))
    return found


def test_what_is_plain_takes_it_and_nothing_else(endpoint: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    found = taken(endpoint, monkeypatch)
    assert endpoint.chat().status_code == 200
    assert found == [True]
    found.clear()
    endpoint.chat(stream=True)
    endpoint.chat(flow_ir=["flow"])
    endpoint.chat(temprature=1)
    endpoint.post("/v1/chat/completions", HELLO, **{"content-encoding": "gzip"})
    endpoint.post("/v1/chat/completions", b"{")
    assert found == [False] * 5
    found.clear()
    endpoint.post("/v1/chat/completions?x=1", HELLO)
    endpoint.chat(messages=[{"role": "user", "content": "x" * 70_000}])
    endpoint.get("/v1/chat/completions")
    assert found == []


def test_a_second_request_on_the_wire_waits_for_the_first(endpoint: Served) -> None:
    body = json.dumps(HELLO).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    last = request.replace(b"host:", b"connection: close\r\nhost:")
    found = b""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        connection.sendall(request + request + last)
        while piece := connection.recv(65536):
            found += piece
    assert found.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert found.count(b'"object":"chat.completion"') == 3


def test_a_body_in_pieces_and_one_that_never_comes(endpoint: Served) -> None:
    body = json.dumps(HELLO).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        for k in range(len(body) - 1):
            connection.sendall((head if k == 0 else b"") + body[k : k + 1])
        connection.sendall(body[-1:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        connection.sendall(head + body[:-1])
    assert endpoint.chat().status_code == 200

    def open_calls(process: Process) -> int:
        return 0 if process.host.engine is None else len(process.host.engine.traces.calls)

    assert endpoint.tell(open_calls) == 0


def test_a_process_that_ends_records_what_it_leaves(emulation: Running, tmp_path: Path) -> None:
    """A call under way when the draining is over is ended, and its trace says so."""
    faults = Faults(emulation)
    with served(tmp_path, emulation.url) as endpoint:
        endpoint.chat(tenant="acme-eu")  # so that there is a connection
        faults.play("*=hang")
        body = json.dumps({**HELLO, "tenant": "acme-eu"}).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(body)
        connection = socket.create_connection(("127.0.0.1", endpoint.port), timeout=10)
        connection.sendall(head + body)
        latest = time.monotonic() + 30
        while under_way(endpoint) == 0:
            assert time.monotonic() < latest

        async def end() -> None:
            fast_path = endpoint.process.fast_path()
            assert fast_path is not None
            await fast_path.stop()

        asyncio.run_coroutine_threadsafe(end(), endpoint.loop).result(30)
        assert under_way(endpoint) == 0
        connection.close()
    faults.none()
    store = open_store(tmp_path / "traces.db")
    assert sorted(row.outcome for row in store.rows(now_ms=0)) == ["cancelled", "ok"]
    store.close()


@contextmanager
def garbage(endpoint: Served) -> Generator[Counter[str]]:
    """What is left to the collector meanwhile, by module; known when the block is over."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        endpoint.tell(lambda _process: gc.collect())
        modules = (type(each).__module__ for each in cast("list[object]", gc.garbage))
        found.update(name for name in modules if str(name).startswith(("workbench.", "uvicorn.")))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_what_is_over_is_not_left_to_the_garbage_collector(endpoint: Served) -> None:
    """Else memory goes up and down by megabytes under load, and the collector holds up whoever calls meanwhile."""

    def calls() -> None:
        for _ in range(20):
            assert endpoint.chat(tenant="acme-eu").status_code == 200
        endpoint.stored()

    calls()
    with garbage(endpoint) as found:
        calls()
        assert endpoint.tell(lambda _process: sum(isinstance(each, Quick) for each in gc.get_objects())) == 0
    assert found == {}


def test_a_connection_that_is_over_is_not_left_to_it_either(endpoint: Served) -> None:
    def come_and_go() -> None:
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
                connection.sendall(b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                while connection.recv(65536):
                    pass

    come_and_go()
    with garbage(endpoint) as found:
        come_and_go()
    assert found == {}


def test_a_long_head_before_a_body_in_pieces_is_no_fault(endpoint: Served) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 60_000}]}).encode()
    lines = [b"x-filler-%d: %s" % (k, b"y" * 1_000) for k in range(45)]
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n%s\r\n\r\n"
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        connection.sendall(head % (len(body), b"\r\n".join(lines)))
        for k in range(0, len(body), 10_000):
            connection.sendall(body[k : k + 10_000])
            time.sleep(0.01)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_does_not_read_is_not_written_to_without_an_end(endpoint: Served) -> None:
    body = json.dumps(HELLO).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(4_000):
                connection.sendall(request)
        most = endpoint.tell(lambda process: max(waiting_bytes(), default=0) if process else 0)
        assert most < 1_000_000


def waiting_bytes() -> list[int]:
    """What waits to be written, of every connection of this process."""
    found = (each for each in gc.get_objects() if isinstance(each, Connection))
    return [each.transport.get_write_buffer_size() for each in found if not each.transport.is_closing()]


def test_a_request_whose_body_is_coming_is_answered_before_the_end(emulation: Running, tmp_path: Path) -> None:
    body = json.dumps(HELLO).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(body)
    with served(tmp_path, emulation.url) as endpoint:
        connection = socket.create_connection(("127.0.0.1", endpoint.port), timeout=10)
        connection.sendall(head + body[:5])
        latest = time.monotonic() + 30
        while not endpoint.tell(lambda _process: held_bodies()):
            assert time.monotonic() < latest
        endpoint.tell(lambda _process: [each.shutdown() for each in held_bodies()])
        connection.sendall(body[5:])
        found = b""
        while piece := connection.recv(65536):
            found += piece
        connection.close()
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in found


def held_bodies() -> list[Connection]:
    """The connections whose body is coming, of a request that may take the fast path."""
    found = [each for each in gc.get_objects() if isinstance(each, Connection)]
    return [each for each in found if each._held is not None and not each.transport.is_closing()]  # pyright: ignore[reportPrivateUsage]
