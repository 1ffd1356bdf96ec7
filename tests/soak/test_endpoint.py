"""The endpoint in bulk: streams cut at any byte, half-open sockets, a thousand calls at once (RELIABILITY R37, R41)."""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.scale import SOAK, scaled
from tests.server.faults import PINNED, stream
from tests.server_x.endpoint import HELLO, Served, policy, served
from tests.soak.upstreams import Cutter, Gatherer, upstream
from workbench.gateway.transports.loop import KEPT_ALIVE
from workbench.server.callers.gate import Settings
from workbench.server.emulator import running
from workbench.server.net.assembly import Process
from workbench.server.net.bounds import Doors

CUTS = scaled(150, 10_000)
PAIR = policy(["or", ["provider_eq", "alibaba"], ["provider_eq", "mistral"]])
ASKED = [{"role": "user", "content": "Grüße, 漢字 and 🎈"}]
BODY = json.dumps({**HELLO, "model": PINNED, "tenant": "ladle-free", "compact": True}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
WHOLE = HEAD + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(BODY) + BODY
HALVES = (b"", HEAD, HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY[:-1])
"""Silence, half a head, half a body."""
ALL = 1_000


@pytest.mark.timeout(0 if SOAK else 120)
def test_no_character_comes_twice_wherever_a_stream_is_cut(tmp_path: Path) -> None:
    cutter, dice, met = Cutter("alibaba"), Random(41), Counter[str]()
    with upstream(cutter.answer) as (url, _), served(tmp_path, url) as endpoint:
        whole = stream(endpoint, policy_ir=policy(["provider_eq", "alibaba"]), messages=ASKED).text
        fallen = stream(endpoint, policy_ir=policy(["provider_eq", "mistral"]), messages=ASKED).text
        assert "漢字" in whole != fallen
        size = cutter.size
        for number in range(CUTS):
            cutter.cut, cutter.reset = dice.randrange(size), dice.random() < 0.3
            endpoint.tell(lambda process: process.host.health.reset())
            made = stream(endpoint, policy_ir=PAIR, messages=ASKED)
            assert made.done, (number, cutter.cut)
            if made.finish == "error":
                assert made.text, (number, cutter.cut)
                assert whole.startswith(made.text), (number, cutter.cut)
                met["ended with an error"] += 1
            else:
                assert made.text in (whole, fallen), (number, cutter.cut)
                met["whole" if made.text == whole else "fell to the next"] += 1
    assert met.total() == CUTS
    assert min(met["ended with an error"], met["fell to the next"]) > CUTS / 20
    print(dict(met))  # noqa: T201 - the figures of a long run


def connected(endpoint: Served, said: bytes) -> socket.socket:
    """A connection that has said this much."""
    made = socket.create_connection(("127.0.0.1", endpoint.port), timeout=60)
    made.sendall(said)
    return made


@pytest.mark.timeout(0 if SOAK else 120)
def test_five_hundred_half_open_sockets_keep_nobody_out_and_are_closed(tmp_path: Path) -> None:
    doors = Doors() if SOAK else Doors(arrival=2.0)
    with running() as emulation, served(tmp_path, emulation.url, doors=doors) as endpoint, ExitStack() as stack:
        opened = [stack.enter_context(connected(endpoint, HALVES[number % 3])) for number in range(500)]
        took: list[float] = []
        with selectors.DefaultSelector() as waiting:
            for each in opened:
                waiting.register(each, selectors.EVENT_READ, each)
            while waiting.get_map():
                began = time.monotonic()
                assert endpoint.get("/healthz").status_code == 200
                took.append(time.monotonic() - began)
                assert endpoint.chat(compact=True).status_code == 200
                for key, _ in waiting.select(0.05):
                    if _over(key.data):
                        waiting.unregister(key.fileobj)
        assert min(took[:3]) <= 1.0  # as it is promised, while all of them are there
        assert not doors.late
        assert doors.refused >= 500 - doors.waiting  # the others were waited for as long as anybody is
        print(f"{len(took)} health checks, the slowest {max(took) * 1000:.0f} ms")  # noqa: T201 - as above


def _over(connection: socket.socket) -> bool:
    """Whether it was closed, with a word or without."""
    try:
        return not connection.recv(65_536)
    except ConnectionResetError:
        return True


@pytest.fixture
def gathered(tmp_path: Path) -> Iterator[Any]:
    """Endpoints over an upstream that answers nobody until it is told to."""
    with ExitStack() as stack:

        def make(settings: Settings) -> tuple[Served, Gatherer, asyncio.AbstractEventLoop]:
            gatherer = Gatherer()
            url, loop = stack.enter_context(upstream(gatherer.answer))
            return stack.enter_context(served(tmp_path, url, settings=settings)), gatherer, loop

        yield make


def ask(endpoint: Served, stack: ExitStack) -> list[socket.socket]:
    """A thousand calls on as many connections, none of them read yet."""
    return [stack.enter_context(connected(endpoint, WHOLE)) for _ in range(ALL)]


def statuses(connections: list[socket.socket]) -> Counter[int]:
    """Read each to its end."""
    found: Counter[int] = Counter()
    for connection in connections:
        answer = b"".join(iter(lambda c=connection: c.recv(65_536), b""))
        found[int(answer[9:12])] += 1
        json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def standing(process: Process) -> dict[str, int]:
    """What a call takes while it runs, and has to give back."""
    engine, gate = process.host.engine, process.host.callers
    assert engine is not None
    return {
        "calls": len(engine.traces.calls),
        "requests": process.host.metrics.inflight,
        "pending": process.host.metrics.pending,
        "places": getattr(gate, "running", 0),
        "tasks": sum(not task.done() for task in asyncio.all_tasks()),
    }


def settled(endpoint: Served, before: dict[str, int]) -> None:
    """Everything was given back, once the last answer has been put away."""
    latest = time.monotonic() + 30
    while endpoint.tell(standing) != before:
        assert time.monotonic() < latest, (endpoint.tell(standing), before)


def open_descriptors() -> int:
    """How many this process has: the client's, the endpoint's and the upstream's."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_thousand_calls_at_once_are_all_answered_and_nothing_stays_behind(gathered: Any) -> None:
    endpoint, gatherer, loop = gathered(Settings())
    before, descriptors = endpoint.tell(standing), open_descriptors()
    with ExitStack() as stack:
        connections = ask(endpoint, stack)
        gatherer.gathered(ALL)  # every one of them is at the upstream now, and none has an answer
        assert endpoint.tell(standing)["calls"] == ALL
        gatherer.release(loop)
        assert statuses(connections) == {200: ALL}
    settled(endpoint, before)
    assert endpoint.get("/healthz").status_code == 200
    assert endpoint.chat(compact=True).status_code == 200
    latest = time.monotonic() + 30
    while open_descriptors() > descriptors + 2 * KEPT_ALIVE + 8:  # both ends of what is kept for reuse
        assert time.monotonic() < latest, open_descriptors() - descriptors


def test_a_thousand_calls_that_came_while_it_was_busy_are_all_answered(gathered: Any) -> None:
    endpoint, gatherer, loop = gathered(Settings())
    gatherer.release(loop)
    busy = threading.Event()
    with ExitStack() as stack:
        endpoint.loop.call_soon_threadsafe(busy.wait, 60)
        connections = ask(endpoint, stack)  # all of them wait at the socket, each with its request
        busy.set()
        assert statuses(connections) == {200: ALL}


def test_beyond_a_limit_a_thousand_calls_at_once_are_429_and_the_rest_is_answered(gathered: Any) -> None:
    endpoint, gatherer, loop = gathered(Settings(tenant_concurrency=50))
    before = endpoint.tell(standing)
    with ExitStack() as stack:
        connections = ask(endpoint, stack)
        with (
            selectors.DefaultSelector() as waiting
        ):  # the refused are answered while the others still hold their places
            for each in connections:
                waiting.register(each, selectors.EVENT_READ, each)
            refused: list[socket.socket] = []
            while len(refused) < ALL - 50:
                for key, _ in waiting.select(30):
                    refused.append(key.data)
                    waiting.unregister(key.fileobj)
            admitted = [key.data for key in waiting.get_map().values()]
        assert statuses(refused) == {429: ALL - 50}
        gatherer.gathered(50)
        gatherer.release(loop)
        assert statuses(admitted) == {200: 50}
    settled(endpoint, before)
    assert endpoint.chat(tenant="ladle-free", compact=True).status_code == 200
