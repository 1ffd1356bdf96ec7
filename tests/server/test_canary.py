"""What a `no_log` tenant's served calls say is nowhere, though the process is killed; what another's say is (R15)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.faults import WEATHER, Faults
from tests.traces.test_no_log import forms, readings
from workbench.engine.faults import FAULTS
from workbench.server.emulator import Running

SLOW = frozenset(("timeout", "hang", "keepalive", "drip", "huge", "huge_error", "slow", "first_token", "stall_after"))
"""Faults that take as long as the deadline, or megabytes."""
SUNG = {place: f'Kanárie "{place}" zpívá {number}b7e1f' for number, place in enumerate(("system", "user", "tool"))}
QUIET, LOUD = "corvane-bank", "ladle-free"
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": SUNG["system"]},
    {"role": "user", "content": SUNG["user"]},
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "weather", "arguments": json.dumps({"q": SUNG["tool"]})}}
    ]},
    {"role": "tool", "tool_call_id": "c", "content": SUNG["tool"]},
]  # fmt: skip


class Child:
    """`workbench serve` as people run it, everything that it writes below one folder."""

    def __init__(self, folder: Path, emulator: str) -> None:
        self.folder = folder
        words = [sys.executable, "-m", "workbench", "serve", "--port", "0", "--json", "--emulator", emulator]
        homes = {
            name: str(folder) for name in ("HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
        }
        debug = {"PYTHONASYNCIODEBUG": "1", "HTTPX_LOG_LEVEL": "debug", "PYTHONDONTWRITEBYTECODE": "1"}
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [*words, "--traces", str(folder / "t.db")], stdout=out, stderr=err, env={**os.environ, **homes, **debug}
            )
        latest = time.monotonic() + 60
        while not (first := (folder / "out").read_bytes().partition(b"\n"))[1]:
            assert time.monotonic() < latest
            assert self.process.poll() is None
            time.sleep(0.02)
        self.client = httpx.Client(base_url=json.loads(first[0])["url"], timeout=60, trust_env=False)

    def sing(self, tenant: str, **more: Any) -> None:
        """One call."""
        body = {"tenant": tenant, "messages": MESSAGES, "tools": WEATHER, "compact": True, "session": "s", **more}
        self.client.post("/v1/chat/completions", json=body)

    def crash(self) -> None:
        """Kill it in the midst."""
        self.client.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def child(emulation: Running, tmp_path: Path) -> Iterator[Child]:
    made = Child(tmp_path, emulation.url)
    yield made
    made.crash()


def found(folder: Path) -> set[str]:
    """The canaries that are in a file below a folder, in any form."""
    held: set[str] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            for data in readings(path.read_bytes()):
                held |= {place for place, text in SUNG.items() if any(form in data for form in forms(text).values())}
    return held


def test_nothing_of_a_quiet_tenants_calls_is_anywhere(child: Child, emulation: Running) -> None:
    """Each fault, plain and streamed; then what is refused, and what a caller breaks off; then kill -9."""
    faults = Faults(emulation)
    try:
        for name in (None, *(name for name in FAULTS if name not in SLOW)):
            if name is not None:
                faults.play(f"*={name}")
            child.sing(QUIET, stream=False)
            child.sing(QUIET, stream=True)
    finally:
        faults.none()
    child.sing(QUIET, temprature=1)
    child.sing("corvane-bnak")
    child.sing(QUIET, policy_ir=["policy", SUNG["user"]])
    child.client.post("/v1/responses", json={"tenant": QUIET, "input": SUNG["user"], "instructions": SUNG["system"]})
    child.client.post("/x/explain", json={"tenant": QUIET, "offer": SUNG["user"]})
    child.client.post("/v1/chat/completions", content=json.dumps({"messages": MESSAGES})[:-9].encode())
    child.crash()
    assert found(child.folder) == set()
    assert (child.folder / "t.db").stat().st_size > 50_000, "and yet they were recorded"


def test_what_another_tenant_says_is_found(child: Child) -> None:
    """The scan sees what there is to see."""
    child.sing(LOUD)
    time.sleep(0.3)
    child.crash()
    assert found(child.folder) == set(SUNG)
