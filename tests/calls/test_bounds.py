"""What bounds a call: which key may go where once that was forgotten, what it can cost, and that its end is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.calls.places import LOUD, offer, world
from workbench.gateway.dispatch import Ask, Dispatcher, Stop
from workbench.gateway.events import Answer
from workbench.gateway.keys import Bindings, Keys
from workbench.session.calls import caller as calling
from workbench.session.calls.caller import Dearer
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.key_ring import FILE, KeyRing
from workbench.session.calls.question import Question
from workbench.session.calls.quote import PER_ABILITY

GOOD, EVIL = "https://good.example/v1", "https://evil.example/v1"


def row(url: str) -> dict[str, Any]:
    """An offer at an address, with a key."""
    return {"provider_id": "p0", "served_model_id": "m", "base_url": url, "auth_env": "P0_API_KEY"}


def ring_in(folder: Path) -> KeyRing:
    """A workspace's keys with one key in them."""
    return KeyRing.open(folder / "space", folder, {"P0_API_KEY": "sk-0123456789abcdef"})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 9}', b'{"schema": 1, "origins": {}'])
def test_where_the_bindings_were_lost_no_key_goes_anywhere_unasked(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "space").mkdir()
    ring_in(tmp_path).settle([row(GOOD)])
    (tmp_path / FILE).write_bytes(content)
    ring = ring_in(tmp_path)
    for _ in range(2):  # and it stays so
        ring = ring_in(tmp_path)
        ring.settle([row(EVIL), row(GOOD)])
        assert {origin for _, origin in ring.held} == {"https://evil.example:443", "https://good.example:443"}
        assert ring.state_of(row(EVIL)) == ("P0_API_KEY", "held")
    ring.confirm_text("P0_API_KEY=https://good.example:443")
    again = ring_in(tmp_path)
    again.settle([row(EVIL), row(GOOD), {**row(EVIL), "auth_env": "OTHER"}])
    assert again.state_of(row(GOOD)) == ("P0_API_KEY", None)
    assert again.held == (("P0_API_KEY", "https://evil.example:443"),)
    assert not again.keys.bindings.allows("OTHER", "https://evil.example:443")


def test_first_sight_binds_where_nothing_was_lost() -> None:
    keys = Keys({"P0_API_KEY": "sk-0123456789abcdef"}, bindings=Bindings())
    assert keys.bindings.settle([row(GOOD)]) == ()
    assert keys.bindings.settle([row(EVIL)]) == (("P0_API_KEY", "https://evil.example:443"),)


def test_what_a_provider_says_before_tools_is_counted(tmp_path: Path) -> None:
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"])
    tool: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {}}}
    plain, with_tool, as_json = (
        caller.prepare(workspace.state, LOUD, question).quote.first
        for question in (Question("hi"), Question("hi", tools=(tool,)), Question("hi", json_mode=True))
    )
    assert plain is not None
    for more in (with_tool, as_json):
        assert more is not None
        assert (more.tokens_in or 0) - (plain.tokens_in or 0) > PER_ABILITY
    caller.traces.close()


async def test_what_went_out_since_the_quote_cannot_make_a_call_dearer_than_agreed(tmp_path: Path) -> None:
    rows = [offer(0), {**offer(1), "price_in": 900.0, "price_out": 900.0}]
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"] * 2, offers=rows, plan="otherwise: stop")
    prepared = caller.prepare(workspace.state, LOUD, Question("hi"))
    assert prepared.quote.candidates == 1
    store = HealthStore.at(tmp_path / "state")
    store.health.disable(LOUD, "p0", store.clock())
    keep(store)
    with pytest.raises(Dearer):
        await caller.run(prepared)
    assert caller.traces.existing() is None
    again = caller.prepare(workspace.state, LOUD, Question("hi"))
    assert (again.quote.usd or 0.0) > (prepared.quote.usd or 0.0)
    assert (await caller.run(again)).outcome != "ok"
    caller.traces.close()


