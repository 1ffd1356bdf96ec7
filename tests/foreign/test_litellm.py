"""Our gateway and LiteLLM's proxy: OpenAI's and Anthropic's protocol, plain and streamed, with a key, to a trace."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.calls.places import KEY, LOUD, offer, world
from tests.emulator.calls import play
from tests.foreign.conftest import MOCKED, Foreign
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.events import CallEvent
from workbench.session.calls.answer import Called
from workbench.session.calls.question import Question
from workbench.traces.record import Trace

pytestmark = pytest.mark.timeout(120)
PROTOCOLS = {"openai_compatible": "/v1", "anthropic": ""}


async def ask(
    tmp_path: Path, foreign: Foreign, kind: str, model: str, *, stream: bool
) -> tuple[Called, list[str], Trace]:  # fmt: skip
    """One call of tenant `loud`, what was heard of it, and its trace as the store gives it back."""
    row = offer(0, served_model_id=model, api_kind=kind)
    workspace, caller = world(tmp_path, [foreign.url + PROTOCOLS[kind]], offers=[row])
    heard: list[str] = []

    async def emit(event: CallEvent) -> None:
        if isinstance(event, Delta):
            heard.append(event.text)

    called = await caller.run(caller.prepare(workspace.state, LOUD, Question("say hello", stream=stream)), emit)
    record = caller.traces.store().get(called.trace_id)
    caller.traces.close()
    assert isinstance(record.trace, Trace)
    return called, heard, record.trace


def counted(foreign: Foreign, kind: str, model: str, *, stream: bool) -> tuple[int, int]:
    """What the proxy itself says of the same question, asked without us."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "say hello"}], "max_tokens": 1024}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    path = "/v1/chat/completions" if kind == "openai_compatible" else "/v1/messages"
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    request = urllib.request.Request(foreign.url + path, json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        said = response.read().decode()
    documents = [said] if said.startswith("{") else [line[6:] for line in said.splitlines() if '"usage"' in line]
    usage = json.loads(documents[-1])["usage"]
    first, second = ("prompt", "completion") if kind == "openai_compatible" else ("input", "output")
    return usage[f"{first}_tokens"], usage[f"{second}_tokens"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "model"),
    [("openai_compatible", "mocked"), ("openai_compatible", "mocked-claude"), ("anthropic", "mocked-claude")],
)
async def test_the_answer_the_usage_and_the_trace_come_out_right(
    tmp_path: Path, foreign: Foreign, kind: str, model: str, stream: bool
) -> None:
    called, heard, trace = await ask(tmp_path, foreign, kind, model, stream=stream)
    assert called.outcome == "ok"
    assert called.text == MOCKED
    assert "".join(heard) == (MOCKED if stream else "")
    assert called.answer is not None
    (attempt,) = called.answer.attempts
    assert not attempt.emulated
    assert attempt.http_status == 200
    assert (attempt.tokens_in, attempt.tokens_out) == counted(foreign, kind, model, stream=stream)
    assert trace.result is not None
    assert trace.result.outcome == "ok"
    assert (trace.result.usage.tokens_in, trace.result.usage.tokens_out) == (attempt.tokens_in, attempt.tokens_out)
    assert not trace.head.emulated


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", PROTOCOLS)
async def test_a_stream_that_it_translates_is_read_piece_by_piece(
    tmp_path: Path, foreign: Foreign, kind: str, stream: bool
) -> None:
    """It turns the emulator's OpenAI stream into each protocol: its own events, not a mock's whole answer."""
    play(foreign.behind)
    called, heard, _ = await ask(tmp_path, foreign, kind, "adapted", stream=stream)
    assert called.outcome == "ok"
    assert called.text.startswith("[emulated] openai/behind was asked: “say hello”.")
    assert called.answer is not None
    (attempt,) = called.answer.attempts
    assert "not_streamed" not in attempt.warnings
    assert len(heard) > 5 if stream else not heard
    assert (attempt.tokens_in, attempt.tokens_out) == (3, 16)


@pytest.mark.parametrize("kind", PROTOCOLS)
async def test_its_errors_have_their_names(tmp_path: Path, foreign: Foreign, kind: str) -> None:
    play(foreign.behind, "*=rate_limit")
    limited, _, _ = await ask(tmp_path / "limited", foreign, kind, "adapted", stream=False)
    assert limited.answer is not None
    assert limited.answer.attempts[0].error_kind == "rate_limit"
    missing, _, _ = await ask(tmp_path / "missing", foreign, kind, "no-such-model", stream=False)
    assert missing.answer is not None
    assert missing.answer.attempts[0].error_kind in {"bad_request", "model_unavailable"}
