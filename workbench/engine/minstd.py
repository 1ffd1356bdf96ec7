"""The language's only randomness: MINSTD, seeded, the same draw on every host (LANGUAGE.md 6.4)."""

from __future__ import annotations

MODULUS = 2147483647
_FACTOR = 16807
_WARM_UP = 4


class Minstd:
    """A stream of draws in (0, 1) that a seed determines."""

    __slots__ = ("_state",)

    def __init__(self, seed: float) -> None:
        state = seed % MODULUS
        if state <= 0:
            state += MODULUS - 1
        for _ in range(_WARM_UP):
            state = state * _FACTOR % MODULUS
        self._state = state

    def draw(self) -> float:
        """The next number."""
        self._state = self._state * _FACTOR % MODULUS
        return self._state / MODULUS


def fold(data: bytes) -> int:
    """A number from a name, so that two parameters do not draw alike."""
    state = 0
    for byte in data:
        state = (state * 31 + byte) % MODULUS
    return state