def keep(store: HealthStore) -> None:
    """Write down what a store knows, as a call of another process would."""
    from tests.calls.test_health import attempt

    store.learn(LOUD, [attempt("p0")])


async def test_an_answer_that_came_with_the_cancellation_is_not_lost(tmp_path: Path) -> None:
    workspace, caller = world(tmp_path, ["http://127.0.0.1:1"])
    prepared = caller.prepare(workspace.state, LOUD, Question("hi"))
    done = Answer("ok", 0, None, (), ())
    outer = asyncio.current_task()
    assert outer is not None

    class Host(Dispatcher):
        async def run(self, ask: Ask, emit: Any = None, stop: Stop | None = None) -> Answer:
            outer.cancel()
            return done

    host = Host.__new__(Host)
    ask = Ask("t", prepared.cascade, False, True)
    answer, cancelled = await calling._answered(host, ask, calling.unheard, Stop())  # pyright: ignore[reportPrivateUsage]
    outer.uncancel()
    assert cancelled
    assert answer is done
    caller.traces.close()


@pytest.mark.parametrize(
    ("name", "url", "goes"),
    [
        ("OPENAI_API_KEY", "https://api.openai.com/v1", True),
        ("OPENAI_API_KEY", "https://evil.example/v1", False),
        ("OPENAI_API_KEY", "https://api.openai.com:8443/v1", False),
        ("OPENAI_API_KEY", "https://api.mistral.ai/v1", False),
        ("OPENAI_API_KEY", "http://127.0.0.1:9/v1", True),
        ("AWS_SECRET_ACCESS_KEY", "https://evil.example/v1", False),
        ("OF_THE_WORKSPACE", "https://evil.example/v1", True),
        ("AZURE_API_KEY", "https://mine.openai.azure.com/openai/v1", True),
        ("OPENAI_API_KEY", "https://mine.openai.azure.com/openai/v1", False),
        ("AZURE_API_KEY", "https://theirs.openai.azure.com/openai/v1", False),
    ],
)
def test_at_first_sight_a_key_goes_where_its_provider_is_known_to_be(
    tmp_path: Path, name: str, url: str, goes: bool
) -> None:
    (tmp_path / "space").mkdir()
    dotenv = (
        "OF_THE_WORKSPACE=sk-0123456789abcdef\nAZURE_OPENAI_BASE_URL_EU=https://theirs.openai.azure.com/openai/v1\n"
    )
    (tmp_path / "space" / ".env").write_text(dotenv)
    names: tuple[str, ...] = ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "AZURE_API_KEY")
    environment: dict[str, str] = {**dict.fromkeys(names, "sk-0123456789abcdef")}
    environment["AZURE_OPENAI_BASE_URL"] = "https://mine.openai.azure.com/openai/v1"
    ring = KeyRing.open(tmp_path / "space", tmp_path, environment)
    offered = {**row(url), "auth_env": name}
    ring.settle([offered])
    assert ring.state_of(offered) == (name, None if goes else "held")
    assert bool(ring.held) is not goes
    if not goes:
        ring.confirm_text("=".join(ring.held[0]))
        assert ring.state_of(offered) == (name, None)


def test_a_foreign_catalog_seen_first_does_not_hold_the_provider_from_its_own_key(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    environment = {"OPENAI_API_KEY": "sk-0123456789abcdef"}
    foreign = {**row(EVIL), "auth_env": "OPENAI_API_KEY"}
    own = {**row("https://api.openai.com/v1"), "auth_env": "OPENAI_API_KEY"}
    KeyRing.open(tmp_path / "space", tmp_path, environment).settle([foreign])
    ring = KeyRing.open(tmp_path / "space", tmp_path, environment)
    ring.settle([own])
    assert ring.state_of(own) == ("OPENAI_API_KEY", None)
    assert ring.state_of(foreign) == ("OPENAI_API_KEY", "held")
