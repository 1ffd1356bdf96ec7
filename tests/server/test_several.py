"""`serve --processes N` under kill -9: the port keeps answering, what was answered has its trace, nothing spins."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.faults import PINNED
from tests.server_x.endpoint import HELLO
from workbench.engine.faults import parse_faults
from workbench.server.emulator import Emulator, Running, running
from workbench.server.net.listening import bind
from workbench.server.net.several import LONGEST_PAUSE_S, STEADY_S, Change, Several, pause_s
from workbench.traces.opening import open_store


@dataclass(slots=True)
class Parent:
    """The command, and the lines that it says."""

    process: subprocess.Popen[str]
    url: str
    lines: queue.SimpleQueue[dict[str, Any]]
    alive: dict[int, None] = field(default_factory=dict[int, None])
    """The processes that serve, as the lines tell."""
    pauses: list[float] = field(default_factory=list[float])
    """Until the next start, for each death."""

    def until(self, count: int) -> list[int]:
        """Read lines until so many serve; gives who."""
        while len(self.alive) != count:
            self.hear()
        return list(self.alive)

    def hear(self) -> dict[str, Any]:
        """The next line."""
        line = self.lines.get(timeout=60)
        if line["event"] == "process_started":
            self.alive[line["pid"]] = None
        elif line["event"] == "process_ended":
            del self.alive[line["pid"]]
            self.pauses.append(line["next_in_s"])
        return line

    def kill(self, pid: int) -> None:
        """Kill one, and read on until that is told."""
        os.kill(pid, signal.SIGKILL)
        while (line := self.hear())["event"] != "process_ended":
            pass
        assert (line["pid"], line["how"]) == (pid, "signal 9")


@contextmanager
def serving(folder: Path, *words: str) -> Generator[Parent]:
    """`workbench serve --processes 2` until the block ends."""
    command = [sys.executable, "-m", "workbench", "serve", "--port", "0", "--json", "--processes", "2", *words]
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), "HOME": str(folder)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        out, lines = process.stdout, queue.SimpleQueue[dict[str, Any]]()
        ready = json.loads(out.readline())

        def read() -> None:
            for line in out:
                lines.put(json.loads(line))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield Parent(process, ready["url"], lines)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()
                reader.join(30)


class Callers:
    """Calls on connections of their own, one after another, from some threads; a call that broke is made again."""

    def __init__(self, url: str, count: int) -> None:
        self.answered: list[str] = []
        self.statuses: set[int] = set()
        self._url = url
        self._stop = threading.Event()
        self._more = threading.Condition()
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _call(self) -> None:
        body = {**HELLO, "compact": True}
        while not self._stop.is_set():
            try:
                answer = httpx.post(f"{self._url}/v1/chat/completions", json=body, timeout=60, trust_env=False)
                made = answer.json()["x_router"]["trace_id"]
            except httpx.TransportError:  # the one that had it was killed
                continue
            with self._more:
                self.statuses.add(answer.status_code)
                self.answered.append(made)
                self._more.notify_all()

    def more(self, count: int) -> None:
        """Wait for so many further answers."""
        with self._more:
            wanted = len(self.answered) + count
            assert self._more.wait_for(lambda: len(self.answered) >= wanted, 60)


def test_the_port_goes_on_answering_whoever_is_killed_and_no_trace_is_lost(emulation: Running, tmp_path: Path) -> None:
    place = tmp_path / "traces.db"
    with serving(tmp_path, "--emulator", emulation.url, "--traces", str(place)) as parent:
        with Callers(parent.url, 4) as callers:
            callers.more(20)
            for _ in range(3):  # one of the two
                parent.kill(parent.until(2)[0])
                callers.more(20)
            for pid in parent.until(2):  # and both: what comes meanwhile waits at the socket
                parent.kill(pid)
            callers.more(20)
        assert callers.statuses == {200}
    store = open_store(place)
    try:
        kept = {row.trace_id for row in store.rows(now_ms=round(time.time() * 1000), limit=100_000)}
    finally:
        store.close()
    assert len(set(callers.answered)) == len(callers.answered) >= 100
    assert set(callers.answered) <= kept


def test_one_that_dies_at_once_again_and_again_is_waited_for_longer(emulation: Running, tmp_path: Path) -> None:
    with serving(tmp_path, "--emulator", emulation.url, "--traces", str(tmp_path / "t.db")) as parent:
        stays, dies = parent.until(2)
        for _ in range(3):
            parent.kill(dies)
            (dies,) = set(parent.until(2)) - {stays}
        assert parent.pauses == [0.5, 1.0, 2.0]
        assert stays in parent.alive
        answer = httpx.post(f"{parent.url}/v1/chat/completions", json={**HELLO, "compact": True}, timeout=60)
        assert answer.status_code == 200


def test_a_second_signal_cuts_what_is_under_way(tmp_path: Path) -> None:
    asked = threading.Event()
    deaf = Emulator(faults=parse_faults(["openai=hang"]), heard=lambda _: asked.set())
    with (
        running(deaf) as emulation,
        serving(tmp_path, "--emulator", emulation.url, "--traces", str(tmp_path / "t.db")) as parent,
    ):
        caller = threading.Thread(target=_hang, args=(parent.url,))
        caller.start()
        assert asked.wait(60)
        parent.process.send_signal(signal.SIGTERM)
        parent.process.send_signal(signal.SIGINT)  # another one: two alike may become one on their way
        assert parent.process.wait(30) in (128 + signal.SIGTERM, 128 + signal.SIGINT)  # whichever was heard first
        caller.join(30)


def _hang(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{url}/v1/chat/completions", json={**HELLO, "model": PINNED}, timeout=60, trust_env=False)


def test_what_can_never_start_is_tried_ever_more_seldom_and_ends_when_asked() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGCHLD)
    changes: list[Change] = []

    def told(change: Change) -> None:
        changes.append(change)
        if len(changes) == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with bind("127.0.0.1", 0) as bound:
        ended = Several(bound, ["serve", "--no-such-option"], 1, told).run(lambda: None)
    assert ended == signal.SIGTERM
    assert [change.ended for change in changes] == [None, "exit code 2", None, "exit code 2"]
    assert [change.pause_s for change in changes if change.ended] == [0.5, 1.0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGCHLD)) == before


def test_a_host_without_room_for_a_process_is_a_death_like_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/there/is/no/such/program")
    changes: list[Change] = []

    def told(change: Change) -> None:
        changes.append(change)
        os.kill(os.getpid(), signal.SIGINT)

    with bind("127.0.0.1", 0) as bound:
        assert Several(bound, [], 3, told).run(lambda: None) == signal.SIGINT
    assert [(change.pid, change.ended) for change in changes] == [(None, "no such file or directory")]


def test_the_waiting_has_a_law() -> None:
    waits = [pause_s(early) for early in range(2_000)]
    assert waits[:8] == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE_S]
    assert set(waits[7:]) == {LONGEST_PAUSE_S}
    assert STEADY_S > 0
