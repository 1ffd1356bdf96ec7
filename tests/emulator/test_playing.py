"""Every fault on a real socket, in every protocol, plain and streamed: the call is told what the table promises."""

from __future__ import annotations

import asyncio

import pytest

from tests.emulator.calls import OFFERS, SHORT, Made, call, call_async, play
from workbench.engine.faults import FAULTS, parse_fault
from workbench.gateway.codecs.neutral import Delta
from workbench.server.emulator import Running
from workbench.server.emulator.playing import PLAYABLE

ENDLESS = {"silence", "alive", "endless"}
OTHERWISE = {
    ("bedrock", "error_event_after", False): "model_error",
    ("anthropic", "content_filter_after", False): "refusal",
    ("anthropic", "content_filter_after", True): "refusal",
    ("vertex_anthropic", "content_filter_after", False): "refusal",
    ("vertex_anthropic", "content_filter_after", True): "refusal",
}
"""Details that a protocol has another word for."""


def test_the_whole_table_is_played() -> None:
    assert frozenset(FAULTS) == PLAYABLE


def written(name: str) -> str:
    """The fault with an argument that a test can wait for."""
    return {"slow": "slow:10ms", "first_token": "first_token:10ms", "drip": "drip:20ms"}.get(name, name)


def cases(*, waiting: bool) -> list[tuple[str, str, bool]]:
    names = [name for name, kind in FAULTS.items() if (kind.timing in ENDLESS) == waiting]
    found = [(offer, written(name), streamed) for offer in OFFERS for name in names for streamed in (False, True)]
    befores = [name for name in names if FAULTS[name].before_output is not None]
    return found + [(offer, f"{name}:0", True) for offer in OFFERS for name in befores]


def judge(made: Made, offer: str, fault: str, streamed: bool) -> None:
    """Hold a call to what the table promises of its fault."""
    parsed = parse_fault(f"*={fault}")
    told = parsed.about.told(parsed.arg, streamed=streamed)
    (attempt,) = made.answer.attempts
    assert attempt.error_kind == told.reason
    assert attempt.emulated
    assert attempt.committed == (streamed and (told.reason is None or told.committed))
    if told.reason is None:
        assert made.answer.outcome == "ok"
        return
    detail = OTHERWISE.get((offer, parsed.kind, streamed), told.detail)
    if detail is not None and detail.startswith("embedded:"):
        assert attempt.detail is not None
        assert attempt.detail.startswith("embedded:")
    else:
        assert attempt.detail == detail
    if told.status is not None and detail != "model_error":
        assert attempt.http_status == told.status


@pytest.mark.parametrize(("offer", "fault", "streamed"), cases(waiting=False))
def test_a_call_is_told_what_the_table_promises(emulator: Running, offer: str, fault: str, streamed: bool) -> None:
    play(emulator, f"*={fault}")
    judge(call(emulator.url, [OFFERS[offer]], stream=streamed), offer, fault, streamed)


async def test_so_is_a_call_that_only_a_clock_ends(emulator: Running) -> None:
    waiting = cases(waiting=True)
    faults = sorted({fault for _, fault, _ in waiting})
    play(emulator, *(f"*/m-{faults.index(fault)}={fault}" for fault in faults))
    asked = {"messages": [{"role": "user", "content": "say it"}]}
    all_made = await asyncio.gather(*(
        call_async(
            emulator.url, [{**OFFERS[offer], "served_model_id": f"m-{faults.index(fault)}"}],
            stream=streamed, deadline_ms=3000, limits=SHORT, asked=asked,
        )
        for offer, fault, streamed in waiting
    ))  # fmt: skip
    for made, (offer, fault, streamed) in zip(all_made, waiting, strict=True):
        judge(made, offer, fault, streamed)


def test_a_fault_in_the_middle_comes_after_as_many_pieces_as_it_says(emulator: Running) -> None:
    play(emulator, "openai=cut_after:5")
    made = call(emulator.url, [OFFERS["openai"]], stream=True)
    assert len([event for event in made.events if isinstance(event, Delta)]) == 5


@pytest.mark.parametrize(("written", "told"), [("30s", 30_000.0), ("1500ms", 1500.0), ("0s", 0.0)])
def test_a_rate_limit_says_when_to_come_back(emulator: Running, written: str, told: float) -> None:
    play(emulator, f"*=rate_limit:{written}")
    for offer in OFFERS.values():
        (attempt,) = call(emulator.url, [offer]).answer.attempts
        assert attempt.retry_after_ms == told


def test_a_call_fails_over_to_the_next_provider_and_says_so(emulator: Running) -> None:
    play(emulator, "openai=rate_limit", "anthropic=down")
    made = call(emulator.url, [OFFERS["openai"], OFFERS["anthropic"], OFFERS["gemini"]], stream=True)
    assert [attempt.error_kind for attempt in made.answer.attempts] == ["rate_limit", "network_error", None]
    assert made.answer.index == 2
    assert made.answer.reply is not None
    assert made.answer.reply.text.startswith("[emulated] google/gemini-3 was asked: “say it”.")
    assert all(attempt.emulated for attempt in made.recorder.outcomes)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_plays_the_same_faults_again(emulator: Running, seed: int) -> None:
    def outcomes() -> list[str]:
        play(emulator, "openai=server_error@0.5", seed=seed)
        return [call(emulator.url, [OFFERS["openai"]]).answer.outcome for _ in range(12)]

    first = outcomes()
    assert first == outcomes()
    assert len(set(first)) == 2
