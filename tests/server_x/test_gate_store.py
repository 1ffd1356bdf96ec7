"""The gate where what it asks is slow, hangs or is broken: nothing passes unasked, nobody waits for long, no place is
lost; and who hangs up while it waits is not served."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.server_x.endpoint import HELLO, Served, policy, served
from tests.server_x.processes import ROOT
from workbench.engine.health import HOST, Health
from workbench.errors import Finding
from workbench.server.callers import gate as gates
from workbench.server.callers import health_exchange
from workbench.server.callers.gate import FRESH_MS, STALE_MS, Gate, Settings
from workbench.server.callers.health_exchange import HealthExchange
from workbench.server.callers.places import LazyTokens
from workbench.server.callers.tables import CallersError, open_tables
from workbench.server.callers.token import Token, digest_of, new_secret
from workbench.server.callers.tokens import Tokens, Wanted
from workbench.server.callers.wiring import Lazy
from workbench.server.errors import Refused
from workbench.server.net.assembly import Process
from workbench.server.net.connection import Connection
from workbench.server.shared.base import Ask, Block, Denied, Given, SharedError
from workbench.server.shared.tables import TablesShared

STRICT = Settings(required=True)


class Provider:
    """The emulator, told what to do wrong."""

    def __init__(self, url: str) -> None:
        self.url = url

    def play(self, *faults: str) -> None:
        """These faults and no others."""
        body = {"faults": faults}
        assert httpx.post(f"{self.url}/emulator/faults", json=body, trust_env=False).status_code == 200

    @property
    def requests(self) -> int:
        """How many calls it was asked for."""
        return httpx.get(f"{self.url}/emulator/requests", trust_env=False).json()["requests"]


@pytest.fixture
def provider(emulator: str) -> Iterator[Provider]:
    made = Provider(emulator)
    yield made
    made.play()


def wait_until(test: Callable[[], object]) -> None:
    """Look again and again, for as long as a busy machine may need, until it holds."""
    latest = time.monotonic() + 30
    while not test():
        assert time.monotonic() < latest, "it never came"


def later(made: Served, ms: float) -> None:
    """From now on the gate's clock is so far ahead of what it showed, and stands still."""

    def change(process: Process) -> None:
        known = cast("Gate", process.host.callers)
        now = known.now_ms() + ms
        known.now_ms = lambda: now

    made.tell(change)


def changed(place: Path, statement: str) -> None:
    """Change the token file as any other program could."""
    with contextlib.closing(sqlite3.connect(place, timeout=30)) as connection, connection:
        connection.execute(statement)


def known_token(made: Served, **wanted: Any) -> str:
    """A new token's secret, that the gate knows already: it looks up few strangers a second."""
    secret = made.token(**wanted)
    made.tell(lambda _process: made.gate.refresh())
    return secret


