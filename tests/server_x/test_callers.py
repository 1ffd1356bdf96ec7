"""Tokens, routes, tenants, rates, places and budgets, over a socket; what is kept of a token and what is not."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server_x.endpoint import Served, served, spent
from workbench.server.callers.gate import LOOK_MS, STALE_MS, Gate, Settings
from workbench.server.callers.places import LazyTokens
from workbench.server.callers.tables import CallersError, open_tables
from workbench.server.callers.token import Token, bearer, digest_of, id_of, new_secret
from workbench.server.callers.tokens import Tokens, Wanted
from workbench.server.errors import Refused
from workbench.server.hooks import Spent
from workbench.server.net.assembly import Process
from workbench.server.net.bounds import Doors
from workbench.server.shared.base import month_of

STRICT = Settings(required=True)
AUTH = b"authorization"


def gate(folder: Path, settings: Settings = STRICT, clock: list[float] | None = None) -> tuple[Gate, Tokens]:
    tokens = Tokens(open_tables(folder / "tokens.db"))
    now = clock if clock is not None else [1_800_000_000_000.0]
    return Gate(tokens, settings=settings, now_ms=lambda: now[0]), tokens


def refusal(known: Gate, headers: list[tuple[bytes, bytes]], path: str = "/x/rank") -> Refused:
    with pytest.raises(Refused) as caught:
        known.recognise(headers, path)
    return caught.value


def test_a_secret_is_nowhere_in_the_store(tmp_path: Path) -> None:
    with_store, tokens = gate(tmp_path)
    token, secret = tokens.new(Wanted("one"), 0)
    tokens.database.close()
    del with_store
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert secret.split("_")[2].encode() not in kept
    assert digest_of(secret.encode()).hex().encode() in kept
    assert token.digest == digest_of(secret.encode())


def test_two_secrets_are_never_the_same_and_have_the_shape() -> None:
    made = {new_secret()[1] for _ in range(500)}
    assert len(made) == 500
    assert all(id_of(secret.encode()) for secret in made)


ODD = [
    b"", b"Bearer", b"Bearer ", "Bearer é".encode(), "Bearer é".encode("latin-1"), b"Basic YTpi", b"bearer \x00",
    b"Bearer ' OR '1'='1", b"Bearer " + b"a" * 65536, b"Bearer wbt_", b"Bearer null", b"Bearer *", b"\xff" * 40,
]  # fmt: skip
NAMES = [AUTH, AUTH, AUTH, b"x-llm-router-caller", b"x-forwarded-for", b"x-api-key", b"proxy-authorization"]


def mangled(chance: random.Random, right: bytes) -> list[tuple[bytes, bytes]]:
    """Headers that hold no right token: random ones, odd ones, and a right one with a byte or a length off."""
    made: list[tuple[bytes, bytes]] = []
    for _ in range(chance.randrange(4)):
        kind = chance.randrange(5)
        value = right
        if kind == 0:
            value = chance.randbytes(chance.randrange(80))
        elif kind == 1:
            value = b"Bearer " + chance.randbytes(chance.randrange(60))
        elif kind == 2:
            value = chance.choice(ODD)
        elif kind == 3:
            place = chance.randrange(7, len(right))
            value = right[:place] + bytes([right[place] ^ chance.randrange(1, 256)]) + right[place + 1 :]
        else:
            value = right[: chance.randrange(7, len(right))] + chance.randbytes(chance.randrange(1, 3))
        made.append((chance.choice(NAMES), value))
    return made


def test_ten_thousand_random_or_mangled_headers_are_all_401(tmp_path: Path) -> None:
    shut, tokens = gate(tmp_path)
    _, secret = tokens.new(Wanted("one"), 0)
    right = f"Bearer {secret}".encode()
    chance = random.Random(35)
    for _ in range(10_000):
        headers = mangled(chance, right)
        with pytest.raises(Refused) as caught:
            shut.recognise(headers, "/x/rank")
        assert caught.value.status == 401, headers
    assert refusal(shut, []).response().body == CONSTANT


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=200)), max_size=4))
def test_no_bytes_break_the_gate(headers: list[tuple[bytes, bytes]]) -> None:
    found = refusal(Gate(None, settings=STRICT), headers)
    assert (found.status, found.response().body) == (401, CONSTANT)


CONSTANT = b'{"error":{"message":"a valid bearer token is needed","type":"auth_error","code":"caller_auth"}}'


def test_a_right_token_passes_and_one_letter_off_does_not(tmp_path: Path) -> None:
    known, tokens = gate(tmp_path)
    token, secret = tokens.new(Wanted("one"), 0)
    assert known.recognise([(AUTH, f"Bearer {secret}".encode())], "/x/rank").id == token.id
    for place in (0, 10, len(secret) - 1):
        other = "x" if secret[place] != "x" else "y"
        wrong = secret[:place] + other + secret[place + 1 :]
        assert refusal(known, [(AUTH, f"Bearer {wrong}".encode())]).status == 401
    twice = [(AUTH, f"Bearer {secret}".encode())] * 2
    assert refusal(known, twice).status == 401


def test_revoked_expired_and_foreign_paths_are_403(tmp_path: Path) -> None:
    clock = [1_800_000_000_000.0]
    known, tokens = gate(tmp_path, clock=clock)
    old, old_secret = tokens.new(Wanted("old"), 0)
    tokens.revoke(old, 1)
    _, brief = tokens.new(Wanted("brief", expires_ms=round(clock[0]) + 10), 0)
    _, chat = tokens.new(Wanted("chat", routes=("/v1/chat/completions",)), 0)

    def code(secret: str, path: str = "/x/rank") -> str | None:
        return refusal(known, [(AUTH, f"Bearer {secret}".encode())], path).code

    assert code(old_secret) == "caller_key_revoked"
    known.recognise([(AUTH, f"Bearer {brief}".encode())], "/x/rank")
    clock[0] += 11
    assert code(brief) == "caller_key_expired"
    assert code(chat) == "caller_route_not_allowed"
    for path in ("/v1/chat/completions", "/default/v1/chat/completions"):
        known.recognise([(AUTH, f"Bearer {chat}".encode())], path)
    assert code(chat, "/v1/chat/completionsx") == "caller_route_not_allowed"


def test_a_revoked_token_is_refused_within_two_seconds(tmp_path: Path) -> None:
    clock = [1_800_000_000_000.0]
    known, tokens = gate(tmp_path, clock=clock)
    token, secret = tokens.new(Wanted("one"), 0)
    headers = [(AUTH, f"Bearer {secret}".encode())]
    known.recognise(headers, "/x/rank")
    tokens.revoke(token, 1)
    clock[0] += 2_000
    assert refusal(known, headers).code == "caller_key_revoked"


def test_a_clock_that_is_set_back_keeps_no_revoked_token_alive(tmp_path: Path) -> None:
    clock = [1_800_000_000_000.0]
    known, tokens = gate(tmp_path, clock=clock)
    token, secret = tokens.new(Wanted("one"), 0)
    headers = [(AUTH, f"Bearer {secret}".encode())]
    known.recognise(headers, "/x/rank")
    tokens.revoke(token, 1)
    clock[0] -= 3_600_000
    assert refusal(known, headers).code == "caller_key_revoked"


def test_tokens_that_cannot_be_read_let_nobody_in(tmp_path: Path) -> None:
    class Broken:
        quick = True

        def all(self) -> tuple[Token, ...]:
            raise CallersError("broken")

    clock = [1_800_000_000_000.0]
    _, tokens = gate(tmp_path)
    token, secret = tokens.new(Wanted("one"), 0)
    known = Gate(Broken(), settings=STRICT, now_ms=lambda: clock[0])
    headers = [(AUTH, f"Bearer {secret}".encode())]
    found = refusal(known, headers)
    assert (found.status, found.code) == (503, "caller_auth_unavailable")
    known.tokens = tokens
    clock[0] += LOOK_MS
    assert known.recognise(headers, "/x/rank").id == token.id
    known.tokens = Broken()
    clock[0] += STALE_MS - 1
    assert known.recognise(headers, "/x/rank").id == token.id  # what was read a while ago still holds
    clock[0] += 2
    assert refusal(known, headers).status == 503


def test_reading_makes_no_file(tmp_path: Path) -> None:
    assert LazyTokens(tmp_path / "tokens.db").all() == ()
    assert not list(tmp_path.iterdir())


def test_loopback_is_free_but_a_token_of_ours_counts_there_too(endpoint: Served) -> None:
    secret = endpoint.token("bound", tenants=("acme-eu",))
    assert endpoint.chat(None).status_code == 200
    assert endpoint.chat("sk-anything").status_code == 200
    assert endpoint.chat(secret, tenant="ladle-free").json()["error"]["code"] == "caller_tenant_not_allowed"
    assert endpoint.chat(secret[:-1] + ("x" if secret[-1] != "x" else "y")).status_code == 401


def test_a_token_speaks_for_its_tenants_alone(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=STRICT) as made:
        assert made.chat(None).status_code == 401
        assert made.get("/healthz").status_code == 200
        one = made.token("one", tenants=("acme-eu",))
        two = made.token("two", tenants=("acme-eu", "ladle-free"))
        free = made.token("free")
        assert made.chat(one).status_code == 200  # the tenant goes without saying
        assert made.chat(one, tenant="acme-eu").status_code == 200
        assert made.chat(two, tenant="ladle-free").status_code == 200
        assert made.chat(free, tenant="lumenor-vip").status_code == 200
        for secret, body in (
            (one, {"tenant": "ladle-free"}), (two, {}), (two, {"tenant": "lumenor-vip"}),
            (one, {"tenant_state": {"plan": "vip", "region": "global", "no_log": False}}),
        ):  # fmt: skip
            found = made.chat(secret, **body)
            assert (found.status_code, found.json()["error"]["type"]) == (403, "auth_error")
        for path in ("/x/rank", "/x/compile"):
            answer = made.post(path, {"tenant": "ladle-free"}, authorization=f"Bearer {one}")
            assert answer.json()["error"]["code"] == "caller_tenant_not_allowed"


def test_headers_that_name_a_caller_or_a_tenant_are_ignored(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=STRICT) as made:
        secret = made.token("one", tenants=("acme-eu",))
        spoofed = {
            "x-llm-router-caller": "tok_admin", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost",
            "x-real-ip": "127.0.0.1", "x-tenant": "ladle-free", "forwarded": "for=127.0.0.1",
        }  # fmt: skip
        plain = made.post("/x/rank", {"policy_ir": []}, authorization=f"Bearer {secret}")
        dressed = made.post("/x/rank", {"policy_ir": []}, authorization=f"Bearer {secret}", **spoofed)
        assert plain.content == dressed.content
        assert made.post("/x/rank", {}, **spoofed).status_code == 401
        body = {"messages": [{"role": "user", "content": "x"}], "caller": "tok_admin"}
        found = made.post("/v1/chat/completions", body, authorization=f"Bearer {secret}", **spoofed).json()
        trace = made.get(f"/x/traces/{found['x_router']['trace_id']}", authorization=f"Bearer {secret}").json()
        assert trace["tenant"] == "acme-eu"


def stopped(process: Process) -> None:
    """The gate's clock stands still."""
    known = cast("Gate", process.host.callers)
    now = known.now_ms()
    known.now_ms = lambda: now


