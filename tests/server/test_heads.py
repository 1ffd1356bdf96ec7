"""A head that is known is not read again: what comes after it is answered as if it were."""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server_x.endpoint import HELLO, Served, served
from workbench.server.emulator import Running
from workbench.server.net import listening
from workbench.server.net.bounds import Doors
from workbench.server.net.connection import MOST_HEAD, MOST_HEADS, Connection, Head

BODY = json.dumps(HELLO | {"compact": True}).encode()


def head(length: int, more: bytes = b"") -> bytes:
    """A plain call's head."""
    first = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n" + more
    return first + b"content-length: %d\r\n\r\n" % length


PLAIN = head(len(BODY)) + BODY


def asked(connection: socket.socket, data: bytes, answers: int = 1) -> list[tuple[int, bytes]]:
    """Send bytes; gives status and body of so many answers, and that nothing follows them."""
    connection.sendall(data)
    found: list[tuple[int, bytes]] = []
    waiting = b""
    while len(found) < answers:
        piece = connection.recv(65536)
        assert piece, "hung up"
        waiting += piece
        while (end := waiting.find(b"\r\n\r\n") + 4) > 3:
            first = waiting[:end].lower()
            size = int(first.partition(b"content-length: ")[2].split(b"\r\n")[0])
            if len(waiting) < end + size:
                break
            found.append((int(waiting[9:12]), waiting[end : end + size]))
            waiting = waiting[end + size :]
    assert waiting == b""
    return found


@contextmanager
def connected(endpoint: Served) -> Generator[socket.socket]:
    """A connection, and no head that is known."""
    endpoint.tell(lambda _process: known().clear())
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection:
        yield connection


def known() -> dict[bytes, Head]:
    """The heads of the newest endpoint."""
    return next(iter(_KNOWN))


_KNOWN: list[dict[bytes, Head]] = []


