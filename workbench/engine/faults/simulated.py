"""A fault as the virtual-clock driver plays it: what a call is told, and after how long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.engine.faults.grammar import Fault
from workbench.engine.faults.table import Told
from workbench.engine.values import number
from workbench.engine.virtual import Simulated
from workbench.language.runnable import DEFAULT_HOST

SILENCE_MS: Final = 45_000.0
"""Longest silence before the headers, and between two pieces; how long a real call waits."""
FIRST_TOKEN_MS: Final = 45_000.0
"""Longest time until a stream's first word."""


def simulated(
    fault: Fault | None, *, streamed: bool, request: Mapping[str, Any] | None = None, usual_ms: float = 0.0
) -> Simulated:
    """How a provider with this fault behaves in one call; None answers well after `usual_ms`.

    `request` is the call's: its time limits count. A call that nothing but the deadline ends has an endless latency,
    which the driver cuts there.
    """
    if fault is None:
        return Simulated(usual_ms)
    asked = request or {}
    whole = _limit(asked, "timeout_ms", math.inf)
    first = _limit(asked, "first_token_timeout_ms", FIRST_TOKEN_MS) if streamed else math.inf
    told = fault.about.told(fault.arg, streamed=streamed)
    timing = fault.about.timing
    arg = fault.arg or 0.0
    if timing in ("before", "first"):
        silence = SILENCE_MS if timing == "before" or not streamed else math.inf
        limit = min(whole, first, silence)
        late = usual_ms + arg > limit
        return Simulated(limit, "timeout") if late else Simulated(usual_ms + arg)
    if timing == "silence":
        begun = told.committed
        return _failing(told, min(whole, SILENCE_MS, math.inf if begun else first), usual_ms if begun else 0.0)
    if timing in ("endless", "alive"):
        limit = min(whole, first if timing == "alive" else math.inf)
        return Simulated(limit, told.reason, committed=told.committed, local=told.local and math.isinf(limit))
    return _failing(told, usual_ms, 0.0, retry_after_ms=fault.arg if fault.about.argument == "duration" else None)


def _failing(told: Told, latency: float, begun: float, *, retry_after_ms: float | None = None) -> Simulated:
    return Simulated(
        latency + begun,
        told.reason,
        told.status if told.status != 200 else None,
        retry_after_ms,
        committed=told.committed,
        local=told.local,
    )


def _limit(request: Mapping[str, Any], name: str, usual: float) -> float:
    value = number(request.get(name))
    return usual if value is None else DEFAULT_HOST.clamp(name, value)
