"""The canary: what a `no_log` tenant's calls say is in no file of the store, in no form; what others say is."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.traces.test_store import ROOT
from tests.traces.worlds import LOGGING, NOON, QUIET, case
from workbench.engine.fallback import Finished
from workbench.traces.opening import open_store
from workbench.traces.parts.words import KINDS
from workbench.traces.record import Exchange, Usage
from workbench.traces.recorder import Recorder
from workbench.traces.store import TraceStore

PLACES = ("system", "user", "tool", "answer", "message", "detail", "requirement", "state", "scope")
CANARIES = {place: f'Kanárie "{place}" zpívá 7f3a{number}c' for number, place in enumerate(PLACES)}
"""One for each place that text of a caller or a provider can come from; quotes and accents change when escaped."""


def forms(text: str) -> dict[str, bytes]:
    """What a text can look like in a file; gzip is undone by the scanner."""
    raw = text.encode()
    return {
        "raw": raw,
        "folded": text.casefold().encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "json, not ascii": json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        "url": urllib.parse.quote(text).encode(),
        "utf-16": text.encode("utf-16-le"),
        **{f"base64 at {n}": base64.b64encode(b"\0" * n + raw)[4 : -4 - (n > 0) * 4] for n in range(3)},
    }


def readings(data: bytes) -> Iterator[bytes]:
    """A file as it is, and every compressed stream in it, unpacked as far as it goes."""
    yield data
    heads = [b"\x1f\x8b\x08", *(bytes((0x78, level)) for level in (0x01, 0x5E, 0x9C, 0xDA))]
    for head in heads:
        at = data.find(head)
        while at >= 0:
            reader = zlib.decompressobj(47)
            found = b""
            with contextlib.suppress(zlib.error):
                found = reader.decompress(data[at : at + 400_000], 4_000_000)
            if len(found) > 20:
                yield found
            at = data.find(head, at + 1)


def hits(folder: Path) -> set[tuple[str, str]]:
    """The places whose canary is in a file below `folder`, each with the form it has there."""
    found: set[tuple[str, str]] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            for data in readings(path.read_bytes()):
                found |= {
                    (p, name) for p, text in CANARIES.items() for name, form in forms(text).items() if form in data
                }
    return found


def sing(store: TraceStore, tenant: str, first: int) -> None:
    """Calls of every kind of failure, well and badly ended, with a canary everywhere that text can be."""
    said = CANARIES
    request: dict[str, Any] = {
        "requirements": {"needs": [said["requirement"]], "privacy": said["requirement"], "min_context": 1000},
        "scope": said["scope"],
    }
    state = {"ema": {said["state"]: {"tok_s": 1.0}}, "disabled": {said["state"]: {"why": said["state"]}}}
    made = case(tenant, request, state=state)
    index = made.decision.order[0]
    recorder = Recorder(store)
    for number, kind in enumerate((*KINDS, None), first):
        going = recorder.start(made.record(number))
        going.before(index, 1, NOON)
        facts = {"detail": f"embedded:{said['detail']}", "first_token_ms": 3.0, said["detail"]: said["detail"]}
        told: dict[str, Any] = {"kind": kind, "message": said["message"], "facts": facts}
        going.after(kind, 400, 40.0, NOON)
        ended: Finished = made.call([told, {}])
        asked = {"messages": [{"role": role, "content": said[role]} for role in ("system", "user", "tool")]}
        going.end(ended, usage=Usage(5.0, 6.0), exchange=Exchange(asked, {"content": said["answer"]}))
    assert recorder.lost == 0, recorder.last_error


TEXT_OF_A_CALL = {"system", "user", "tool", "answer", "message", "detail"}


@pytest.mark.parametrize("closed", [False, True], ids=["while open", "after closing"])
def test_the_canary_is_nowhere_for_no_log_and_everywhere_for_others(tmp_path: Path, closed: bool) -> None:
    loud, quiet = (open_store(tmp_path / name / "traces.db") for name in ("loud", "quiet"))
    sing(loud, LOGGING, 0)
    sing(quiet, QUIET, 0)
    for name, store in (("loud", loud), ("quiet", quiet)):
        exported = "\n".join(json.dumps(each) for each in store.documents(now_ms=NOON))
        (tmp_path / name / "export.jsonl").write_text(exported)
        (tmp_path / name / "export.gz").write_bytes(gzip.compress(exported.encode()))
        if closed:
            store.close()
    assert {place for place, _ in hits(tmp_path / "loud")} >= TEXT_OF_A_CALL, "the scanner would not see a leak"
    assert hits(tmp_path / "quiet") == set()
    if not closed:
        loud.close()
        quiet.close()


def test_a_store_for_both_keeps_the_text_of_one(tmp_path: Path) -> None:
    store = open_store(tmp_path / "traces.db")
    sing(store, QUIET, 0)
    assert hits(tmp_path) == set()
    sing(store, LOGGING, 100)
    assert hits(tmp_path)
    store.close()


KILLED = """
import os, signal, sys
from tests.traces.test_no_log import sing
from workbench.traces.opening import open_store
sing(open_store(sys.argv[1]), sys.argv[2], 0)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("tenant", [LOGGING, QUIET])
def test_kill_9_leaves_no_text_of_no_log_behind(tmp_path: Path, tenant: str) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "traces.db"), tenant]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "traces.db-wal").stat().st_size > 0
    assert bool(hits(tmp_path)) == (tenant == LOGGING)


def test_a_flip_in_mid_request_keeps_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "traces.db")
    made = case(LOGGING)
    going = Recorder(store).start(made.record(1))
    going.before(made.decision.order[0], 1, NOON)
    told = {"kind": "server_error", "message": CANARIES["message"]}
    going.end(made.call([told, {}]), exchange=Exchange(CANARIES["user"], CANARIES["answer"]), no_log=True)
    assert hits(tmp_path) == set()
    assert store.rows(now_ms=NOON)[0].no_log, "the list says what was kept"
    store.close()


@pytest.mark.parametrize("form", list(forms("x" * 20)))
def test_the_scanner_sees_every_form(tmp_path: Path, form: str) -> None:
    hidden = os.urandom(500) + forms(CANARIES["user"])[form] + os.urandom(500)
    (tmp_path / "plain").write_bytes(hidden)
    assert "user" in {place for place, _ in hits(tmp_path)}
    (tmp_path / "plain").write_bytes(os.urandom(100) + gzip.compress(hidden) + os.urandom(100))
    assert "user" in {place for place, _ in hits(tmp_path)}
