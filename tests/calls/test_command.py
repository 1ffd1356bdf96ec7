"""`workbench call` and `workbench health` as a person and a program use them: processes, terminals, signals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from tests.calls.places import KEY, LOUD, QUIET, keys, write_workspace
from tests.calls.provider import providing
from tests.cli.command import COMMAND, ROOT, Ran, environment
from tests.cli.command import call as here
from tests.gateway.server import Io
from tests.gateway.wire import DONE, data, error, finish, stream, text
from workbench.traces.listing import Filter
from workbench.traces.opening import open_store
from workbench.traces.parts.words import INTERRUPTED

USAGE = data({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}})
GOOD = stream(text("héllo \x1b[31m"), text("wörld"), finish(), USAGE, DONE, length=True)
BUSY = error(429, f"slow down {KEY}", "rate_limit_exceeded")


def call(root: Path, *words: str, stdin: str = "", with_keys: int = 3) -> Ran:
    """`workbench call` on the workspace below `root`, its state and traces there too."""
    traces = str(root / "traces.db")
    with mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(root / "state"), **keys(with_keys)}):
        return here("call", "-C", str(root / "space"), "--traces", traces, *words, stdin=stdin)


def other(root: Path, *words: str) -> Ran:
    """Another command of the same user."""
    with mock.patch.dict(os.environ, {"XDG_STATE_HOME": str(root / "state")}):
        return here(*words)


def test_the_answer_alone_goes_to_stdout(tmp_path: Path) -> None:
    with providing(BUSY, GOOD) as servers:
        write_workspace(tmp_path / "space", [server.url for server in servers])
        done = call(tmp_path, LOUD, "-", "--yes", stdin="from stdin")
        assert b"from stdin" in servers[1].received[0].body
    assert done.code == 0
    assert done.out == "héllo ␛[31mwörld\n"
    said = done.err
    for words in ("p0", "served-0", "eu", "at most", "rate_limit (rate, HTTP 429)", "answered after 2 attempts",
                  "10 in, 20 out", "$0.00008, computed", "first token", "trace"):  # fmt: skip
        assert words in said, words
    assert KEY not in said
    assert "***" in said


def test_json_is_one_document_with_all_of_it(tmp_path: Path) -> None:
    with providing(BUSY, GOOD) as servers:
        write_workspace(tmp_path / "space", [server.url for server in servers])
        done = call(tmp_path, LOUD, "hi", "--yes", "--json", "--max-tokens", "10")
    assert (done.code, done.err) == (0, "")
    told = done.json
    assert told["quote"]["max_cost_usd"] > told["quote"]["first"]["max_cost_usd"] > 0
    assert [each["error_kind"] for each in told["attempts"]] == ["rate_limit", None]
    assert told["attempts"][0]["action"] == "next_candidate"
    assert [step["event"] for step in told["decision_path"]] == ["attempted", "attempted"]
    assert told["answer"]["text"] == "héllo \x1b[31mwörld"
    assert (told["cost_usd"], told["cost_basis"]) == (0.00008, "computed")
    assert told["chosen"]["offer"] == "p1/served-1"
    assert told["trace_lost"] == 0
    assert KEY not in done.out
    assert "\x1b" not in done.out
    shown = other(tmp_path, "traces", "show", told["trace_id"], "--traces", str(tmp_path / "traces.db"), "--json")
    assert told["trace_id"] in shown.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--yes agrees beforehand"),
        (("--yes", "--max-cost", "0.000001"), 1, "--max-cost is"),
        (("--yes", "--emulator", "http://10.0.0.1:80"), 2, "emulate"),
        (("--yes", "--temperature", "9"), 2, "temperature"),
        (("--yes", "--max-tokens", "0"), 2, "max_tokens"),
        (("--yes", "--timeout", "0"), 2, "deadline_ms"),
        (("--yes", "--tools", "missing.json"), 2, "missing.json"),
        (("--yes", "--with", "nobody-such"), 2, "nobody-such"),
        (("--yes", "--with", "quite"), 2, "did you mean `quiet`"),
        (("--yes", "--send-key", "X=y"), 2, "not held"),
    ],
)  # fmt: skip
def test_nothing_is_sent_where_something_is_off(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:  # fmt: skip
    with providing(GOOD) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        done = call(tmp_path, LOUD, "hi", *words)
        assert not server.received
    assert done.code == code, done.err
    assert said in done.err
    assert not (tmp_path / "traces.db").exists()


def test_an_unknown_cost_needs_more_than_a_yes(tmp_path: Path) -> None:
    from tests.calls.places import offer

    row = {key: value for key, value in offer(0).items() if key != "price_out"}
    with providing(GOOD) as (server,):
        write_workspace(tmp_path / "space", [server.url], offers=[row])
        for words, code in ((("--yes",), 2), (("--yes", "--unknown-cost", "--max-cost", "1"), 1)):
            done = call(tmp_path, LOUD, "hi", *words)
            assert (done.code, len(server.received)) == (code, 0)
            assert "unknown" in done.err
        assert call(tmp_path, LOUD, "hi", "--yes", "--unknown-cost").code == 0
        assert len(server.received) == 1


def test_missing_keys_name_their_variables(tmp_path: Path) -> None:
    with providing(GOOD, GOOD) as servers:
        write_workspace(tmp_path / "space", [server.url for server in servers])
        done = call(tmp_path, LOUD, "hi", "--yes", with_keys=0)
        assert done.code == 4
        assert "P0_API_KEY is not set: the first" in done.err
        assert "P1_API_KEY is not set: a fallback" in done.err
        (tmp_path / "space" / ".env").write_text(f"P1_API_KEY={KEY}\n")
        half = call(tmp_path, LOUD, "hi", "--yes", with_keys=0)
        assert half.code == 0
        assert "P0_API_KEY is not set: the first" in half.err
        assert [len(server.received) for server in servers] == [0, 1]


def test_nobody_and_no_answer_have_codes_of_their_own(tmp_path: Path) -> None:
    write_workspace(tmp_path / "space", ["http://127.0.0.1:1"], filters=["price_in < 0.5"])
    nobody = call(tmp_path, LOUD, "hi")
    assert nobody.code == 3
    assert "price_in < 0.5" in nobody.out
    told = call(tmp_path, LOUD, "hi", "--json").json
    assert told["outcome"] == "no_candidates"
    assert told["rejected"][0]["rules"][0]["observed"]
    with providing(BUSY) as (server,):
        write_workspace(tmp_path / "b" / "space", [server.url])
        failed = call(tmp_path / "b", LOUD, "hi", "--yes")
    assert failed.code == 4
    assert "no answer: exhausted: rate_limit after 1 attempt" in failed.err
    assert failed.out == ""


def test_where_the_filter_leaves_out_who_is_out_it_says_when_they_are_back(tmp_path: Path) -> None:
    plan = "on rate_limit: next, open breaker 60 s; otherwise: next"
    with providing(BUSY) as (server,):
        write_workspace(tmp_path / "space", [server.url], plan=plan, filters=["not breaker_open"])
        assert call(tmp_path, LOUD, "hi", "--yes").code == 4
    held = call(tmp_path, LOUD, "hi")
    assert held.code == 3
    assert "the first is back in" in held.err
    told = call(tmp_path, LOUD, "hi", "--json").json
    assert told["recovery"][0]["provider"] == "p0"
    assert 0 < told["recovery"][0]["retry_after_ms"] <= 60_000


def test_two_tenants_side_by_side(tmp_path: Path) -> None:
    with providing(GOOD) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        done = call(tmp_path, LOUD, "hi", "--yes", "--with", QUIET)
        told = call(tmp_path, LOUD, "hi", "--yes", "--with", QUIET, "--json").json
        assert len(server.received) == 4
    assert done.code == 0
    assert done.out.splitlines()[0].split() == [LOUD, QUIET]
    assert [each["no_log"] for each in told["calls"]] == [False, True]


def test_curl_sends_nothing_and_names_the_variable(tmp_path: Path) -> None:
    with providing(GOOD) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        done = call(tmp_path, LOUD, "it's", "--curl")
        assert not server.received
        assert done.code == 0
        assert KEY not in done.out
        shell = subprocess.run(["sh", "-c", done.out.replace("curl ", "printf '%s\\n' ", 1)], capture_output=True, env={"P0_API_KEY": "v"}, check=True)  # fmt: skip  # noqa: E501
        assert b"authorization: Bearer v" in shell.stdout
        sent = json.loads(shell.stdout.decode().splitlines()[-1])
        assert sent["messages"] == [{"role": "user", "content": "it's"}]


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_it_asks_once(tmp_path: Path, answer: str) -> None:
    with providing(GOOD) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        said, code = at_terminal(tmp_path, f"{answer}\n")
        assert len(server.received) == (answer == "y")
    assert said.count("Send it? [y/N]") == 1
    assert code == (0 if answer == "y" else 130)


def at_terminal(root: Path, typed: str) -> tuple[str, int]:
    """The command in a terminal of its own, and what was on it."""
    master, slave = pty.openpty()
    words = [*COMMAND, "call", LOUD, "hi", "-C", str(root / "space"), "--traces", str(root / "t.db")]
    changes = {"XDG_STATE_HOME": str(root / "state"), **keys(1)}
    child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment(**changes))
    os.close(slave)
    said, asked = b"", False
    while select.select([master], [], [], 60)[0]:
        try:
            said += os.read(master, 65_536)
        except OSError:
            break
        if b"[y/N]" in said and not asked:
            asked = True
            os.write(master, typed.encode())
    os.close(master)
    return said.decode(), child.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_call_and_the_trace_says_so(tmp_path: Path, number: signal.Signals) -> None:
    async def hangs(io: Io) -> None:
        await io.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + text("begun "))
        await io.until_gone()

    with providing(hangs) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        child = started(tmp_path)
        assert child.stdout is not None
        assert child.stdout.read(5) == b"begun"
        child.send_signal(number)
        child.communicate()
        assert child.returncode == 128 + number
    with closing(open_store(tmp_path / "traces.db")) as store:
        (row,) = store.rows(now_ms=now())
    assert row.outcome == "cancelled"


def started(root: Path, prompt: str = "hi") -> subprocess.Popen[bytes]:
    """A call under way."""
    space, traces = str(root / "space"), str(root / "traces.db")
    command = [*COMMAND, "call", LOUD, prompt, "--yes", "-C", space, "--traces", traces]
    changes = {"XDG_STATE_HOME": str(root / "state"), **keys(3)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(**changes), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def now() -> int:
    return int(time.time() * 1000)


@pytest.mark.timeout(1800)
def test_a_call_that_is_killed_has_its_intent_and_shows_as_interrupted(tmp_path: Path) -> None:
    """kill -9 the moment that the provider has the request: whatever it saw has an intent row, and none is doubled."""
    many, at_once = 200 if os.environ.get("WORKBENCH_SOAK") == "1" else 8, 4
    running: dict[str, subprocess.Popen[bytes]] = {}

    async def kills(io: Io) -> None:
        running[json.loads(io.request.body)["messages"][0]["content"]].kill()
        await io.until_gone()

    with providing(kills) as (server,):
        write_workspace(tmp_path / "space", [server.url])
        for first in range(0, many, at_once):
            group = [f"number {number}" for number in range(first, first + at_once)]
            for prompt in group:
                running[prompt] = started(tmp_path, prompt)
            for prompt in group:
                running[prompt].communicate()
                assert running[prompt].returncode == -signal.SIGKILL
        assert len(server.received) == many
    store = open_store(tmp_path / "traces.db")
    rows = store.rows(Filter(), now_ms=now())
    assert [row.outcome for row in rows] == [INTERRUPTED] * many
    assert sum(len(store.calls(row.trace_id)) for row in rows) == many == len(server.received)
    store.close()


def test_health_is_listed_and_forgotten(tmp_path: Path) -> None:
    plan = "on rate_limit: next, open breaker 60 s; otherwise: next"
    space = ("-C", str(tmp_path / "space"))
    assert "nothing has been measured" in other(tmp_path, "health").out
    with providing(BUSY, GOOD) as servers:
        write_workspace(tmp_path / "space", [server.url for server in servers], plan=plan)
        assert call(tmp_path, LOUD, "hi", "--yes").code == 0
    listed = other(tmp_path, "health").out
    for words in ("breaker open", LOUD, "p1"):
        assert words in listed
    assert max(len(line) for line in listed.splitlines()) <= 64, "room for names on a terminal of 80 columns"
    told = other(tmp_path, "health", "--json").json
    assert told["out"][0]["provider"] == "p0"
    assert 0 < told["out"][0]["remaining_ms"] <= 60_000
    assert told["measures"][0]["success_rate"] == 1
    reset = ("health", "reset", *space)
    assert other(tmp_path, *reset, "p9").code == 2
    assert other(tmp_path, *reset, "p0/m1").code == 2
    assert other(tmp_path, *reset, "p0", "--tenant", QUIET, "--json").json["forgotten"] == 0
    assert other(tmp_path, *reset, "p0", "--tenant", LOUD, "--json").json["forgotten"] == 1
    assert other(tmp_path, *reset).out == "1 entry forgotten\n"
    assert other(tmp_path, "health", "--json").json["measures"] == []


def test_no_key_in_anything_that_is_left(tmp_path: Path) -> None:
    """The key of every call, failed, answered and killed, is in no file, and no quiet prompt is."""
    with providing(BUSY, GOOD) as servers:
        write_workspace(tmp_path / "space", [server.url for server in servers])
        (tmp_path / "space" / ".env").write_text(f"P1_API_KEY={KEY}\n")
        for tenant in (LOUD, QUIET):
            prompt = f"CANARY-PROMPT-{tenant}"
            done = call(tmp_path, tenant, prompt, "--yes", "--json", with_keys=1)
            assert KEY not in done.out + done.err
        (tmp_path / "space" / ".env").unlink()
    exported = other(tmp_path, "traces", "export", "--traces", str(tmp_path / "traces.db"))
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + exported.out.encode()
    assert KEY.encode() not in found
    assert b"CANARY-PROMPT-quiet" not in found
    assert b"CANARY-PROMPT-loud" in found, "the control"