@pytest.fixture(autouse=True)
def _at_hand(endpoint: Served) -> None:
    """The class of this endpoint's connections, of which there is one for each."""
    _KNOWN[:] = [kind.heads for kind in Connection.__subclasses__() if kind.fast_path is endpoint.process.fast_path()]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each head that the parser has read."""
    found: list[int] = []
    real = Connection.on_headers_complete

    def count(self: Connection) -> None:
        found.append(len(self.headers))
        real(self)

    monkeypatch.setattr(Connection, "on_headers_complete", count)
    return found


def test_it_is_read_once(endpoint: Served, read: list[int]) -> None:
    with connected(endpoint) as connection:
        for _ in range(4):
            assert asked(connection, PLAIN)[0][0] == 200
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as another:
        assert asked(another, PLAIN)[0][0] == 200
    assert len(read) == 1


def test_what_the_body_asks_for_is_another_matter(endpoint: Served, read: list[int]) -> None:
    """The same head before a stream, a wrong parameter and no JSON at all, each as long as the plain body."""
    others: list[tuple[bytes, int, bytes]] = [
        (b'{"messages":[{"role":"user","content":"hi"}],"temprature":1', 400, b"temperature"),
        (b"{" * len(BODY), 400, b"error"),
    ]
    with connected(endpoint) as connection:
        asked(connection, PLAIN)
        for begins, status, word in others:
            filler = b" " * (len(BODY) - len(begins) - 1)
            body = begins + (filler + b"}" if begins.startswith(b'{"') else b"")
            assert len(body) == len(BODY)
            answer = asked(connection, head(len(BODY)) + body)[0]
            assert answer[0] == status
            assert word in answer[1]
            assert asked(connection, PLAIN)[0][0] == 200
    assert len(read) == 3, "what the fast path declines is read as ever"


def test_a_stream_after_the_same_head_streams(endpoint: Served) -> None:
    body = b'{"stream":true,"messages":[{"role":"user","content":"hi"}]}'
    body += b" " * (len(BODY) - len(body))
    with connected(endpoint) as connection:
        asked(connection, PLAIN)
        connection.sendall(head(len(BODY)) + body)
        found = b""
        while not found.endswith(b"0\r\n\r\n"):
            piece = connection.recv(65536)
            assert piece
            found += piece
        assert b"text/event-stream" in found
        assert b"data: [DONE]" in found
        assert asked(connection, PLAIN)[0][0] == 200


def test_pieces_and_several_at_once_are_taken_apart_by_the_parser(endpoint: Served) -> None:
    health = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with connected(endpoint) as connection:
        assert [status for status, _ in asked(connection, PLAIN + PLAIN, 2)] == [200, 200]
        assert asked(connection, PLAIN)[0][0] == 200
        assert [status for status, _ in asked(connection, PLAIN + health, 2)] == [200, 200]
        for cut in (1, 30, len(PLAIN) - len(BODY), len(PLAIN) - 1):
            connection.sendall(PLAIN[:cut])
            time.sleep(0.02)
            assert asked(connection, PLAIN[cut:])[0][0] == 200
        connection.sendall(PLAIN)  # a second one while the first is being answered
        assert len(asked(connection, PLAIN, 2)) == 2


def test_a_body_that_is_shorter_or_longer_than_said_is_no_other_request(endpoint: Served) -> None:
    with connected(endpoint) as connection:
        asked(connection, PLAIN)
        connection.sendall(PLAIN[:-3])
        time.sleep(0.02)
        assert asked(connection, PLAIN[-3:])[0][0] == 200
        connection.sendall(PLAIN + b"rubbish\r\n\r\n")
        found = b""
        while piece := connection.recv(65536):
            found += piece
        assert found.count(b"HTTP/1.1 ") == 1, "the call is answered, and no word of what followed"
        assert found.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("before", [0, 1], ids=["alone", "behind another"])
@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/x/rank"])
def test_a_body_that_breaks_does_not_hang(endpoint: Served, path: bytes, before: int) -> None:
    """A head that is good, and a chunk that is none: whoever reads the body is told."""
    broken = b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n" % path
    with connected(endpoint) as connection:
        connection.settimeout(5)
        for _ in range(before):
            asked(connection, PLAIN)
        connection.sendall(broken)
        found = b""
        while piece := connection.recv(65536):
            found += piece
        assert found.startswith(b"HTTP/1.1 400")
    endpoint.tell(lambda process: process.host.metrics.inflight)
    latest = time.monotonic() + 5
    while endpoint.tell(lambda process: process.host.metrics.inflight):
        assert time.monotonic() < latest


def test_another_host_is_refused_though_the_rest_is_known(endpoint: Served) -> None:
    with connected(endpoint) as connection:
        asked(connection, PLAIN)
        assert asked(connection, PLAIN.replace(b"127.0.0.1", b"evil.test"))[0][0] == 400


def test_so_many_are_known_and_none_that_is_long(endpoint: Served) -> None:
    with connected(endpoint) as connection:
        asked(connection, head(len(BODY), b"x: " + b"y" * MOST_HEAD + b"\r\n") + BODY)
        assert endpoint.tell(lambda _process: len(known())) == 0
        for k in range(MOST_HEADS + 20):
            asked(connection, head(len(BODY), b"x: %d\r\n" % k) + BODY)
        held = endpoint.tell(lambda _process: list(known()))
    assert len(held) == MOST_HEADS
    assert held[-1].count(b"x: %d" % (MOST_HEADS + 19))


def test_a_connection_is_closed_once_it_was_idle_for_so_long_and_not_before(
    emulation: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "KEEP_ALIVE_S", 0.5)
    with (
        served(tmp_path, emulation.url) as endpoint,
        socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection,
    ):
        began = time.monotonic()
        while time.monotonic() - began < 1.2:
            assert asked(connection, PLAIN)[0][0] == 200
            time.sleep(0.1)
        answered = time.monotonic()
        assert connection.recv(1) == b""
        assert 0.35 < time.monotonic() - answered < 5


def test_a_connection_whose_body_came_late_is_closed_too(
    emulation: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was out before the body was there, so that no answer's end begins the time anew."""
    monkeypatch.setattr(listening, "KEEP_ALIVE_S", 0.3)
    with (
        served(tmp_path, emulation.url) as endpoint,
        socket.create_connection(("127.0.0.1", endpoint.port), timeout=20) as connection,
    ):
        connection.sendall(b"POST /nope HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
        time.sleep(0.45)
        connection.sendall(b"x")
        assert connection.recv(1) == b""


def test_that_a_body_may_come_is_said(endpoint: Served) -> None:
    with connected(endpoint) as connection:
        connection.sendall(head(len(BODY), b"expect: 100-continue\r\n"))
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert asked(connection, BODY)[0][0] == 200


def test_an_answer_that_nobody_reads_is_given_up(emulation: Running, tmp_path: Path) -> None:
    with served(tmp_path, emulation.url, doors=Doors(unread=0.3)) as endpoint:
        whole = json.dumps(HELLO).encode()
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", endpoint.port))
            connection.settimeout(0.2)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(300):
                    connection.sendall(head(len(whole)) + whole)
            latest = time.monotonic() + 20
            while endpoint.tell(lambda _process: open_connections()):
                assert time.monotonic() < latest
                time.sleep(0.05)


def open_connections() -> int:
    """How many connections of this process to a client that reads nothing are open."""
    found = (each for each in gc.get_objects() if isinstance(each, Connection) and each.doors.unread < 1)
    return sum(not each.transport.is_closing() or each.transport.get_write_buffer_size() > 0 for each in found)
