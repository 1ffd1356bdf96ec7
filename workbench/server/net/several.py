"""Several processes behind one listening socket: started, restarted when one dies, ended together.

Shares nothing between them but the socket; health, limits, budgets and traces meet in a database where one is set.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from workbench.boundary.lineage import child_environment

VARIABLE: Final = "WORKBENCH_SERVE_SOCKET"
"""Holds the number of the socket that a child inherits."""
PAUSE_S: Final = 1.0
"""Between a death and its successor's start."""
GRACE_S: Final = 70.0


def inherited() -> socket.socket | None:
    """The socket that a parent bound; None in a process that was started by a person."""
    number = os.environ.get(VARIABLE, "")
    if not number.isdigit():
        return None
    made = socket.socket(fileno=int(number))
    made.setblocking(False)
    return made


class Several:
    """The parent of some processes."""

    def __init__(self, bound: socket.socket, arguments: Sequence[str], count: int) -> None:
        self._bound, self._arguments, self._count = bound, list(arguments), count
        self._children: list[subprocess.Popen[bytes]] = []
        self._signalled = 0

    def run(self, ready: Callable[[], None]) -> int:
        """Keep them running until a signal comes; gives its number."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._children = [self._start() for _ in range(self._count)]
        ready()
        while not self._signalled:
            time.sleep(PAUSE_S)
            for place, child in enumerate(self._children):
                if child.poll() is not None and not self._signalled:
                    self._children[place] = self._start()
        self._end()
        return self._signalled

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self._bound.fileno()
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "workbench", *self._arguments],
            pass_fds=(descriptor,),
            env={**child_environment(), VARIABLE: str(descriptor)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        again = self._signalled != 0
        self._signalled = self._signalled or number
        for child in self._children:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL if again else signal.SIGTERM)

    def _end(self) -> None:
        latest = time.monotonic() + GRACE_S
        for child in self._children:
            try:
                child.wait(max(latest - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
