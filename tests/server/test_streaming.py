"""Streams over a real socket: nothing before the first word, nothing twice after it, nobody served who has gone."""

from __future__ import annotations

import json
import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.faults import PINNED, WEATHER, Faults, stream, under_way
from tests.server_x.endpoint import HELLO, Served, policy, served
from workbench.server.emulator import Emulator, Running, running

PAIR = policy(["or", ["provider_eq", "alibaba"], ["provider_eq", "mistral"]])


def test_a_stream_has_the_public_hosts_shape(endpoint: Served) -> None:
    made = stream(endpoint, tenant="acme-eu")
    assert made.done
    first, *between, last = made.chunks
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]
    assert all(chunk["choices"][0]["delta"].keys() == {"content"} for chunk in between)
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert last["usage"]["completion_tokens"] > 0
    assert last["x_router"]["provider"]
    assert {chunk["id"] for chunk in made.chunks} == {first["id"]}
    assert {chunk["object"] for chunk in made.chunks} == {"chat.completion.chunk"}
    plain = endpoint.chat(tenant="acme-eu", compact=True).json()["choices"][0]["message"]["content"]
    assert made.text == plain


def test_tool_calls_stand_in_the_last_chunk(endpoint: Served) -> None:
    made = stream(endpoint, tools=WEATHER, tool_choice="required")
    assert made.finish == "tool_calls"
    assert made.chunks[-1]["choices"][0]["delta"]["tool_calls"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize(
    "fault", ["server_error", "cut_after:0", "eof_after:0", "error_event_after:0", "empty", "html"]
)
def test_a_failure_before_the_first_word_falls_to_the_next(endpoint: Served, faults: Faults, fault: str) -> None:
    faults.play(f"alibaba={fault}")
    made = stream(endpoint, policy_ir=PAIR)
    path = made.chunks[-1]["x_router"]["decision_trace"]["decision_path"]
    assert made.chunks[-1]["x_router"]["provider"] == "mistral"
    assert path[0]["provider_id"] == "alibaba"
    assert "alibaba/" not in made.text


def test_where_all_fail_before_a_word_the_answer_is_plain(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=rate_limit")
    made = stream(endpoint, model=PINNED, policy_ir=policy(["provider_eq", "openai"]))
    assert (made.status, made.body["error"]["code"]) == (429, "exhausted: rate_limit")


@pytest.mark.parametrize("fault", ["eof_after", "error_event_after", "content_filter_after"])
def test_after_the_first_word_the_stream_ends_with_an_error_event(endpoint: Served, faults: Faults, fault: str) -> None:
    faults.play(f"alibaba={fault}:3")
    made = stream(endpoint, policy_ir=PAIR)
    assert made.finish == "error"
    assert made.done
    error = made.chunks[-1]["error"]
    assert error["type"] == "router_error"
    assert error["code"] == ("content_filter" if fault.startswith("content") else "stream_interrupted")
    path = next(chunk["x_router"] for chunk in made.chunks if "x_router" in chunk)["decision_trace"]["decision_path"]
    assert len(path) == 1
    assert path[0]["committed"]
    assert path[0]["action_suppressed"] == "committed"


def test_no_character_comes_twice_wherever_a_stream_is_cut(endpoint: Served, faults: Faults) -> None:
    whole = stream(endpoint, policy_ir=policy(["provider_eq", "alibaba"])).text
    fallen = stream(endpoint, policy_ir=policy(["provider_eq", "mistral"])).text
    dice = random.Random(11)
    kinds = ("cut_after", "eof_after", "error_event_after")
    for number in range(60):
        endpoint.tell(lambda process: process.host.health.reset())
        faults.play(f"alibaba={dice.choice(kinds)}:{dice.randrange(0, 22)}")
        made = stream(endpoint, policy_ir=PAIR)
        ended = made.finish
        assert made.done, number
        if ended == "error":
            assert whole.startswith(made.text)
            assert made.text
        else:
            assert made.text in (whole, fallen)


def test_a_whole_answer_where_a_stream_was_asked_for_is_one_piece(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=not_streamed")
    made = stream(endpoint, model=PINNED)
    assert (len(made.chunks), made.finish, made.done) == (3, "stop", True)
    assert "not_streamed" in made.chunks[-1]["x_router"]["warnings"]


def test_a_stream_that_stalls_ends_at_the_deadline(endpoint: Served, faults: Faults) -> None:
    faults.play("openai=stall_after:2")
    began = time.monotonic()
    made = stream(endpoint, model=PINNED, timeout_ms=400)
    assert (made.finish, made.done) == ("error", True)
    assert time.monotonic() - began < 20, "the endpoint's own deadline is more than twice that"


def ask(endpoint: Served, **body: Any) -> socket.socket:
    """A connection that has asked for something and reads nothing yet."""
    data = json.dumps({**HELLO, **body}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(data)}\r\n\r\n".encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", endpoint.port))
    connection.sendall(head + data)
    return connection


def wait_until(test: Any) -> None:
    """Look again and again, for as long as a busy machine may need, until it holds."""
    latest = time.monotonic() + 40
    while not test():
        assert time.monotonic() < latest, "it never came"


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_that_hangs_up_ends_its_call_and_the_trace_says_so(
    endpoint: Served, faults: Faults, emulation: Running, streamed: bool
) -> None:
    faults.play("openai=drip" if streamed else "openai=hang")
    before = len(_outcomes(endpoint))
    with ask(endpoint, model=PINNED, stream=streamed) as connection:
        if streamed:
            assert b"200 OK" in connection.recv(65536)
        else:
            wait_until(lambda: under_way(endpoint) == 1)
    wait_until(lambda: under_way(endpoint) == 0)
    wait_until(lambda: _outcomes(endpoint)[: -before or None] == ["cancelled"])


def _outcomes(endpoint: Served) -> list[str | None]:
    store = endpoint.process.traces.store()
    return [row.outcome for row in store.rows(now_ms=int(time.time() * 1000))]


def test_a_client_that_reads_nothing_is_hung_up_on_at_the_deadline(tmp_path: Path) -> None:
    with running(Emulator(tokens=40_000)) as talkative, served(tmp_path, talkative.url) as endpoint:
        with ask(endpoint, model=PINNED, stream=True, timeout_ms=900, max_tokens=40_000) as connection:
            wait_until(lambda: _outcomes(endpoint)[:1] == ["stream_interrupted"])
            wait_until(lambda: not under_way(endpoint))
            left = sum(len(piece) for piece in iter(lambda: _received(connection), b""))
        assert 0 < left < 32 * 1024 * 1024


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except ConnectionResetError:
        return b""
