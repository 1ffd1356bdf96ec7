"""What every protocol's writer holds: the request, and what is said to it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.server.emulator.asked import Asked
from workbench.server.emulator.said import Said


@dataclass(frozen=True, slots=True)
class Answered:
    """A request and its answer."""

    asked: Asked
    said: Said
