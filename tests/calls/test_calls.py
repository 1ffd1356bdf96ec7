"""A test call from its question to its trace, over real sockets and a real store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.calls.places import KEY, LOUD, QUIET, offer, world
from tests.gateway.server import Io, serving
from tests.gateway.wire import DONE, data, error, finish, js, stream, text
from workbench.engine.fallback import MOST_ATTEMPTS
from workbench.errors import UsageError
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.codecs.unsaid import SENTENCES
from workbench.gateway.dispatch import Stop
from workbench.gateway.events import Attempting, CallEvent, Failed
from workbench.gateway.records import Attempt
from workbench.session.calls.caller import Caller, Dearer
from workbench.session.calls.question import Question
from workbench.session.calls.watch import Watch
from workbench.session.calls.wording import failure_words, outcome_words, quote_lines
from workbench.session.workspace import open_workspace
from workbench.traces.document import document


def approx(value: float) -> Any:
    """As pytest's, which has no types."""
    return pytest.approx(value)  # pyright: ignore[reportUnknownMemberType]


BUSY = error(429, "slow down", "rate_limit_exceeded")
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 5}}
COUNTED = stream(
    data({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "one "}}]}),
    text("two"), finish(), data({"choices": [], "usage": USAGE}), DONE, length=True,
)  # fmt: skip


@pytest.fixture
def closing() -> Iterator[list[Caller]]:
    """Callers whose trace stores are closed in the end."""
    made: list[Caller] = []
    yield made
    for caller in made:
        caller.traces.close()


async def test_a_call_fails_over_and_its_trace_says_so(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(BUSY, COUNTED) as (bad, good):
        workspace, caller = world(tmp_path, [bad.url, good.url])
        closing.append(caller)
        prepared = caller.prepare(workspace.state, LOUD, Question("say it", system="short"))
        assert (prepared.quote.attempts, prepared.quote.candidates) == (4, 2)
        events: list[CallEvent] = []

        async def heard(event: CallEvent) -> None:
            events.append(event)

        called = await caller.run(prepared, heard)
    assert [type(event) for event in events] == [Attempting, Failed, Attempting, Delta, Delta]
    assert (called.outcome, called.text, called.answer.index) == ("ok", "one two", 1)
    spent = called.spent
    assert (spent.tokens_in, spent.tokens_out, spent.tokens_cached) == (10, 20, 5)
    assert spent.cost_basis == "computed"
    assert spent.cost_usd == approx((5 * 2 + 5 * 2 * 0.1 + 20 * 3) / 1e6)
    assert good.received[0].headers["authorization"] == f"Bearer {KEY}"
    told = document(caller.traces.store().get(called.trace_id))
    assert told["outcome"] == "ok"
    assert told["chosen"]["provider"] == "p1"
    assert [step.get("error_kind") for step in told["decision_path"]] == ["rate_limit", None]
    assert told["exchange"]["response"]["text"] == "one two"
    assert told["cost_basis"] == "computed"
    assert [row.kind for row in caller.traces.store().calls(called.trace_id)] == ["rate_limit", None]


async def test_no_log_keeps_no_word(tmp_path: Path, closing: list[Caller]) -> None:
    """Of the same call, with the control that a logging tenant's words are found."""
    for tenant, kept in ((LOUD, True), (QUIET, False)):
        folder = tmp_path / tenant
        async with serving(error(500, "CANARY-MESSAGE", "x"), COUNTED) as (bad, good):
            workspace, caller = world(folder, [bad.url, good.url])
            closing.append(caller)
            asked = Question("CANARY-PROMPT", system="CANARY-SYSTEM")
            called = await caller.run(caller.prepare(workspace.state, tenant, asked))
        assert called.text == "one two"
        found = json.dumps(document(caller.traces.store().get(called.trace_id)))
        raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        for word in ("CANARY-PROMPT", "CANARY-SYSTEM", "CANARY-MESSAGE", "one two"):
            assert (word in found) == kept, (tenant, word)
            assert kept or word.encode() not in raw
        assert KEY not in found
        assert KEY.encode() not in raw


async def test_nobody_is_an_outcome_with_its_trace(tmp_path: Path, closing: list[Caller]) -> None:
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"], filters=["price_in < 0.5"])
    closing.append(caller)
    prepared = caller.prepare(workspace.state, LOUD, Question("x"))
    assert prepared.nobody
    assert prepared.quote.usd == 0
    called = await caller.run(prepared)
    assert called.outcome == "no_candidates"
    assert document(caller.traces.store().get(called.trace_id))["rejected"][0]["rules"]


async def test_stopping_a_call_is_recorded_as_cancelled(tmp_path: Path, closing: list[Caller]) -> None:
    went = asyncio.Event()

    async def hangs(io: Io) -> None:
        await io.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + text("begun "))
        went.set()
        await io.until_gone()

    async with serving(hangs) as (server,):
        workspace, caller = world(tmp_path, [server.url])
        closing.append(caller)
        for how in ("stop", "cancel"):
            went.clear()
            stop = Stop()
            prepared = caller.prepare(workspace.state, LOUD, Question("x"))
            task = asyncio.create_task(caller.run(prepared, stop=stop))
            await went.wait()
            if how == "stop":
                stop.stop()
                assert (await task).outcome == "cancelled"
            else:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            told = document(caller.traces.store().get(prepared.trace_id))
            assert told["outcome"] == "cancelled"
            await server.received[-1].gone.wait()


