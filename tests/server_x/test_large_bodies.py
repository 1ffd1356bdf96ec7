"""A body of 200 MB costs the endpoint no memory, however it comes (RELIABILITY R36)."""

from __future__ import annotations

import contextlib
import socket
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server_x.processes import Child, child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the most memory a process has had is in /proc")
SIZE = 200 * 1024 * 1024
BLOCK = b" " * 65_536
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
CHUNK = b"10000\r\n" + BLOCK + b"\r\n"
BOMB = zlib.compress(bytes(SIZE), wbits=31)


@pytest.fixture(scope="module")
def endpoint(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A process of its own."""
    folder = tmp_path_factory.mktemp("large")
    with child("--emulator", emulator, "--traces", folder / "traces.db", XDG_STATE_HOME=str(folder)) as made:
        yield made


def most_mib(endpoint: Child) -> float:
    """The most memory that the process has had."""
    lines = Path(f"/proc/{endpoint.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def sent(endpoint: Child, head: bytes, block: bytes, times: int) -> bytes:
    """Send all of it, or as much as is taken; gives the answer."""
    place = urlsplit(endpoint.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=30) as connection:
        answer = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head)
            for _ in range(times):
                connection.sendall(block)
        with contextlib.suppress(ConnectionResetError):
            answer = connection.recv(65_536)
        return answer


@pytest.mark.parametrize(
    ("head", "block", "status"),
    [
        (HEAD + b"content-length: %d\r\n\r\n" % SIZE, BLOCK, b"413"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", CHUNK, b"413"),
        (HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB), BOMB, b"415"),
    ],
    ids=["announced", "in chunks", "compressed"],
)
def test_two_hundred_megabytes_are_refused_and_never_held(
    endpoint: Child, head: bytes, block: bytes, status: bytes
) -> None:
    before = most_mib(endpoint)
    answers = [sent(endpoint, head, block, SIZE // 65_536 if block is not BOMB else 1) for _ in range(3)]
    assert {answer[9:12] for answer in answers if answer} == {status}
    assert most_mib(endpoint) - before <= 20
    health = sent(endpoint, b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", b"", 0)
    assert health.startswith(b"HTTP/1.1 200")
