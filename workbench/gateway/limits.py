"""The bounds of one call: how much may come back, and how long each step may take (RELIABILITY R28, R29)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from workbench.engine.values import number
from workbench.language.runnable import DEFAULT_HOST


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in milliseconds. The total deadline is the fallback machine's."""

    body: int = 16 * 1024 * 1024
    error_body: int = 64 * 1024
    connect_ms: float = 5_000.0
    read_ms: float = 45_000.0
    """Longest silence: before the headers, and between two pieces of a body."""
    write_ms: float = 10_000.0
    pool_ms: float = 5_000.0
    first_token_ms: float = 45_000.0
    """Longest time until a stream's first word; comments that keep it alive do not count."""
    error_body_ms: float = 2_000.0
    """Longest time that the body of an error is read for, once its status is known."""

    def waiting(self, timeout_ms: float | None, first_token_ms: float | None) -> Limits:
        """The same for a request that asks to wait longer than is usual: until then silence ends no attempt."""
        asked = max(timeout_ms or 0.0, first_token_ms or 0.0)
        if asked <= self.read_ms and asked <= self.first_token_ms:
            return self
        return replace(self, read_ms=max(asked, self.read_ms), first_token_ms=max(asked, self.first_token_ms))


LIMITS: Final = Limits()


def asked_ms(request: Mapping[str, Any], name: str) -> float | None:
    """A time limit that the request carries (`timeout_ms`, `first_token_timeout_ms`), inside this host's bounds."""
    value = number(request.get(name))
    return None if value is None else DEFAULT_HOST.clamp(name, value)