def code(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("error", {}).get("code")


# what is said of it


class Fickle:
    """Tokens and shared state that can be had, or not."""

    quick = True

    def __init__(self) -> None:
        self.gone = False
        self.known: tuple[Token, ...] = ()

    def all(self) -> tuple[Token, ...]:
        if self.gone:
            raise CallersError("the tokens in `postgresql://me:***@db/wb` cannot be read", [Finding("refused", "x")])
        return self.known

    async def admit(self, ask: Ask) -> Denied | None:
        del ask
        if self.gone:
            raise SharedError("what is shared at `redis://db:1` cannot be had: refused")
        return None

    async def settle(self, given: Given) -> None:
        del given
        if self.gone:
            raise SharedError("what is shared at `redis://db:1` cannot be had: refused")


def test_an_outage_is_said_once_with_its_reason_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    token_id, secret = new_secret()
    store = Fickle()
    store.known = (Token(token_id, "one", digest_of(secret.encode()), rate_per_minute=1_000, budget_usd=5.0),)
    now = [1e12]
    gate = Gate(store, cast("Any", store), now_ms=lambda: now[0])
    headers = [(b"authorization", f"Bearer {secret}".encode())]

    async def calls(count: int) -> None:
        for _ in range(count):
            now[0] += FRESH_MS
            caller = gate.recognise(headers, "/v1/models")
            for tenant in ("acme-eu", None):
                with contextlib.suppress(Refused):
                    await (await gate.admit(caller, tenant)).close(None)

    asyncio.run(calls(2))
    assert caplog.messages == []
    store.gone = True
    asyncio.run(calls(5))
    assert caplog.messages == [
        "tokens cannot be checked: the tokens in `postgresql://me:***@db/wb` cannot be read: refused",
        "budgets cannot be checked: what is shared at `redis://db:1` cannot be had: refused",
        "limits cannot be checked: what is shared at `redis://db:1` cannot be had: refused",
    ]
    caplog.clear()
    store.gone = False
    asyncio.run(calls(3))
    assert caplog.messages == [f"{what} can be checked again" for what in ("tokens", "budgets", "limits")]


# tokens that can't be read


def test_the_fast_path_too_lets_nobody_in_once_the_tokens_are_too_old(emulator: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no store of tokens")

    def spoil(process: Process) -> None:
        cast("Gate", process.host.callers).tokens = LazyTokens(broken)

    with served(tmp_path, emulator, settings=STRICT) as made:
        later(made, 0)
        secret = made.token()
        assert made.chat(secret).status_code == 200
        made.tell(spoil)
        later(made, STALE_MS - 1)
        assert [made.chat(secret).status_code for _ in range(2)] == [200, 200]  # the second one by the fast path
        later(made, 2)
        assert [code(made.chat(secret)) for _ in range(2)] == [(503, "caller_auth_unavailable")] * 2


def test_another_program_that_comes_and_goes_takes_the_log_from_nobody(tmp_path: Path) -> None:
    """A server has the file open twice: for its tokens, and for what they spend."""
    place = tmp_path / "tokens.db"
    with contextlib.closing(open_tables(place)) as tokens, contextlib.closing(open_tables(place)) as spending:
        Tokens(tokens).new(Wanted("before"), 0)
        log = place.with_name("tokens.db-wal").stat().st_ino
        for word in ("made", "too"):
            subprocess.run(
                [sys.executable, "-m", "workbench", "token", "new", word, "--tokens", str(place), "-q"],
                check=True, capture_output=True, timeout=60,
            )  # fmt: skip
        assert place.with_name("tokens.db-wal").stat().st_ino == log
        for held in (tokens, spending):
            assert [token.name for token in Tokens(held).all()] == ["before", "made", "too"]


class Remote:
    """The tokens of a store that may hang, as one over a network can."""

    quick = False

    def __init__(self, place: Path) -> None:
        self._tokens = LazyTokens(place)
        self.going, self.asked = threading.Event(), threading.Event()
        self.going.set()

    def all(self) -> tuple[Token, ...]:
        """Every token, once it goes."""
        self.asked.set()
        self.going.wait(20)
        return self._tokens.all()

    def hang(self) -> None:
        """From now on nothing comes back."""
        self.going.clear()
        self.asked.clear()

    def close(self) -> None:
        """End it, once nobody asks any more."""
        self.going.set()
        for thread in threading.enumerate():
            if thread.name == "aside":
                thread.join(20)
        self._tokens.close()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with contextlib.closing(Remote(tmp_path / "tokens.db")) as made:
        yield made


def test_a_token_store_that_hangs_holds_nobody_up_for_long(
    emulator: str, tmp_path: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "WAIT_S", 0.1)
    stranger = new_secret()[1]

    def far(process: Process) -> None:
        cast("Gate", process.host.callers).tokens = remote

    with served(tmp_path, emulator, settings=STRICT, prepare=far) as made, ThreadPoolExecutor(2) as pool:
        secret = made.token()
        assert made.chat(secret).status_code == 200
        remote.hang()
        later(made, FRESH_MS)
        asking = [pool.submit(made.chat, each) for each in (secret, stranger)]
        assert remote.asked.wait(10)
        assert made.client.get("/healthz", timeout=5).status_code == 200
        assert [code(each.result(10)) for each in asking] == [(200, None), (401, "caller_auth")]
        assert not remote.going.is_set()
        later(made, STALE_MS + 1)
        assert code(made.chat(secret)) == (503, "caller_auth_unavailable")
        remote.going.set()
        wait_until(lambda: made.chat(secret).status_code == 200)
        remote.hang()
        later(made, FRESH_MS)
        assert made.chat(secret).status_code == 200
        assert remote.asked.is_set()
        made.tell(lambda _process: [task.cancel() for task in asyncio.all_tasks() if reads(task)])
    assert made.loop.is_closed()  # the endpoint has ended
    assert not remote.going.is_set()  # and its reading has not


def reads(task: asyncio.Task[Any]) -> bool:
    """Whether a task waits for the store; whoever runs a loop cancels what is left in it at its end."""
    return getattr(task.get_coro(), "__qualname__", "") == "Gate._read"


def test_a_process_ends_though_something_beside_it_hangs() -> None:
    program = """if True:
        import asyncio, threading
        from workbench.server.callers.aside import aside

        async def main():
            assert await aside(lambda: 7) == 7
            try:
                async with asyncio.timeout(0.05):
                    await aside(threading.Event().wait)
            except TimeoutError:
                print("it hangs")

        asyncio.run(main())
    """
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "it hangs\n", "")


# limits that are waited for, and that can't be asked


def test_of_many_at_once_no_more_than_the_capacity_is_let_in(emulator: str, provider: Provider, tmp_path: Path) -> None:
    provider.play("*=hang")
    with served(tmp_path, emulator, settings=Settings(capacity=1)) as made:
        secret = made.token(budget_usd=1.0)
        refused = asyncio.run(all_but_one(made, secret, 20))
        assert [code(answer) for answer in refused] == [(503, "router_overloaded")] * 19
        wait_until(lambda: made.gate.running == 0)
        provider.play()
        assert made.chat(secret).status_code == 200


async def all_but_one(made: Served, secret: str, count: int) -> list[httpx.Response]:
    """Ask so often at once; the answers of all calls but the last one, which is hung up on."""
    async with httpx.AsyncClient(base_url=made.url, timeout=30, trust_env=False) as client:
        headers = {"authorization": f"Bearer {secret}"}
        calls = [client.post("/v1/chat/completions", json=HELLO, headers=headers) for _ in range(count)]
        waiting = {asyncio.ensure_future(call) for call in calls}
        answers: list[httpx.Response] = []
        latest = time.monotonic() + 10
        while len(waiting) > 1 and time.monotonic() < latest:
            done, waiting = await asyncio.wait(waiting, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
            answers += [each.result() for each in done]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return answers


def test_a_place_is_given_back_where_the_budget_cannot_be_asked(endpoint: Served) -> None:
    secret, place = known_token(endpoint, budget_usd=9.0, concurrency=1), endpoint.folder / "tokens.db"
    assert endpoint.chat(secret).status_code == 200
    changed(place, "ALTER TABLE caller_spending RENAME TO away")
    try:
        for _ in range(2):
            assert code(endpoint.chat(secret)) == (503, "consumer_budget_unavailable")
    finally:
        changed(place, "ALTER TABLE away RENAME TO caller_spending")
    assert endpoint.chat(secret).status_code == 200


def test_a_token_file_that_cannot_be_opened_for_limits_is_no_mistake_of_the_caller(
    emulator: str, tmp_path: Path
) -> None:
    place, away = tmp_path / "tokens.db", tmp_path / "away.db"
    limits: list[tuple[str, bool, dict[str, Any]]] = [
        ("consumer_budget_unavailable", False, {"budget_usd": 9.0, "concurrency": 1}),
        ("caller_rate_limit_unavailable", True, {"rate_per_minute": 99, "concurrency": 1}),
    ]
    with served(tmp_path, emulator) as made:
        for told, several, wanted in limits:
            secret = known_token(made, **wanted)
            made.gate.shared = Lazy(LazyTokens(place), several=several)
            place.rename(away)
            place.write_text("no store of tokens")
            for _ in range(2):
                answer = made.chat(secret)
                assert code(answer) == (503, told)
                assert answer.headers["retry-after"] == "1"
                assert place.name not in answer.text
            place.unlink()
            away.rename(place)
            assert made.chat(secret).status_code == 200
            asyncio.run(made.gate.shared.close())


def test_who_is_at_a_limit_hears_that_before_its_policy_is_looked_at(endpoint: Served) -> None:
    wrong: list[dict[str, Any]] = [
        {"policy_ir": ["policy"]}, {"policy_ir": policy(["nonsense"])}, {"flow_ir": ["flow"]},
    ]  # fmt: skip
    secret, other = known_token(endpoint, rate_per_minute=1), known_token(endpoint, rate_per_minute=99)
    assert [endpoint.chat(other, **body).status_code for body in wrong] == [400] * 3
    assert endpoint.chat(secret).status_code == 200
    assert [code(endpoint.chat(secret, **body)) for body in wrong] == [(429, "caller_rate_limit")] * 3
    response = endpoint.post("/v1/responses", {"input": "x", **wrong[0]}, authorization=f"Bearer {secret}")
    assert code(response) == (429, "caller_rate_limit")
    assert endpoint.gate.running == 0


# health that is shared


async def test_health_is_heard_of_again_after_rubbish_stood_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_exchange, "EVERY_S", 0.001)
    place, health, failed = tmp_path / "tokens.db", Health(), asyncio.Event()
    shared = TablesShared(open_tables(place))
    changed(place, "INSERT INTO shared_health VALUES ('other', '', 'groq', 'breaker_open', 'for ever')")
    exchange = HealthExchange(health, shared, lambda: 1_000.0, lambda: 0.0, failed.set)
    await exchange.start()
    try:
        await asyncio.wait_for(failed.wait(), 20)
        changed(place, "DELETE FROM shared_health")
        await shared.tell("other", [Block("", "azure", "breaker_open", 9_000.0)])
        async with asyncio.timeout(20):
            while health.blocked(HOST, "azure", 0.0) is None:  # noqa: ASYNC110 - looked at as often as it is exchanged
                await asyncio.sleep(0.001)
    finally:
        await exchange.stop()
        await shared.close()


# nobody is there any more


class Slow(Lazy):
    """Limits whose asking takes until it is told to go on."""

    def __init__(self, place: Path) -> None:
        super().__init__(LazyTokens(place), several=False)
        self.go = asyncio.Event()

    async def admit(self, ask: Ask) -> Denied | None:
        """As ever, later."""
        await self.go.wait()
        return await super().admit(ask)


@pytest.fixture(scope="module")
def waiting(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Slow]]:
    """An endpoint that keeps its callers waiting."""
    folder = tmp_path_factory.mktemp("waiting")
    limits = Slow(folder / "tokens.db")

    def slowly(process: Process) -> None:
        cast("Gate", process.host.callers).shared = limits

    with served(folder, emulator, prepare=slowly) as made:
        yield made, limits


