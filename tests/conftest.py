"""What holds for every test: hypothesis judges results, never the speed of the machine, and how the run was started
decides nothing."""

from __future__ import annotations

import os
import signal

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
