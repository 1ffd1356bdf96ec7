"""The fallback machine (LANGUAGE.md 7): told what happened, it says what to do next.

Pure but for the `Health` it is given: no I/O, no clock. It yields `Call` and `Wait`, receives `Outcome` and `Resumed`,
each with the time, and returns `Finished`. The drill, the test call and the endpoint drive this one machine.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.boundary.sealed import sealed
from workbench.engine.context import Context
from workbench.engine.failplan import Action, actions
from workbench.engine.health import OWN_FAULTS, Health
from workbench.engine.pool import Pool
from workbench.engine.transform import Custom, transform
from workbench.errors import UsageError
from workbench.language.admission import Admitted

MOST_ATTEMPTS: Final = 12
"""Most calls of one request; one that could not be sent for want of a key or an address is none."""
MOST_SHUT: Final = 100
"""Most keys and addresses of one request that turn out not to be configured."""
MOST_RETRIES: Final = 5
"""Most further tries of one candidate, whatever the plan says."""
MOST_BACKOFF_MS: Final = 30_000
DEADLINE_MS: Final = 50_000
MESSAGE_LIMIT: Final = 300

Event = dict[str, Any]


@sealed
class Call:
    """Make this call and send its `Outcome`."""

    index: int
    """The candidate's place in the pool."""
    attempt: int
    """Which try of this candidate, from 1."""
    request: Mapping[str, Any]
    """As transformed for this candidate."""
    deadline: float
    """The time by which everything must have ended, on the caller's clock, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait this long, then send `Resumed`."""

    ms: float


@sealed
class Resumed:
    """The wait is over."""

    now: float
    """Milliseconds on the caller's monotonic clock."""


@sealed
class Outcome:
    """How a call ended."""

    now: float
    """Milliseconds on the caller's monotonic clock."""
    kind: str | None = None
    """One of the thirteen reasons; None for success."""
    latency_ms: float = 0.0
    http_status: int | None = None
    message: str | None = None
    """The provider's own words; leave it out for a tenant whose text is not kept."""
    retry_after_ms: float | None = None
    committed: bool = False
    """Whether a byte of the answer has reached the caller: then nothing falls back."""
    cancelled: bool = False
    local: bool = False
    """Our own fault (no connection free, our deadline): it says nothing of the provider."""
    final: bool = False
    """Another try of this candidate is pointless, whatever the plan says: a certificate that does not verify."""
    measured: bool = False
    """The host itself vouches that the provider is at fault, so that it counts for every tenant."""
    unconfigured: bool = False
    """Nothing was sent, and nothing can be to whoever has this key's name and this address: they are passed over."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further facts of the attempt for its log entry (`detail`, `first_token_ms`, ...)."""


@sealed
class Finished:
    """How the request ended."""

    outcome: str
    """`ok`, a reason, `cancelled`, `no_candidates`, or `exhausted: LAST_REASON`."""
    index: int | None
    """The candidate that answered."""
    path: tuple[Event, ...]
    """The log: `attempted`, `retry_scheduled`, `provider_disabled`, `skipped`, in order."""
    recovery: tuple[tuple[int, float], ...] = ()
    """Where nobody could be called: each candidate and the milliseconds until it can be."""


Machine = Generator[Call | Wait, Outcome | Resumed, Finished]


def narrow(
    order: Sequence[int], pool: Pool, *, family: str | None = None, provider: str | None = None
) -> tuple[int, ...]:
    """The part of an order that a request asks for: a model family's, a provider's. The filter has already held."""
    found: list[int] = []
    for index in order:
        candidate = pool.candidates[index]
        if family is not None and candidate.get("model_family") != family:
            continue
        if provider is None or candidate.get("provider_id") == provider:
            found.append(index)
    return tuple(found)


@sealed
class Cascade:
    """What one request walks down."""

    policy: Admitted
    order: tuple[int, ...]
    """The decision's order, narrowed where the request asked for it; best first."""
    pool: Pool
    context: Context
    tenant: str
    """Whose breakers and disables these are."""
    registered: Mapping[str, Custom] = field(default_factory=dict[str, Custom])
    """The host's `custom` transforms by name."""
    out: tuple[int, ...] = ()
    """Where the order is empty: who would stand in it if no provider were out. None of them is called: the filter
    holds; it is only told when they are back."""


