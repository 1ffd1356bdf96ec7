"""What every source of prices is read into: one listing per key, in one unit, with unknowns as None."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Listing:
    """One source's row about one model at one provider."""

    provider: str
    """The provider's id as our facts name it."""
    wire_id: str
    """The id as the provider's own API takes it: without the source's prefixes."""
    family: str
    region: str | None
    """None where the row promises no place; `global` where the source says so."""
    source: str
    price_in: float | None = None
    price_out: float | None = None
    """USD per million tokens. A zero in a price map is a preview or a gap and reads as unknown."""
    context: int | None = None
    max_output: int | None = None
    tools: bool | None = None
    vision: bool | None = None
    json_mode: bool | None = None
    reasoning: bool | None = None
    api_kind: str | None = None
    base_url: str | None = None
    released: str | None = None
    deprecated: bool = False
    """The source says that it is going, or its last day has passed."""
    uplifts: tuple[tuple[str, float], ...] = ()
    """Regions that the same id is also served from, and the factor on the list price there."""
    price_note: str | None = None


def per_million(price: object, *, scale: float = 1e6) -> float | None:
    """A price as USD per million tokens, to a millionth of a dollar; None for zero, a wrong type or nonsense."""
    if isinstance(price, bool) or not isinstance(price, int | float):
        return None
    try:
        value = round(float(price) * scale, 6)
    except OverflowError:
        return None
    return value if math.isfinite(value) and 0 < value <= 1e6 else None


def count(value: object) -> int | None:
    """A positive whole number of tokens, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    whole = int(value)
    return whole if 0 < whole <= 2**53 else None


def flag(value: Any) -> bool | None:
    """`true` or `false`; anything else is unknown."""
    return value if isinstance(value, bool) else None
