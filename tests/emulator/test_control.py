"""The emulator's own addresses, what it refuses on the wire, and the command that starts it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.emulator.calls import OFFERS, play
from workbench.cli.main import main
from workbench.errors import UsageError
from workbench.gateway.codecs.neutral import LocalFault
from workbench.gateway.codecs.route import Route
from workbench.gateway.redirected import DUMMY, Redirected
from workbench.server.emulator import Emulator, Running, running

CHAT: dict[str, Any] = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def client(emulator: Running) -> Iterator[httpx.Client]:
    play(emulator)
    with httpx.Client(base_url=emulator.url, trust_env=False) as made:
        yield made


def test_faults_are_changed_while_it_runs_and_requests_are_counted() -> None:
    with running(Emulator(OFFERS.values())) as own, httpx.Client(base_url=own.url, trust_env=False) as client:
        assert client.post("/v1/chat/completions", json=CHAT).status_code == 200
        told = client.post("/emulator/faults", json={"faults": ["openai/gpt-5.5=rate_limit:2s"], "seed": 5}).json()
        assert (told["faults"], told["seed"]) == (["openai/gpt-5.5=rate_limit:2s"], 5)
        limited = client.post("/p/openai/v1/chat/completions", json={**CHAT, "stream": True})
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "2")
        assert client.get("/emulator/faults").json() == told
        assert client.get("/emulator/requests").json() == {
            "schema": 1, "requests": 2,
            "providers": {"openai": {
                "requests": 2, "streamed": 1, "faulted": 1, "faults": {"rate_limit": 1}, "models": {"gpt-5.5": 2},
            }},
        }  # fmt: skip
        by_family = {"faults": ["openai/family of gpt-5.5=down"]}
        assert client.post("/emulator/faults", json=by_family).status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/v1/chat/completions", json=CHAT)
        wrong = client.post("/emulator/faults", json={"faults": ["opnai=down", "openai=dwn"], "sed": 1})
        assert wrong.status_code == 400
        assert [each["hint"] for each in wrong.json()["error"]["findings"]] == ["known are `faults` and `seed`"]
        wrong = client.post("/emulator/faults", json={"faults": ["opnai=down", "openai=dwn"]})
        assert [each["code"] for each in wrong.json()["error"]["findings"]] == ["fault_provider", "fault_kind"]
        assert client.get("/emulator/faults").json()["faults"] == by_family["faults"]
        models = client.get("/p/openai/v1/models").json()
        assert [row["id"] for row in models["data"]] == ["gpt-5.5", "gpt-5.5-pro"]


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"faults":"x"}', '{"faults":[1]}', '{"faults":[],"seed":"1"}', '{"faults":[],"seed":true}',
             '{"seed":1}', '{"faults":[],"faults":[]}'],
)  # fmt: skip
def test_rubbish_is_refused_and_changes_nothing(client: httpx.Client, body: str) -> None:
    assert client.post("/emulator/faults", content=body).status_code == 400
    assert client.get("/emulator/faults").json()["faults"] == []


def test_a_page_in_a_browser_reaches_nothing(client: httpx.Client) -> None:
    assert client.get("/emulator/faults", headers={"origin": "https://evil.example"}).status_code == 403
    for host in ("evil.example", "evil.example:80", "127.evil.example"):
        assert client.get("/emulator/requests", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b"[1]", 400),
        ("POST", "/v1/chat/completions", b'{"messages":[]}', 400),
        ("POST", "/v1/chat/completions", b'{"model":"m","messages":[]}', 400),
        ("POST", "/v1/chat/completions", b'{"model":"m","messages":"x"}', 400),
        ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/p/openai/v1/embeddings", b"{}", 404),
        ("GET", "/", b"", 200),
        ("GET", "/emulator/nothing", b"", 404),
        ("DELETE", "/emulator/faults", b"", 404),
    ],
)
def test_what_is_no_call_is_refused_in_words(
    client: httpx.Client, method: str, path: str, body: bytes, status: int
) -> None:  # fmt: skip
    answer = client.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.headers["x-workbench-emulated"] == "1"
    assert answer.json()


@contextmanager
def raw(emulator: Running) -> Generator[socket.socket]:
    parts = urlsplit(emulator.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as made:
        yield made


def read_all(made: socket.socket) -> bytes:
    found = b""
    try:
        while piece := made.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET\r\n\r\n", b"400"),
        (b"GET / HTTP/2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nbad header\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000, b"431"),
    ],
)
def test_bad_bytes_are_refused_and_the_connection_ends(emulator: Running, sent: bytes, status: bytes) -> None:
    with raw(emulator) as made:
        made.sendall(sent)
        assert read_all(made).split(b" ", 2)[1] == status


def test_requests_on_one_connection_are_answered_in_their_order(emulator: Running) -> None:
    play(emulator)
    with raw(emulator) as made:
        asked = b""
        for model in (b"one", b"two", b"three"):
            body = b'{"model":"%b","messages":[{"role":"user","content":"x"}]}' % model
            asked += b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        made.sendall(asked + b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")
        said = read_all(made)
    assert [said.index(b'"model":"%b"' % name) for name in (b"one", b"two", b"three")] == sorted(
        said.index(b'"model":"%b"' % name) for name in (b"one", b"two", b"three")
    )


def test_the_emulator_is_on_this_machine_or_nowhere() -> None:
    assert Redirected.to("http://localhost:8089/").origin == "http://localhost:8089"
    for url in ("http://example.com:80", "https://127.0.0.1:80", "http://10.0.0.1", "http://127.0.0.1:1/x", "x", ""):
        with pytest.raises(UsageError) as refused:
            Redirected.to(url)
        assert refused.value.findings[0].hint
    place = Redirected.to("http://127.0.0.1:8089")
    with pytest.raises(LocalFault):
        Route.of(place.candidate({"provider_id": "openai"}))
    route = Route.of(place.candidate(OFFERS["openai"]))
    key = place.key(route)
    assert key is not None
    assert key.reveal("http://127.0.0.1:8089") == DUMMY
    with pytest.raises(LocalFault):
        key.reveal("https://api.openai.com:443")


def test_a_place_that_cannot_be_had_is_said_in_words() -> None:
    with (
        running() as taken,
        pytest.raises(UsageError, match="can't be had"),
        running(port=urlsplit(taken.url).port or 0),
    ):
        pass
    with pytest.raises(UsageError, match="not this machine alone"), running(host="10.0.0.1"):
        pass


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_serves_says_what_it_played_and_ends_when_it_is_told(number: int, code: int) -> None:
    words = [sys.executable, "-m", "workbench", "emulate", "--port", "0", "--json", "--fault", "openai=rate_limit"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        answer = httpx.post(f"{ready['url']}/p/openai/v1/chat/completions", json=CHAT, trust_env=False)
        assert answer.status_code == 429
        assert json.loads(process.stdout.readline()) == {
            "schema": 1, "event": "request", "sequence": 1, "provider": "openai", "served_model_id": "gpt-5.5",
            "stream": False, "fault": "openai=rate_limit", "status": 429, "emulated": True,
        }  # fmt: skip
        process.send_signal(number)
        assert process.wait(20) == code
        assert process.stderr.read() == ""


def test_the_command_lists_faults_and_refuses_wrong_ones_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", "--faults", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["faults"]
    assert {"name": "rate_limit", "form": "rate_limit[:TIME]", "reason": "rate_limit"}.items() <= listed[0].items()
    assert main(["emulate", "--fault", "opnai=rate_limt@2", "--fault", "x"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 4
    assert main(["emulate", "--host", "10.0.0.1"]) == 2
