"""Our own commands as child processes: they say where they are, and none outlives its parent."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from workbench.session.calls.children import process as child_process
from workbench.session.calls.children.emulator import EmulatorChild
from workbench.session.calls.children.process import ChildFailed
from workbench.session.workspace import sample_root

PARENT = """
import asyncio, sys
from pathlib import Path
from workbench.session.calls.children.emulator import EmulatorChild

async def main():
    child = await EmulatorChild.start(Path(sys.argv[1]))
    print(child.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_says_where_it_is_and_ends_when_asked() -> None:
    child = await EmulatorChild.start(sample_root(), ["openai=rate_limit"])
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{child.url}/emulator/faults")
        assert "openai=rate_limit" in answer.text
    finally:
        await child.stop()
    assert not child.running


async def test_a_command_that_refuses_is_told_with_its_reasons() -> None:
    with pytest.raises(ChildFailed) as refused:
        await EmulatorChild.start(sample_root(), ["opnai=rate_limit"])
    assert any("opnai" in finding.reason for finding in refused.value.findings)


async def test_what_ends_at_once_is_said() -> None:
    with pytest.raises(ChildFailed, match="can't be started"):
        await child_process.start("version", ["--version"])


def test_a_child_is_gone_when_its_parent_was_killed() -> None:
    words = [sys.executable, "-c", PARENT, str(sample_root())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        watched = os.pidfd_open(pid)
        try:
            parent.kill()
            assert select.select([watched], [], [], 30)[0], "the child lives on"
        finally:
            os.close(watched)


def test_the_processes_of_an_endpoint_are_gone_when_the_first_was_killed(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "workbench", "serve", "--processes", "2", "--port", "0", "--json",
             "--traces", str(tmp_path / "t.db"), "--workspace", str(sample_root())]  # fmt: skip
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        json.loads(parent.stdout.readline())
        children = children_of(parent.pid)
        assert len(children) == 2
        watched = [os.pidfd_open(pid) for pid in children]
        parent.send_signal(signal.SIGKILL)
        for each in watched:
            assert select.select([each], [], [], 30)[0], "a child lives on"
            os.close(each)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
