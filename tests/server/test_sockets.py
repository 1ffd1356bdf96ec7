"""What a connection may do before it is a request: raw bytes on a real socket, and how long they are waited for."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.server_x.endpoint import HELLO, Served, served
from workbench.server.emulator import Running
from workbench.server.net.bounds import Doors

BODY = json.dumps({**HELLO, "compact": True}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)


@pytest.fixture(scope="module")
def strict(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint that waits a third of a second, for at most eight at once."""
    doors = Doors(arrival=0.35, waiting=8)
    with served(tmp_path_factory.mktemp("strict"), emulation.url, doors=doors) as made:
        yield made


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


def refused_in_words(answer: bytes) -> int:
    """The status of a refusal whose body has the error shape, and after which the connection was closed."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    return status(answer)


@pytest.mark.parametrize(("name", "head"), [
    ("both lengths", HEAD + LENGTH + b"transfer-encoding: chunked\r\n\r\n"),
    ("chunked first", HEAD + b"transfer-encoding: chunked\r\n" + LENGTH + b"\r\n"),
    ("two lengths", HEAD + LENGTH + b"content-length: 3\r\n\r\n"),
    ("two equal lengths", HEAD + LENGTH + LENGTH + b"\r\n"),
    ("a negative length", HEAD + b"content-length: -5\r\n\r\n"),
    ("a length in words", HEAD + b"content-length: five\r\n\r\n"),
    ("two hosts", HEAD + b"host: 127.0.0.1\r\n" + LENGTH + b"\r\n"),
    ("NUL in a header", HEAD + b"x: a\x00b\r\n" + LENGTH + b"\r\n"),
    ("a folded header", HEAD + b"x: a\r\n b\r\n" + LENGTH + b"\r\n"),
    ("a space before the colon", HEAD + b"x : a\r\n" + LENGTH + b"\r\n"),
    ("an absolute target", b"POST http://evil/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n" + LENGTH + b"\r\n"),
    ("an authority", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"),
    ("a star", b"OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"),
    ("no HTTP at all", b"hello there\r\n\r\n"),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64),
])  # fmt: skip
def test_a_head_that_can_be_read_two_ways_is_refused_and_closed(strict: Served, name: str, head: bytes) -> None:
    answer = strict.raw(head + BODY)
    assert 400 <= refused_in_words(answer) < 500, name
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_bare_line_feed_is_no_line(strict: Served) -> None:
    assert refused_in_words(strict.raw(HEAD.replace(b"\r\n", b"\n") + LENGTH + b"\r\n" + BODY)) == 400


@pytest.mark.parametrize("head", [
    HEAD + b"x: " + b"a" * 1_000_000,
    HEAD + b"".join(b"x-%d: 1\r\n" % number for number in range(10_000)) + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
])  # fmt: skip
def test_a_head_that_is_too_long_is_refused(strict: Served, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        try:
            connection.sendall(head)
            answer = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return  # closed while we were writing
    assert not answer or status(answer) in (400, 414, 431)


@pytest.mark.parametrize("size", [2_000_000, 60_000_000])
def test_a_body_over_the_cap_is_refused_before_it_has_come(strict: Served, size: int) -> None:
    announced = HEAD + b"content-length: %d\r\n\r\n" % size
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        connection.sendall(announced + b" " * 1000)
        answer = connection.recv(65536)
    assert status(answer) == 413


def test_a_body_without_a_length_is_refused_while_it_comes(endpoint: Served) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        answer = b""
        try:
            for _ in range(200):
                connection.sendall(chunk)
            answer = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return
    assert not answer or status(answer) == 413


def test_a_compressed_body_is_refused(endpoint: Served) -> None:
    answer = endpoint.post("/v1/chat/completions", BODY, **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "content_encoding")


@pytest.mark.parametrize("begun", [b"", HEAD, HEAD + LENGTH + b"\r\n" + BODY[:5]])
def test_a_request_that_does_not_come_whole_is_hung_up_on(strict: Served, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        connection.sendall(begun)
        answer = b"".join(iter(lambda: _received(connection), b""))
    assert not answer or status(answer) == 408


def test_a_second_request_on_a_kept_connection_has_to_come_whole_too(strict: Served) -> None:
    whole = HEAD + LENGTH + b"\r\n" + BODY
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        connection.sendall(whole)
        assert status(connection.recv(1 << 20)) == 200
        connection.sendall(HEAD)
        answer = b"".join(iter(lambda: _received(connection), b""))
    assert b"HTTP/1.1 408" in answer or not answer.startswith(b"HTTP/1.1 200")


def test_many_that_say_nothing_keep_nobody_out(endpoint: Served, strict: Served) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(("127.0.0.1", strict.port), timeout=10))
        began = time.monotonic()
        assert strict.get("/healthz").status_code == 200
        assert strict.chat(compact=True).status_code == 200
        assert time.monotonic() - began < 20  # a hang, not a figure
        assert strict.process.host.state is not None


def test_two_requests_in_one_piece_are_answered_in_order(strict: Served) -> None:
    health = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        connection.sendall(HEAD + LENGTH + b"\r\n" + BODY + health)
        answer = b"".join(iter(lambda: _received(connection), b""))
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b"chatcmpl") < answer.index(b'"ok"')


def test_a_thousand_calls_at_once_are_answered_or_turned_away(endpoint: Served) -> None:
    whole = HEAD + LENGTH + b"connection: close\r\n\r\n" + BODY
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", endpoint.port), timeout=30)) for _ in range(200)
        ]
        for connection in connections:
            connection.sendall(whole)
        answers = [b"".join(iter(lambda c=connection: _received(c), b"")) for connection in connections]
    assert {status(answer) for answer in answers} <= {200, 429}
    assert endpoint.get("/healthz").status_code == 200


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except ConnectionResetError:
        return b""


def test_no_header_of_an_answer_comes_from_a_caller(endpoint: Served) -> None:
    for answer in (
        endpoint.chat(model="gpt\r\nx-evil: 1", compact=True),
        endpoint.chat(tenant="a\r\nb"),
        endpoint.post("/x%0d%0ax-evil:1/v1/chat/completions", HELLO),
        endpoint.chat(session="s\r\nt", compact=True),
    ):
        assert "x-evil" not in answer.headers
        assert all(ord(char) < 128 and char.isprintable() for value in answer.headers.values() for char in value)


@pytest.mark.parametrize(("path", "answered"), [
    ("/healthz", 200), ("/v1/models", 200), ("/metrics", 200), ("/nope", 404), ("/v1/chat/completions", 405),
])  # fmt: skip
def test_head_is_answered_at_once_and_has_no_body(shared: Served, path: str, answered: int) -> None:
    head = f"HEAD {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    last = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port), timeout=3) as connection:  # it ends idle ones after 5 s
        connection.sendall(head)
        found = connection.recv(65_536)
        connection.sendall(head + last)  # and one behind the other
        while more := connection.recv(65_536):
            found += more
    answers = found.split(b"HTTP/1.1 ")[1:]
    assert [int(answer[:3]) for answer in answers] == [answered, answered, 200]
    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers[:2]] == [b"", b""]
    assert json.loads(answers[2].partition(b"\r\n\r\n")[2])["ok"] is True


def test_what_a_path_takes_is_said(shared: Served) -> None:
    answer = shared.client.request("DELETE", "/healthz")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"]["code"] == "method_not_allowed"
