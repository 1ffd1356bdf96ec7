"""`workbench serve` as a program: what it prints, how it ends, several processes behind one address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.command import call
from tests.server_x.endpoint import HELLO
from workbench.server.emulator import Emulator, Pace, Running, running
from workbench.traces.listing import Filter


@contextmanager
def program(tmp_path: Path, *arguments: str) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The command, and what it said when it was up."""
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--json", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as child:  # fmt: skip
        try:
            assert child.stdout is not None
            yield child, json.loads(child.stdout.readline())
        finally:
            child.kill()


def ended(child: subprocess.Popen[str]) -> int:
    return child.wait(60)


def test_it_says_where_it_is_and_ends_gently(tmp_path: Path) -> None:
    with (
        running(Emulator(pace=Pace(0, 40))) as slow,
        program(tmp_path, "--emulator", slow.url, "--traces", str(tmp_path / "t.db")) as (child, ready),
    ):
        assert ready["event"] == "ready"
        assert ready["base_url"] == f"{ready['url']}/v1"
        assert "acme-eu" in ready["tenants"]
        said: list[str] = []

        def read() -> None:
            body = {**HELLO, "stream": True, "compact": True}
            with httpx.stream("POST", f"{ready['base_url']}/chat/completions", json=body, timeout=30) as answer:
                for line in answer.iter_lines():
                    said.append(line)
                    begun.set()

        begun = threading.Event()
        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(30)
        child.send_signal(signal.SIGTERM)
        reader.join(30)
        assert said[-2:] == ["data: [DONE]", ""] or "data: [DONE]" in said
        assert ended(child) == 128 + signal.SIGTERM
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()


def test_several_processes_answer_at_one_address(emulation: Running, tmp_path: Path) -> None:
    with program(tmp_path, "--emulator", emulation.url, "--processes", "2", "--traces", str(tmp_path / "t.db")) as (
        child,
        ready,
    ):
        for _ in range(6):
            with httpx.Client(timeout=30) as client:
                answer = client.post(f"{ready['base_url']}/chat/completions", json={**HELLO, "compact": True})
                assert answer.status_code == 200
        child.send_signal(signal.SIGHUP)
        assert ended(child) == 128 + signal.SIGHUP


def test_what_is_refused_is_a_line_and_so_is_that_nothing_can_be_called(tmp_path: Path) -> None:
    with program(tmp_path, "--traces", str(tmp_path / "t.db")) as (child, ready):
        assert "no_key" in {finding["code"] for finding in ready["warnings"]}
        with httpx.Client(timeout=30, base_url=ready["base_url"]) as client:
            assert client.post("/chat/completions", json={**HELLO, "tenant": "acme-e"}).status_code == 404
            assert client.post("/nothing", json={}).status_code == 404
        assert child.stdout is not None
        line = json.loads(child.stdout.readline())
        assert (line["event"], line["status"], line["code"]) == ("refused", 404, "tenant_not_found")
        line = json.loads(child.stdout.readline())
        assert (line["event"], line["code"], line["path"]) == ("refused", "not_found", "/v1/nothing")


def test_lines_say_whose_token_asked_where_and_for_whom(emulation: Running, tmp_path: Path) -> None:
    words = ("--traces", str(tmp_path / "t.db"), "--emulator", emulation.url, "--tokens", str(tmp_path / "k.db"))
    own, spent, gone = (made(tmp_path, *more) for more in ((), ("--budget", "0"), ("--tenant", "acme-eu")))
    ended_token = call("token", "revoke", gone["id"], "--tokens", str(tmp_path / "k.db"))
    assert ended_token.code == 0
    with program(tmp_path, *words) as (child, ready):
        with httpx.Client(timeout=30, base_url=ready["base_url"], trust_env=False) as client:
            assert client.get(f"/{own['token']}%1b%5b1m/.a", params={"a": own["token"]}).status_code == 404
            for token, status in ((own, 200), (spent, 402), (gone, 403), ({"token": "wbt_x"}, 401)):
                headers = {"authorization": f"Bearer {token['token']}"}
                body = {**HELLO, "compact": True, "tenant": "acme-eu"}
                answer = client.post("/chat/completions", json=body, headers=headers)
                assert answer.status_code == status
            assert client.post("/chat/completions", json={"messages": 1}).status_code >= 400
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(6)]
    assert not any(token["token"][17:] in line for token in (own, spent, gone) for line in said)
    lost, called, broke, revoked, unknown, bad = map(json.loads, said)
    assert (lost["event"], lost["method"], lost["status"]) == ("refused", "GET", 404)
    assert "***" in lost["path"]
    assert (called["event"], called["token"], called["tenant"]) == ("request", own["id"], "acme-eu")
    where = ("POST", "/v1/chat/completions")
    assert [(line["method"], line["path"]) for line in (broke, revoked, unknown, bad)] == [where] * 4
    assert (broke["code"], broke["token"], broke["tenant"]) == ("consumer_budget_exhausted", spent["id"], "acme-eu")
    assert (revoked["code"], revoked["token"]) == ("caller_key_revoked", gone["id"])
    assert (unknown["code"], unknown["token"], unknown["tenant"]) == ("caller_auth", None, None)
    assert bad["token"] is None
    assert all(line["time"].endswith("Z") for line in (lost, called, broke, revoked, unknown, bad))


def made(tmp_path: Path, *words: str) -> dict[str, Any]:
    return call("token", "new", "one", "--tokens", str(tmp_path / "k.db"), "--json", *words).json


