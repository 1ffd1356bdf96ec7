"""What holds for every test: hypothesis judges results, never the speed of the machine."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("workbench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("workbench"), max_examples=10_000)
settings.load_profile("soak" if os.environ.get("WORKBENCH_SOAK") == "1" else "workbench")