LLM = {"kind": "llm", "system": "be brief", "policy": policy(["top"]), "inputs": ["in"]}
FLOW = ["flow", {"in": {"kind": "input"}, "a": LLM, "out": {"kind": "output", "inputs": ["a"]}}]


@pytest.mark.parametrize(("path", "body"), [
    ("/v1/chat/completions", HELLO), ("/v1/chat/completions", {**HELLO, "stream": True}),
    ("/v1/responses", {"input": "hello"}), ("/v1/responses", {"input": "hello", "stream": True}),
    ("/v1/chat/completions", {**HELLO, "flow_ir": FLOW}),
], ids=["plain", "stream", "response", "streamed response", "flow"])  # fmt: skip
def test_who_hangs_up_while_it_waits_for_leave_is_not_served(
    waiting: tuple[Served, Slow], provider: Provider, path: str, body: dict[str, Any]
) -> None:
    made, limits = waiting
    secret, before, data = known_token(made, concurrency=1), provider.requests, json.dumps(body).encode()
    made.tell(lambda _process: limits.go.clear())
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {secret}\r\ncontent-length: {len(data)}"
    with socket.create_connection(("127.0.0.1", made.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + data)
        wait_until(lambda: made.gate.metrics.pending == 1)
        mine = made.tell(lambda _process: connection_from(connection.getsockname()))
    wait_until(lambda: made.tell(lambda _process: mine.transport.is_closing()))
    made.tell(lambda _process: limits.go.set())
    wait_until(lambda: made.gate.running == 0)
    assert provider.requests == before
    assert made.chat(secret).status_code == 200


def connection_from(address: tuple[str, int]) -> Connection:
    """The endpoint's end of a client's connection."""
    found = (each for each in gc.get_objects() if isinstance(each, Connection))
    return next(each for each in found if each.transport.get_extra_info("peername") == address)
