"""What one pool remembers between decisions: masks of predicates that read nothing else, and plans of policies.

Bounded, the least recently used dropped first; a lost entry costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Plan = TypeVar("Plan")

KEPT_MASKS: Final = 1024
"""Most masks kept per pool; at 10,000 candidates they take 10 MB."""
KEPT_PLANS: Final = 512
"""Most plans kept per pool."""


class Memory:
    """Masks by key and plans by encoding."""

    __slots__ = ("_masks", "_plans")

    def __init__(self) -> None:
        self._masks: dict[Hashable, Mask] = {}
        self._plans: dict[str, Any] = {}

    def kept(self, key: Hashable) -> Mask | None:
        """A mask kept under this key; it must not be written to."""
        mask = self._masks.pop(key, None)
        if mask is not None:
            self._masks[key] = mask
        return mask

    def keep(self, key: Hashable, mask: Mask) -> Mask:
        """Keeps a mask, dropping the one that was not asked for the longest."""
        while len(self._masks) >= KEPT_MASKS:
            self._masks.pop(next(iter(self._masks)), None)
        mask.flags.writeable = False
        self._masks[key] = mask
        return mask

    def planned(self, encoding: str, make: Callable[[], Plan]) -> Plan:
        """What `make` gives for a term of this versioned encoding, made once."""
        plan: Plan | None = self._plans.get(encoding)
        if plan is None:
            while len(self._plans) >= KEPT_PLANS:
                self._plans.pop(next(iter(self._plans)), None)
            plan = self._plans[encoding] = make()
        return plan

    def forget(self) -> None:
        """Drops every kept mask and plan, for measuring without them."""
        self._masks.clear()
        self._plans.clear()
