"""What ends a process that serves: a signal, or that its parent is gone, however that one ended.

The parent holds the other end of the child's stdin and writes nothing into it; a parent that was killed lets go of it
as well. Owns the variable that tells a child of this.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from threading import Thread
from typing import Final

VARIABLE: Final = "WORKBENCH_ENDS_WITH_STDIN"


def child_environment() -> dict[str, str]:
    """This process's environment, for a child whose stdin is a pipe that the parent keeps open."""
    return {**os.environ, VARIABLE: "1"}


def end_with_parent(environment: Mapping[str, str] = os.environ) -> bool:
    """Where a parent asked for it, end as by SIGTERM once stdin is at its end; gives whether that was asked for."""
    if environment.get(VARIABLE) != "1":
        return False
    Thread(target=_wait, name="parent", daemon=True).start()
    return True


def _wait() -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def ending_signals() -> list[signal.Signals]:
    """The signals that ask a server to end; a hang-up does not where it is ignored, as under nohup."""
    asking = [signal.SIGTERM, signal.SIGINT]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asking.append(signal.SIGHUP)
    return asking
