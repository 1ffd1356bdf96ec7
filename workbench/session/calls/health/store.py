"""Health that outlives a process: breakers, disables and measures in one file of the user's state directory.

Owns merging: each call starts from what the file says and adds what it learnt, under the file's lock, so that two
processes lose nothing of each other. On disk times are wall clock, in a process monotonic. What the emulator answered
is kept in a file of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.engine.health import HOST, OWN_FAULTS, Entry, Health
from workbench.engine.measures.decay import Measured, Measures, Sample, of_wire, to_wire
from workbench.engine.values import items, number, record, text
from workbench.gateway.dispatch import monotonic_ms
from workbench.gateway.records import Attempt
from workbench.session.calls.places import Document, KeptFile

FILE = "health.json"
EMULATED_FILE = "health-emulated.json"
KEPT_MS = 3_600_000.0
"""A streak of failures that nobody added to for this long is forgotten."""

Key = tuple[str, str]


def wall_ms() -> float:
    """Milliseconds since 1970."""
    return time.time() * 1000.0


@dataclass(slots=True)
class HealthStore:
    """What is known of providers, shared by every process of one user."""

    file: KeptFile
    clock: Callable[[], float] = monotonic_ms
    wall: Callable[[], float] = wall_ms
    health: Health = field(default_factory=Health)
    measures: Measures = field(default_factory=Measures)

    @classmethod
    def at(cls, folder: Path, *, emulated: bool = False) -> HealthStore:
        """The store in a state directory, as it is now."""
        made = cls(KeptFile(folder / (EMULATED_FILE if emulated else FILE)))
        made.refresh()
        return made

    def refresh(self) -> None:
        """Take up what the file says now."""
        self._adopt(self.file.read())

    def _adopt(self, document: Document) -> None:
        entries = self._entries(document)
        self.health.restore({key: self._moved(entry, self._ahead) for key, entry in entries.items()}, self.clock())
        self.measures.known = dict(of_wire(document.get("measures")))
        self.measures.prune(self.wall())

    @property
    def _ahead(self) -> float:
        """What a wall time is ahead of the process's clock."""
        return self.wall() - self.clock()

    @staticmethod
    def _moved(entry: Entry, by: float) -> Entry:
        opened, disabled = entry.open_until, entry.disabled_until
        return replace(
            entry,
            open_until=None if opened is None else opened - by,
            disabled_until=None if disabled is None else disabled - by,
        )

    def _entries(self, document: Document) -> dict[Key, Entry]:
        """The entries of a file, times by the wall; those of another shape, and the oldest, are left out."""
        found: dict[Key, Entry] = {}
        for raw in items(document.get("providers")):
            row = record(raw)
            scope, provider, at = text(row.get("tenant")), text(row.get("provider")), number(row.get("at"))
            if scope is None or provider is None or at is None or self.wall() - at > KEPT_MS:
                continue
            failures = number(row.get("failures")) or 0.0
            until, disabled = number(row.get("open_until")), number(row.get("disabled_until"))
            found[scope, provider] = Entry(int(max(0.0, min(failures, 1e6))), until, disabled)
        return found

    def learn(self, tenant: str, attempts: Iterable[Attempt]) -> None:
        """Keep what a call learnt: its providers' breakers and disables as they are now, and its samples."""
        called = list(attempts)
        self._merge(
            gathered(called, self.wall()),
            {(scope, each.provider_id) for each in called for scope in (HOST, tenant)},
            {key: self._moved(entry, -self._ahead) for key, entry in self.health.entries().items()},
        )

    def keep(self, measures: Measures) -> None:
        """Keep measures that were taken elsewhere; breakers and disables stay as the file has them."""
        self._merge(measures, set(), {})

    def _merge(self, fresh: Measures, touched: set[Key], mine: Mapping[Key, Entry]) -> None:
        def merged(document: Document) -> tuple[Document, Document]:
            kept = {key: entry for key, entry in self._entries(document).items() if key not in touched}
            kept.update({key: mine[key] for key in touched if key in mine})
            measures = Measures(dict(of_wire(document.get("measures"))))
            measures.merge(fresh.known)
            measures.prune(self.wall())
            ages = _ages(document)
            now = {key: self.wall() for key in touched}
            new = _document(kept, {**ages, **now}, measures)
            return new, new

        self._adopt(self.file.change(merged))

    def reset(self, *, tenant: str | None = None, provider: str | None = None, family: str | None = None) -> int:
        """Forget breakers, disables and measures; gives how many entries went.

        With `tenant` its breakers and disables alone; with `family` measures alone, for a breaker is a provider's.
        """

        def without(document: Document) -> tuple[Document, tuple[Document, int]]:
            entries = self._entries(document)
            measures = Measures(dict(of_wire(document.get("measures"))))
            before = len(entries) + len(measures.known)
            if family is None:
                entries = {
                    key: entry
                    for key, entry in entries.items()
                    if not (tenant in (None, key[0]) and provider in (None, key[1]))
                }
            if tenant is None:
                measures.forget(provider, family)
            new = _document(entries, _ages(document), measures)
            return new, (new, before - len(entries) - len(measures.known))

        document, gone = self.file.change(without)
        self._adopt(document)
        return gone

    def as_state(self, tenant: str) -> dict[str, Any]:
        """What a policy may look at: `breakers`, `disabled`, and `ema` by provider and model."""
        return {**self.health.as_state(tenant, self.clock()), "ema": self.measures.as_averages(self.wall())}

    def fields(self) -> Mapping[Key, Mapping[str, float]]:
        """The measured fields of candidates by provider and model."""
        return self.measures.fields(self.wall())


