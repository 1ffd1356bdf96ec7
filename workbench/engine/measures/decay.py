"""Averages that fade: latency, success and speed by provider and model, each sample half as heavy after an hour.

Pure: knows no clock and no file; times are milliseconds of whatever clock the caller keeps to. Sums of faded samples
add up, so two processes that measure apart can be merged without loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.engine.values import items, number, record

HALF_LIFE_MS: Final = 3_600_000.0
"""After this long a sample weighs half."""
LEAST_WEIGHT: Final = 0.05
"""Below this there is nothing left to say: a single sample gets there in about four hours and twenty minutes."""
MEASURES: Final = ("success_rate", "latency_ms", "first_token_ms", "tok_s")
FIELDS: Final = ("latency_ms", "tok_s", "success_rate")
"""Those that a policy may look at; `first_token_ms` is for people."""
_OF_SUCCESS: Final = ("latency_ms", "first_token_ms", "tok_s")
_V1: Final = {"latency_ms": "ema_latency_ms", "tok_s": "ema_tok_s", "success_rate": "success_rate_ewma"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one call says of one offer's provider and model."""

    at: float
    """When, in milliseconds."""
    ok: bool
    latency_ms: float | None = None
    """Of the whole call; of a success only."""
    first_token_ms: float | None = None
    tok_s: float | None = None


@dataclass(frozen=True, slots=True)
class Faded:
    """The faded sum of one measure's samples, and of their weights."""

    weight: float = 0.0
    total: float = 0.0

    @property
    def value(self) -> float | None:
        """The average; None where too little is left of it."""
        return self.total / self.weight if self.weight >= LEAST_WEIGHT else None

    def faded(self, share: float) -> Faded:
        """The same, later."""
        return Faded(self.weight * share, self.total * share)

    def plus(self, other: Faded) -> Faded:
        """Both together; they must have been faded to the same time."""
        return Faded(self.weight + other.weight, self.total + other.total)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of one provider and model."""

    at: float
    """The time that the sums stand for: that of the last sample."""
    samples: int = 0
    """How many there were since the beginning, or the last reset."""
    sums: Mapping[str, Faded] = field(default_factory=dict[str, Faded])

    @classmethod
    def of(cls, *samples: Sample) -> Measured:
        """What samples of one moment say; they count as of the last one's time."""
        weights: dict[str, float] = {}
        totals: dict[str, float] = {}
        for sample in samples:
            known = [("success_rate", 1.0 if sample.ok else 0.0)]
            if sample.ok:
                known += [(name, value) for name in _OF_SUCCESS if (value := number(getattr(sample, name))) is not None]
            for name, value in known:
                if value >= 0:
                    weights[name] = weights.get(name, 0.0) + 1.0
                    totals[name] = totals.get(name, 0.0) + value
        at = max((sample.at for sample in samples), default=0.0)
        return cls(at, len(samples), {name: Faded(weight, totals[name]) for name, weight in weights.items()})

    def at_time(self, now: float) -> Measured:
        """The same, faded to `now`; a clock that went back fades nothing."""
        share = 0.5 ** (max(now - self.at, 0.0) / HALF_LIFE_MS)
        return replace(self, at=max(now, self.at), sums={name: sum_.faded(share) for name, sum_ in self.sums.items()})

    def plus(self, other: Measured) -> Measured:
        """Both together, at the later of their times; in either order the same."""
        now = max(self.at, other.at)
        mine, theirs = self.at_time(now).sums, other.at_time(now).sums
        both = {name: mine.get(name, _NONE).plus(theirs.get(name, _NONE)) for name in MEASURES}
        kept = {name: sum_ for name, sum_ in both.items() if sum_.weight > 0}
        return Measured(now, self.samples + other.samples, kept)

    def value(self, name: str, now: float) -> float | None:
        """One measure's average at `now`; None where nothing, or too little, is known."""
        return self.at_time(now).sums.get(name, _NONE).value

    def weight(self, now: float) -> float:
        """How many fresh samples it is worth at `now`."""
        return self.at_time(now).sums.get("success_rate", _NONE).weight


_NONE: Final = Faded()
Pair = tuple[str, str]
"""Provider and model family."""


@dataclass(slots=True)
class Measures:
    """All measures of one host. Changes in place."""

    known: dict[Pair, Measured] = field(default_factory=dict[Pair, Measured])

    def add(self, provider: str, family: str, sample: Sample) -> None:
        """Take one sample up."""
        self.merge({(provider, family): Measured.of(sample)})

    def merge(self, others: Mapping[Pair, Measured]) -> None:
        """Take up what was measured elsewhere."""
        for pair, measured in others.items():
            mine = self.known.get(pair)
            self.known[pair] = measured if mine is None else mine.plus(measured)

    def forget(self, provider: str | None = None, family: str | None = None) -> None:
        """Drop what is known of one provider, of one of its models, or of all."""
        for pair in [p for p in self.known if provider in (None, p[0]) and family in (None, p[1])]:
            del self.known[pair]

    def prune(self, now: float) -> None:
        """Drop what has faded away."""
        for pair in [p for p, measured in self.known.items() if measured.weight(now) < LEAST_WEIGHT]:
            del self.known[pair]

    def fields(self, now: float) -> dict[Pair, dict[str, float]]:
        """The fields that a policy may look at, by pair; only what is known."""
        found: dict[Pair, dict[str, float]] = {}
        for pair, measured in sorted(self.known.items()):
            faded = measured.at_time(now)
            values = {name: sum_.value for name in FIELDS if (sum_ := faded.sums.get(name)) is not None}
            known = {name: value for name, value in values.items() if value is not None}
            if known:
                found[pair] = known
        return found

    def as_averages(self, now: float) -> dict[str, dict[str, float]]:
        """The same as a state's `ema`, by the names that policies of v1 read."""
        return {
            "|".join(pair): {_V1[name]: value for name, value in values.items()}
            for pair, values in self.fields(now).items()
        }


def to_wire(known: Mapping[Pair, Measured]) -> list[dict[str, Any]]:
    """Measures as JSON, in ascending order of provider and model."""
    return [
        {
            "provider": provider,
            "model_family": family,
            "at": measured.at,
            "samples": measured.samples,
            "sums": {name: [sum_.weight, sum_.total] for name, sum_ in sorted(measured.sums.items())},
        }
        for (provider, family), measured in sorted(known.items())
    ]


def of_wire(rows: object) -> Iterator[tuple[Pair, Measured]]:
    """Measures from what `to_wire` gave; rows of another shape are left out."""
    for row in map(record, items(rows)):
        provider, family, at = row.get("provider"), row.get("model_family"), number(row.get("at"))
        samples = number(row.get("samples"))
        if not isinstance(provider, str) or not isinstance(family, str) or at is None or samples is None:
            continue
        sums = {name: known for name in MEASURES if (known := _faded(record(row.get("sums")).get(name))) is not None}
        if "success_rate" in sums:
            yield (provider, family), Measured(at, int(samples), sums)


def _faded(raw: object) -> Faded | None:
    pair = items(raw)
    if len(pair) != 2:
        return None
    weight, total = number(pair[0]), number(pair[1])
    if weight is None or total is None or not 0 < weight < 1e12 or not 0 <= total < 1e18:
        return None
    return Faded(weight, total)