async def test_a_store_that_fails_does_not_fail_the_call(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(COUNTED) as (good,):
        workspace, caller = world(tmp_path, [good.url])
        closing.append(caller)
        caller.traces.place = tmp_path / "space"  # a folder is no store
        called = await caller.run(caller.prepare(workspace.state, LOUD, Question("x")))
    assert called.ok
    assert called.lost == 2
    assert caller.traces.recorder().last_error is not None


async def test_missing_keys_are_named_and_nothing_is_sent(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(COUNTED, COUNTED) as (first, second):
        workspace, caller = world(tmp_path, [first.url, second.url], with_keys=False)
        closing.append(caller)
        prepared = caller.prepare(workspace.state, LOUD, Question("x"))
        assert [lack.variable for lack in prepared.lacks] == ["P0_API_KEY", "P1_API_KEY"]
        assert {lack.why for lack in prepared.lacks} == {"missing"}
        assert prepared.sendable == 0
        assert prepared.quote.usd == 0
        called = await caller.run(prepared)
        assert not first.received
        assert not second.received
    assert called.outcome == "exhausted: auth_error"
    watch = Watch(workspace.state, prepared)
    assert [rung.standing for rung in watch.rungs] == ["lacking", "lacking"]


async def test_the_one_key_that_is_set_is_reached_however_far_down(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(COUNTED) as (good,):
        urls = ["http://127.0.0.1:1"] * (MOST_ATTEMPTS + 3)
        workspace, caller = world(tmp_path, [*urls, good.url], with_keys=False)
        closing.append(caller)
        caller.environment = {f"P{len(urls)}_API_KEY": KEY}
        prepared = caller.prepare(workspace.state, LOUD, Question("x", max_tokens=100))
        told = prepared.quote
        assert not prepared.stuck
        said = dict(quote_lines(workspace.state, prepared))["first try"]
        assert f"nothing can be sent to it; the first that can be called is p{len(urls)}/" in said
        assert (told.attempts, told.candidates, told.sendable) == (2, len(urls) + 1, 1)
        watch = Watch(workspace.state, prepared)
        assert {rung.standing for rung in watch.rungs[:-1]} == {"lacking"}

        async def heard(event: CallEvent) -> None:
            watch.hear(event, 0.0)

        called = await caller.run(prepared, heard)
    assert (called.outcome, called.answer.index) == ("ok", len(urls))
    assert outcome_words(called).startswith(f"answered after 1 attempt and {len(urls)} that nothing could be sent for")
    assert told.usd is not None
    assert called.spent.cost_usd is not None
    assert called.spent.cost_usd <= told.usd
    kept = document(caller.traces.store().get(called.trace_id))
    assert [step.get("detail") for step in kept["decision_path"]] == ["local_key_missing"] * len(urls) + [None]
    watch.end(called)
    assert [rung.standing for rung in watch.rungs] == ["failed"] * len(urls) + ["answered"]


def test_an_offer_without_an_address_is_none_of_the_attempts_that_are_quoted(
    tmp_path: Path, closing: list[Caller]
) -> None:
    cheap = offer(0, region="us")
    urls = ["http://127.0.0.1:1"] * (MOST_ATTEMPTS + 1)
    rows = [cheap, *(offer(place, price_in=10.0, price_out=10.0) for place in range(1, len(urls)))]
    workspace, caller = world(tmp_path, urls, offers=rows, plan="otherwise: next")
    path = workspace.root / "own.json"
    catalog = json.loads(path.read_text())
    catalog["providers"][0]["base_urls"] = {"eu": urls[0]}
    path.write_text(json.dumps(catalog))
    closing.append(caller)
    told = caller.prepare(open_workspace(workspace.root).state, LOUD, Question("x", max_tokens=100)).quote
    first = told.first
    assert first is not None
    assert first.tokens_in is not None
    assert (told.attempts, told.sendable, first.usd) == (MOST_ATTEMPTS, MOST_ATTEMPTS, 0.0)
    assert told.usd == approx(MOST_ATTEMPTS * (first.tokens_in + 100) * 10.0 / 1e6)


async def test_a_key_that_is_gone_since_the_quote_is_asked_about_again(tmp_path: Path, closing: list[Caller]) -> None:
    urls = ["http://127.0.0.1:1"] * (MOST_ATTEMPTS + 1)
    workspace, caller = world(tmp_path, urls, plan="otherwise: next")
    closing.append(caller)
    held = {**caller.environment}
    caller.environment = held
    prepared = caller.prepare(workspace.state, LOUD, Question("x", max_tokens=100))
    del held["P0_API_KEY"]  # a keyring that was locked meanwhile
    with pytest.raises(Dearer):
        await caller.run(prepared)


async def test_a_key_in_dotenv_is_used_and_a_new_origin_holds_it(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(COUNTED, COUNTED) as (first, second):
        workspace, caller = world(tmp_path, [first.url], with_keys=False)
        (workspace.root / ".env").write_text(f"P0_API_KEY={KEY}\n")
        closing.append(caller)
        assert (await caller.run(caller.prepare(workspace.state, LOUD, Question("x")))).ok
        moved, later = world(tmp_path / "moved", [second.url])
        later.folder = caller.folder
        closing.append(later)
        prepared = later.prepare(moved.state, LOUD, Question("x"))
        assert [lack.why for lack in prepared.lacks] == ["held"]
        assert not (await later.run(prepared)).ok
        assert not second.received
        later.ring.confirm_text(f"P0_API_KEY={second.url}")
        assert (await later.run(later.prepare(moved.state, LOUD, Question("x")))).ok
        again = Caller(moved.root, later.traces, caller.folder, later.environment)
        assert not again.prepare(moved.state, LOUD, Question("x")).lacks
        with pytest.raises(UsageError):
            again.ring.confirm_text("P0_API_KEY=https://elsewhere.example:443")


def test_the_quote_bounds_the_whole_plan(tmp_path: Path, closing: list[Caller]) -> None:
    urls = ["http://127.0.0.1:1"] * 20
    workspace, caller = world(tmp_path, urls)
    closing.append(caller)
    prepared = caller.prepare(workspace.state, LOUD, Question("abc", max_tokens=100))
    told = prepared.quote
    assert told.attempts == MOST_ATTEMPTS
    first = told.first
    assert first is not None
    assert first.tokens_in is not None
    assert first.tokens_in >= 3
    assert first.tokens_out == 100
    assert first.usd == approx((first.tokens_in * 1.0 + 100 * 2.0) / 1e6)
    dearest = [first.tokens_in * (1.0 + n) + 100 * (2.0 + n) for n in range(12)]
    assert told.usd == approx(sum(dearest) / 1e6), "each once is dearer than the first six twice"


async def test_who_is_out_now_is_not_quoted_first(tmp_path: Path, closing: list[Caller]) -> None:
    async with serving(BUSY, COUNTED) as (bad, good):
        plan = "on rate_limit: next, open breaker 60 s; otherwise: next"
        workspace, caller = world(tmp_path, [bad.url, good.url], plan=plan)
        closing.append(caller)
        before = caller.prepare(workspace.state, LOUD, Question("x")).quote.first
        called = await caller.run(caller.prepare(workspace.state, LOUD, Question("x")))
        prepared = caller.prepare(workspace.state, LOUD, Question("x"))
        again = await caller.run(prepared)
        other = caller.prepare(workspace.state, QUIET, Question("x")).quote.first
    assert before is not None
    assert other is not None
    assert prepared.quote.first is not None
    assert (before.index, prepared.quote.first.index, other.index) == (0, 1, 0)
    assert (len(called.answer.attempts), len(again.answer.attempts)) == (2, 1)
    watch = Watch(workspace.state, prepared)
    watch.end(again)
    assert (watch.rungs[0].standing, watch.rungs[0].notes) == ("skipped", ["its breaker is open"])


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True), ({"price_in": None}, False), ({"currency_uncertain": True}, False),
        ({"price_note": "above 200k input tokens 2 in, 3 out"}, True), ({"price_note": "dearer at night"}, True),
    ],
)  # fmt: skip
def test_what_is_not_known_makes_the_whole_unknown(
    tmp_path: Path, closing: list[Caller], changes: dict[str, object], known: bool
) -> None:
    changed = {key: value for key, value in offer(0, **changes).items() if value is not None}
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"], offers=[changed], rank="cheapest by price_out")
    closing.append(caller)
    told = caller.prepare(workspace.state, LOUD, Question("abc")).quote
    assert (told.usd is not None) == known
    assert bool(told.unknown) != known


def test_a_long_prompt_is_not_at_list_price(tmp_path: Path, closing: list[Caller]) -> None:
    rows = [offer(0, price_note="above 1k input tokens 9 in, 9 out")]
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"], offers=rows)
    closing.append(caller)
    assert caller.prepare(workspace.state, LOUD, Question("a" * 500)).quote.usd is not None
    assert caller.prepare(workspace.state, LOUD, Question("a" * 1500)).quote.usd is None


async def test_tools_json_and_one_piece(tmp_path: Path, closing: list[Caller]) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    told = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    async with serving(js(200, told)) as (server,):
        workspace, caller = world(tmp_path, [server.url])
        closing.append(caller)
        tools = ({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}},)
        asked = Question("x", tools=tools, json_mode=True, temperature=0.5, max_tokens=77, stream=False)
        called = await caller.run(caller.prepare(workspace.state, LOUD, asked))
        sent = json.loads(server.received[0].body)
    assert [call.name for call in called.tool_calls] == ["weather"]
    assert sent["tools"][0]["function"]["name"] == "weather"
    assert sent["response_format"] == {"type": "json_object"}
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 77)
    assert "stream" not in sent
    assert set(sent) == {"model", "messages", "tools", "response_format", "temperature", "max_tokens"}


