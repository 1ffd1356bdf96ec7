"""What a decision knows beside the policy and the pool: the request, the host's state, the seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from workbench.boundary.sealed import sealed
from workbench.engine.values import record

EXACT: Final = 2**53
"""Above this an integer is the double that JSON readers elsewhere would see."""


@sealed
class Context:
    """The request, the state and the seed of one decision; the mappings must not change after."""

    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The request as it came: `requirements`, `images`, `tools`, `response_format`, `scope`."""
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`ema` by `PROVIDER|FAMILY`, `credits`, `breakers` and `disabled` by provider."""
    seed: float | None = None
    """What `sample`, `jitter` and `inject_seed` draw from. Not a number means none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "request", record(self.request))
        object.__setattr__(self, "state", record(self.state))
        object.__setattr__(self, "seed", _seed(self.seed))

    @classmethod
    def of(cls, document: object) -> Context:
        """A context from its wire form; what is missing or of the wrong type is empty."""
        wire = record(document)
        return cls(record(wire.get("request")), record(wire.get("state")), wire.get("seed"))

    @property
    def requirements(self) -> Mapping[str, Any]:
        """The request's own requirements, empty where it has none."""
        return record(self.request.get("requirements"))


def _seed(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        try:
            return value if abs(value) <= EXACT else int(float(value))
        except OverflowError:
            return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
