"""A plain call whose first attempt takes no task: sent and read in callbacks, and over where it went well.

Most calls go well at once; a task, its timeouts and its steps would cost them more than all the rest. Whatever else
happens (no connection at hand, another status, a body that is long or flawed, a time that is over, a caller that is
gone) goes on in a task from where it is, as `walk` has it: nothing about a failure is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, cast

from workbench.engine.fallback import Call, Machine
from workbench.gateway.codecs.neutral import LocalFault, Reply
from workbench.gateway.dispatch import Ask, Dispatcher, Stop, stoppable
from workbench.gateway.events import Answer, unheard
from workbench.gateway.records import ImmediateRecorder
from workbench.gateway.transports.direct import Asked
from workbench.gateway.walk import Trying, Walk, intent_of

LOOK_S: Final = 0.05
"""How often is looked whether a call's time is over; what follows is exact."""

GoOn = Coroutine[Any, Any, Answer]


@dataclass(slots=True)
class Deadlines:
    """The calls that are waited for, and by when each must have ended. Belongs to one event loop."""

    waiting: dict[Quick, float] = field(default_factory=dict["Quick", float])
    _timer: asyncio.TimerHandle | None = None

    def watch(self, call: Quick, due: float) -> None:
        """Tell `call` when `due` is over, in milliseconds on its dispatcher's clock."""
        self.waiting[call] = due
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        late = [call for call, due in self.waiting.items() if due <= call.now]
        for call in late:
            call.hurry()
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look) if self.waiting else None


class Quick:
    """One call. `then` is told of its answer; `go_on` is given what has to be done in a task instead."""

    __slots__ = (
        "_ask", "_asked", "_deadlines", "_go_on", "_host", "_left", "_machine", "_recorder", "_then", "_trying",
        "_walk", "stop",
    )  # fmt: skip

    def __init__(
        self, host: Dispatcher, recorder: ImmediateRecorder, deadlines: Deadlines, ask: Ask,
        then: Callable[[Answer], None], go_on: Callable[[GoOn], None],
    ) -> None:  # fmt: skip
        self._host, self._recorder, self._deadlines, self._ask = host, recorder, deadlines, ask
        self._then, self._go_on = then, go_on
        self._walk = Walk(host, ask, unheard)
        self._machine: Machine
        self._trying: Trying
        self._asked: Asked | None = None
        self._left = False
        self.stop = Stop()

    @property
    def now(self) -> float:
        """The dispatcher's clock, in milliseconds."""
        return self._host.clock()

    def start(self) -> None:
        """Begin; nothing is raised."""
        walk = self._walk
        try:
            self._machine = walk.machine()
            step = next(self._machine)
        except StopIteration as ended:
            self._then(walk.answer(ended.value))
            return
        except Exception as error:  # noqa: BLE001 - as in a walk: a request ends with an outcome
            self._then(walk.broken(error))
            return
        self._trying = walk.begin(cast("Call", step))  # there is nothing to wait for before a first call
        self._deadlines.watch(self, walk.began + self._ask.deadline_ms)
        try:
            self._recorder.announce(intent_of(self._trying.known, self._ask.no_log), self._durable)
        except Exception:  # noqa: BLE001 - a store that fails must not fail the call
            self._durable(kept=False)

    def hurry(self) -> None:
        """Its time is over, or nobody waits for it any more."""
        if self._asked is not None:
            self._leave(self._tried.run(self._asked))
        elif self.stop.requested:
            self._leave(_raising(asyncio.CancelledError()))  # before a byte has left
        else:
            self._leave(_raising(LocalFault("timeout", "deadline")))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.stop.stop()
        self.hurry()

    @property
    def _tried(self) -> Any:
        return self._trying.tried

    def _durable(self, kept: bool) -> None:
        if not kept:
            self._walk.unrecorded += 1
        if self._left:
            return
        try:
            tried = self._walk.prepare(self._trying)
            self._asked = tried.ask(self._hears)
        except Exception as error:  # noqa: BLE001 - the walk gives it a name
            self._leave(_raising(error))
            return
        if self._asked is None:
            self._leave(tried.run())
        else:
            self._deadlines.watch(self, self.now + tried.seconds_left() * 1000.0)

    def _hears(self, asked: Asked) -> None:
        if self._left or asked.waits:
            return
        try:
            reply: Reply | None = self._tried.heard(asked)
        except Exception:  # noqa: BLE001 - the walk looks at it again, and gives it a name
            reply = None
        if reply is None:
            self._leave(self._tried.run(asked))
        else:
            self._succeeded(reply)

    def _succeeded(self, reply: Reply) -> None:
        self._deadlines.waiting.pop(self, None)
        self._left = True
        attempt, outcome = self._walk.succeeded(self._trying, reply)
        try:
            self._recorder.ended(attempt)
        except Exception:  # noqa: BLE001 - as above
            self._walk.unrecorded += 1
        try:
            self._machine.send(outcome)
        except StopIteration as ended:
            answer = self._walk.answer(ended.value)
        except Exception as error:  # noqa: BLE001 - as above
            answer = self._walk.broken(error)
        else:
            answer = self._walk.broken(RuntimeError("a call that went well is the last one"))
        self._then(answer)

    def _leave(self, making: Awaitable[Reply]) -> None:
        """Go on in a task; once."""
        if self._left:
            cast("Coroutine[Any, Any, Reply]", making).close()
            return
        self._left = True
        self._deadlines.waiting.pop(self, None)
        walk = self._walk
        self._go_on(stoppable(walk.go_on(self._machine, walk.through(self._trying, making)), self.stop))


async def _raising(error: BaseException) -> Reply:
    raise error
