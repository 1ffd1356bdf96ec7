"""Files that break while it serves: said in a line, shown by `/healthz` to those who may know, taken back when good."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_x.endpoint import HELLO, served
from workbench.server.callers.gate import Settings
from workbench.server.emulator import Running
from workbench.server.net import reloading
from workbench.server.net.reloading import Reloader
from workbench.server.net.telling import Reloaded
from workbench.session.workspace import sample_root

BROKEN = "this is = = no TOML"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the sample that a test may spoil."""
    return shutil.copytree(sample_root(), tmp_path / "workspace")


@contextmanager
def program(root: Path, *words: str) -> Generator[subprocess.Popen[str]]:
    """`workbench serve` of that workspace until the block ends."""
    environment = {**os.environ, "XDG_STATE_HOME": str(root.parent), "HOME": str(root.parent)}
    command = [sys.executable, "-m", "workbench", "serve", "--port", "0", "-C", str(root), "--traces"]
    with subprocess.Popen(
        [*command, str(root.parent / "t.db"), *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as made:  # fmt: skip
        try:
            yield made
        finally:
            made.send_signal(signal.SIGTERM)
            try:
                made.communicate(timeout=30)
            finally:
                made.kill()


def test_a_program_hears_what_became_of_each_change(emulation: Running, root: Path) -> None:
    with program(root, "--json", "--emulator", emulation.url) as made:
        assert made.stdout is not None
        out = made.stdout
        url = json.loads(out.readline())["url"]
        rules = root / "rulebook.toml"
        good = rules.read_text()
        rules.write_text(BROKEN)
        line = json.loads(out.readline())
        assert (line["schema"], line["event"], line["taken"], line["initialized"]) == (1, "reloaded", False, True)
        (finding,) = line["findings"]
        assert (finding["source"], finding["line"]) == ("rulebook.toml", 1)
        assert "`=`" in finding["reason"]
        known = httpx.get(f"{url}/healthz", trust_env=False).json()
        assert (known["ok"], known["initialized"], known["up_to_date"]) == (True, True, False)
        assert known["faults"] == [
            {"file": "rulebook.toml", "line": 1, "path": finding["path"], "reason": finding["reason"]}
        ]
        assert httpx.post(f"{url}/v1/chat/completions", json=HELLO, timeout=60, trust_env=False).status_code == 200
        assert json.loads(out.readline())["event"] == "request"
        rules.write_text(good)
        line = json.loads(out.readline())
        assert (line["taken"], line["findings"]) == (True, [])
        assert httpx.get(f"{url}/healthz", trust_env=False).json() == {"ok": True, "initialized": True}


@pytest.mark.parametrize("words", [[], ["--quiet"]])
def test_a_person_reads_it_with_file_reason_and_what_is_served(root: Path, words: list[str]) -> None:
    with program(root, *words) as made:
        assert made.stdout is not None
        assert made.stderr is not None
        while "traces" not in made.stdout.readline():
            pass
        (root / "tenants" / "acme-eu.toml").write_text(BROKEN)
        while "taken up but for what is wrong" not in made.stderr.readline():
            pass
        said = made.stderr.readline()
        assert "acme-eu.toml:1" in said
        assert "`=`" in said


def test_several_processes_tell_on_stderr_who_they_are(root: Path) -> None:
    with program(root, "--processes", "2", "--json") as made:
        assert made.stdout is not None
        assert made.stderr is not None
        lines = [json.loads(made.stdout.readline()) for _ in range(3)]
        wanted = {line["pid"] for line in lines if line["event"] == "process_started"}
        told, text = set[int](), ""
        for number in range(20):  # one that was not up yet finds it as it starts, and hears of the next
            (root / "rulebook.toml").write_text(f"{BROKEN} {number}")
            while wanted - told and select.select([made.stderr], [], [], 4)[0]:
                text += os.read(made.stderr.fileno(), 65_536).decode()
                told = {int(found) for found in re.findall(r"^process (\d+): the workspace", text, re.MULTILINE)}
            if told == wanted:
                break
        assert told == wanted, text


def test_what_is_wrong_in_files_is_for_callers_of_every_tenant(emulation: Running, root: Path) -> None:
    with served(root.parent, emulation.url, root=root, settings=Settings(required=True)) as endpoint:
        every, one = endpoint.token("every"), endpoint.token("one", tenants=("acme-eu",))
        (root / "tenants" / "halvorsen.toml").write_text(BROKEN)
        endpoint.tell(lambda process: process.reload())
        bare = {"ok": True, "initialized": True, "up_to_date": False}
        for token in ("", one, "wrong"):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            assert endpoint.get("/healthz", **headers).json() == bare
        known = endpoint.get("/healthz", authorization=f"Bearer {every}").json()
        assert [fault["file"] for fault in known["faults"]] == ["tenants/halvorsen.toml"]
        assert str(root) not in json.dumps(known)


async def test_what_changes_before_the_looking_begins_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK_S", 0.001)
    files, loop, reloaded = [0], asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        loop.call_soon_threadsafe(reloaded.set)

    reloader = Reloader(lambda: (("file", files[0], 0, 0),), told)
    files[0] = 1
    await reloader.start()
    await asyncio.wait_for(reloaded.wait(), 30)
    await reloader.stop()


async def test_a_reload_that_raises_does_not_end_the_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "LOOK_S", 0.001)
    looks, reloads, twice = list[int](), list[int](), asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> Any:  # other files after the first look, and after each reload
        looks.append(1)
        return (("file", (len(looks) > 1) + len(reloads), 0, 0),)

    def reload() -> None:
        reloads.append(1)
        if len(reloads) > 1:
            loop.call_soon_threadsafe(twice.set)
        raise RuntimeError("a mistake of ours")

    reloader = Reloader(look, reload)
    await reloader.start()
    await asyncio.wait_for(twice.wait(), 30)
    await reloader.stop()


def test_each_outcome_has_its_sentence() -> None:
    assert len({Reloaded(taken, begun, ()).sentences()[0] for taken in (True, False) for begun in (True, False)}) == 1
    assert not Reloaded(True, True, ()).wrong
