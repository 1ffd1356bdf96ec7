"""Several processes behind one listening socket: started, started again when one dies, ended together.

Shares nothing between them but the socket; health, limits, budgets and traces meet in a database where one is set.
One that had served for a while is replaced at once; one that dies at once, again and again, is waited for longer and
longer, so that a broken host is not worn out by starting.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from workbench.boundary.lineage import child_environment, ending_signals

VARIABLE: Final = "WORKBENCH_SERVE_SOCKET"
"""Holds the number of the socket that a child inherits."""
STEADY_S: Final = 10.0
"""A process that lived this long did not die of its start."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
GRACE_S: Final = 70.0
"""Longest that the processes are waited for when all of it ends."""


def inherited() -> socket.socket | None:
    """The socket that a parent bound; None in a process that was started by a person."""
    number = os.environ.get(VARIABLE, "")
    if not number.isdigit():
        return None
    made = socket.socket(fileno=int(number))
    made.setblocking(False)
    return made


def pause_s(early: int) -> float:
    """How long to wait before the next start, after so many deaths in a row that came at once."""
    return 0.0 if early <= 0 else min(FIRST_PAUSE_S * 2.0 ** min(early - 1, 16), LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Change:
    """A process began, or ended and was not asked to."""

    pid: int | None
    """None for one that could not be started at all."""
    ended: str | None = None
    """`signal 9`, `exit code 2`, or why it could not be started; None for one that began."""
    pause_s: float = 0.0
    """Until the successor of one that ended starts."""

    @property
    def wrong(self) -> bool:
        """Whether somebody should look."""
        return self.ended is not None

    def as_document(self) -> dict[str, Any]:
        """For programs."""
        if self.ended is None:
            return {"event": "process_started", "pid": self.pid}
        return {"event": "process_ended", "pid": self.pid, "how": self.ended, "next_in_s": self.pause_s}

    def sentences(self) -> list[str]:
        """For a person."""
        if self.ended is None:
            return []
        who = "a process could not be started" if self.pid is None else f"process {self.pid} ended"
        again = f"in {self.pause_s:g} s" if self.pause_s else "at once"
        return [f"{who} ({self.ended}); another one is started {again}"]


@dataclass(slots=True)
class _Place:
    """One of the processes, whichever has it now."""

    child: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    early: int = 0
    due: float = 0.0
    """When the next is to be started, where there is none."""


class Several:
    """The parent of some processes. Runs in the main thread, which hears of signals."""

    def __init__(
        self, bound: socket.socket, arguments: Sequence[str], count: int, told: Callable[[Change], None]
    ) -> None:
        self._bound, self._arguments, self._told = bound, list(arguments), told
        self._places = [_Place() for _ in range(count)]
        self._signals: list[int] = []

    def run(self, ready: Callable[[], None]) -> int:
        """Keep them running until a signal comes; gives its number."""
        with _wakened(self._hear) as wakened:
            self._look()
            ready()
            while not self._signals:
                _wait(wakened, self._look())
            self._end(wakened)
        return self._signals[0]

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        """Only remember it: a process may be half started just now."""
        self._signals.append(number)

    def _look(self) -> float | None:
        """Tell of the dead and start whoever is due; gives the seconds until the next is, None where all run."""
        for place in self._places:
            code = None if place.child is None else place.child.poll()
            if code is not None:
                self._bury(place, f"signal {-code}" if code < 0 else f"exit code {code}")
        now = time.monotonic()
        for place in self._places:
            if place.child is None and place.due <= now and not self._signals:
                self._start(place)
        dues = [place.due for place in self._places if place.child is None]
        return max(min(dues) - time.monotonic(), 0.0) if dues else None

    def _start(self, place: _Place) -> None:
        descriptor = self._bound.fileno()
        place.began = time.monotonic()
        try:
            place.child = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "workbench", *self._arguments],
                pass_fds=(descriptor,),
                env={**child_environment(), VARIABLE: str(descriptor)},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:  # the host has no room for another process just now
            self._bury(place, (error.strerror or str(error)).lower())
            return
        self._told(Change(place.child.pid))

    def _bury(self, place: _Place, how: str) -> None:
        now, child = time.monotonic(), place.child
        place.early = 0 if now - place.began >= STEADY_S else place.early + 1
        pause = pause_s(place.early)
        place.child, place.due = None, now + pause
        if child is not None:
            _let_go(child)
        self._told(Change(None if child is None else child.pid, how, pause))

    def _end(self, wakened: int) -> None:
        """Ask all of them to end, and wait; a second signal, or too long a wait, cuts them."""
        children = [place.child for place in self._places if place.child is not None]
        latest = time.monotonic() + GRACE_S
        for child in children:
            child.terminate()
        while any(child.poll() is None for child in children):
            left = latest - time.monotonic()
            if left <= 0 or len(self._signals) > 1:
                break
            _wait(wakened, left)
        for child in children:
            child.kill()  # nothing, to one that has ended
            child.wait()
            _let_go(child)


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """Close the pipe that told it of us."""
    if child.stdin is not None:
        child.stdin.close()


@contextmanager
def _wakened(hear: Callable[[int, FrameType | None], None]) -> Generator[int]:
    """What becomes readable when a signal comes or a child ends, also one that came before it was waited for."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    handlers = {**dict.fromkeys(ending_signals(), hear), signal.SIGCHLD: _pass}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    old = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _pass(_number: int, _frame: FrameType | None) -> None:
    """A handler in Python, so that the signal is written to the pipe at all."""


def _wait(wakened: int, seconds: float | None) -> None:
    if select.select([wakened], [], [], seconds)[0]:
        os.read(wakened, 65_536)
