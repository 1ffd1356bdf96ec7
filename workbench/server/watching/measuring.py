"""What served calls measure of their providers, and the snapshot that a policy which looks at it is decided over.

Measures meet in the file that `workbench call` keeps, so that every process of a user hears of them. A decision is made
over round values that are taken up now and then, off the event loop: each of them names another population in its
traces, and most calls shall share one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from workbench.engine.measures.decay import Measures, Pair
from workbench.engine.pool import Pool
from workbench.gateway.records import Attempt
from workbench.server.state import ServerState
from workbench.session.calls.health.measured import measured_candidates
from workbench.session.calls.health.store import HealthStore, gathered

LOG: Final = logging.getLogger("workbench.server")
LOOK_S: Final = 2.0
"""Between two looks at what was measured; what is known for the first time counts from the next one on."""
CALM_S: Final = 30.0
"""How long values hold that others have taken the place of."""
MOST_WAITING: Final = 100_000
"""Calls of one look; further ones say nothing."""
DIGITS: Final = 2
"""Significant digits of a value that is decided by."""
Result = TypeVar("Result")
Fields = Mapping[Pair, Mapping[str, float]]


@dataclass(slots=True)
class Measuring:
    """The measures of one process. Belongs to one event loop; `_learn` and `_warm` run beside it."""

    store: Callable[[], HealthStore]
    """Opens what outlives the process."""
    look_s: float = LOOK_S
    calm_s: float = CALM_S
    clock: Callable[[], float] = time.monotonic
    fields: Fields = field(default_factory=dict[Pair, Mapping[str, float]])
    """What decisions look at."""
    _averages: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The same as a state has it."""
    _waiting: list[Attempt] = field(default_factory=list[Attempt])
    _own: Measures = field(default_factory=Measures)
    _kept: HealthStore | None = None
    _since: float = -CALM_S
    _over: tuple[ServerState, ServerState] | None = None
    """A snapshot, and what it is with what was measured."""
    _states: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = field(
        default_factory=dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]]
    )
    _task: asyncio.Task[None] | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "measures"))

    def heard(self, attempts: Iterable[Attempt]) -> None:
        """Take up how calls went."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting += attempts

    def state_of(self, state: ServerState) -> ServerState:
        """The snapshot that is decided over."""
        if not self.fields:
            return state
        if self._over is None or self._over[0] is not state:
            self._over = state, _with(state, self.fields)
        return self._over[1]

    def health_of(self, health: Mapping[str, Any]) -> Mapping[str, Any]:
        """A health state with the averages that policies of v1 read: the same object for the same one."""
        if not self.fields:
            return health
        known = self._states.get(id(health))
        if known is None or known[0] is not health:
            if len(self._states) >= 1_024:
                self._states.clear()
            known = self._states[id(health)] = health, {**health, "ema": self._averages}
        return known[1]

    async def start(self) -> None:
        """Begin, with what is known from before."""
        await self._look(None)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and keep what was measured."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._beside(partial(self._learn, self._taken()))
        self._thread.shutdown()

    async def _beside(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.look_s)
            try:
                await self._look(None if self._over is None else self._over[0])
            except Exception as error:  # noqa: BLE001 - what is in force stays so
                LOG.error("measures: %s", type(error).__name__)  # noqa: TRY400 - its text may hold anything

    async def _look(self, state: ServerState | None) -> None:
        fields, averages = await self._beside(partial(self._learn, self._taken()))
        if fields == self.fields or not self._due(fields):
            return
        over = None if state is None else (state, await self._beside(partial(_warm, state, fields)))
        self.fields, self._averages, self._over, self._since = fields, averages, over, self.clock()
        self._states.clear()

    def _due(self, fields: Fields) -> bool:
        """Whether values that were not known are now, or those in force have held long enough."""
        new = any(not known.keys() <= self.fields.get(pair, {}).keys() for pair, known in fields.items())
        return new or self.clock() - self._since >= self.calm_s

    def _taken(self) -> list[Attempt]:
        taken, self._waiting = self._waiting, []
        return taken

    def _learn(self, attempts: list[Attempt]) -> tuple[Fields, Mapping[str, Any]]:
        store = self._kept
        if store is None:
            store = self._kept = self.store()
        fresh = gathered(attempts, store.wall())
        self._own.merge(fresh.known)
        if fresh.known:
            store.keep(fresh)
        else:
            store.refresh()
        if store.file.trouble is not None:  # then what this process has measured itself has to do
            self._own.prune(store.wall())
            store.measures = self._own
        now = store.wall()
        fields = {
            pair: {name: _round(value) for name, value in known.items()}
            for pair, known in store.measures.fields(now).items()
        }
        return fields, store.measures.as_averages(now)


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _with(state: ServerState, fields: Fields) -> ServerState:
    """The snapshot with measured values in place of the catalog's; decisions and answers of its own."""
    kept = replace(state.kept, candidates=measured_candidates(state.kept.candidates, fields))
    called = state.call_pool
    if called is not None:
        called = Pool(measured_candidates(called.candidates, fields), called.vocabulary)
    return replace(state, call_pool=called, measured=kept, shown={})


def _warm(state: ServerState, fields: Fields) -> ServerState:
    """The same, with everything made that a request would wait for."""
    made = _with(state, fields)
    _ = made.kept.blob, made.kept.content_sha256, made.kept.pool.columns
    return made