def gathered(attempts: Iterable[Attempt], at: float) -> Measures:
    """What attempts of one moment say of each provider and model."""
    samples: dict[Key, list[Sample]] = {}
    for each in attempts:
        sample = sample_of(each, at)
        if sample is not None:
            samples.setdefault((each.provider_id, each.model_family), []).append(sample)
    return Measures({pair: Measured.of(*found) for pair, found in samples.items()})


def sample_of(attempt: Attempt, at: float) -> Sample | None:
    """What an attempt says of its provider; None where it says nothing.

    A success does, and a failure that the host itself vouches for: what a tenant's plan, time limits or requests bring
    about must not reach another tenant.
    """
    if attempt.cancelled or attempt.local or attempt.error_kind in OWN_FAULTS:
        return None
    if attempt.error_kind is not None:
        return Sample(at, ok=False) if attempt.measured else None
    return Sample(at, True, attempt.latency_ms, attempt.first_token_ms, tokens_per_second(attempt))


def tokens_per_second(attempt: Attempt) -> float | None:
    """Answer tokens a second, from the first one on where that is known; None where nothing was counted."""
    count = attempt.tokens_out
    if count is None or count < 2:
        return None
    began = attempt.first_token_ms or 0.0
    counted = count - 1 if attempt.first_token_ms is not None else count
    spent = attempt.latency_ms - began
    return counted * 1000.0 / spent if spent >= 1.0 else None


def _ages(document: Document) -> dict[Key, float]:
    rows = [record(raw) for raw in items(document.get("providers"))]
    return {(str(row.get("tenant")), str(row.get("provider"))): number(row.get("at")) or 0.0 for row in rows}


def _document(entries: Mapping[Key, Entry], ages: Mapping[Key, float], measures: Measures) -> Document:
    rows = [
        {
            "tenant": scope,
            "provider": provider,
            "failures": entry.failures,
            "open_until": entry.open_until,
            "disabled_until": entry.disabled_until,
            "at": ages.get((scope, provider), 0.0),
        }
        for (scope, provider), entry in sorted(entries.items())
    ]
    return {"providers": rows, "measures": to_wire(measures.known)}
