"""What sessions have used so far: running totals by caller and session name, the oldest forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from workbench.gateway.codecs.neutral import Usage

MOST_SESSIONS: Final = 10_000


@dataclass(slots=True)
class Total:
    """One session's counts."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: float = 0.0

    def json(self) -> dict[str, Any]:
        """As `session_acc` shows it."""
        return {
            "calls": self.calls, "tokens_in": self.tokens_in, "tokens_out": self.tokens_out,
            "tokens_cached": self.tokens_cached, "cost_usd": round(self.cost_usd, 6),
        }  # fmt: skip


class Totals:
    """The sessions of one process."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], Total] = OrderedDict()

    def add(self, whose: str, session: str, usage: Usage | None, cost_usd: float | None) -> Total:
        """One more call; `whose` keeps callers apart that chose the same name."""
        key = (whose, session)
        total = self._known.get(key)
        if total is None:
            total = self._known[key] = Total()
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        total.calls += 1
        if usage is not None:
            total.tokens_in += usage.tokens_in or 0
            total.tokens_out += usage.tokens_out or 0
            total.tokens_cached += usage.tokens_cached or 0
        total.cost_usd += cost_usd or 0.0
        return total