def test_several_processes_say_once_what_is_wrong(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", "--processes", "2"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        url = child.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/v1/models", timeout=60, trust_env=False).status_code == 200
        child.send_signal(signal.SIGTERM)
        assert ended(child) == 128 + signal.SIGTERM
        assert child.stderr.read().count("no offer can be called") == 1


def test_a_person_is_told_what_it_waits_for(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with (
        running(Emulator(pace=Pace(0, 20))) as slow,
        subprocess.Popen(
            [sys.executable, "-m", "workbench", "serve", "--port", "0", "--emulator", slow.url],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as child,
    ):  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        url = child.stdout.readline().split()[-1]
        body = {**HELLO, "stream": True, "compact": True}
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=30, trust_env=False) as answer:
            lines = answer.iter_lines()
            next(lines)
            child.send_signal(signal.SIGTERM)
            assert "1 call under way; the same again cuts it" in child.stderr.readline()
            assert "data: [DONE]" in list(lines)
        assert ended(child) == 128 + signal.SIGTERM


@pytest.mark.parametrize("fast", [True, False])
def test_what_is_cut_is_told_so_and_recorded_as_cancelled(tmp_path: Path, fast: bool) -> None:
    from workbench.traces.opening import open_store

    place = tmp_path / "t.db"
    with (
        running(Emulator(pace=Pace(30_000, None))) as slow,
        program(tmp_path, "--emulator", slow.url, "--traces", str(place)) as (child, ready),
        ThreadPoolExecutor() as threads,
    ):
        body = {**HELLO, "tenant": "acme-eu"}
        profile = "" if fast else f"/{ready['profiles'][0]}"
        asked = threads.submit(
            httpx.post, f"{ready['url']}{profile}/v1/chat/completions", json=body, timeout=30, trust_env=False
        )
        metrics = f"{ready['url']}/metrics"
        while "inflight_requests 2.0" not in httpx.get(metrics, trust_env=False).text:
            assert not asked.done()
            time.sleep(0.02)
        time.sleep(0.2)
        for _ in range(2):
            child.send_signal(signal.SIGINT)
            time.sleep(0.3)
        assert ended(child) == 128 + signal.SIGINT
        if fast:
            assert isinstance(asked.exception(30), httpx.RemoteProtocolError)
        else:
            answer = asked.result(30)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ending")
    store = open_store(place)
    (row,) = store.rows(Filter(), now_ms=int(time.time() * 1000), limit=5)
    store.close()
    assert row.outcome == "cancelled"


@pytest.mark.parametrize("arguments", [
    ["--emulator", "http://example.com:1"], ["--emulator", "nonsense"], ["--deadline", "0"], ["--deadline", "99"],
    ["--deadline", "nan"], ["--deadline", "inf"],
    ["--processes", "0"], ["--default-max-tokens", "-1"], ["--host", "192.0.2.1"], ["--frobnicate"],
    ["--traces", "ftp://x"], ["--allow-host", "bad host/"], ["--allow-host", "example.org:80"],
])  # fmt: skip
def test_what_cannot_be_served_is_a_usage_error(tmp_path: Path, arguments: list[str]) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "serve", "--port", "0", *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "reason", "way_out"), [
    (["--emulator", "127.0.0.1:18189"], "does not begin with `http://`", "http://127.0.0.1:8089"),
    (["--emulator", "https://127.0.0.1:18189"], "an emulator is asked over `http://`", "http://127.0.0.1:8089"),
    (["--emulator", "http://192.0.2.1:1"], "is not on this machine", "http://127.0.0.1:8089"),
    (["--emulator", "http://me:geheim@127.0.0.1:1"], "carries a user name or password", "http://127.0.0.1:8089"),
    (["--host", "192.0.2.1"], "`192.0.2.1` is no address of this machine", "--host takes"),
    (["--host", "nope.invalid"], "nobody knows the host `nope.invalid`", "--host takes"),
    (["--host", f"{'a' * 70}.example"], "nobody knows the host", "--host takes"),
    (["--allow-host", "bad host/"], "`bad host/` is no host name", "llm.example.org"),
    (["--tokens", "/proc/x/y.db"], "/proc/x/y.db: no such file", "--tokens PLACE"),
])  # fmt: skip
def test_what_cannot_be_served_is_told_with_the_right_reason_and_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str, way_out: str
) -> None:
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    made(tmp_path)
    told = call("serve", "--port", "0", "--tokens", tmp_path / "k.db", "--traces", tmp_path / "t.db", *arguments)
    assert told.code in {1, 2}
    assert reason in told.err
    assert way_out in told.err
    assert "geheim" not in told.err
    assert "--port" not in told.err


def test_a_file_of_tokens_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    place = tmp_path / "none" / "k.db"
    with program(tmp_path, "--traces", str(tmp_path / "t.db"), "--tokens", str(place)) as (child, ready):
        (found,) = (finding for finding in ready["warnings"] if finding["code"] == "no_token")
        assert (found["source"], "no such file yet" in found["reason"]) == (str(place), True)
        assert not place.exists()
        del child


_SWALLOWING = """
import os, sys

class Swallowing:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["DURING"]:
            try:
                os.kill(os.getpid(), int(os.environ["NUMBER"]))
                for _ in range(1_000):  # a handler of Python's runs between two of these
                    pass
            except BaseException:
                pass

sys.meta_path.insert(0, Swallowing())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [["serve"], ["emulate"]], ids=lambda words: words[0])
def test_a_signal_is_not_lost_in_an_import_that_swallows_what_is_raised(
    tmp_path: Path, command: list[str], number: signal.Signals
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_SWALLOWING)
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path),
                   "DURING": "workbench.server", "NUMBER": str(int(number))}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *command, "--port", "0"], env=environment, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-number, b"", b"")
