"""One tenant's request while things are broken: every attempt and wait, the time, the most it can cost, its end.

Drives the one fallback machine on a virtual clock. Nobody is called, nothing waits, and the breakers are new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.engine.fallback import Cascade, fallback
from workbench.engine.faults import Fault
from workbench.engine.health import Health
from workbench.engine.virtual import Ladder, Rung, drive
from workbench.errors import CompileError, NotRunnable
from workbench.language.runnable import runnable
from workbench.session.evaluation import Evaluation, Outcome, cost_per_run
from workbench.session.state import WorkspaceState
from workbench.whatif.drill.trouble import Answers, Trouble

Kind = Literal["call", "wait", "skipped", "disabled", "breaker"]
End = Literal["answered", "nobody", "stopped", "exhausted"]

END_WORDS: Final[dict[End, str]] = {
    "answered": "answered",
    "nobody": "nobody to call",
    "stopped": "stopped by the plan",
    "exhausted": "nobody answered",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens on the way down."""

    kind: Kind
    at_ms: float
    """From the start of the request."""
    took_ms: float
    provider: str
    offer: int | None
    """The offer that is called; None for what is about a provider."""
    attempt: int | None
    failure: str | None
    """The reason's name where a call failed, or a candidate was skipped."""
    action: str | None
    """What the plan does about it."""
    fault: Fault | None
    cost: float | None
    """The most that the call can cost, in USD; None where it is no call, or a price is unknown."""

    @property
    def ends_ms(self) -> float:
        """When it is over."""
        return self.at_ms + self.took_ms


@dataclass(frozen=True, slots=True)
class Drilled:
    """How one tenant's request ended."""

    tenant: str
    steps: tuple[Step, ...]
    end: End
    outcome: str
    """The machine's own word: `ok`, a reason, `no_candidates`, `exhausted: LAST_REASON`."""
    offer: int | None
    """The offer that answered."""
    elapsed_ms: float
    calls: int
    cost_bound: float | None
    """The most that all calls together can cost, each counted as if it were billed whole; None where one is unknown."""
    assumed: bool
    """Whether a call took the assumed time, because the catalog does not know the offer's latency."""

    @property
    def stranded(self) -> bool:
        """Whether the request ends without an answer."""
        return self.offer is None


class _Watched(Health):
    """Health that remembers which call opened which breaker, and until when."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.opened: dict[tuple[int, str], float] = {}
        """By call, from 1, and provider: until when its breaker is open."""

    def begin(self, tenant: str, provider: str) -> None:
        """As `Health.begin`."""
        self.calls += 1
        super().begin(tenant, provider)

    def failed(self, tenant: str, provider: str, now: float, **told: Any) -> float | None:
        """As `Health.failed`."""
        until = super().failed(tenant, provider, now, **told)
        self._note(tenant, provider, now)
        return until

    def hold(self, tenant: str, provider: str, now: float, ms: float) -> None:
        """As `Health.hold`."""
        super().hold(tenant, provider, now, ms)
        self._note(tenant, provider, now)

    def _note(self, tenant: str, provider: str, now: float) -> None:
        if self.blocked(tenant, provider, now) == "breaker_open":
            self.opened[self.calls, provider] = self.recovers_at(tenant, provider, now)


def drill(state: WorkspaceState, outcome: Outcome, trouble: Trouble) -> Drilled:
    """What happens to one request of the tenant in this trouble.

    Raises `CompileError` for a tenant without a policy, `NotRunnable` for a policy that no host here could run.
    """
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        raise CompileError(f"tenant `{outcome.tenant.id}` has no policy", outcome.errors)
    findings = runnable(compiled.policy)
    if any(finding.severity == "error" for finding in findings):
        raise NotRunnable(f"the policy of tenant `{outcome.tenant.id}` can't be run", findings)
    health, answers = _Watched(), Answers(trouble, state.pool)
    cascade = Cascade(compiled.policy, decision.order, state.pool, state.context, outcome.tenant.id)
    ladder = drive(fallback(cascade, health, now=0.0), answers)
    steps = tuple(_with_breakers(_steps(state, outcome, ladder, answers.played), health))
    costs = [step.cost for step in steps if step.kind == "call"]
    known = [cost for cost in costs if cost is not None]
    finished = ladder.finished
    return Drilled(
        outcome.tenant.id, steps, _end(finished.outcome), finished.outcome, finished.index, ladder.elapsed_ms,
        len(costs), sum(known) if len(known) == len(costs) else None, answers.assumed,
    )  # fmt: skip


def drill_all(evaluation: Evaluation, trouble: Trouble) -> tuple[Drilled, ...]:
    """Every tenant that has a policy which can be run, in ascending order of id, each by itself."""
    found: list[Drilled] = []
    for outcome in evaluation.outcomes.values():
        try:
            found.append(drill(evaluation.state, outcome, trouble))
        except (CompileError, NotRunnable):
            continue
    return tuple(found)


def _end(outcome: str) -> End:
    if outcome == "ok":
        return "answered"
    if outcome == "no_candidates":
        return "nobody"
    return "exhausted" if outcome.startswith("exhausted") else "stopped"


def _steps(state: WorkspaceState, outcome: Outcome, ladder: Ladder, played: Sequence[Fault | None]) -> Iterator[Step]:
    """The log's entries, each at its time; calls and waits come from the ladder's rungs, in the same order."""
    rungs, faults = iter(ladder.rungs), iter(played)
    now = 0.0
    for entry in ladder.finished.path:
        provider = str(entry["provider_id"])
        if entry["event"] == "attempted":
            rung = next(rungs)
            now = rung.at_ms + rung.took_ms
            yield _call(state, outcome, entry, rung, next(faults))
        elif entry["event"] == "retry_scheduled":
            if entry["backoff_ms"] > 0:
                rung = next(rungs)
                now = rung.at_ms + rung.took_ms
                yield Step("wait", rung.at_ms, rung.took_ms, provider, None, None, None, None, None, None)
        else:
            kind: Kind = "skipped" if entry["event"] == "skipped" else "disabled"
            yield Step(kind, now, 0.0, provider, None, None, entry.get("reason"), None, None, None)


def _call(state: WorkspaceState, outcome: Outcome, entry: dict[str, Any], rung: Rung, fault: Fault | None) -> Step:
    index = None if rung.call is None else rung.call.index
    cost = None if index is None else cost_per_run(state.catalog.candidates[index], outcome.tenant.workload)
    action = entry.get("action_suppressed") or entry.get("action")
    return Step(
        "call", rung.at_ms, rung.took_ms, str(entry["provider_id"]), index, entry["attempt"],
        entry.get("error_kind"), action, fault, cost,
    )  # fmt: skip


def _with_breakers(steps: Iterator[Step], health: _Watched) -> Iterator[Step]:
    """The steps, and after the call that opened it each breaker with how long it stays open."""
    calls = 0
    for step in steps:
        yield step
        if step.kind != "call":
            continue
        calls += 1
        until = health.opened.get((calls, step.provider))
        if until is not None:
            at = step.ends_ms
            yield Step("breaker", at, until - at, step.provider, None, None, None, None, None, None)
