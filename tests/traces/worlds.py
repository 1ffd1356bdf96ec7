"""Records for the tests beside this file, made from the sample workspace by the real compiler and engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.engine.fallback import Call, Cascade, Finished, Outcome, Resumed, fallback
from workbench.engine.health import Health
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.tenant import Tenant
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.words import Identifier
from workbench.traces.record import About, Record, make_trace

NOON = 1_793_620_800_000
"""A fixed time, in milliseconds."""
LOGGING, QUIET = "acme-eu", "corvane-bank"
"""A tenant whose text may be kept, and one whose text may not."""


@cache
def sample() -> WorkspaceState:
    """The sample workspace."""
    return open_workspace(sample_root()).state


@cache
def kept() -> KeptCatalog:
    """The sample's catalog."""
    return KeptCatalog.of(sample().catalog)


@dataclass(frozen=True)
class Case:
    """One tenant's decision, ready to be recorded."""

    tenant: Tenant
    compiled: Compiled
    decision: Decision
    context: Context = field(default_factory=Context)

    def record(
        self, number: int = 0, finished: Finished | None = None, *, time_ms: int = NOON, emulated: bool = False
    ) -> Record:
        """The record of it; the same number gives the same record."""
        about = About(sample().rulebook.sha256, time_ms, Identifier(f"t{number:06d}"), emulated)
        return make_trace(self.tenant, self.compiled, kept(), self.context, self.decision, finished, about=about)

    def call(self, outcomes: Sequence[Mapping[str, Any]]) -> Finished:
        """How the fallback machine ends when the calls go as `outcomes` say; the last one repeats."""
        cascade = Cascade(self.compiled.policy, self.decision.order, sample().pool, self.context, self.tenant.id)
        machine = fallback(cascade, Health(), now=0.0)
        ways, now = endless(outcomes), 0.0
        try:
            step = next(machine)
            while True:
                now += 40.0 if isinstance(step, Call) else step.ms
                told = Outcome(now, latency_ms=40.0, **next(ways)) if isinstance(step, Call) else Resumed(now)
                step = machine.send(told)
        except StopIteration as stop:
            return stop.value


def endless(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """These, the last one for ever."""
    yield from outcomes
    while True:
        yield outcomes[-1]


def case(tenant_id: str = LOGGING, request: Mapping[str, Any] | None = None, **context: Any) -> Case:
    """A tenant of the sample, decided under a request, a state, a seed."""
    state = sample()
    tenant = state.tenant(tenant_id)
    compiled = compile_policy(tenant, state.rulebook, state.vocabulary)
    asked = Context(request or {}, context.get("state", {}), context.get("seed"))
    return Case(tenant, compiled, decide(compiled.policy, state.pool, asked), asked)
