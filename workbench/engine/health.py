"""What is known of providers right now: breakers and disables, with their times of recovery.

Owns the rules of LANGUAGE.md 7 for opening, probing and closing. Knows no clock: every call is told the time, in
milliseconds of one monotonic clock. What a tenant's own calls cause holds for that tenant; what the host vouches for
itself holds for everyone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

HOST: Final = ""
"""The scope that holds for every tenant."""
STREAK: Final = 3
"""Failures in a row that open a breaker."""
DEFAULT_OPEN_MS: Final = 30_000
MOST_OPEN_MS: Final = 300_000
DISABLED_MS: Final = 300_000
OWN_FAULTS: Final = frozenset(("bad_request", "content_filter", "context_overflow"))
"""Failures that are the caller's fault and count towards no breaker."""

Block = Literal["breaker_open", "disabled_provider"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one provider in one scope, to be kept between processes. Milliseconds of the caller's clock."""

    failures: int = 0
    """In a row."""
    open_until: float | None = None
    """None where the breaker has not opened; in the past where a probe is due."""
    disabled_until: float | None = None


_LONG_AGO: Final = 1e-9
"""A time of opening that is over on any clock; 0 is a breaker that never opened."""


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    open_until: float = 0.0
    probing: bool = False


@dataclass(slots=True)
class Health:
    """Breakers and disables of one host. Changes in place; one event loop or one lock owns it."""

    _breakers: dict[tuple[str, str], _Breaker] = field(default_factory=dict[tuple[str, str], _Breaker])
    _disabled: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    @property
    def calm(self) -> bool:
        """Whether nothing is blocked or counted, for anyone."""
        return not self._breakers and not self._disabled

    def blocked(self, tenant: str, provider: str, now: float) -> Block | None:
        """Why the provider may not be called for this tenant at `now`; None where it may.

        A breaker whose time is over lets one call through, the probe; `begin` takes it.
        """
        for scope in (HOST, tenant):
            if self._disabled.get((scope, provider), 0.0) > now:
                return "disabled_provider"
        for scope in (HOST, tenant):
            known = self._breakers.get((scope, provider))
            if known is not None and (known.open_until > now or known.probing):
                return "breaker_open"
        return None

    def begin(self, tenant: str, provider: str) -> None:
        """A call starts: where a breaker was open it is the probe, and no other call passes until it ends."""
        for scope in (HOST, tenant):
            known = self._breakers.get((scope, provider))
            if known is not None and known.open_until > 0:
                known.probing = True

    def succeeded(self, tenant: str, provider: str) -> None:
        """A call ended well: its breakers close and their counts begin anew."""
        for scope in (HOST, tenant):
            self._breakers.pop((scope, provider), None)

    def released(self, tenant: str, provider: str) -> None:
        """A call ended without saying anything of the provider: cancelled, or the caller's own fault."""
        for scope in (HOST, tenant):
            known = self._breakers.get((scope, provider))
            if known is not None:
                known.probing = False

    def failed(
        self, tenant: str, provider: str, now: float, *, open_ms: float | None, retry_after_ms: float | None, host: bool
    ) -> float | None:
        """A call failed by the provider's fault; gives until when the breaker is open, None where it stays closed.

        `open_ms` is what the tenant's plan asks for, `retry_after_ms` what the provider asked for. With `host` the
        failure counts for everyone too, but the plan's own wish never does.
        """
        until = self._count(tenant, provider, now, open_ms, retry_after_ms)
        if host:
            others = self._count(HOST, provider, now, None, retry_after_ms)
            until = others if until is None else max(until, others or until)
        return until

    def _count(
        self, scope: str, provider: str, now: float, open_ms: float | None, retry_after_ms: float | None
    ) -> float | None:
        known = self._breakers.setdefault((scope, provider), _Breaker())
        reopened = known.open_until > 0
        known.probing = False
        known.failures += 1
        if open_ms is None and known.failures < STREAK and not reopened:
            return None
        wished = max((ms for ms in (open_ms, retry_after_ms) if ms is not None), default=DEFAULT_OPEN_MS)
        known.open_until = max(known.open_until, now + min(max(wished, 0.0), MOST_OPEN_MS))
        return known.open_until

    def hold(self, tenant: str, provider: str, now: float, ms: float) -> None:
        """Open the tenant's breaker for a time, whatever its count; a longer time stays."""
        known = self._breakers.setdefault((tenant, provider), _Breaker())
        known.open_until = max(known.open_until, now + min(max(ms, 0.0), MOST_OPEN_MS))

    def disable(self, tenant: str, provider: str, now: float, ms: float = DISABLED_MS) -> None:
        """Disable the provider for this tenant (`HOST`: for everyone) for a time."""
        key = (tenant, provider)
        self._disabled[key] = max(self._disabled.get(key, 0.0), now + min(ms, DISABLED_MS))

    def recovers_at(self, tenant: str, provider: str, now: float) -> float:
        """When the provider may be called again; `now` where it may be already."""
        times = [now]
        for scope in (HOST, tenant):
            times.append(self._disabled.get((scope, provider), 0.0))
            known = self._breakers.get((scope, provider))
            times.append(0.0 if known is None else known.open_until)
        return max(times)

    def reset(self, tenant: str | None = None, provider: str | None = None) -> None:
        """Forget what is known, of one scope and provider or of all."""
        for table in (self._breakers, self._disabled):
            for key in [k for k in table if tenant in (None, k[0]) and provider in (None, k[1])]:
                del table[key]

    def entries(self, tenants: Collection[str] | None = None) -> dict[tuple[str, str], Entry]:
        """All that is known, by scope and provider, in ascending order; of these scopes where they are given."""
        keys = sorted({*self._breakers, *self._disabled})
        found: dict[tuple[str, str], Entry] = {}
        for key in keys:
            if tenants is None or key[0] in tenants:
                breaker = self._breakers.get(key, _Breaker())
                until = breaker.open_until if breaker.open_until > 0 else None
                found[key] = Entry(breaker.failures, until, self._disabled.get(key))
        return found

    def restore(self, entries: Mapping[tuple[str, str], Entry], now: float) -> None:
        """Take up what was kept, in place of what is known; no time reaches further than the longest allowed."""
        self._breakers.clear()
        self._disabled.clear()
        for key, entry in entries.items():
            opened = entry.open_until
            if entry.failures or opened is not None:
                until = 0.0 if opened is None else max(min(opened, now + MOST_OPEN_MS), _LONG_AGO)
                self._breakers[key] = _Breaker(entry.failures, until)
            if entry.disabled_until is not None and entry.disabled_until > now:
                self._disabled[key] = min(entry.disabled_until, now + DISABLED_MS)

    def known(self, now: float) -> Iterator[tuple[str, str, Block, float]]:
        """What is blocked at `now`: scope, provider, why, and the milliseconds that remain; in ascending order."""
        for (scope, provider), until in sorted(self._disabled.items()):
            if until > now:
                yield scope, provider, "disabled_provider", until - now
        for (scope, provider), breaker in sorted(self._breakers.items(), key=lambda item: item[0]):
            if breaker.open_until > now:
                yield scope, provider, "breaker_open", breaker.open_until - now

    def as_state(self, tenant: str, now: float) -> dict[str, Any]:
        """What a policy may look at (LANGUAGE.md 5): `breakers` and `disabled` of this tenant at `now`."""
        breakers: dict[str, bool] = {}
        disabled: dict[str, Any] = {}
        for scope, provider, why, _ in self.known(now):
            if scope in (HOST, tenant):
                if why == "breaker_open":
                    breakers[provider] = True
                else:
                    disabled[provider] = {"kind": "disabled"}
        return {"breakers": breakers, "disabled": disabled}
