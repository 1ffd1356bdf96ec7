"""What is recorded of a call, by type: an intent before the bytes leave, an attempt after.

`Attempt` has no field that could hold a provider's, a caller's or a model's words; a `no_log` tenant gets nothing else.
`LoggedAttempt` adds the provider's message. Which store keeps them is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from workbench.boundary.sealed import sealed
from workbench.gateway.codecs.neutral import FinishReason


@sealed
class Intent:
    """A call is about to be made: durable before its first byte leaves (R52)."""

    call_id: str
    sequence: int
    """Which attempt of the request, from 1."""
    tenant: str
    index: int
    """The candidate's place in the pool."""
    provider_id: str
    model_family: str
    attempt: int
    """Which try of this candidate, from 1."""
    at: float
    """Wall clock, seconds."""
    no_log: bool


@sealed
class Attempt:
    """How one call ended: codes from closed lists, names from the catalog, sizes and times. Milliseconds and bytes."""

    call_id: str
    sequence: int
    tenant: str
    index: int
    provider_id: str
    model_family: str
    attempt: int
    event: Literal["attempted"] = "attempted"
    error_kind: str | None = None
    """One of the thirteen reasons; None for success and for a call that was cancelled."""
    detail: str | None = None
    http_status: int | None = None
    retry_after_ms: float | None = None
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    bytes_in: int = 0
    committed: bool = False
    cancelled: bool = False
    action: str | None = None
    """What the plan did; known once the request has ended."""
    action_suppressed: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost_usd: float | None = None
    """The provider's own figure."""
    finish_reason: FinishReason | None = None
    warnings: tuple[str, ...] = ()
    emulated: bool = False
    """Answered by a server that imitates providers, by its own word."""
    local: bool = False
    """Our own side was at fault: it says nothing of the provider."""
    measured: bool = False
    """The host itself vouches that the provider is at fault."""


@sealed
class LoggedAttempt(Attempt):
    """The same for a tenant whose text may be kept."""

    error_message: str | None = None
    """The provider's words: one line, keys masked, at most 300 characters."""


class Recorder(Protocol):
    """Keeps what happened. What it raises does not reach the call; it is counted and shown."""

    async def intent(self, intent: Intent) -> None:
        """Returns once the intent is durable."""
        ...

    async def outcome(self, attempt: Attempt) -> None:
        """The call that `intent` announced has ended; `action` is not known yet."""
        ...


class ImmediateRecorder(Recorder, Protocol):
    """A recorder that can be told without waiting. What it raises is counted likewise."""

    def announce(self, intent: Intent, durable: Callable[[bool], None]) -> None:
        """Calls `durable` once: when the intent is, or with False where it could not be kept."""
        ...

    def ended(self, attempt: Attempt) -> None:
        """As `outcome`."""
        ...


class Unrecorded:
    """Keeps nothing: for a call whose caller keeps the answer's own attempts."""

    async def intent(self, intent: Intent) -> None:
        """Nothing is kept."""

    async def outcome(self, attempt: Attempt) -> None:
        """Nothing is kept."""
