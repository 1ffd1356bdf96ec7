"""A loaded catalog: offers in file order, the wire form of each, the names a policy may use, each fact's origin.

Immutable. Owns the identity and the order, which is the order of the file. Knows no file; `load.py` builds it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workbench.catalog.facts import Fact, facts_of
from workbench.catalog.models import Model, Offer, Provider, Source
from workbench.errors import Finding, UsageError
from workbench.language.vocabulary import Vocabulary


@dataclass(frozen=True)
class Catalog:
    """What there is to choose from, on one day."""

    name: str
    date: str
    """The day the catalog stands for, `YYYY-MM-DD`."""
    note: str
    """How it was made."""
    sha256: str
    """Of the canonical JSON of the whole document: the order of the offers is part of it."""
    offers: tuple[Offer, ...]
    """In file order; rejected rows are left out."""
    providers: Mapping[str, Provider]
    models: Mapping[str, Model]
    """Every family that an offer names, those without facts of their own included."""
    sources: Mapping[str, Source]
    vocabulary: Vocabulary
    candidates: tuple[dict[str, Any], ...]
    """The wire form, aligned with `offers`. Unknown facts have no key. Read, never written."""
    benchmark_versions: Mapping[str, str]
    """The one index version that each benchmark field holds: `{"bench_intelligence": "AA 4.1"}`."""
    findings: tuple[Finding, ...] = ()
    """Rejected rows (errors) and rows read with care (warnings)."""
    held: Mapping[str, str] = field(default_factory=dict[str, str])
    """Providers of an imported catalog whose key variable waits for a person's consent: provider to variable."""

    def __len__(self) -> int:
        return len(self.offers)

    @cached_property
    def offer_ids(self) -> tuple[str, ...]:
        """`PROVIDER/SERVED_MODEL_ID` per offer, with `@REGION` where that alone tells two offers apart."""
        plain = [f"{offer.provider}/{offer.served_model_id}" for offer in self.offers]
        seen: dict[str, int] = {}
        for name in plain:
            seen[name] = seen.get(name, 0) + 1
        return tuple(
            name if seen[name] == 1 else f"{name}@{offer.region or 'unknown'}"
            for name, offer in zip(plain, self.offers, strict=True)
        )

    def offer_id(self, index: int) -> str:
        """The name of one offer, unique within the catalog."""
        return self.offer_ids[index]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.offer_ids)}

    def find(self, text: str) -> int:
        """The index of the offer that `text` names: its id, or any unique part of one.

        Raises `UsageError` with what comes near where none or several match.
        """
        exact = self._places.get(text)
        if exact is not None:
            return exact
        full = {f"{o.provider}/{o.served_model_id}@{o.region or 'unknown'}": i for i, o in enumerate(self.offers)}
        if text in full:
            return full[text]
        wanted = text.casefold()
        near = [
            name
            for name, offer in zip(self.offer_ids, self.offers, strict=True)
            if f"{offer.provider}/{offer.served_model_id}" == text
        ] or [name for name in self.offer_ids if wanted in name.casefold()]
        if len(near) == 1:
            return self._places[near[0]]
        raise _not_one(
            text, near or difflib.get_close_matches(text, self.offer_ids, n=5, cutoff=0.5), several=bool(near)
        )

    def facts(self, index: int) -> tuple[Fact, ...]:
        """Every fact of one offer with unit, source and date; an unknown one has the value None."""
        return facts_of(self, index)

    @cached_property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """The values that occur, for completion: provider, model, served_by, capability and each category."""
        providers = tuple(sorted({offer.provider for offer in self.offers}))
        flags = {
            name for row in self.candidates for name, known in row["capabilities"].items() if isinstance(known, bool)
        }
        found: dict[str, tuple[str, ...]] = {
            "provider": providers,
            "model": tuple(sorted({offer.model for offer in self.offers})),
            "served_by": providers,
            "capability": tuple(sorted(flags)),
            "tier": self.vocabulary.tiers,
        }
        for category in self.vocabulary.categories.values():
            found[category.name] = category.values
        return found


def _not_one(text: str, near: list[str], *, several: bool) -> UsageError:
    shown = ", ".join(f"`{name}`" for name in near[:5]) + (f" and {len(near) - 5} more" if len(near) > 5 else "")
    if several:
        return UsageError(
            f"`{text}` names {len(near)} offers",
            [Finding("more than one offer matches", "offer_ambiguous", hint=f"say which: {shown}")],
        )
    hint = f"did you mean {shown}?" if near else "`workbench catalog show` lists all offers"
    return UsageError(
        f"no offer `{text}` in the catalog", [Finding("no offer has this id", "offer_unknown", hint=hint)]
    )
