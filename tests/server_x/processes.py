"""Real `workbench serve` processes, and calls to them from threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Child:
    """One process that serves."""

    process: subprocess.Popen[str]
    url: str
    ready: dict[str, Any]


@contextmanager
def child(*words: str | Path, cwd: Path = ROOT, **variables: str) -> Generator[Child]:
    """`workbench serve --port 0 --json ...` until the block ends."""
    command = [sys.executable, "-m", "workbench", "serve", "--port", "0", "--json", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        ready = json.loads(line)
        drain.start()
        yield Child(process, ready["url"], ready)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if drain.is_alive():
            drain.join(5)
        process.stdout.close()
        process.stderr.close()


@dataclass(slots=True)
class Load:
    """Callers that go on until they are told to stop; what was answered, and what broke."""

    urls: list[str]
    token: str
    answered: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refused: list[int] = field(default_factory=list[int])
    broken: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    enough: threading.Condition = field(default_factory=threading.Condition)

    def work(self, number: int) -> None:
        """One caller: each call goes to the next process."""
        body = {"compact": True, "messages": [{"role": "user", "content": f"caller {number}"}]}
        headers = {"authorization": f"Bearer {self.token}"}
        with ExitStack() as stack:
            clients = [
                stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False))
                for url in self.urls
            ]
            turn = number
            while not self.stop.is_set():
                turn += 1
                self._one(clients[turn % len(clients)], body)

    def _one(self, client: httpx.Client, body: dict[str, Any]) -> None:
        try:
            answer = client.post("/v1/chat/completions", json=body)
            found = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError):
            found = None
            with self.enough:
                self.broken += 1
            return
        with self.enough:
            if found is None:
                self.refused.append(answer.status_code)
            else:
                self.answered.append(found["x_router"])
            self.enough.notify_all()

    def until(self, count: int) -> None:
        """Wait for so many answers in all."""
        with self.enough:
            assert self.enough.wait_for(lambda: len(self.answered) >= count, 60)


@contextmanager
def load(urls: list[str], token: str, callers: int) -> Generator[Load]:
    """Callers at work while the block runs."""
    made = Load(urls, token)
    threads = [threading.Thread(target=made.work, args=(number,), daemon=True) for number in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stop.set()
        for thread in threads:
            thread.join(40)
