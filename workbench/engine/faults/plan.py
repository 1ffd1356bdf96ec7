"""Who is struck, and when: the faults in force, with a seed. Same seed and same calls, same faults."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from workbench.engine.faults.grammar import Fault

_SPAN: Final = float(2**64)


class FaultPlan:
    """Faults in order; the first that is meant for a call and whose chance comes up is played.

    Each fault counts the calls that it is meant for, so what happens at one provider does not depend on how its calls
    fall between those of others.
    """

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int = 0) -> None:
        self.faults = tuple(faults)
        self.seed = seed
        self._met = [0] * len(self.faults)

    def next(self, provider: str, *models: str | None) -> Fault | None:
        """The fault of the next call of a provider's model; None where it is answered well."""
        played: Fault | None = None
        for place, fault in enumerate(self.faults):
            if not fault.strikes(provider, *models):
                continue
            count = self._met[place]
            self._met[place] = count + 1
            if played is None and (fault.probability >= 1 or self._chance(fault, place, count) < fault.probability):
                played = fault
        return played

    def spares(self, provider: str, *models: str | None) -> bool:
        """Whether no fault is meant for these calls."""
        return not any(fault.strikes(provider, *models) for fault in self.faults)

    def _chance(self, fault: Fault, place: int, count: int) -> float:
        told = f"{self.seed} {place} {fault} {count}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(told, digest_size=8).digest(), "big") / _SPAN
