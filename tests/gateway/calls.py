"""Calls over real sockets: a cascade of candidates at given addresses, and a recorder that keeps everything."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from workbench.engine.context import Context
from workbench.engine.fallback import Cascade
from workbench.engine.pool import Pool
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import Answer, CallEvent
from workbench.gateway.keys import Bindings, Keys
from workbench.gateway.limits import Limits
from workbench.gateway.records import Attempt, Intent
from workbench.gateway.transport import tls_context
from workbench.language.admission import check
from workbench.language.vocabulary import CORE

KEY = "sk-CANARY-KEY-0123456789abcdef"
PROMPT = "CANARY-PROMPT-41aa"
SHORT = Limits(connect_ms=1000, read_ms=250, write_ms=1000, pool_ms=60, first_token_ms=200, error_body_ms=100)
"""For faults that are silence."""
PATIENT = Limits(connect_ms=5000, read_ms=5000, write_ms=5000, pool_ms=5000, first_token_ms=5000, error_body_ms=5000)
"""For every other one, so that a busy machine is not taken for a fault."""
TLS = tls_context()
NEXT: dict[str, Any] = {"action": "next_candidate"}


@dataclass
class Kept:
    """A recorder that keeps what it is given, in order."""

    intents: list[Intent] = field(default_factory=list[Intent])
    outcomes: list[Attempt] = field(default_factory=list[Attempt])

    async def intent(self, intent: Intent) -> None:
        self.intents.append(intent)

    async def outcome(self, attempt: Attempt) -> None:
        self.outcomes.append(attempt)


def candidate(place: int, url: str, kind: str = "openai_compatible", **extra: object) -> dict[str, Any]:
    """A catalog row in wire form."""
    return {
        "provider_id": f"provider-{place}",
        "model_family": f"family-{place}",
        "served_model_id": f"served-{place}",
        "api_kind": kind,
        "base_url": url,
        "auth_env": "CANARY_API_KEY",
        **extra,
    }


def request(**extra: object) -> dict[str, Any]:
    """A neutral request."""
    return {"messages": [{"role": "user", "content": f"say it: {PROMPT}"}], "max_tokens": 64, **extra}


def cascade(candidates: Sequence[dict[str, Any]], plan: Any = None, asked: dict[str, Any] | None = None) -> Cascade:
    """All of the candidates in order, under a failure plan; the plan goes on where none is given."""
    policy = check(["policy", ["top"], ["zero"], ["ordered"], ["id"], plan or ["always", NEXT]], CORE)
    pool = Pool(list(candidates), CORE)
    return Cascade(policy, tuple(range(len(candidates))), pool, Context(asked or request()), "acme")


def keys() -> Keys:
    """The one key of the tests."""
    return Keys({"CANARY_API_KEY": KEY}, bindings=AllBound())


class AllBound(Bindings):
    """The tests' servers have a new port each."""

    def allows(self, name: str, origin: str) -> bool:
        return True


@dataclass
class Made:
    """A call and all that was seen of it."""

    answer: Answer
    events: list[CallEvent]
    recorder: Kept
    seconds: float


@contextlib.asynccontextmanager
async def transport(verify: ssl.SSLContext = TLS, connections: int = 100) -> AsyncGenerator[httpx.AsyncBaseTransport]:
    """A real transport, closed in the end."""
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncHTTPTransport(verify=verify, trust_env=False, retries=0, limits=limits) as made:
        yield made


async def call(
    wire: httpx.AsyncBaseTransport,
    down: Cascade,
    *,
    stream: bool = False,
    no_log: object = False,
    deadline_ms: float = 20_000,
    limits: Limits = PATIENT,
) -> Made:
    """One call through the dispatcher."""
    recorder, events = Kept(), list[CallEvent]()

    async def emit(event: CallEvent) -> None:
        events.append(event)

    host = Dispatcher(wire, keys(), recorder=recorder, limits=limits)
    started = time.monotonic()
    answer = await host.run(Ask("call-1", down, stream=stream, no_log=no_log, deadline_ms=deadline_ms), emit)
    return Made(answer, events, recorder, time.monotonic() - started)
