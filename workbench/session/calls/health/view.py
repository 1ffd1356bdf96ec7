"""Health as rows: who is out and for how long, what was measured and how fresh it is. In ascending order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.engine.measures.decay import MEASURES
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.wording import milliseconds


@dataclass(frozen=True, slots=True)
class OutRow:
    """A provider that is not called."""

    tenant: str
    """Whose calls are kept from it; empty: everyone's."""
    provider: str
    why: str
    """`breaker_open` or `disabled_provider`."""
    remaining_ms: float

    @property
    def whom(self) -> str:
        """For people."""
        return self.tenant or "everyone"

    @property
    def words(self) -> str:
        """Why, for people."""
        return "disabled" if self.why == "disabled_provider" else "breaker open"


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """What calls say of one provider and model. None is unknown."""

    provider: str
    model_family: str
    values: Mapping[str, float | None]
    """By the names in `MEASURES`; latencies in milliseconds."""
    samples: int
    weight: float
    """How many fresh samples they are worth by now."""
    age_ms: float
    """Since the last one."""

    @property
    def words(self) -> tuple[str, ...]:
        """Success, latency, first token, speed, samples, age: for people."""
        success, speed = self.values["success_rate"], self.values["tok_s"]
        return (
            "?" if success is None else f"{success:.0%}",
            milliseconds(self.values["latency_ms"]),
            milliseconds(self.values["first_token_ms"]),
            "?" if speed is None else f"{speed:.0f}",
            str(self.samples),
            age(self.age_ms),
        )


@dataclass(frozen=True, slots=True)
class HealthView:
    """All that is known."""

    out: tuple[OutRow, ...]
    measures: tuple[MeasureRow, ...]


def health_view(store: HealthStore) -> HealthView:
    """The store's rows at this moment."""
    out = tuple(OutRow(*row) for row in store.health.known(store.clock()))
    now = store.wall()
    rows = [
        MeasureRow(
            provider,
            family,
            {name: measured.value(name, now) for name in MEASURES},
            measured.samples,
            measured.weight(now),
            max(now - measured.at, 0.0),
        )
        for (provider, family), measured in sorted(store.measures.known.items())
    ]
    return HealthView(out, tuple(rows))


def age(ms: float) -> str:
    """`12 s`, `4 min`, `3 h`."""
    seconds = ms / 1000.0
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
