"""What one process of the endpoint has: the snapshot in force, health, keys, the way outward, traces, who may call.

Belongs to one event loop. The only thing that changes as a whole is `state`; a request keeps the one it began with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.fallback import DEADLINE_MS
from workbench.engine.health import Health
from workbench.errors import Finding
from workbench.gateway.dispatch import monotonic_ms
from workbench.server.hooks import Anyone, Callers
from workbench.server.state import ServerState
from workbench.server.watching.metrics import Metrics
from workbench.session.tracing import Traces

if TYPE_CHECKING:
    from workbench.server.chat.calling import Engine
    from workbench.server.watching.lines import Refusal
    from workbench.server.watching.measuring import Measuring

DEFAULT_MAX_TOKENS: Final = 4096
MOST_STATES: Final = 1_024
CALM: Final[Mapping[str, Any]] = {"breakers": {}, "disabled": {}}
"""The state in which nothing is blocked."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for at the start."""

    default_max_tokens: int = DEFAULT_MAX_TOKENS
    """For a request that states none; 0: none is set."""
    deadline_ms: float = DEADLINE_MS
    lenient: bool = False
    """Whether an unknown model means the default profile, with a warning, instead of 404."""
    host_names: tuple[str, ...] = ()
    """Names beside loopback's that this endpoint answers to."""
    any_name: bool = False
    """Whether it answers to every name: then nobody is answered without a token."""
    emulated: bool = False
    """Whether every call goes to the emulator."""


@dataclass(slots=True)
class Host:
    """One process."""

    state: ServerState | None = None
    """None until a workspace could be read: then every request that needs one is answered 503."""
    options: Options = field(default_factory=Options)
    callers: Callers = field(default_factory=Anyone)
    health: Health = field(default_factory=Health)
    engine: Engine | None = None
    """What calls are made with; None until the loop is up."""
    metrics: Metrics = field(default_factory=Metrics)
    measuring: Measuring | None = None
    """What calls measure; None: nothing is kept of it."""
    traces: Traces | None = None
    """Where traces are read from; None: nowhere."""
    faults: tuple[Finding, ...] = ()
    """Why the last reload was not taken; empty where the state is what the files say."""
    _states: dict[tuple[str, ...], Mapping[str, Any]] = field(
        default_factory=lambda: {("",): CALM}, init=False, repr=False
    )
    refusals: list[Callable[[Refusal], None]] = field(default_factory=list["Callable[[Refusal], None]"])
    """Hear of every request that is refused before anything is decided."""
    starting: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    """Run in order when the loop is up."""
    stopping: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    """Run in reverse order when the last request has ended."""

    def health_state(self, scope: str) -> Mapping[str, Any]:
        """What a policy may look at of health, for one tenant: the same object for the same state, so that a decision
        made under it is found again."""
        if self.health.calm:
            return CALM
        state = self.health.as_state(scope, monotonic_ms())
        key = (*sorted(state["breakers"]), "", *sorted(state["disabled"]))
        known = self._states.get(key)
        if known is None:
            if len(self._states) >= MOST_STATES:
                self._states.clear()
            known = self._states[key] = state
        return known
