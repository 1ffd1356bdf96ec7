"""A client may hang up at any byte of a stream: its call ends at the provider, its trace says so (RELIABILITY R41)."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from random import Random

import pytest

from tests.scale import SOAK, scaled
from tests.server.faults import PINNED
from tests.server_x.endpoint import HELLO, Served, served
from tests.soak.upstreams import Halter, upstream

PLACES = scaled(60, 5_000)
"""How many of its bytes are tried; in the long run all."""
BODY = json.dumps({**HELLO, "model": PINNED, "tenant": "ladle-free", "compact": True, "stream": True}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(BODY)


@pytest.mark.timeout(0 if SOAK else 120)
def test_wherever_a_client_hangs_up_the_call_ends_and_the_trace_says_so(tmp_path: Path) -> None:
    halter = Halter()
    with upstream(halter.answer) as (url, _), served(tmp_path, url) as endpoint:
        whole = _read(endpoint, None)
        halter.left_within(30)
        places = list(range(1, whole + 1))
        if len(places) > PLACES:
            places = [1, *sorted(Random(57).sample(places[1:-1], PLACES - 2)), whole]
        took: list[float] = []
        for place in places:
            assert _read(endpoint, place) == place
            took.append(halter.left_within(30))
        endpoint.stored()
        rows = endpoint.process.traces.store().rows(now_ms=round(time.time() * 1000), limit=len(places) + 2)
        assert [row.outcome for row in rows] == ["cancelled"] * (len(places) + 1)
    assert sorted(took)[len(took) // 2] <= 0.25
    print(f"{len(took)} places of {whole} bytes, left at most {max(took) * 1000:.0f} ms after the client")  # noqa: T201


def _read(endpoint: Served, most: int | None) -> int:
    """Read so many bytes of a stream and hang up; None: until no more come. Gives how many were read."""
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=30) as connection:
        connection.sendall(HEAD + BODY)
        read = 0
        while most is None or read < most:
            try:
                read += len(connection.recv(65_536 if most is None else most - read))
            except TimeoutError:
                break
            if most is None:
                connection.settimeout(1.0)
        return read
