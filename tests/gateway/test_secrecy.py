"""What is written down around a call: logs at their loudest, exceptions, and which modules load what."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys

import pytest

from tests.gateway.calls import KEY, PATIENT, PROMPT, call, candidate, cascade, transport
from tests.gateway.faults import CASES, Fault, Mode
from tests.gateway.server import serving
from tests.gateway.wire import WORD, answered

LOUD = [(fault, mode) for fault, mode in CASES if not fault.silent]


@pytest.mark.parametrize("mode", ["plain", "stream"])
async def test_the_loudest_log_holds_no_secret(mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    """httpx and httpcore log; what they log has neither key nor prompt nor answer in it."""
    caplog.set_level(logging.DEBUG)
    faults = [fault for fault, each in LOUD if each == mode][::4]
    async with transport() as wire:
        for fault in faults:
            await once(wire, fault, mode)
    written = "\n".join(f"{record.name} {record.getMessage()} {record.exc_info}" for record in caplog.records)
    assert "httpcore" in written, "the control: something is logged at all"
    for secret in (KEY, PROMPT, WORD):
        assert secret not in written


async def once(wire: object, fault: Fault, mode: Mode) -> None:
    async with transport() as fresh, serving(fault.script, answered(mode == "stream")) as (bad, good):
        down = cascade([candidate(0, bad.url, fault.kind), candidate(1, good.url)])
        await call(fresh, down, stream=mode == "stream", no_log=True, deadline_ms=20_000, limits=PATIENT)


async def test_no_exception_with_the_request_in_it_survives() -> None:
    """An exception of httpx carries the request, body and key included; none is kept alive by an answer."""
    async with transport() as wire, serving(b"") as (bad,):
        made = await call(wire, cascade([candidate(0, bad.url)]), limits=PATIENT, deadline_ms=20_000)
    gc.collect()
    reached: list[object] = [made.answer, made.recorder, made.events]
    seen: set[int] = set()
    while reached:
        found = reached.pop()
        if id(found) in seen or isinstance(found, type):
            continue
        seen.add(id(found))
        assert not isinstance(found, BaseException)
        reached += [each for each in gc.get_referents(found) if not isinstance(each, type)]
    assert len(seen) > 20


LIGHT = ("codecs", "classify", "dotenv", "error_body", "events", "keys", "limits", "records")
LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module("workbench.gateway." + name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_only_what_makes_calls_loads_the_client() -> None:
    """A screen or a command may name keys, records and wire formats without paying for the network."""
    done = subprocess.run([sys.executable, "-c", LOADED, json.dumps(LIGHT)], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & {"httpx", "httpcore", "anyio", "ssl", "certifi", "textual", "click"}
