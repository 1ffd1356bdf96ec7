"""What is said in a call of a `no_log` tenant is in no file, in no form, however its provider fails; nor is any key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.calls.places import KEY, LOUD, QUIET, world, write_workspace
from tests.cli.command import call as here
from tests.gateway.faults import CASES, Fault
from tests.gateway.server import FaultServer, serving
from tests.gateway.wire import WORD, answered
from tests.traces.test_no_log import forms, readings
from workbench.session.calls.caller import Caller
from workbench.session.calls.question import Question

PROMPT, SYSTEM = "CANARY-PROMPT-9d1f", "CANARY-SYSTEM-55ce"
_ALL = [(fault, mode) for fault, mode in CASES if not fault.silent and fault.kind == "openai_compatible"]
MATRIX = _ALL if os.environ.get("WORKBENCH_SOAK") == "1" else _ALL[::4]
"""Ways to fail of the protocol that most speak, but for those that only a clock ends; every one in a long run."""
SECRETS = {"prompt": PROMPT, "system": SYSTEM, "answer or message": WORD, "key": KEY}


def found(folder: Path) -> set[str]:
    """Which secrets are in a file below `folder`, in any form."""
    seen: set[str] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            for data in readings(path.read_bytes()):
                seen |= {name for name, text in SECRETS.items() if any(form in data for form in forms(text).values())}
    return seen


async def sung(folder: Path, tenant: str) -> int:
    """One call for each row of the matrix, plain and streamed; gives how many."""
    plan = "on rate_limit: next, open breaker 0 s; otherwise: next"
    async with serving(b"", b"") as servers:
        bad, good = servers
        workspace, caller = world(folder, [server.url for server in servers], plan=plan)
        for fault, mode in MATRIX:
            await one(caller, bad, good, fault, mode, tenant, workspace.state)
        assert caller.traces.recorder().lost == 0
        caller.health().reset()
        caller.traces.close()
    return len(MATRIX)


async def one(
    caller: Caller, bad: FaultServer, good: FaultServer, fault: Fault, mode: str, tenant: str, state: object
) -> None:
    """One row."""
    bad.script, good.script = fault.script, answered(mode == "stream")
    caller.health().reset()
    asked = Question(PROMPT, system=SYSTEM, stream=mode == "stream")
    called = await caller.run(caller.prepare(state, tenant, asked))  # type: ignore[arg-type]
    assert called.lost == 0


async def test_no_word_of_no_log_and_no_key_is_in_any_file(tmp_path: Path) -> None:
    assert await sung(tmp_path / "quiet", QUIET) == len(MATRIX) > 15
    assert found(tmp_path / "quiet") == set()


async def test_the_same_scanner_finds_what_may_be_kept(tmp_path: Path) -> None:
    await sung(tmp_path / "loud", LOUD)
    assert found(tmp_path / "loud") == {"prompt", "system", "answer or message"}, "the control; and never a key"


@pytest.fixture
def crashing() -> Iterator[None]:
    async def crashes(*_words: object, **_named: object) -> None:
        secret = PROMPT + KEY
        raise RuntimeError(secret)

    with mock.patch("workbench.session.calls.caller.Caller.run", crashes):
        yield


@pytest.mark.usefixtures("crashing")
def test_a_crash_tells_neither_prompt_nor_key(tmp_path: Path) -> None:
    write_workspace(tmp_path / "space", ["http://127.0.0.1:1"])
    changes = {"XDG_STATE_HOME": str(tmp_path / "state"), "P0_API_KEY": KEY}
    with mock.patch.dict(os.environ, changes):
        done = here("call", LOUD, PROMPT, "--yes", "-C", str(tmp_path / "space"), "--traces", str(tmp_path / "t.db"))
    assert done.code == 5
    assert "internal error" in done.err
    assert list((tmp_path / "state").rglob("internal-*.txt")), "a report was written"
    assert PROMPT not in done.out + done.err
    assert found(tmp_path) == set()