def test_a_rate_is_kept_and_says_when_to_come_back(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made:
        secret, other = made.token("slow", rate_per_minute=3), made.token("other")
        made.tell(stopped)
        codes = [made.chat(secret) for _ in range(5)]
        assert [answer.status_code for answer in codes] == [200, 200, 200, 429, 429]
        error = codes[-1].json()["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "caller_rate_limit")
        assert 1 <= int(codes[-1].headers["retry-after"]) <= 20
        assert made.chat(other).status_code == 200


def test_questions_that_take_work_count_and_lists_do_not(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=Settings(capacity=1)) as made:
        secret = made.token("slow", rate_per_minute=4, tenants=("acme-eu", "ladle-free"))
        own = {"authorization": f"Bearer {secret}"}
        made.tell(stopped)
        asked = [
            made.post("/x/rank", {"tenant": "acme-eu"}, **own),
            made.post("/x/policy/normalize", {"policy_ir": 3}, **own),  # a wrong one gives its place back too
            made.get("/x/rank?profile=default&tenant=acme-eu", **own),
            made.chat(secret, tenant="ladle-free"),
            made.post("/x/compile", {"tenant": "acme-eu"}, **own),
            made.chat(secret, tenant="ladle-free"),
        ]
        assert [answer.status_code for answer in asked] == [200, 422, 200, 200, 429, 429]
        assert int(asked[-2].headers["retry-after"]) >= 1
        for path in ("/v1/models", "/x/fields", "/x/policy/templates", "/healthz", "/metrics"):
            assert made.get(path, **own).status_code == 200
        assert made.gate.running == 0


def test_a_tenants_rate_holds_for_the_questions_of_a_token_of_its_own(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=Settings(tenant_per_minute=2)) as made:
        own = {"authorization": f"Bearer {made.token('one', tenants=('acme-eu',))}"}
        made.tell(stopped)
        codes = [made.post("/x/rank", {"tenant": "acme-eu"}, **own).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert made.chat(None, tenant="ladle-free").status_code == 200


def test_a_rate_frees_one_call_each_interval(tmp_path: Path) -> None:
    clock = [1_800_000_000_000.0]
    known, tokens = gate(tmp_path, clock=clock)
    _, secret = tokens.new(Wanted("one", rate_per_minute=60), 0)
    caller = known.recognise([(AUTH, f"Bearer {secret}".encode())], "/x")

    async def calls(count: int) -> int:
        done = 0
        for _ in range(count):
            try:
                ticket = await known.admit(caller, "acme")
            except Refused:
                continue
            await ticket.close(None)
            done += 1
        return done

    assert asyncio.run(calls(100)) == 60
    clock[0] += 5_000
    assert asyncio.run(calls(100)) == 5
    clock[0] += 3_600_000
    assert asyncio.run(calls(100)) == 60


def test_places_are_given_back_however_a_call_ends(tmp_path: Path) -> None:
    known, tokens = gate(tmp_path, Settings(required=True, tenant_concurrency=2, capacity=3))
    _, secret = tokens.new(Wanted("one"), 0)
    caller = known.recognise([(AUTH, f"Bearer {secret}".encode())], "/x")

    async def story() -> list[str | None]:
        first, second = await known.admit(caller, "acme"), await known.admit(caller, "acme")
        codes: list[str | None] = []
        third = await known.admit(caller, "other")  # another tenant has places of its own
        for tenant in ("acme", "another"):
            try:
                await known.admit(caller, tenant)
            except Refused as refused:
                codes.append(refused.code)
        await third.close(None)
        try:
            await known.admit(caller, "acme")
        except Refused as refused:
            codes.append(refused.code)
        await first.close(None)
        await first.close(Spent(1, 1, 1.0))
        await (await known.admit(caller, "acme")).close(None)
        await second.close(None)
        return codes

    assert asyncio.run(story()) == ["router_overloaded", "router_overloaded", "caller_rate_limit"]
    assert known.running == 0


def test_a_budget_is_held_spent_and_refused_with_its_figures(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made:
        secret = made.token("thrifty", budget_usd=1e-6, tenants=("acme-eu",))
        first = made.chat(secret)
        assert first.status_code == 200
        cost = first.json()["x_router"]["cost_usd"]
        assert cost >= 1e-6
        broke = made.chat(secret)
        question = made.post("/x/rank", {"tenant": "acme-eu"}, authorization=f"Bearer {secret}")
        assert question.status_code == 200  # it costs nothing
        error = broke.json()["error"]
        assert (broke.status_code, error["type"], error["code"]) == (402, "budget_error", "consumer_budget_exhausted")
        assert (error["budget_usd"], error["spent_usd"]) == (1e-6, cost)
        (spending,) = spent(tmp_path, month_of(time.time() * 1000)).values()
        assert (spending.usd, spending.calls) == (cost, 1)


def test_a_budget_of_many_calls_at_once_is_the_sum_of_what_they_cost(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made, ThreadPoolExecutor(16) as pool:
        secret = made.token("busy", budget_usd=10.0, tenants=("acme-eu",))
        answers = list(pool.map(made.chat, [secret] * 60))
        assert {answer.status_code for answer in answers} == {200}
        total = sum(round(answer.json()["x_router"]["cost_usd"] * 1e9) for answer in answers)
        (spending,) = spent(tmp_path, month_of(time.time() * 1000)).values()
        assert (spending.nano_usd, spending.calls) == (total, 60)


def test_a_thousand_at_once_are_answered_or_told_to_wait(emulator: str, tmp_path: Path) -> None:
    limits = Settings(tenant_concurrency=50)
    with served(tmp_path, emulator, settings=limits, doors=Doors(waiting=2_000)) as made:
        counts = asyncio.run(flood(made, 1_000))
        assert set(counts) <= {200, 429}
        assert counts[200] >= 50
        assert made.get("/healthz").status_code == 200
        assert made.chat(None).status_code == 200


async def flood(made: Served, count: int) -> dict[int, int]:
    """Answers to so many calls at once, by status."""
    import httpx

    bounds = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(base_url=made.url, timeout=60, limits=bounds, trust_env=False) as client:
        body = {"tenant": "acme-eu", "compact": True, "messages": [{"role": "user", "content": "x"}]}
        calls = [client.post("/v1/chat/completions", json=body) for _ in range(count)]
        answers = await asyncio.gather(*calls)
    statuses = sorted(answer.status_code for answer in answers)
    return {status: len(list(group)) for status, group in itertools.groupby(statuses)}


def test_only_one_plain_bearer_is_taken() -> None:
    assert bearer([(AUTH, b"Bearer abc")]) == b"abc"
    assert bearer([(AUTH, b"bearer abc")]) == b"abc"
    for headers in (
        [],
        [(AUTH, b"abc")],
        [(AUTH, b"Bearer a"), (AUTH, b"Bearer a")],
        [(AUTH, b"Bearer " + b"a" * 999)],
    ):
        assert bearer(headers) is None


def test_a_stream_is_charged_like_any_call(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator) as made:
        secret = made.token("streams", budget_usd=1.0, tenants=("acme-eu",), concurrency=1)
        for _ in range(2):  # the place is free again after the first
            answer = made.chat(secret, stream=True)
            assert answer.status_code == 200
            assert answer.text.rstrip().endswith("data: [DONE]")
        (spending,) = spent(tmp_path, month_of(time.time() * 1000)).values()
        assert spending.calls == 2
        assert spending.nano_usd > 0


def test_limits_that_cannot_be_asked_let_nobody_pass_unasked(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, shared="redis://127.0.0.1:1/0") as made:
        unasked: dict[str, dict[str, Any]] = {
            "caller_rate_limit_unavailable": {"rate_per_minute": 9},
            "consumer_budget_unavailable": {"budget_usd": 9.0},
        }
        for code, wanted in unasked.items():
            answer = made.chat(made.token(code, **wanted))
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)
            assert answer.headers["retry-after"] == "1"
        assert made.chat(None).status_code == 200  # nothing to ask


@pytest.mark.parametrize("mangled", ["{}x", "{:.59}", "wbt_unknown", "{0}{0}"])
def test_a_mangled_token_is_nobody_on_loopback_too(emulator: str, tmp_path: Path, mangled: str) -> None:
    with served(tmp_path, emulator) as made:
        secret = made.token(tenants=("acme-eu",))
        assert made.chat(secret).status_code == 200
        answer = made.chat(mangled.format(secret))
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "caller_auth")
        assert made.chat("sk-any-other-text").status_code == 200
