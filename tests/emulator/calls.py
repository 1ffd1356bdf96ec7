"""Calls of our own gateway to an emulator, every offer by its catalog row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.gateway.calls import Kept, transport
from workbench.engine.context import Context
from workbench.engine.fallback import Cascade
from workbench.engine.faults import parse_faults
from workbench.engine.pool import Pool
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import Answer, CallEvent
from workbench.gateway.limits import Limits
from workbench.gateway.redirected import Redirected
from workbench.language.admission import check
from workbench.language.vocabulary import CORE
from workbench.server.emulator import Running

PATIENT = Limits()
SHORT = Limits(read_ms=1500, first_token_ms=1500, error_body_ms=2000)
"""For faults that are silence."""

OFFERS: dict[str, dict[str, Any]] = {
    "openai": {"provider_id": "openai", "served_model_id": "gpt-5.5", "api_kind": "openai_compatible",
               "base_url": "https://api.openai.com/v1"},
    "responses": {"provider_id": "openai", "served_model_id": "gpt-5.5-pro", "api_kind": "openai_responses",
                  "base_url": "https://api.openai.com/v1"},
    "anthropic": {"provider_id": "anthropic", "served_model_id": "claude-opus", "api_kind": "anthropic",
                  "base_url": "https://api.anthropic.com"},
    "vertex_anthropic": {"provider_id": "google-vertex", "served_model_id": "claude-opus@20260101",
                         "api_kind": "vertex_anthropic"},
    "gemini": {"provider_id": "google", "served_model_id": "gemini-3", "api_kind": "gemini",
               "base_url": "https://generativelanguage.googleapis.com/v1beta"},
    "bedrock": {"provider_id": "amazon-bedrock", "served_model_id": "anthropic.claude-v1:0", "api_kind": "bedrock",
                "base_url": "https://bedrock-runtime.eu-central-1.amazonaws.com"},
}  # fmt: skip
"""One offer for each protocol; one of them without an address of its own."""
for _row in OFFERS.values():
    _row.update(model_family=f"family of {_row['served_model_id']}", auth_env="OPENAI_API_KEY")


@dataclass
class Made:
    """A call and all that was seen of it."""

    answer: Answer
    events: list[CallEvent]
    recorder: Kept


async def call_async(
    url: str, rows: Sequence[dict[str, Any]], *, stream: bool, deadline_ms: float, limits: Limits, asked: dict[str, Any]
) -> Made:
    policy = check(
        ["policy", ["top"], ["zero"], ["ordered"], ["id"], ["always", {"action": "next_candidate"}]], CORE
    )  # fmt: skip
    place = Redirected.to(url)
    pool = Pool([place.candidate(row) for row in rows], CORE)
    down = Cascade(policy, tuple(range(len(rows))), pool, Context(asked), "acme")
    recorder, events = Kept(), list[CallEvent]()

    async def emit(event: CallEvent) -> None:
        events.append(event)

    async with transport() as wire:
        host = Dispatcher(wire, place, recorder=recorder, limits=limits)
        answer = await host.run(Ask("call-1", down, stream=stream, no_log=False, deadline_ms=deadline_ms), emit)
    return Made(answer, events, recorder)


def call(
    url: str,
    rows: Sequence[dict[str, Any]],
    *,
    stream: bool = False,
    deadline_ms: float = 20_000,
    limits: Limits = PATIENT,
    prompt: str = "say it",
    **asked: Any,
) -> Made:
    """One call down these rows, each failure passed over."""
    request = {"messages": [{"role": "user", "content": prompt}], **asked}
    return asyncio.run(
        call_async(url, rows, stream=stream, deadline_ms=deadline_ms, limits=limits, asked=request)
    )  # fmt: skip


def play(emulator: Running, *faults: str, seed: int = 0) -> None:
    """Other faults from now on."""
    emulator.tell(lambda known: known.replace(parse_faults(faults), seed=seed))