def test_curl_has_the_variables_name_and_never_the_key(tmp_path: Path, closing: list[Caller]) -> None:
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"])
    closing.append(caller)
    prepared = caller.prepare(workspace.state, LOUD, Question("it's $HOME `x` \x1b[31m \u202e"))
    command = prepared.curl(0)
    assert '"authorization: Bearer ${P0_API_KEY}"' in command
    assert KEY not in command
    assert command.isascii()
    assert "\x1b" not in command
    assert "'\"'\"'" in command, "a quote in the prompt does not end the shell's word"


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question("  "), "prompt"), (Question("x", temperature=3), "temperature"),
        (Question("x", max_tokens=0), "max_tokens"),
        (Question("x\ud800"), "prompt"), (Question("x", json_mode=True, schema={"type": "object"}), "json_mode"),
        (Question("x", deadline_ms=0), "deadline_ms"), (Question("x" * 5_000_000), "prompt"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(
    tmp_path: Path, closing: list[Caller], question: Question, code: str
) -> None:  # fmt: skip
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"])
    closing.append(caller)
    with pytest.raises(UsageError) as refused:
        caller.prepare(workspace.state, LOUD, question)
    assert code in {finding.code for finding in refused.value.findings}


def test_a_call_that_could_not_be_said_tells_why() -> None:
    attempt = Attempt(
        "c", 1, "t", 0, "anthropic", "claude", 1, error_kind="bad_request", detail="local_part", local=True
    )
    assert failure_words(attempt) == f"bad_request (local_part) after 0 ms: {SENTENCES['local_part']}"
