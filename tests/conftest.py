"""What holds for every test: hypothesis judges results, never the speed of the machine, how the run was started decides
nothing, and a database that nobody closed is a warning on every Python."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import warnings
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings

settings.register_profile("workbench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("workbench"), max_examples=10_000)
settings.load_profile("soak" if os.environ.get("WORKBENCH_SOAK") == "1" else "workbench")


def _stay(_number: int, _frame: object) -> None:
    """Go on; unlike a signal that is ignored, one that is handled begins as its default in every child process."""


for _name in ("SIGINT", "SIGHUP"):  # a job in the background or under nohup begins with them ignored
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _stay)


class _Watched(sqlite3.Connection):
    """Says before Python 3.13 what any connection says since."""

    _open = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._open = True

    def close(self) -> None:
        self._open = False
        super().close()

    def __del__(self) -> None:
        if self._open:
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, stacklevel=1, source=self)


if sys.version_info < (3, 13):
    sqlite3.connect = partial(sqlite3.connect, factory=_Watched)