def fallback(cascade: Cascade, health: Health, *, now: float, deadline_ms: float = DEADLINE_MS) -> Machine:
    """The machine for one request; `now` is the caller's monotonic clock, in milliseconds.

    The policy must be runnable here (`language.runnable`). Health changes as the machine is told of outcomes.
    """
    return _Run(cascade, health, now + min(deadline_ms, DEADLINE_MS)).walk(now)


class _Run:
    """One request on its way down the order."""

    def __init__(self, cascade: Cascade, health: Health, deadline: float) -> None:
        self.cascade = cascade
        self.order = cascade.order
        self.pool = cascade.pool
        self.tenant = cascade.tenant
        self.health = health
        self.deadline = deadline
        self.path: list[Event] = []
        self.sent = 0
        """Calls that were made; those that nothing could be sent for are none."""
        self.shut: set[tuple[object, object]] = set()
        """The doors that nothing can be sent to."""
        self.open: list[int] = []
        """Those that were passed over because their breaker is open."""
        self.last: str | None = None
        self.reason: str | None = None
        """The last one; of a call that was made, once one was."""
        self.now = 0.0

    def walk(self, now: float) -> Machine:
        """Down the order; where every candidate is blocked, one last probe."""
        self.now = now
        if not self.order:
            return self._nobody("no_candidates", self.cascade.out)
        place: int | None = 0
        led = "next_candidate"
        while place is not None and place < len(self.order):
            index = self.order[place]
            blocked = self._blocked(index)
            if blocked is not None:
                self._log("skipped", index, reason=blocked)
                if blocked == "breaker_open":
                    self.open.append(index)
                place = self._next(place, led) if blocked == "not_configured" else place + 1
                continue
            ended = yield from self._candidate(index)
            if isinstance(ended, Finished):
                return ended
            led = ended
            place = self._next(place, led)
        if self.sent == 0 and place is not None:
            return (yield from self._last_probe())
        return self._exhausted()

    def _last_probe(self) -> Machine:
        """One call of the best whose breaker is open; a disabled provider is not called."""
        for index in self.open:
            if self._blocked(index) in {None, "breaker_open"}:
                ended = yield from self._candidate(index, retries=False)
                if isinstance(ended, Finished):
                    return ended
                if self.sent:
                    break
        return self._exhausted()

    def _candidate(
        self, index: int, *, retries: bool = True
    ) -> Generator[Call | Wait, Outcome | Resumed, Finished | str]:
        """Every try of one candidate; gives how the request ended, or the action that leads on."""
        attempt = 0
        while True:
            attempt += 1
            outcome = yield from self._call(index, attempt)
            if outcome.cancelled:
                return self._finished("cancelled")
            if outcome.kind is None:
                return self._finished("ok", index)
            plan = actions(self.cascade.policy)
            action = plan.get(outcome.kind, plan["unknown"])
            decided = self._decide(index, outcome, action)
            if decided == "abort":
                return self._finished(outcome.kind)
            if self._over():
                return self._exhausted()
            if decided != "retry_same":
                return decided
            final = outcome.final or outcome.unconfigured
            wait = self._backoff(index, outcome, action, attempt) if retries and not final else None
            if wait is None:
                then = str(action.get("then_action", "next_candidate"))
                if then == "abort":
                    return self._finished(outcome.kind)
                return "next_candidate" if then == "retry_same" else self._apply(index, then)
            self._log("retry_scheduled", index, attempt=attempt + 1, backoff_ms=wait)
            if wait > 0:
                self.now = (yield Wait(wait)).now

    def _call(self, index: int, attempt: int) -> Generator[Call | Wait, Outcome | Resumed, Outcome]:
        provider = self._provider(index)
        each = self.cascade
        request = transform(
            each.context.request, each.policy, self.pool.candidates[index], each.context, self.pool.vocabulary,
            each.registered,
        )  # fmt: skip
        self.health.begin(self.tenant, provider)
        told = yield Call(index, attempt, request, self.deadline)
        if not isinstance(told, Outcome):
            raise UsageError("a call is answered by an `Outcome`")
        self.now = told.now
        self.last = told.kind or self.last
        if told.unconfigured:
            self.shut.add(self._door(index))
        else:
            self.sent += 1
        if not told.unconfigured or not self.sent:
            self.reason = told.kind or self.reason
        if told.kind is None and not told.cancelled:
            self.health.succeeded(self.tenant, provider)
        elif told.cancelled or told.local or told.kind in OWN_FAULTS:
            self.health.released(self.tenant, provider)
        self._attempted(index, attempt, told)
        return told

    def _decide(self, index: int, outcome: Outcome, action: Action) -> str:
        """The action in force, its effects on health done."""
        name = str(action["action"])
        if outcome.kind not in OWN_FAULTS and not outcome.local:
            self.health.failed(
                self.tenant, self._provider(index), self.now, open_ms=action.get("open_breaker_ms"),
                retry_after_ms=outcome.retry_after_ms, host=outcome.measured,
            )  # fmt: skip
        entry = self.path[-1]
        if outcome.committed:
            entry.update(action="abort", action_suppressed="committed")
            return "abort"
        if outcome.unconfigured and name == "disable_provider":
            name = "next_candidate"  # another address of this provider may be configured
        entry["action"] = name
        if outcome.retry_after_ms and name != "retry_same" and outcome.kind not in OWN_FAULTS and not outcome.local:
            self.health.hold(self.tenant, self._provider(index), self.now, outcome.retry_after_ms)
        return name if name in ("abort", "retry_same") else self._apply(index, name)

    def _apply(self, index: int, name: str) -> str:
        if name == "disable_provider":
            self.health.disable(self.tenant, self._provider(index), self.now)
            self._log("provider_disabled", index, reason=self.last)
        return name

    def _backoff(self, index: int, outcome: Outcome, action: Action, attempt: int) -> float | None:
        """How long to wait before another try; None where there is none, or it does not fit the deadline."""
        if attempt > min(float(action.get("attempts", 1)), MOST_RETRIES):
            return None
        raw: Any = action.get("backoff_ms", 0)
        if isinstance(raw, list):
            steps: list[float] = raw  # pyright: ignore[reportUnknownVariableType] - admitted as numbers
            raw = steps[min(attempt, len(steps)) - 1] if steps else 0
        wait = min(max(float(raw), outcome.retry_after_ms or 0.0, 0.0), MOST_BACKOFF_MS)
        late = (outcome.retry_after_ms or 0.0) > wait or self.now + wait >= self.deadline
        if late and outcome.retry_after_ms:
            self.health.hold(self.tenant, self._provider(index), self.now, outcome.retry_after_ms)
        return None if late else wait

    def _next(self, place: int, action: str) -> int | None:
        """The next place to try; None where the action leaves none."""
        if action != "next_provider_same_model":
            return place + 1
        family = self.pool.candidates[self.order[place]].get("model_family")
        for later in range(place + 1, len(self.order)):
            if self.pool.candidates[self.order[later]].get("model_family") == family:
                return later
        return None

    def _over(self) -> bool:
        return self.sent >= MOST_ATTEMPTS or len(self.shut) >= MOST_SHUT or self.now >= self.deadline

    def _exhausted(self) -> Finished:
        if self.reason is not None:
            return self._finished(f"exhausted: {self.reason}")
        return self._nobody("exhausted: no_candidates", self.order)

    def _nobody(self, outcome: str, waiting: Sequence[int]) -> Finished:
        """Nobody was called, and these can be once their providers are back."""
        waits = [
            (index, self.health.recovers_at(self.tenant, self._provider(index), self.now) - self.now)
            for index in waiting
        ]
        return Finished(outcome, None, tuple(self.path), tuple(waits))

    def _finished(self, outcome: str, index: int | None = None) -> Finished:
        return Finished(outcome, index, tuple(self.path))

    def _blocked(self, index: int) -> str | None:
        """Why a candidate is passed over now."""
        if self._door(index) in self.shut:
            return "not_configured"
        return self.health.blocked(self.tenant, self._provider(index), self.now)

    def _door(self, index: int) -> tuple[object, object]:
        """What has to be set for a candidate: its key's name and its address."""
        candidate = self.pool.candidates[index]
        return candidate.get("auth_env"), candidate.get("base_url")

    def _provider(self, index: int) -> str:
        return str(self.pool.candidates[index].get("provider_id"))

    def _attempted(self, index: int, attempt: int, told: Outcome) -> None:
        entry: dict[str, Any] = {"attempt": attempt, "latency_ms": told.latency_ms, **told.facts}
        if told.kind is not None:
            entry["error_kind"] = told.kind
        if told.http_status is not None:
            entry["http_status"] = told.http_status
        if told.message is not None:
            entry["error_message"] = told.message[:MESSAGE_LIMIT]
        if told.cancelled:
            entry["cancelled"] = True
        self._log("attempted", index, **entry)

    def _log(self, event: str, index: int, **facts: Any) -> None:
        family = self.pool.candidates[index].get("model_family")
        self.path.append({"event": event, "provider_id": self._provider(index), "model_family": family, **facts})
